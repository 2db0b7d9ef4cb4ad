//! How long an operation may take, and whether it may ask the user.

use std::time::Duration;

/// Whether a store may let the operating system ask the user, to unlock a keyring for instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PromptPolicy {
    /// Never: what is locked is `Locked` at once.
    Never,
    /// Only where somebody can see the prompt. Each store documents how it finds out.
    #[default]
    IfInteractive,
    /// Always, even where nothing tells that somebody is there.
    Always,
}

impl PromptPolicy {
    /// Whether a prompt may be shown, given whether somebody could see it.
    pub const fn allows(self, interactive: bool) -> bool {
        match self {
            Self::Never => false,
            Self::IfInteractive => interactive,
            Self::Always => true,
        }
    }
}

/// The longest that an operation may wait on the outside.
///
/// ```
/// use std::time::Duration;
///
/// use strongroom_core::Deadlines;
///
/// let patient = Deadlines::new().call(Duration::from_secs(20));
/// assert_eq!(patient.prompt, Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Deadlines {
    /// For an operation that shows no prompt. 5 seconds by default.
    pub call: Duration,
    /// For one prompt, from its appearance to its answer. 60 seconds by default.
    pub prompt: Duration,
    /// For another process's refresh of the same secret. 60 seconds by default.
    pub refresh: Duration,
}

impl Deadlines {
    const DEFAULT: Self = Self {
        call: Duration::from_secs(5),
        prompt: Duration::from_secs(60),
        refresh: Duration::from_secs(60),
    };

    /// Creates the default deadlines.
    pub const fn new() -> Self {
        Self::DEFAULT
    }

    /// Sets the deadline of an operation that shows no prompt.
    pub const fn call(mut self, limit: Duration) -> Self {
        self.call = limit;
        self
    }

    /// Sets the deadline of one prompt.
    pub const fn prompt(mut self, limit: Duration) -> Self {
        self.prompt = limit;
        self
    }

    /// Sets the deadline of the wait for another process's refresh.
    pub const fn refresh(mut self, limit: Duration) -> Self {
        self.refresh = limit;
        self
    }

    /// The same limit for calls and prompts.
    pub const fn both(limit: Duration) -> Self {
        Self { call: limit, prompt: limit, ..Self::DEFAULT }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_if_interactive_depends_on_somebody_being_there() {
        for interactive in [false, true] {
            assert!(!PromptPolicy::Never.allows(interactive));
            assert!(PromptPolicy::Always.allows(interactive));
            assert_eq!(PromptPolicy::IfInteractive.allows(interactive), interactive);
        }
    }
}
