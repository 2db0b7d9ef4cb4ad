//! Commands of the program `strongroom` as advice, separate from their presentation.

use std::fmt;

/// A command of the program `strongroom`, as advice.
///
/// `Display` is a sentence that names the command. A program that has the commands under a name of its own
/// takes [`arguments`](Self::arguments) and puts that name in front. A program without them leaves the
/// command out: the advice beside it is sufficient.
///
/// ```
/// use strongroom_core::AdvisedCommand;
///
/// let command = AdvisedCommand::new("repair --service app", "shows what is left of it");
/// assert_eq!(command.to_string(), "`strongroom repair --service app` shows what is left of it.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvisedCommand {
    arguments: String,
    effect: String,
}

impl AdvisedCommand {
    /// Creates a command from its arguments, quoted for a shell, and a clause about its effect.
    pub fn new(arguments: impl Into<String>, effect: impl Into<String>) -> Self {
        Self { arguments: arguments.into(), effect: effect.into() }
    }

    /// Returns the arguments. The first is the name of the command.
    pub fn arguments(&self) -> &str {
        &self.arguments
    }

    /// Returns the effect, as a clause that follows the command.
    pub fn effect(&self) -> &str {
        &self.effect
    }
}

impl fmt::Display for AdvisedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arguments, effect } = self;
        write!(f, "`strongroom {arguments}` {effect}.")
    }
}
