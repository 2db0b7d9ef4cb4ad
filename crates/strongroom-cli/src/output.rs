//! The program's output. Results and values go to stdout, everything else to stderr.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use strongroom::ErrorKind;
use strongroom::advice::{Advice, Command, Voice as _};
use strongroom::json::{ErrorView, VERSION, WarningView};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::heard::Heard;
use crate::misuse;
use crate::settings::Settings;
use crate::streams;
use crate::voice::ProgramVoice;

const BOLD: Style = Style::new().bold();
const ERROR: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const WARNING: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const HELP: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
const GOOD: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// The output of a command, with the settings that shape it.
#[derive(Debug)]
pub(crate) struct Output {
    voice: ProgramVoice,
    json: bool,
    confirms: bool,
    stdout_is_terminal: bool,
    /// The answer in JSON, which is written at the end, with the warnings of the whole command.
    answer: Option<Value>,
    /// The warnings for the answer in JSON.
    warnings: Vec<WarningView>,
    /// The library's warnings, which come after these.
    heard: Heard,
}

/// The severity of a text, which decides its colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    Good,
    Note,
    Problem,
}

impl Output {
    /// Creates the output for these settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        // Confirmations are for the user at a terminal. A script gets them with `-v`.
        let is_interactive = io::stderr().is_terminal() && !settings.json;
        Self {
            voice: ProgramVoice::of(settings),
            json: settings.json,
            confirms: is_interactive || settings.verbose > 0,
            stdout_is_terminal: settings.stdout_is_terminal,
            answer: None,
            warnings: Vec::new(),
            heard: settings.heard.clone(),
        }
    }

    /// Writes a result: text to stdout, or the answer with `--json`.
    pub(crate) fn result(
        &mut self,
        text: impl FnOnce() -> String,
        answer: impl FnOnce() -> Value,
    ) -> io::Result<()> {
        self.answer(answer);
        if self.json { Ok(()) } else { self.text(&text()) }
    }

    /// Sets the answer with `--json`, an object. [`finish`](Self::finish) writes it.
    pub(crate) fn answer(&mut self, answer: impl FnOnce() -> Value) {
        if self.json {
            self.answer = Some(answer());
        }
    }

    /// Writes the answer to stdout, with the warnings. Without an answer, the warnings go to stderr.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let warnings = self.take_warnings();
        match self.answer.take() {
            Some(answer) => self.text(&format!("{:#}\n", with_version(answer, warnings))),
            None if warnings.is_empty() => Ok(()),
            None => {
                tell(format_args!("{}\n", with_version(json!({}), warnings)));
                Ok(())
            }
        }
    }

    fn take_warnings(&mut self) -> Vec<WarningView> {
        let code = ErrorKind::Other.code();
        let heard = self.heard.take().into_iter().map(|text| WarningView::new(code, text));
        std::mem::take(&mut self.warnings).into_iter().chain(heard).collect()
    }

    /// Writes text for the user to stdout.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        anstream::stdout().write_all(text.as_bytes())
    }

    /// Returns the width of the terminal in columns, or `usize::MAX` if stdout is no terminal.
    pub(crate) fn width(&self) -> usize {
        terminal_size::terminal_size_of(io::stdout())
            .map_or(usize::MAX, |(terminal_size::Width(columns), _)| columns.into())
    }

    /// Writes a document of another format to stdout, unchanged.
    #[cfg(any(feature = "backup", feature = "completions"))]
    pub(crate) fn raw(&mut self, document: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(document)?;
        stdout.flush()
    }

    /// Writes a value to stdout, byte by byte. A newline follows only on a terminal, where the shell's prompt
    /// would otherwise stick to the value.
    pub(crate) fn value(&mut self, value: &[u8]) -> io::Result<()> {
        self.secret_document(value)?;
        if self.stdout_is_terminal && !value.ends_with(b"\n") {
            streams::output()?.write_all(
                b"
",
            )
        } else {
            Ok(())
        }
    }

    /// Writes a document that contains values to stdout, unchanged.
    pub(crate) fn secret_document(&mut self, document: &[u8]) -> io::Result<()> {
        streams::output()?.write_all(document)
    }

    /// Says that something was done, if stderr is a terminal and without `--json`, or with `-v`.
    pub(crate) fn confirm(&mut self, text: impl fmt::Display) {
        if self.confirms {
            tell(format_args!("{text}\n"));
        }
    }

    /// Returns whether progress is to be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        self.confirms && io::stderr().is_terminal()
    }

    /// Writes a question to stderr, which the user answers on the same line.
    pub(crate) fn question(&mut self, text: &str) -> io::Result<()> {
        question(text)
    }

    /// Writes a warning: a clause, or sentences. With `--json` it becomes a part of the answer, under this code.
    pub(crate) fn warning(&mut self, code: &'static str, text: impl fmt::Display) {
        let text = text.to_string();
        // The clause of an answer has no full stop.
        let clause = text.strip_suffix('.').unwrap_or(&text);
        if self.json {
            self.warnings.push(WarningView::new(code, clause));
        } else {
            self.remark(format_args!("{clause}."));
        }
    }

    /// Writes a warning, as sentences, that the answer has in a field of its own.
    pub(crate) fn remark(&mut self, text: impl fmt::Display) {
        if !self.json {
            tell(format_args!("{WARNING}warning:{WARNING:#} {text}\n"));
        }
    }

    /// Returns a line with a next step and its command; empty if this program does not have the command.
    pub(crate) fn step(&self, purpose: &str, command: &Command) -> String {
        let typed = self.voice.command(command);
        typed.map(|typed| format!("{purpose}: {typed}\n")).unwrap_or_default()
    }

    /// Returns advice in the words of this program.
    pub(crate) fn spoken(&self, advice: impl Into<Advice>) -> String {
        advice.into().spoken_by(&self.voice)
    }

    /// Writes the reason of a failure, and returns the program's exit.
    pub(crate) fn failure(&mut self, failure: &Failure) -> Exit {
        // A reader that has gone away has seen enough, as below `| head`.
        let Failure::Report(report) = failure else {
            return Exit::Done;
        };
        let hint = report.advice.spoken_by(&self.voice);
        if self.json {
            if self.answer.is_some() {
                // The failure matters more than an answer that can't be written.
                let _ = self.finish();
            }
            let error = ErrorView::new(report.code, report.message.as_str(), hint)
                .with_causes(&report.causes)
                .with_reason(report.reason);
            let warnings = self.take_warnings();
            tell(format_args!("{}\n", with_version(json!({ "error": error }), warnings)));
            return report.exit;
        }
        let mut text = format!("{ERROR}error:{ERROR:#} {}\n", report.message);
        for cause in &report.causes {
            text += &format!("  {BOLD}cause:{BOLD:#} {cause}\n");
        }
        if !hint.is_empty() {
            text += &format!("  {HELP}help:{HELP:#} {hint}\n");
        }
        tell(format_args!("{text}"));
        report.exit
    }
}

