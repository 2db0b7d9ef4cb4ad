//! Advice on the next step, as data: sentences whose commands are worded by the program that shows them.

use std::borrow::Cow;

mod command;
mod shell;

pub use command::Command;
pub use shell::{is_printable, shell_word};

/// Advice on the next step: sentences for the user.
///
/// A program that shows advice words its commands with a [`Voice`]. A sentence with a command that the voice
/// does not have is left out.
///
/// ```
/// use strongroom_core::advice::{Advice, Command, Neutral, Voice};
///
/// struct Program;
///
/// impl Voice for Program {
///     fn command(&self, command: &Command) -> Option<String> {
///         Some(format!("tracker {}", command.arguments()))
///     }
/// }
///
/// let advice = Advice::from("Keep one of them.")
///     .and(Command::new("repair --merge").does("makes one of them"));
/// assert_eq!(advice.spoken_by(&Program), "Keep one of them. `tracker repair --merge` makes one of them.");
/// assert_eq!(advice.spoken_by(&Neutral), "Keep one of them.");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Advice {
    sentences: Vec<Sentence>,
}

/// A sentence of advice, or several that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Sentence {
    parts: Vec<Part>,
}

/// A line to type into a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Cow<'static, str>),
    /// A command of Strongroom's program, or of a program that embeds its commands.
    Command(Command),
    /// An option of these commands.
    Option(Cow<'static, str>),
    /// A command of the system.
    Shell(Cow<'static, str>),
}

/// The wording of commands by a program that shows advice.
pub trait Voice {
    /// Returns a command as the user types it, or `None` if the program does not have it.
    fn command(&self, command: &Command) -> Option<String>;

    /// Returns an option as the user types it, or `None` if the program has no such options. The default is
    /// `None`.
    fn option(&self, _option: &str) -> Option<String> {
        None
    }
}

/// The voice of a program without Strongroom's commands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Neutral;

impl Voice for Neutral {
    fn command(&self, _: &Command) -> Option<String> {
        None
    }
}

impl Advice {
    /// Creates empty advice.
    pub const fn new() -> Self {
        Self { sentences: Vec::new() }
    }

    /// Adds a sentence.
    pub fn and(mut self, sentence: impl Into<Sentence>) -> Self {
        self.sentences.push(sentence.into());
        self
    }

    /// Adds other advice.
    pub fn and_all(mut self, more: Self) -> Self {
        self.sentences.extend(more.sentences);
        self
    }

    /// Returns the sentences.
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// Returns the sentences as text. Those with a command that the voice does not have are left out.
    pub fn spoken_by(&self, voice: &dyn Voice) -> String {
        let spoken = self.sentences.iter().filter_map(|sentence| sentence.spoken_by(voice));
        spoken.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Returns the commands of Strongroom in it, the best first.
    pub fn commands(&self) -> Vec<&Command> {
        let parts = self.sentences.iter().flat_map(|sentence| &sentence.parts);
        parts
            .filter_map(|part| match part {
                Part::Command(command) => Some(command),
                _ => None,
            })
            .collect()
    }

    /// Returns the options of the commands in it.
    pub fn options(&self) -> Vec<&str> {
        let parts = self.sentences.iter().flat_map(|sentence| &sentence.parts);
        parts
            .filter_map(|part| match part {
                Part::Option(option) => Some(option.as_ref()),
                _ => None,
            })
            .collect()
    }

    /// Returns each command in it as a line to type.
    pub fn lines(&self) -> Vec<Line> {
        let parts = self.sentences.iter().flat_map(|sentence| &sentence.parts);
        let commands = parts.filter(|part| matches!(part, Part::Command(_) | Part::Shell(_)));
        commands.map(|part| Line { parts: vec![part.clone()] }).collect()
    }

    /// Puts a text in the place of all sentences that say the same to every user.
    pub(crate) fn replace_text(&mut self, text: String) {
        self.sentences.retain(Sentence::is_ours);
        self.sentences.insert(0, text.into());
    }
}

impl Sentence {
    /// Adds text.
    pub fn text(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// Adds a command.
    pub fn command(mut self, command: Command) -> Self {
        self.parts.push(Part::Command(command));
        self
    }

    /// Adds an option of the commands, with its value if it has any: `--timeout 60`.
    pub fn option(mut self, option: impl Into<Cow<'static, str>>) -> Self {
        self.parts.push(Part::Option(option.into()));
        self
    }

    /// Adds a command of the system, which every program can advise: `systemctl start dbus`.
    pub fn shell(mut self, command: impl Into<Cow<'static, str>>) -> Self {
        self.parts.push(Part::Shell(command.into()));
        self
    }

    /// Returns the text, with commands between backquotes, or `None` if the voice does not have one of them.
    pub fn spoken_by(&self, voice: &dyn Voice) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.to_string()),
                part => part.typed(voice).map(|typed| format!("`{typed}`")),
            })
            .collect()
    }

    fn is_ours(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Command(_) | Part::Option(_)))
    }
}

