//! All that the program says. Results and values go to stdout, everything else to stderr.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::advice::Advice;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::misuse;
use crate::settings::Settings;
use crate::streams;

const BOLD: Style = Style::new().bold();
const ERROR: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const WARNING: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const HELP: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
const GOOD: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// Where the program speaks.
#[derive(Debug)]
pub(crate) struct Output {
    advice: Advice,
    json: bool,
    confirms: bool,
    stdout_is_terminal: bool,
}

/// What a line begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    Good,
    Note,
    Problem,
}

impl Output {
    /// Speaks as the settings say.
    pub(crate) fn new(settings: &Settings) -> Self {
        let somebody_reads = io::stderr().is_terminal() && !settings.json;
        Self {
            advice: Advice::of(settings),
            json: settings.json,
            confirms: somebody_reads || settings.verbose > 0,
            stdout_is_terminal: settings.stdout_is_terminal,
        }
    }

    /// A result: text for people, or JSON where it was asked for.
    pub(crate) fn result(
        &mut self,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> io::Result<()> {
        if self.json { self.json(&json()) } else { self.text(&text()) }
    }

    /// Lines for people on stdout.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        anstream::stdout().write_all(text.as_bytes())
    }

    /// How many characters fit on a line of the terminal.
    pub(crate) fn width(&self) -> usize {
        terminal_size::terminal_size_of(io::stdout())
            .map_or(usize::MAX, |(terminal_size::Width(columns), _)| columns.into())
    }

    /// A document of another format on stdout, as it is.
    #[cfg(any(feature = "backup", feature = "completions"))]
    pub(crate) fn raw(&mut self, document: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(document)?;
        stdout.flush()
    }

    /// One JSON value on stdout.
    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        self.text(&format!("{value:#}\n"))
    }

    /// A value, byte by byte. A newline follows on a terminal alone, where the prompt of the shell
    /// would stick to a value without one.
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

    /// A document with values in it, as it is.
    pub(crate) fn secret_document(&mut self, document: &[u8]) -> io::Result<()> {
        streams::output()?.write_all(document)
    }

    /// Says that something was done, to a person who looks on.
    pub(crate) fn confirm(&mut self, text: impl fmt::Display) {
        if self.confirms {
            tell(format_args!("{}\n", self.named(text)));
        }
    }

    /// Whether somebody looks on who may want to know how far it is.
    pub(crate) fn shows_progress(&self) -> bool {
        self.confirms && io::stderr().is_terminal()
    }

    /// Asks something that a person answers on the same line.
    pub(crate) fn question(&mut self, text: &str) -> io::Result<()> {
        question(&self.advice.worded(text))
    }

    /// Warns; with `--json` the result says it.
    pub(crate) fn warning(&mut self, text: impl fmt::Display) {
        if !self.json {
            tell(format_args!("{WARNING}warning:{WARNING:#} {}\n", self.named(text)));
        }
    }

    /// Returns a text that was written for `strongroom` as the program says it.
    pub(crate) fn named(&self, text: impl fmt::Display) -> String {
        self.advice.worded(&text.to_string())
    }

    /// Says why the command failed, and how the program ends.
    pub(crate) fn failure(&mut self, failure: &Failure) -> Exit {
        let Failure::Report(report) = failure else {
            return Exit::Done;
        };
        let hint = self.advice.worded(&report.hint);
        if self.json {
            let mut message = report.message.clone();
            report.causes.iter().for_each(|cause| message = format!("{message}: {cause}"));
            let mut error =
                json!({ "error": { "code": report.code, "message": message, "hint": hint } });
            if let Some(reason) = report.reason {
                error["error"]["reason"] = reason.into();
            }
            tell(format_args!("{error}\n"));
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

/// Says something to the person at the terminal, who answers on the same line.
pub(crate) fn question(text: &str) -> io::Result<()> {
    let mut stderr = anstream::stderr();
    stderr.write_all(text.as_bytes())?;
    stderr.flush()
}

/// Lines under one title, which each of them bears.
pub(crate) fn rows(title: &str, texts: &[String]) -> String {
    let title = heading(format_args!("{title:12}"));
    texts.iter().map(|text| format!("{title}  {text}\n")).collect()
}

/// A heading, in bold where it can be seen.
pub(crate) fn heading(text: impl fmt::Display) -> String {
    format!("{BOLD}{text}{BOLD:#}")
}

/// A word that says how something is, in its colour.
pub(crate) fn marked(mark: Mark, text: impl fmt::Display) -> String {
    let style = match mark {
        Mark::Good => GOOD,
        Mark::Note => WARNING,
        Mark::Problem => ERROR,
    };
    format!("{style}{text}{style:#}")
}

/// Help, the version, or what is wrong with the arguments.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let failed = error.use_stderr();
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    let described = misuse::describe(error);
    if failed && wants_json {
        let (message, hint) =
            described.unwrap_or_else(|| (first_paragraph(error), HELP_HINT.to_owned()));
        let error = json!({ "error": { "code": "usage", "message": message, "hint": hint } });
        tell(format_args!("{error}\n"));
    } else if let Some((message, hint)) = described {
        tell(format_args!("{ERROR}error:{ERROR:#} {message}\n  {HELP}help:{HELP:#} {hint}\n"));
    } else {
        // A reader that has gone away is no reason to panic.
        let _ = error.print();
    }
    if failed { Exit::Usage.into() } else { Exit::Done.into() }
}

const HELP_HINT: &str = "`--help` shows what there is.";

/// Returns the first paragraph of an error by clap on one line.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    line.trim_start_matches("error: ").to_owned()
}

/// If stderr is closed, there is nobody to tell.
fn tell(text: fmt::Arguments<'_>) {
    let _ = anstream::stderr().write_all(text.to_string().as_bytes());
}
