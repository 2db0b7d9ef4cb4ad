//! Home and runtime directories for a test.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::DirBuilder,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
#[cfg(target_os = "linux")]
use std::{fs, fs::File, process::Stdio};

use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::watchdog;

/// The variable with the path of the home directory.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// The variables that programs need to start, which are passed on.
const KEPT: &[&str] = if cfg!(windows) { &["PATH", "SystemRoot"] } else { &["PATH"] };

/// A temporary directory with a `home` and a `runtime` directory, removed when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Sandbox {
    directory: Arc<TempDir>,
    env: Vec<(OsString, OsString)>,
}

impl Sandbox {
    /// Creates a sandbox.
    ///
    /// # Panics
    ///
    /// If the temporary directory can't be written to. On Linux also if this process shares the user's kernel
    /// keyring, since programs in the sandbox would use it.
    #[expect(
        clippy::new_without_default,
        reason = "a default that creates directories would surprise"
    )]
    pub fn new() -> Self {
        #[cfg(target_os = "linux")]
        assert!(
            env::var_os("STRONGROOM_TEST_KEYRING").is_some(),
            "run tests with cargo, whose runner gives them a kernel keyring of their own, or with \
             `.cargo/test-runner PROGRAM`"
        );
        let directory = tempfile::Builder::new()
            .prefix("strongroom-")
            .tempdir()
            .expect("the temporary directory is writable");
        // At once, since the process may be killed at any time.
        #[cfg(target_os = "linux")]
        watchdog::directory_created(directory.path());
        let sandbox = Self { directory: Arc::new(directory), env: Vec::new() };
        for directory in [sandbox.home(), sandbox.runtime()] {
            private().create(directory).expect("a fresh directory is writable");
        }
        sandbox
    }

    /// Sets an environment variable for commands of this handle, such as `DISPLAY`.
    #[must_use]
    pub fn with_env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Returns the sandbox directory, for the test's own files.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the home directory of the sandbox.
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// Returns the runtime directory (`XDG_RUNTIME_DIR`) of the sandbox. No bus listens there.
    pub fn runtime(&self) -> PathBuf {
        self.path().join("runtime")
    }

    /// Returns the directory of Strongroom's lock files and remembered state in the sandbox.
    pub fn state_dir(&self) -> PathBuf {
        self.home().join(match env::consts::OS {
            "windows" => r"AppData\Local\strongroom",
            "macos" => "Library/Application Support/strongroom",
            _ => ".local/state/strongroom",
        })
    }

    /// Returns the directory of Strongroom's encrypted files in the sandbox.
    pub fn data_dir(&self) -> PathBuf {
        match env::consts::OS {
            "windows" | "macos" => self.state_dir(),
            _ => self.home().join(".local/share/strongroom"),
        }
    }

    /// Returns a command with the environment of this sandbox. Of the caller's environment it gets only `PATH`, and on Windows
    /// `SystemRoot`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(KEPT.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .env(HOME, self.home())
            .env("XDG_RUNTIME_DIR", self.runtime())
            // Tests compare messages, which must not be translated.
            .env("LANG", "C.UTF-8")
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn has_env(&self, name: &str) -> bool {
        self.env.iter().any(|(known, _)| known == name)
    }

    /// Opens the log of a daemon, to which the daemon writes instead of inheriting the test's descriptors.
    #[cfg(target_os = "linux")]
    pub(crate) fn log(&self, name: &str) -> Stdio {
        let log = File::options().append(true).create(true).open(self.log_path(name));
        log.expect("the sandbox is writable").into()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn read_log(&self, name: &str) -> String {
        fs::read(self.log_path(name)).map_or_else(
            |error| error.to_string(),
            |log| String::from_utf8_lossy(&log).into_owned(),
        )
    }

    #[cfg(target_os = "linux")]
    fn log_path(&self, name: &str) -> PathBuf {
        self.path().join(name).with_extension("log")
    }
}

/// Returns a builder of directories that only the user can access.
#[cfg(unix)]
fn private() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;

    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// Returns a builder of directories that inherit the access list of the temporary directory, which is the user's own.
#[cfg(not(unix))]
fn private() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{os::unix::fs::PermissionsExt, time::Duration};

    use super::*;
    use crate::process::output_within;

    #[test]
    fn directories_are_private() {
        let sandbox = Sandbox::new();
        for directory in [sandbox.home(), sandbox.runtime()] {
            let mode = fs::metadata(directory).expect("it exists").permissions();
            assert_eq!(mode.mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn is_removed_with_its_last_handle() {
        let sandbox = Sandbox::new();
        let path = sandbox.path().to_owned();
        let other = sandbox.clone();
        drop(sandbox);
        assert!(path.exists());
        drop(other);
        assert!(!path.exists());
    }

    #[test]
    fn commands_see_nothing_else() {
        let sandbox = Sandbox::new().with_env("DISPLAY", ":7");
        let (_, env) = output_within(Duration::from_secs(5), &mut sandbox.command("env"), b"");
        let env = String::from_utf8(env).expect("a UTF-8 environment");
        let mut names: Vec<_> = env.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["DISPLAY", "HOME", "LANG", "PATH", "XDG_RUNTIME_DIR"]);
    }
}
