//! Repositories that the real git makes, without any setting of the user's.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository's work tree, in which git is run.
#[derive(Clone)]
pub(crate) struct Git {
    pub(crate) directory: PathBuf,
}

impl Git {
    /// A new repository, made with these options of `git init`.
    pub(crate) fn init(directory: PathBuf, options: &[&str]) -> Self {
        std::fs::create_dir_all(&directory).unwrap();
        let git = Self { directory };
        git.run(&[&["init", "--quiet"], options].concat());
        git
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Runs a git command that has to work, and returns what it prints.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Adds all files, ignored ones too, and commits them.
    #[track_caller]
    pub(crate) fn commit(&self) {
        self.run(&["add", "--all", "--force"]);
        self.run(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
    }

    /// Whether git says that it tracks this file. `None` if it fails.
    pub(crate) fn tracks(&self, file: &Path) -> Option<bool> {
        let mut git = self.command(&["--literal-pathspecs", "ls-files", "--error-unmatch", "--"]);
        git.current_dir(file.parent().unwrap()).arg(file.file_name().unwrap());
        match git.output().unwrap().status.code() {
            Some(0) => Some(true),
            Some(1) => Some(false),
            _ => None,
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.program("git", arguments)
    }

    /// A line of a shell in which git can be run.
    pub(crate) fn shell(&self, line: &str) -> Command {
        self.program("sh", &["-c", line])
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).args(arguments).env_clear();
        command.envs([
            ("PATH", std::env::var("PATH").unwrap().as_str()),
            ("HOME", "/nonexistent"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@example.com"),
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@example.com"),
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "protocol.file.allow"),
            ("GIT_CONFIG_VALUE_0", "always"),
            ("GIT_CONFIG_KEY_1", "splitIndex.maxPercentChange"),
            ("GIT_CONFIG_VALUE_1", "100"),
        ]);
        command
    }
}
