//! Drawing the tracker's screen.

use jiff::{SignedDuration, Zoned};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Row, Table, Wrap};

use crate::app::App;
use crate::entries::Entry;
use crate::key::KeyStatus;

/// Draws the whole screen.
pub(crate) fn draw(app: &App, now: &Zoned, frame: &mut Frame<'_>) {
    let heights =
        [Constraint::Length(3), Constraint::Min(3), Constraint::Length(5), Constraint::Length(1)];
    let [timer, entries, status, keys] = Layout::vertical(heights).areas(frame.area());
    draw_timer(app, now, frame, timer);
    draw_entries(app, now, frame, entries);
    let lines = Paragraph::new(status_lines(app)).wrap(Wrap { trim: true });
    frame.render_widget(lines, status);
    frame.render_widget(Line::from(keys_line(app)).dim(), keys);
}

fn draw_timer(app: &App, now: &Zoned, frame: &mut Frame<'_>, area: Rect) {
    let line = match (&app.typed, app.running()) {
        (Some(typed), _) => Line::from(format!("What do you work on? {typed}▏")),
        (None, Some(entry)) => {
            Line::from(format!("{} {}", clock(entry.duration(now)), entry.description)).bold()
        }
        (None, None) => Line::from("No timer runs."),
    };
    frame.render_widget(Paragraph::new(line).block(Block::bordered().title(" Tracker ")), area);
}

fn draw_entries(app: &App, now: &Zoned, frame: &mut Frame<'_>, area: Rect) {
    let numbered = app.entries.iter().enumerate();
    let today: Vec<_> = numbered.filter(|(_, entry)| entry.is_of_today(now)).collect();
    let total = today.iter().map(|(_, entry)| entry.duration(now)).sum();
    let title = format!(" Today {} ", clock(total));
    // The latest first, since a small terminal has no room for all entries.
    let rows = today.iter().rev().map(|(number, entry)| row(*number, entry, app, now));
    let widths =
        [Constraint::Length(13), Constraint::Length(9), Constraint::Fill(1), Constraint::Length(9)];
    frame.render_widget(Table::new(rows, widths).block(Block::bordered().title(title)), area);
}

fn row<'a>(number: usize, entry: &'a Entry, app: &App, now: &Zoned) -> Row<'a> {
    let at = |time: jiff::Timestamp| {
        time.to_zoned(now.time_zone().clone()).strftime("%H:%M").to_string()
    };
    let end = entry.end.map(at).unwrap_or_default();
    let state = match entry {
        _ if entry.runs() => "runs".bold(),
        _ if entry.sent => "sent".green(),
        _ if app.sending.contains(&number) => "sending".into(),
        _ => "not sent".yellow(),
    };
    let times = format!("{} – {end}", at(entry.start));
    let duration = clock(entry.duration(now));
    Row::new([times.into(), duration.into(), Span::raw(&*entry.description), state])
}

/// Returns the lines about the key, the last error and the end.
fn status_lines(app: &App) -> Vec<Line<'_>> {
    let (key, style) = key_text(&app.key);
    let mut lines = vec![Line::styled(format!("Clockify key: {key}"), style)];
    if let Some(problem) = &app.problem {
        lines.push(Line::from(problem.as_str()).red());
    }
    if app.is_leaving {
        lines.push("Waiting for Clockify's answer; q again doesn't wait.".into());
    }
    lines
}

fn key_text(key: &KeyStatus) -> (String, Style) {
    match key {
        KeyStatus::Looking => ("looking for it …".to_owned(), Style::new().dim()),
        KeyStatus::Stored(place) if place.is_persistent => {
            (place.name().to_owned(), Style::new().green())
        }
        KeyStatus::Stored(place) => {
            let doctor = "`tracker doctor` says how to keep it for good";
            (
                format!("{}, until this machine restarts; {doctor}", place.name()),
                Style::new().yellow(),
            )
        }
        KeyStatus::Missing(place) => {
            let keyring = if place.is_fallback { ", and there is no keyring" } else { "" };
            let setup = "Type `tracker setup` in another terminal; r looks again";
            (format!("missing{keyring}. {setup}."), Style::new().yellow())
        }
        KeyStatus::Unusable { problem, hint } => (format!("{problem}. {hint}"), Style::new().red()),
    }
}

