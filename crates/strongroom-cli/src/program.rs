//! The program that the commands are part of, as its texts name it.

use std::env;
#[cfg(feature = "settings")]
use std::ffi::OsStr;

use clap::Subcommand as _;

use crate::args::{Command, ProgramCommand, STANDALONE};

/// What this program's variables begin with.
const PREFIX: &str = "STRONGROOM_";

/// The program that the commands are part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// As its user types it.
    pub(crate) name: String,
    /// Its service, which no flag has to name.
    pub(crate) service: String,
    /// What its variables begin with.
    prefix: String,
}

impl Program {
    /// The program of this crate.
    pub(crate) fn standalone() -> Self {
        Self::embedded(STANDALONE, STANDALONE)
    }

    /// Another program.
    pub(crate) fn embedded(name: impl Into<String>, service: impl Into<String>) -> Self {
        Self { name: name.into(), service: service.into(), prefix: PREFIX.to_owned() }
    }

    /// Returns the name of one of this program's environment variables.
    pub(crate) fn variable(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The same with variables of its own: `<PREFIX>_KEY_FILE`.
    pub(crate) fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: format!("{prefix}_"), ..self }
    }

    /// Whether it is the program of this crate.
    pub(crate) fn is_standalone(&self) -> bool {
        self.name == STANDALONE
    }

    /// Returns whether this program reads the variable, or the program of this crate: it may lead to a key.
    #[cfg(feature = "settings")]
    pub(crate) fn has_variable(&self, name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        [PREFIX, &self.prefix].iter().any(|prefix| name.starts_with(prefix.as_bytes()))
    }

    /// Returns whether the service is named by the environment where no flag does.
    pub(crate) fn service_is_in_environment(&self) -> bool {
        self.is_standalone() && env::var_os("STRONGROOM_SERVICE").is_some()
    }

    /// Returns whether a text begins with one of this program's commands.
    pub(crate) fn has_command(&self, text: &str) -> bool {
        let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
        match self.is_standalone() {
            true => ProgramCommand::has_subcommand(&text[..end]),
            false => Command::has_subcommand(&text[..end]),
        }
    }

    /// Returns a text that names the variables of `strongroom` with those of this program.
    pub(crate) fn with_variables(&self, text: &str) -> String {
        text.replace(PREFIX, &self.prefix)
    }
}
