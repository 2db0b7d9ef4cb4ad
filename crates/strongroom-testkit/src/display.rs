//! A private X server, with functions to answer a prompt on it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    Sandbox,
    process::{Process, output_within},
    wait::{PATIENCE, wait_until},
};

/// A private X server, ended on drop.
#[derive(Debug)]
pub struct Display {
    sandbox: Sandbox,
    name: String,
    server: Option<Process>,
}

/// A window on a [`Display`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window(String);

impl Display {
    /// Starts an X server on a free display.
    ///
    /// # Panics
    ///
    /// If `Xvfb` does not start.
    pub fn start() -> Self {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command("Xvfb");
        command
            // With `-displayfd` the server chooses a free display, so that concurrent tests don't collide.
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", "1024x768x24"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(sandbox.log("Xvfb"));
        let mut server = Process::spawn(&mut command);
        Self { name: format!(":{}", server.first_line()), sandbox, server: Some(server) }
    }

    /// Returns the name of the display, the value of `DISPLAY` for clients.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits for a visible window whose title or class matches a regular expression, and gives it
    /// the keyboard focus, since there is no window manager to do so.
    ///
    /// # Panics
    ///
    /// If no such window appears.
    #[track_caller]
    pub fn wait_for_window(&self, pattern: &str) -> Window {
        let mut found = None;
        wait_until(&format!("a window {pattern}"), PATIENCE, || {
            found = self.find_window(pattern);
            found.is_some()
        });
        let window = found.expect("it was waited for");
        self.xdotool(&["windowfocus", "--sync", &window.0]);
        window
    }

    /// Waits until a window is closed.
    ///
    /// # Panics
    ///
    /// If the window stays open.
    #[track_caller]
    pub fn wait_for_close(&self, window: &Window) {
        wait_until("the window closes", PATIENCE, || {
            !self.xdotool(&["getwindowgeometry", &window.0]).0
        });
    }

    /// Returns a visible window whose title or class matches, if there is any.
    pub fn find_window(&self, pattern: &str) -> Option<Window> {
        let search = ["search", "--onlyvisible", "--name", "--class", pattern];
        let (_, ids) = self.xdotool(&search);
        let id = ids.lines().last()?;
        Some(Window(id.to_owned()))
    }

    /// Types text into the focused window.
    ///
    /// # Panics
    ///
    /// If `xdotool` fails.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        assert!(self.xdotool(&["type", "--", text]).0, "the text is typed");
    }

    /// Presses a key, given by its X name: `Return`, `Escape`.
    ///
    /// # Panics
    ///
    /// If `xdotool` fails.
    #[track_caller]
    pub fn key(&self, key: &str) {
        assert!(self.xdotool(&["key", key]).0, "{key} is pressed");
    }

    /// Saves a screenshot in the format of the file's extension.
    ///
    /// # Panics
    ///
    /// If `import` fails.
    #[track_caller]
    pub fn screenshot(&self, path: &Path) {
        let mut import = self.command("import");
        import.args(["-window", "root"]).arg(path);
        let (status, _) = output_within(PATIENCE, &mut import, b"");
        assert!(status.success(), "the screen can be saved");
    }

    #[track_caller]
    fn xdotool(&self, arguments: &[&str]) -> (bool, String) {
        let mut xdotool = self.command("xdotool");
        let (status, output) = output_within(PATIENCE, xdotool.args(arguments), b"");
        let output = String::from_utf8_lossy(&output).into_owned();
        (status.success(), output)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.sandbox.command(program);
        command.env("DISPLAY", &self.name);
        command
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // A killed server would leave its lock and socket in the shared `/tmp`.
        if let Some(server) = self.server.take() {
            server.terminate();
        }
    }
}