fn keys_line(app: &App) -> String {
    if app.typed.is_some() {
        return "Enter starts the timer · Esc leaves it".to_owned();
    }
    let timer = if app.running().is_some() { "s stop" } else { "s start" };
    let unsent = match app.unsent() - app.sending.len() {
        0 => String::new(),
        count => format!(" · u send {count} unsent"),
    };
    format!("{timer}{unsent} · r look for the key again · q quit")
}

/// Returns a duration as hours, minutes and seconds.
fn clock(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use strongroom::Backend;

    use super::*;
    use crate::key::Place;

    fn noon() -> Zoned {
        "2026-03-01T12:00:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    fn entry(description: &str, hours_ago: i64, minutes: i64) -> Entry {
        let mut entry = Entry::starting(description.to_owned(), &(&noon() - hours_ago.hours()));
        entry.end = Some(entry.start + minutes.minutes());
        entry
    }

    /// The lines of the screen, without what surrounds them.
    fn drawn(app: &App) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(80, 16)).unwrap();
        terminal.draw(|frame| draw(app, &noon(), frame)).unwrap();
        let text = terminal.backend().to_string();
        text.lines().map(|line| line.trim_matches(['"', '│', ' ']).to_owned()).collect()
    }

    fn drawn_key(key: KeyStatus) -> String {
        let app = App { key, ..App::new(Vec::new()) };
        drawn(&app)[10..15].join(" ")
    }

    #[test]
    fn todays_entries_are_shown_the_latest_first_with_what_became_of_them() {
        let running = Entry { end: None, ..entry("new", 1, 0) };
        let sent = Entry { sent: true, ..entry("sent off", 4, 30) };
        let entries = vec![
            entry("yesterday", 13, 9),
            sent,
            entry("on its way", 3, 5),
            entry("kept", 2, 10),
            running,
        ];
        let mut app = App::new(entries);
        app.sending.insert(2);
        let lines = drawn(&app);
        assert_eq!(lines[1], "1:00:00 new");
        assert!(lines[3].contains("Today 1:45:00"), "{}", lines[3]);
        let rows =
            lines[4..9].iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(
            rows.collect::<Vec<_>>(),
            [
                "11:00 – 1:00:00 new runs",
                "10:00 – 10:10 0:10:00 kept not sent",
                "09:00 – 09:05 0:05:00 on its way sending",
                "08:00 – 08:30 0:30:00 sent off sent",
                ""
            ]
        );
        assert!(lines[15].starts_with("s stop · u send 2 unsent"), "{}", lines[15]);
    }

    #[test]
    fn the_key_is_named_by_its_place_or_by_what_to_type() {
        let keyring =
            Place { backend: Backend::SecretService, is_persistent: true, is_fallback: false };
        let kernel = Place { backend: Backend::Keyutils, is_persistent: false, is_fallback: true };
        let stored = format!("Clockify key: {}", keyring.name());
        let forgets = format!("{}, until this machine restarts", kernel.name());
        let problem = "the keyring is locked".to_owned();
        let unusable = KeyStatus::Unusable { problem, hint: "Unlock it.".to_owned() };
        for (key, texts) in [
            (KeyStatus::Looking, ["looking for it", ""]),
            (KeyStatus::Stored(keyring), [stored.as_str(), ""]),
            (KeyStatus::Stored(kernel), [forgets.as_str(), "`tracker doctor`"]),
            (KeyStatus::Missing(keyring), ["missing. Type `tracker setup`", ""]),
            (KeyStatus::Missing(kernel), ["missing, and there is no keyring", "`tracker setup`"]),
            (unusable, ["the keyring is locked. Unlock it.", ""]),
        ] {
            let drawn = drawn_key(key);
            assert!(texts.iter().all(|text| drawn.contains(text)), "{texts:?} in {drawn}");
        }
    }

    #[test]
    fn what_went_wrong_stands_below_the_key() {
        let problem = Some("Clockify answers 500.".to_owned());
        let app = App { problem, is_leaving: true, ..App::new(Vec::new()) };
        let lines = drawn(&app);
        assert_eq!(lines[11], "Clockify answers 500.");
        assert!(lines[12].starts_with("Waiting for Clockify"), "{}", lines[12]);
    }
}
