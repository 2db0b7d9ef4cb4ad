//! The library's `tracing` events, as lines on stderr.

use std::fmt;
use std::io;

use anstyle::{AnsiColor, Style};
use strongroom::advice::{Command, Sentence};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, layer};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings::Settings;
use crate::voice::ProgramVoice;

/// Starts logging for the process: warnings, and more with each `-v`. With `--json` and without `-v` nothing is logged, so
/// that stderr holds a single JSON object or nothing: the warnings are kept for that object.
///
/// `-v` applies to Strongroom's own crates. zbus writes whole messages to its log at `trace`, and a message may carry a
/// secret.
pub(crate) fn start(settings: &Settings) {
    lines(settings).init();
}

/// Runs work with such a log on this thread. The log of the process belongs to the embedding program.
pub(crate) fn within<T>(settings: &Settings, work: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(lines(settings), work)
}

fn lines(settings: &Settings) -> impl Subscriber + Send + Sync {
    let ours = match settings.verbose {
        0 if settings.json => LevelFilter::OFF,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let others = ours.min(LevelFilter::WARN);
    let targets = Targets::new().with_default(others).with_target("strongroom", ours);
    let line = Line { fields: settings.verbose > 0, voice: ProgramVoice::of(settings) };
    let lines = layer().event_format(line).with_writer(stderr).with_filter(targets);
    let is_kept = settings.json && settings.verbose == 0;
    let warnings = Targets::new().with_target("strongroom", LevelFilter::WARN);
    let kept = is_kept.then(|| settings.heard.clone().with_filter(warnings));
    tracing_subscriber::registry().with(lines).with(kept)
}

/// Returns stderr. It drops colours if it is no terminal.
fn stderr() -> impl io::Write {
    anstream::stderr()
}

/// The format of a line: `warning: MESSAGE`, like the program's other messages. The fields are shown with `-v`.
struct Line {
    fields: bool,
    voice: ProgramVoice,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (word, colour) = match *event.metadata().level() {
            Level::ERROR => ("error", AnsiColor::Red),
            Level::WARN => ("warning", AnsiColor::Yellow),
            Level::INFO => ("info", AnsiColor::Green),
            Level::DEBUG => ("debug", AnsiColor::Blue),
            Level::TRACE => ("trace", AnsiColor::Cyan),
        };
        let style = Style::new().bold().fg_color(Some(colour.into()));
        write!(writer, "{style}{word}:{style:#} ")?;
        let mut text =
            Text { writer: &mut writer, fields: self.fields, advice: None, result: Ok(()) };
        event.record(&mut text);
        text.result?;
        if let Some(advice) = text.advice.and_then(|advice| advice.spoken_by(&self.voice)) {
            write!(writer, "\n  help: {advice}")?;
        }
        writeln!(writer)
    }
}

/// Returns the advice on a warning of the library, by its token.
fn advice(warning: &str) -> Option<Sentence> {
    match warning {
        "not_persistent" => Some(Command::new("doctor").does("says how to keep them for good")),
        "key_slots_changed" => Some(Command::new("key list").does("shows them")),
        _ => None,
    }
}

struct Text<'a, 'b> {
    writer: &'a mut Writer<'b>,
    fields: bool,
    /// The advice on the warning that the event is.
    advice: Option<Sentence>,
    result: fmt::Result,
}

impl Visit for Text<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "warning" {
            self.advice = advice(value);
        }
        self.record_debug(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.writer, "{value:?}"),
            name if self.fields => write!(self.writer, " {name}={value:?}"),
            _ => Ok(()),
        };
        self.result = self.result.and(written);
    }
}
