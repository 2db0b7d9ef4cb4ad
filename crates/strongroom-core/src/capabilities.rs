//! What a store can do, as plain data.

use std::fmt;

/// How long a store keeps what it acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Persistence {
    /// Until the process or the login session ends.
    Session,
    /// Until the machine restarts.
    UntilReboot,
    /// Until it is deleted.
    Permanent,
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "until the session ends",
            Self::UntilReboot => "until reboot",
            Self::Permanent => "permanent",
        })
    }
}

/// What a store can do. Read without contacting it.
///
/// Start from [`Capabilities::new`], which grants nothing, and add what the store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// How long entries last.
    pub persistence: Persistence,
    /// The largest secret in bytes; `None` where the store sets no limit.
    pub max_secret_len: Option<usize>,
    /// Whether any byte sequence comes back as it was, not only text.
    pub binary_safe: bool,
    /// Whether the entries of a service can be named.
    pub can_list: bool,
    /// Whether an operation may ask the user.
    pub may_prompt: bool,
}

impl Capabilities {
    /// A store that keeps text of any length and does nothing else.
    pub const fn new(persistence: Persistence) -> Self {
        Self {
            persistence,
            max_secret_len: None,
            binary_safe: false,
            can_list: false,
            may_prompt: false,
        }
    }

    /// The same with a largest secret, in bytes.
    pub const fn with_max_secret_len(mut self, bytes: usize) -> Self {
        self.max_secret_len = Some(bytes);
        self
    }

    /// The same, for any bytes.
    pub const fn with_binary_safe(mut self) -> Self {
        self.binary_safe = true;
        self
    }

    /// The same, with listing.
    pub const fn with_list(mut self) -> Self {
        self.can_list = true;
        self
    }

    /// The same, for a store that may ask the user.
    pub const fn with_prompts(mut self) -> Self {
        self.may_prompt = true;
        self
    }
}
