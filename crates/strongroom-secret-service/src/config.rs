//! The store's settings.

use std::path::{Path, PathBuf};

use strongroom_core::{Deadlines, PromptPolicy};

/// How to reach the Secret Service, how long to wait, and whether to ask the user.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// The bus's address, as in `DBUS_SESSION_BUS_ADDRESS`; `None` is the session bus of the
    /// process, found as the D-Bus specification says.
    pub bus_address: Option<String>,
    /// How long calls and prompts may take.
    pub deadlines: Deadlines,
    /// Whether prompts may be shown.
    pub prompt: PromptPolicy,
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

    /// The same, with its lock file in this directory.
    pub fn with_state_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.state_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Whether a prompt may be shown in this process.
    pub(crate) fn may_prompt(&self) -> bool {
        let display = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.prompt.allows(display("WAYLAND_DISPLAY") || display("DISPLAY"))
    }

    /// The lock file's directory. It does not depend on the session, so that `cron`, `ssh` and the
    /// desktop meet at the same lock.
    pub(crate) fn lock_dir(&self) -> Option<PathBuf> {
        self.state_dir
            .clone()
            .or_else(|| Some(std::env::home_dir()?.join(".local/state/strongroom")))
    }
}
