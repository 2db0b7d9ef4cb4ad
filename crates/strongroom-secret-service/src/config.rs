//! The store's settings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use strongroom_core::{Deadlines, PromptPolicy};

/// The settings of a [`SecretServiceStore`](crate::SecretServiceStore).
#[derive(Clone, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The addresses of the bus, a list as in `DBUS_SESSION_BUS_ADDRESS`. `None` is the session bus of the
    /// process: that variable, else the socket `bus` in `XDG_RUNTIME_DIR` or in `/run/user/UID`. Of the
    /// transports only `unix` is used.
    pub bus_address: Option<String>,
    /// The deadlines of calls and prompts.
    pub deadlines: Deadlines,
    /// The prompt policy.
    pub prompt: PromptPolicy,
    /// Allows values to cross the bus in the clear if the provider does not encrypt sessions. Otherwise such
    /// a provider is refused with `NoBackend`.
    pub unencrypted_session: bool,
    /// Writes text of several lines as it is. Otherwise it is written as a single line of base64 with a
    /// marker, which other programs show as such.
    pub keeps_lines: bool,
    /// The directory of the lock files, by which processes take turns at opening sessions and at creating
    /// items. `None` is `.local/state/strongroom` in the user's home.
    pub state_dir: Option<PathBuf>,
}

impl Config {
    /// Sets the addresses of the bus.
    pub fn with_bus_address(mut self, address: impl Into<String>) -> Self {
        self.bus_address = Some(address.into());
        self
    }

    /// Sets the deadlines of calls and prompts.
    pub fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Sets the prompt policy.
    pub fn with_prompt(mut self, prompt: PromptPolicy) -> Self {
        self.prompt = prompt;
        self
    }

    /// Sets whether values may cross the bus in the clear if the provider does not encrypt sessions.
    pub fn with_unencrypted_session(mut self, is_allowed: bool) -> Self {
        self.unencrypted_session = is_allowed;
        self
    }

    /// Sets whether text of several lines is written as it is, for other programs.
    pub fn with_kept_lines(mut self, is_kept: bool) -> Self {
        self.keeps_lines = is_kept;
        self
    }

    /// Sets the directory of the lock files.
    pub fn with_state_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.state_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Returns whether a prompt may be shown in this process.
    pub(crate) fn may_prompt(&self) -> bool {
        self.prompt.allows(has_screen(|name| std::env::var_os(name)))
    }

    /// Returns the directory of the lock files. It does not depend on the session, so that processes of
    /// `cron`, `ssh` and the desktop use the same locks.
    pub(crate) fn lock_dir(&self) -> Option<PathBuf> {
        self.state_dir.clone().or_else(|| strongroom_files::state_dir().ok().flatten())
    }
}

/// Returns whether the environment names a screen to show a prompt on.
fn has_screen(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .any(|name| variable(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_can_see_a_prompt_where_the_environment_names_a_screen() {
        for known in [("DISPLAY", ":0"), ("WAYLAND_DISPLAY", "wayland-0")] {
            assert!(has_screen(|name| (name == known.0).then(|| known.1.into())), "{known:?}");
        }
        for known in [("DISPLAY", ""), ("TERM", "xterm")] {
            assert!(!has_screen(|name| (name == known.0).then(|| known.1.into())), "{known:?}");
        }
    }
}
