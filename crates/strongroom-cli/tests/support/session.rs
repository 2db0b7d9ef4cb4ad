//! An interactive shell on a terminal of its own, in which the program is `keep`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_testkit::{PATIENCE, Sandbox, wait_until};

use super::terminal::Terminal;
use super::{KeyutilsService, PROGRAM};

/// The shells that people type into: a name and the arguments that leave the machine's own settings out.
pub(crate) const BASH: Shell = Shell { name: "bash", arguments: &["--norc", "-i"], history: true };
pub(crate) const DASH: Shell = Shell { name: "dash", arguments: &["-i"], history: false };
pub(crate) const FISH: Shell = Shell { name: "fish", arguments: &["-i"], history: true };
pub(crate) const ZSH: Shell = Shell { name: "zsh", arguments: &["-d", "-i"], history: true };

/// A shell.
#[derive(Clone, Copy)]
pub(crate) struct Shell {
    pub(crate) name: &'static str,
    arguments: &'static [&'static str],
    /// Set if it writes down what is typed.
    pub(crate) history: bool,
}

/// An interactive shell on a terminal of its own.
pub(crate) struct Session {
    pub(crate) terminal: Terminal,
    pub(crate) service: KeyutilsService,
    marks: u32,
}

impl Session {
    /// Starts a shell.
    pub(crate) fn start(shell: Shell) -> Self {
        Self::of(&[&[shell.name], shell.arguments].concat())
    }

    /// Starts a command, such as a script, in the place of a shell.
    pub(crate) fn of(command: &[&str]) -> Self {
        let service = KeyutilsService::new();
        let mut setsid = environment(&service, "setsid");
        setsid.args(["--ctty", "--wait"]).args(command);
        Self { terminal: Terminal::of(setsid, 200), service, marks: 0 }
    }

    /// Types a command that asks, and waits for its question.
    #[track_caller]
    pub(crate) fn ask(&mut self, command: &str) {
        self.terminal.type_line(command);
        self.wait_for_question();
    }

    #[track_caller]
    pub(crate) fn wait_for_question(&mut self) {
        self.wait_for_hidden("(not shown): ");
    }

    /// Waits for a question that ends with these words.
    #[track_caller]
    pub(crate) fn wait_for_hidden(&mut self, words: &str) {
        self.terminal.wait_for_next(words);
        assert!(self.terminal.settings().contains(" -echo "), "it is hidden");
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run(&mut self, command: &str) {
        self.marks += 1;
        // What is typed is shown, too, and not the mark.
        self.terminal.type_line(&format!("{command}; echo ma''rk-{}-", self.marks));
        self.terminal.wait_for_next(&format!("mark-{}-", self.marks));
    }

    /// The settings that the next command finds.
    #[track_caller]
    pub(crate) fn settings(&mut self) -> String {
        self.run("stty -a > settings");
        self.read("settings")
    }

    /// The value of a secret, as the shell gets it.
    #[track_caller]
    pub(crate) fn value(&mut self, name: &str) -> String {
        self.run(&format!("keep get {name} > value"));
        self.read("value")
    }

    /// The id of the program that was started last, once there is one.
    #[track_caller]
    pub(crate) fn pid(&self) -> u32 {
        let file = self.home().join("pid");
        let mut pid = None;
        wait_until("the program starts", PATIENCE, || {
            pid = fs::read_to_string(&file).ok().and_then(|pid| pid.trim().parse().ok());
            pid.is_some()
        });
        pid.unwrap()
    }

    /// Waits until the program that was started last has ended or stopped.
    #[track_caller]
    pub(crate) fn wait_until_idle(&self) {
        let stat = format!("/proc/{}/stat", self.pid());
        wait_until("the program ends or stops", PATIENCE, || {
            let stat = fs::read_to_string(&stat).unwrap_or_default();
            let state = stat.rsplit(") ").next().unwrap_or_default();
            state.is_empty() || state.starts_with(['T', 'Z', 'X'])
        });
    }

    /// Waits until the shell knows that its job has stopped: before that, `fg` would not let it go on.
    #[track_caller]
    pub(crate) fn wait_until_stopped(&mut self) {
        wait_until("the shell knows of the stop", PATIENCE, || {
            self.run("jobs > jobs");
            let jobs = self.read("jobs").to_lowercase();
            jobs.contains("stopped") || jobs.contains("suspended")
        });
    }

    /// Sends the program that was started last a signal.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.home().join(file)).unwrap()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.service.sandbox.home()
    }