impl Line {
    /// Adds a command that reads the output of the commands before it.
    #[must_use]
    pub fn piped(mut self, command: Command) -> Self {
        self.parts.extend([Part::Text(" | ".into()), Part::Command(command)]);
        self
    }

    /// Returns the line as the user types it, or `None` if the voice does not have one of its commands.
    pub fn spoken_by(&self, voice: &dyn Voice) -> Option<String> {
        self.parts.iter().map(|part| part.typed(voice)).collect()
    }
}

impl Part {
    fn typed(&self, voice: &dyn Voice) -> Option<String> {
        match self {
            Self::Text(text) | Self::Shell(text) => Some(text.to_string()),
            Self::Command(command) => voice.command(command),
            Self::Option(option) => voice.option(option),
        }
    }
}

impl From<Sentence> for Advice {
    fn from(sentence: Sentence) -> Self {
        Self { sentences: vec![sentence] }
    }
}

impl From<&'static str> for Advice {
    fn from(text: &'static str) -> Self {
        Sentence::from(text).into()
    }
}

impl From<String> for Advice {
    fn from(text: String) -> Self {
        Sentence::from(text).into()
    }
}

impl From<&'static str> for Sentence {
    fn from(text: &'static str) -> Self {
        Self::default().text(text)
    }
}

impl From<String> for Sentence {
    fn from(text: String) -> Self {
        Self::default().text(text)
    }
}

impl From<Command> for Line {
    fn from(command: Command) -> Self {
        Self { parts: vec![Part::Command(command)] }
    }
}

/// Converts a command of the system.
impl From<&'static str> for Line {
    fn from(command: &'static str) -> Self {
        Self { parts: vec![Part::Shell(command.into())] }
    }
}

/// Converts a command of the system.
impl From<String> for Line {
    fn from(command: String) -> Self {
        Self { parts: vec![Part::Shell(command.into())] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tracker;

    impl Voice for Tracker {
        fn command(&self, command: &Command) -> Option<String> {
            (command.name() != "entry").then(|| format!("tracker {}", command.arguments()))
        }

        fn option(&self, option: &str) -> Option<String> {
            Some(option.to_owned())
        }
    }

    fn sentence() -> Sentence {
        Sentence::from("Choose another name, or delete it: ")
            .command(Command::new("delete").value("a b", "NAME"))
            .text(".")
    }

    #[test]
    fn a_sentence_is_said_whole_or_not_at_all() {
        assert_eq!(
            sentence().spoken_by(&Tracker).as_deref(),
            Some("Choose another name, or delete it: `tracker delete 'a b'`.")
        );
        assert_eq!(sentence().spoken_by(&Neutral), None);
        let both = sentence().text(" Or ").command(Command::new("entry list")).text(".");
        assert_eq!(both.spoken_by(&Tracker), None, "it lacks one of the two");
        let timeout = Sentence::from("Allow more time with ").option("--timeout 60").text(".");
        assert_eq!(
            timeout.spoken_by(&Tracker).as_deref(),
            Some("Allow more time with `--timeout 60`.")
        );
        assert_eq!(timeout.spoken_by(&Neutral), None);
    }

    #[test]
    fn commands_of_the_system_are_for_everyone() {
        let advice =
            Advice::from(Sentence::from("Let it go on with ").shell("kill -CONT 7").text("."))
                .and(sentence());
        assert_eq!(advice.spoken_by(&Neutral), "Let it go on with `kill -CONT 7`.");
        let typed: Vec<_> =
            advice.lines().iter().map(|line| line.spoken_by(&Tracker).unwrap()).collect();
        assert_eq!(typed, ["kill -CONT 7", "tracker delete 'a b'"]);
        assert_eq!(advice.lines()[1].spoken_by(&Neutral), None);
    }

    #[test]
    fn a_line_is_typed_whole_or_not_at_all() {
        let line = Line::from(Command::new("get A")).piped(Command::new("set B"));
        assert_eq!(line.spoken_by(&Tracker).as_deref(), Some("tracker get A | tracker set B"));
        let line = Line::from(Command::new("entry get app A")).piped(Command::new("set A"));
        assert_eq!(line.spoken_by(&Tracker), None);
    }
}
