//! The state of the tracker, and its changes by keys and messages. It doesn't draw or wait.

use std::collections::BTreeSet;

use jiff::Zoned;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::entries::Entry;
use crate::key::KeyStatus;

/// The state of the tracker.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) entries: Vec<Entry>,
    /// The description that is being typed, before its timer starts.
    pub(crate) typed: Option<String>,
    pub(crate) key: KeyStatus,
    /// The last error, for the user.
    pub(crate) problem: Option<String>,
    /// The numbers of the entries that are being sent to Clockify.
    pub(crate) sending: BTreeSet<usize>,
    /// Set if the tracker ends as soon as no entry is being sent.
    pub(crate) is_leaving: bool,
}

/// An action for the caller to carry out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Write the entries to their file.
    Save,
    /// Read the store again.
    Look,
    /// Send the entry with this number.
    Send(usize),
    Quit,
}

impl App {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            typed: None,
            key: KeyStatus::Looking,
            problem: None,
            sending: BTreeSet::new(),
            is_leaving: false,
        }
    }

    /// Returns the entry with a running timer.
    pub(crate) fn running(&self) -> Option<&Entry> {
        self.entries.last().filter(|entry| entry.runs())
    }

    /// Returns the number of finished entries that Clockify doesn't have.
    pub(crate) fn unsent(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_unsent()).count()
    }

    /// Handles a key press.
    pub(crate) fn press(&mut self, key: KeyEvent, now: &Zoned) -> Vec<Effect> {
        // AltGr is Control and Alt on Windows, and types characters.
        if key.modifiers == KeyModifiers::CONTROL {
            return if key.code == KeyCode::Char('c') { self.quit() } else { Vec::new() };
        }
        if self.typed.is_some() {
            return self.type_in(key.code, now);
        }
        match key.code {
            KeyCode::Char('s') if self.running().is_some() => self.stop(now),
            KeyCode::Char('s') => {
                self.typed = Some(String::new());
                Vec::new()
            }
            KeyCode::Char('u') => self.send_all(),
            KeyCode::Char('r') => {
                self.key = KeyStatus::Looking;
                vec![Effect::Look]
            }
            KeyCode::Char('q') => self.quit(),
            _ => Vec::new(),
        }
    }

    /// Handles the result of sending the entry with this number.
    pub(crate) fn sent(&mut self, number: usize, outcome: Result<(), String>) -> Vec<Effect> {
        self.sending.remove(&number);
        let mut effects = Vec::new();
        match outcome {
            Ok(()) => {
                self.entries[number].sent = true;
                self.problem = None;
                effects.push(Effect::Save);
            }
            Err(problem) => self.problem = Some(problem),
        }
        if self.is_leaving && self.sending.is_empty() {
            effects.push(Effect::Quit);
        }
        effects
    }

    fn type_in(&mut self, key: KeyCode, now: &Zoned) -> Vec<Effect> {
        let Some(typed) = &mut self.typed else { return Vec::new() };
        match key {
            KeyCode::Char(character) => typed.push(character),
            KeyCode::Backspace => {
                typed.pop();
            }
            KeyCode::Esc => self.typed = None,
            KeyCode::Enter if !typed.trim().is_empty() => {
                let entry = Entry::starting(typed.trim().to_owned(), now);
                self.typed = None;
                self.entries.push(entry);
                return vec![Effect::Save];
            }
            _ => {}
        }
        Vec::new()
    }

    fn stop(&mut self, now: &Zoned) -> Vec<Effect> {
        if let Some(entry) = self.entries.last_mut() {
            entry.end = Some(now.timestamp().max(entry.start));
        }
        let number = self.entries.len() - 1;
        self.sending.insert(number);
        vec![Effect::Save, Effect::Send(number)]
    }

    /// Sends all unsent entries, except those that are being sent already.
    fn send_all(&mut self) -> Vec<Effect> {
        let all = (0..self.entries.len()).filter(|&number| self.entries[number].is_unsent());
        let all: Vec<_> = all.filter(|number| !self.sending.contains(number)).collect();
        self.sending.extend(&all);
        all.into_iter().map(Effect::Send).collect()
    }

    /// Quits once no entry is being sent, or at once if this is called a second time.
    fn quit(&mut self) -> Vec<Effect> {
        if self.sending.is_empty() || self.is_leaving {
            return vec![Effect::Quit];
        }
        self.is_leaving = true;
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn noon() -> Zoned {
        "2026-03-01T12:00:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    fn press(app: &mut App, keys: &str, now: &Zoned) -> Vec<Effect> {
        let code = |key| if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
        keys.chars().flat_map(|key| app.press(code(key).into(), now)).collect()
    }

    /// With one entry that was stopped and is on its way.
    fn stopped() -> App {
        let mut app = App::new(Vec::new());
        assert_eq!(press(&mut app, "squiet work \n", &noon()), [Effect::Save]);
        let later = &noon() + 90.minutes();
        assert_eq!(press(&mut app, "s", &later), [Effect::Save, Effect::Send(0)]);
        app
    }

    #[test]
    fn a_timer_that_is_stopped_is_saved_and_sent() {
        let mut app = stopped();
        assert_eq!(app.entries[0].description, "quiet work");
        assert_eq!(app.entries[0].duration(&noon()).as_mins(), 90);
        assert_eq!((app.running(), app.unsent()), (None, 1));
        assert_eq!(app.sent(0, Ok(())), [Effect::Save]);
        assert_eq!(app.unsent(), 0);
    }

    #[test]
    fn what_clockify_refuses_stays_and_is_sent_again_on_request() {
        let mut app = stopped();
        assert_eq!(press(&mut app, "u", &noon()), [], "it is on its way");
        assert_eq!(app.sent(0, Err("why".to_owned())), []);
        assert_eq!((app.unsent(), app.problem.as_deref()), (1, Some("why")));
        assert_eq!(press(&mut app, "u", &noon()), [Effect::Send(0)]);
        app.sent(0, Ok(()));
        assert_eq!(app.problem, None);
    }

    #[test]
    fn nothing_is_left_on_its_way_unless_the_user_insists() {
        let mut app = stopped();
        assert_eq!(press(&mut app, "q", &noon()), []);
        assert_eq!(app.sent(0, Ok(())), [Effect::Save, Effect::Quit]);
        assert_eq!(press(&mut stopped(), "qq", &noon()), [Effect::Quit]);
        assert_eq!(press(&mut App::new(Vec::new()), "q", &noon()), [Effect::Quit]);
    }

    #[test]
    fn keys_are_text_while_somebody_types() {
        let mut app = App::new(Vec::new());
        assert_eq!(press(&mut app, "s\nqru", &noon()), [], "no entry has no description");
        app.press(KeyCode::Backspace.into(), &noon());
        assert_eq!(app.typed.as_deref(), Some("qr"));
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(app.press(control_c, &noon()), [Effect::Quit]);
        app.press(KeyCode::Esc.into(), &noon());
        assert_eq!((app.typed.as_deref(), app.entries.len()), (None, 0));
    }

    #[test]
    fn looking_again_is_seen() {
        let mut app = App::new(Vec::new());
        app.key = KeyStatus::Unusable { problem: String::new(), hint: String::new() };
        assert_eq!(press(&mut app, "r", &noon()), [Effect::Look]);
        assert_eq!(app.key, KeyStatus::Looking);
    }
}