    /// Ends the shell. Returns all that it showed, and all that it wrote into files.
    #[track_caller]
    pub(crate) fn end(mut self) -> (String, String) {
        self.terminal.type_line("exit");
        let (home, Self { terminal, service, .. }) = (self.home(), self);
        let (shown, _) = terminal.finish();
        let written = written_in(&home);
        drop(service);
        (shown, written)
    }
}

/// The question of a command, and of no shell.
#[track_caller]
pub(crate) fn question(command: &str) -> Session {
    let mut session = Session::of(&["sh", "-c", &format!("{command}; echo \"ended $?.\"")]);
    session.wait_for_question();
    session
}

impl Session {
    /// Waits for the end of the question's command. Returns what was shown, which holds no marker.
    #[track_caller]
    pub(crate) fn ends_with(&mut self, exit: i32) -> &str {
        self.terminal.wait_for_next(&format!("ended {exit}."));
        let shown = self.terminal.shown();
        assert!(!shown.contains("marker"), "{shown}");
        shown
    }

    #[track_caller]
    pub(crate) fn holds(&self, name: &str, value: &str) {
        assert_eq!(self.service.vault(&["get", name], b"").ends_with(0).out(), value);
    }

    #[track_caller]
    pub(crate) fn holds_nothing(&self, name: &str) {
        self.service.vault(&["exists", name], b"").ends_with(3);
    }
}

/// A file in the service's sandbox.
pub(crate) fn file(service: &KeyutilsService, name: &str, content: &[u8]) -> String {
    let path = service.sandbox.path().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

/// A command in the service's sandbox that finds `keep` and a home to write into.
pub(crate) fn environment(service: &KeyutilsService, program: &str) -> Command {
    let home = service.sandbox.home();
    let programs = install(&service.sandbox, &service.name);
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = service.sandbox.command(program);
    command.current_dir(&home).env("TERM", "xterm-256color");
    command.env("PATH", format!("{}:{path}", programs.display()));
    // Without it zsh writes nothing down.
    fs::write(home.join(".zshrc"), "HISTFILE=~/.zsh_history HISTSIZE=100 SAVEHIST=100\n").unwrap();
    // Without it fish writes all manual pages down, in the background.
    fs::create_dir_all(home.join(".local/share/fish/generated_completions")).unwrap();
    command
}

/// Makes `keep`, once: the program, with its service, which says who it is.
fn install(sandbox: &Sandbox, service: &str) -> PathBuf {
    let programs = sandbox.path().join("programs");
    if programs.exists() {
        return programs;
    }
    fs::create_dir(&programs).unwrap();
    let keep = programs.join("keep");
    let pid = sandbox.home().join("pid");
    let script = format!(
        "#!/bin/sh\necho $$ >{}\nexec {PROGRAM} --backend ${{BACKEND:-keyutils}} --service {service} \"$@\"\n",
        pid.display()
    );
    // By another process, as a file that this one writes can't be started at once: see `copy_of_program`.
    let source = sandbox.path().join("keep.sh");
    fs::write(&source, script).unwrap();
    let mut install = Command::new("install");
    assert!(install.args(["-m", "755"]).args([&source, &keep]).status().unwrap().success());
    programs
}

/// The text of all files in a directory.
fn written_in(directory: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => text += &written_in(&path),
            false => text += &String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()),
        }
    }
    text
}
