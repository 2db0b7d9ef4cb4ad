//! The store's settings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use strongroom_core::{Deadlines, PromptPolicy};

/// How to reach the Secret Service, how long to wait, and whether to ask the user.
#[derive(Clone, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The bus's addresses, a list as in `DBUS_SESSION_BUS_ADDRESS`; `None` is the session bus of
    /// the process: by that variable, else `bus` in `XDG_RUNTIME_DIR`. Of the transports only
    /// `unix` is used.
    pub bus_address: Option<String>,
    /// How long calls and prompts may take.
    pub deadlines: Deadlines,
    /// Whether prompts may be shown.
    pub prompt: PromptPolicy,
    /// Whether values may cross the bus in the clear where the provider encrypts no session. Without
    /// that, such a provider is `NoBackend`.
    pub unencrypted_session: bool,
    /// Whether text of several lines is written as it is. Without that, it is one line of base64 with a mark, which other
    /// programs show as such.
    pub keeps_lines: bool,
    /// The directory of the lock file that keeps processes from opening sessions at once; `None`
    /// is `.local/state/strongroom` in the user's home.
    pub state_dir: Option<PathBuf>,
}

impl Config {
    /// The same, on the bus at this address.
    pub fn with_bus_address(mut self, address: impl Into<String>) -> Self {
        self.bus_address = Some(address.into());
        self
    }

    /// The same, with these deadlines.
    pub fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// The same, under this prompt policy.
    pub fn with_prompt(mut self, prompt: PromptPolicy) -> Self {
        self.prompt = prompt;
        self
    }

    /// Sets whether values may cross the bus in the clear where the provider encrypts no session.
    pub fn with_unencrypted_session(mut self, is_allowed: bool) -> Self {
        self.unencrypted_session = is_allowed;
        self
    }

    /// Sets whether text of several lines is written as it is, for other programs.
    pub fn with_kept_lines(mut self, is_kept: bool) -> Self {
        self.keeps_lines = is_kept;
        self
    }

    /// The same, with its lock file in this directory.
    pub fn with_state_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.state_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Whether a prompt may be shown in this process.
    pub(crate) fn may_prompt(&self) -> bool {
        self.prompt.allows(has_screen(|name| std::env::var_os(name)))
    }

    /// The lock file's directory. It does not depend on the session, so that `cron`, `ssh` and the
    /// desktop meet at the same lock.
    pub(crate) fn lock_dir(&self) -> Option<PathBuf> {
        self.state_dir.clone().or_else(|| strongroom_files::state_dir().ok().flatten())
    }
}

/// Whether the environment names a screen to show a prompt on.
fn has_screen(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let names_one = |name| variable(name).is_some_and(|value| !value.is_empty());
    names_one("WAYLAND_DISPLAY") || names_one("DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_can_see_a_prompt_where_the_environment_names_a_screen() {
        let screen = |known: &'static [(&str, &str)]| {
            has_screen(move |name| {
                known.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).into())
            })
        };
        assert!(screen(&[("DISPLAY", ":0")]));
        assert!(screen(&[("WAYLAND_DISPLAY", "wayland-0")]));
        assert!(!screen(&[("DISPLAY", ""), ("TERM", "xterm")]));
        assert!(!screen(&[]));
    }
}
