//! The time that an operation may take, and its permission to prompt the user.

use std::time::Duration;

/// The permission of a store to let the operating system prompt the user, for instance to unlock a keyring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PromptPolicy {
    /// Never prompt. A locked store is `Locked` at once.
    Never,
    /// Prompt only if the user can see it. Each store documents its criterion.
    #[default]
    IfInteractive,
    /// Prompt even without a sign that the user can see it.
    Always,
}

impl PromptPolicy {
    /// Returns whether a prompt may be shown. `interactive` says that the user could see it.
    pub const fn allows(self, interactive: bool) -> bool {
        match self {
            Self::Never => false,
            Self::IfInteractive => interactive,
            Self::Always => true,
        }
    }
}

/// The limits on the time that an operation waits for other processes and for the user.
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
    /// The deadline of an operation that shows no prompt. 5 seconds by default.
    pub call: Duration,
    /// The deadline of a prompt, from its appearance to its answer. 60 seconds by default.
    pub prompt: Duration,
    /// The limit of the wait for another process's refresh of the same secret. 60 seconds by default.
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

    /// Sets the deadline of a prompt.
    pub const fn prompt(mut self, limit: Duration) -> Self {
        self.prompt = limit;
        self
    }

    /// Sets the limit of the wait for another process's refresh.
    pub const fn refresh(mut self, limit: Duration) -> Self {
        self.refresh = limit;
        self
    }

    /// Creates deadlines with the same limit for calls and prompts.
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