/// Adds to an answer the version of its form, and warnings to those that it has.
fn with_version(mut answer: Value, warnings: Vec<WarningView>) -> Value {
    answer["version"] = VERSION.into();
    let of_store = answer["warnings"].take();
    let mut all = of_store.as_array().cloned().unwrap_or_default();
    // The library also logs some of those that the answer has.
    for warning in warnings {
        if all.iter().all(|known| known["message"] != warning.message) {
            all.push(json!(warning));
        }
    }
    answer["warnings"] = all.into();
    answer
}

/// Writes a text to stderr at once, without a newline of its own: a question, or progress.
pub(crate) fn question(text: &str) -> io::Result<()> {
    let mut stderr = anstream::stderr();
    stderr.write_all(text.as_bytes())?;
    stderr.flush()
}

/// Returns a line for each text, with the title in front of each.
pub(crate) fn rows(title: &str, texts: &[String]) -> String {
    let title = heading(format_args!("{title:12}"));
    texts.iter().map(|text| format!("{title}  {text}\n")).collect()
}

/// Returns a heading in bold. The stream drops the style if it is no terminal.
pub(crate) fn heading(text: impl fmt::Display) -> String {
    format!("{BOLD}{text}{BOLD:#}")
}

/// Returns a text in the colour of its severity.
pub(crate) fn marked(mark: Mark, text: impl fmt::Display) -> String {
    let style = match mark {
        Mark::Good => GOOD,
        Mark::Note => WARNING,
        Mark::Problem => ERROR,
    };
    format!("{style}{text}{style:#}")
}

/// Writes the help, the version, or the error in the arguments, and returns the exit code.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let failed = error.use_stderr();
    // Nothing is parsed after an error of clap, so the flag is looked for by hand.
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    let described = misuse::describe(error);
    if failed && wants_json {
        let (message, hint) =
            described.unwrap_or_else(|| (first_paragraph(error), HELP_HINT.to_owned()));
        let error = ErrorView::new(ErrorKind::Invalid.code(), message, hint);
        tell(format_args!("{}\n", with_version(json!({ "error": error }), Vec::new())));
    } else if let Some((message, hint)) = described {
        tell(format_args!("{ERROR}error:{ERROR:#} {message}\n  {HELP}help:{HELP:#} {hint}\n"));
    } else {
        // A reader that has gone away is no reason to panic.
        let _ = error.print();
    }
    if failed { Exit::Usage.into() } else { Exit::Done.into() }
}

const HELP_HINT: &str = "`--help` shows what there is.";

/// Returns the first paragraph of an error by clap as a single line.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    line.trim_start_matches("error: ").to_owned()
}

/// Writes a text to stderr. If that is closed, there is no other place for a message, so errors are ignored.
fn tell(text: fmt::Arguments<'_>) {
    let _ = anstream::stderr().write_all(text.to_string().as_bytes());
}
