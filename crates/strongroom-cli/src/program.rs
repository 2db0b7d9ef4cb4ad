//! The program that the commands are part of, and its names in texts.

use std::env;
#[cfg(feature = "settings")]
use std::ffi::OsStr;

use clap::Subcommand as _;

use crate::args::{Command, ProgramCommand, STANDALONE};

/// The prefix of the environment variables of this crate's program.
const PREFIX: &str = "STRONGROOM_";

/// The program that the commands are part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The name, as its user types it.
    pub(crate) name: String,
    /// The default service, which no flag has to name.
    pub(crate) service: String,
    /// The prefix of its environment variables.
    prefix: String,
}

impl Program {
    /// Returns the program of this crate.
    pub(crate) fn standalone() -> Self {
        Self::embedded(STANDALONE, STANDALONE)
    }

    /// Creates another program, with the variables of this crate's program.
    pub(crate) fn embedded(name: impl Into<String>, service: impl Into<String>) -> Self {
        Self { name: name.into(), service: service.into(), prefix: PREFIX.to_owned() }
    }

    /// Returns the full name of an environment variable of this program.
    pub(crate) fn variable(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Gives the program variables of its own: `<PREFIX>_KEY_FILE`.
    pub(crate) fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: format!("{prefix}_"), ..self }
    }

    /// Returns whether it is the program of this crate.
    pub(crate) fn is_standalone(&self) -> bool {
        self.name == STANDALONE
    }

    /// Returns whether this program, or the program of this crate, reads the variable, which may lead to a key.
    #[cfg(feature = "settings")]
    pub(crate) fn has_variable(&self, name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        [PREFIX, &self.prefix].iter().any(|prefix| name.starts_with(prefix.as_bytes()))
    }

    /// Returns whether the environment names the service for commands without `--service`.
    pub(crate) fn service_is_in_environment(&self) -> bool {
        self.is_standalone() && env::var_os("STRONGROOM_SERVICE").is_some()
    }

    /// Returns whether the program has a command, or a group of commands, of this name.
    pub(crate) fn has_command(&self, name: &str) -> bool {
        match self.is_standalone() {
            true => ProgramCommand::has_subcommand(name),
            false => Command::has_subcommand(name),
        }
    }
}
