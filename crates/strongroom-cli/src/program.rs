//! The program that the commands are part of, as its texts name it.

use std::borrow::Cow;
#[cfg(feature = "settings")]
use std::ffi::OsStr;

use clap::Subcommand as _;

use crate::args::Command;
use crate::words::command_word;

/// What the program of this crate is called, and the service whose secrets it keeps where none is named.
pub(crate) const STANDALONE: &str = "strongroom";

/// What this program's variables begin with.
const PREFIX: &str = "STRONGROOM_";

/// The program that the commands are part of.
///
/// All texts are written for `strongroom`, and [`named`](Self::named) makes them another program's.
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

    /// A text that was written for `strongroom`, with commands and variables as this program has them.
    ///
    /// Commands that only `strongroom` has stay as they are.
    pub(crate) fn named<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_standalone() {
            return Cow::Borrowed(text);
        }
        let mut named = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(STANDALONE) {
            let is_ours = after.strip_prefix(' ').is_some_and(begins_with_command);
            named += before;
            named += if is_ours { &self.name } else { STANDALONE };
            rest = after;
        }
        let service = format!(" --service {}", command_word(&self.service, "SERVICE"));
        Cow::Owned((named + rest).replace(&service, "").replace(PREFIX, &self.prefix))
    }
}

fn begins_with_command(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    Command::has_subcommand(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_the_program_has_are_its_own() {
        let program = Program::embedded("app secrets", "app").with_prefix("APP");
        for (text, named) in [
            ("`strongroom doctor` helps", "`app secrets doctor` helps"),
            ("`strongroom repair --service app --merge`", "`app secrets repair --merge`"),
            ("strongroom entry set app KEY", "strongroom entry set app KEY"),
            ("strongroom:KEY, ~/.local/strongroom on", "strongroom:KEY, ~/.local/strongroom on"),
            ("Set STRONGROOM_KEY_FILE.", "Set APP_KEY_FILE."),
        ] {
            assert_eq!(program.named(text), named);
            assert_eq!(Program::standalone().named(text), text);
        }
    }
}
