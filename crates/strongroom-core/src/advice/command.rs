//! A command of Strongroom, as advice.

use std::borrow::Cow;

use super::{Sentence, shell_word};

/// A command of Strongroom's program, without the program's name: its words, and the service that it is about.
///
/// ```
/// use strongroom_core::advice::Command;
///
/// let command = Command::new("set").value("my key", "NAME").words("--from-file PATH").on("app");
/// assert_eq!(command.arguments(), "set 'my key' --from-file PATH --service app");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Command {
    words: Vec<Word>,
    service: Option<String>,
    rest: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// Words that need no quotes: subcommands, flags, placeholders.
    Fixed(Cow<'static, str>),
    Value {
        value: String,
        placeholder: &'static str,
    },
}

impl Command {
    /// Creates a command from its name and words that need no quotes: `entry repair`, `move --to file`.
    pub fn new(words: impl Into<Cow<'static, str>>) -> Self {
        Self { words: vec![Word::Fixed(words.into())], service: None, rest: "" }
    }

    /// Adds words that need no quotes: flags and placeholders, such as `--keep ID`.
    pub fn words(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.words.push(Word::Fixed(words.into()));
        self
    }

    /// Adds a value, which is quoted for a shell. The placeholder stands for a value that can't be typed.
    pub fn value(mut self, value: impl Into<String>, placeholder: &'static str) -> Self {
        self.words.push(Word::Value { value: value.into(), placeholder });
        self
    }

    /// Sets the service whose secrets the command works on. Without one it is that of the program that shows
    /// the command.
    pub fn on(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the end of the line, which follows all options: `< FILE`, `-- npm start`.
    pub fn then(mut self, rest: &'static str) -> Self {
        self.rest = rest;
        self
    }

    /// Returns a sentence about the effect of the command, which is a clause that follows it.
    pub fn does(self, effect: impl Into<Cow<'static, str>>) -> Sentence {
        Sentence::default().command(self).text(" ").text(effect).text(".")
    }

    /// Returns the first word, which is the name of the command, or of its group.
    pub fn name(&self) -> &str {
        let first = self.words.first().map(|word| match word {
            Word::Fixed(words) => words.split(' ').next().unwrap_or_default(),
            Word::Value { value, .. } => value,
        });
        first.unwrap_or_default()
    }

    /// Returns the service that the command is about, unless it is that of the program that shows it.
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Returns whether the command has this option already.
    pub fn has_option(&self, option: &str) -> bool {
        self.words.iter().any(|word| match word {
            Word::Fixed(words) => words.split(' ').any(|word| word == option),
            Word::Value { .. } => false,
        })
    }

    /// Returns the arguments for the program `strongroom`, quoted for a shell, with the option `--service`.
    pub fn arguments(&self) -> String {
        let service =
            self.service.as_deref().map(|service| option("--service", service, "SERVICE"));
        self.arguments_with(&service.unwrap_or_default())
    }

    /// Returns the arguments without the service, quoted for a shell, with these options after them. The
    /// options begin with a space.
    pub fn arguments_with(&self, options: &str) -> String {
        let words: Vec<_> = self.words.iter().map(Word::typed).collect();
        let space = if self.rest.is_empty() { "" } else { " " };
        format!("{}{options}{space}{}", words.join(" "), self.rest)
    }
}

impl Word {
    fn typed(&self) -> Cow<'_, str> {
        match self {
            Self::Fixed(words) => words.as_ref().into(),
            Self::Value { value, placeholder } => {
                shell_word(value).map_or(Cow::Borrowed(*placeholder), Cow::Owned)
            }
        }
    }
}

/// Returns an option with its value, after a space.
pub(crate) fn option(name: &str, value: &str, placeholder: &str) -> String {
    format!(" {name} {}", shell_word(value).as_deref().unwrap_or(placeholder))
}

impl From<&'static str> for Command {
    fn from(words: &'static str) -> Self {
        Self::new(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_before_the_end_of_the_line() {
        let command = Command::new("set").value("a < b", "NAME").on("my app").then("< FILE");
        assert_eq!(command.arguments(), "set 'a < b' --service 'my app' < FILE");
        assert_eq!(command.arguments_with(" --backend file"), "set 'a < b' --backend file < FILE");
        assert_eq!((command.name(), command.service()), ("set", Some("my app")));
    }

    #[test]
    fn a_value_that_cannot_be_typed_has_a_placeholder() {
        for name in ["--force", "a\nb", "a\u{1b}[31m", "a\u{202e}b"] {
            let command = Command::new("entry set").value("app", "SERVICE").value(name, "NAME");
            assert_eq!(command.on(name).arguments(), "entry set app NAME --service SERVICE");
        }
    }

    #[test]
    fn an_option_is_found_among_the_fixed_words_alone() {
        assert!(Command::new("move --to file").has_option("--to"));
        assert!(!Command::new("move").value("--to", "NAME").has_option("--to"));
        assert!(!Command::new("move --token").has_option("--to"));
    }
}
