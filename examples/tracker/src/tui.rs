//! The terminal: reading keys, drawing the screen, and handling the worker's messages.

use std::io::{IsTerminal as _, stdout};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Zoned;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event;
use strongroom_cli::Kit;

use crate::app::{App, Effect};
use crate::clockify::Clockify;
use crate::journal::Journal;
use crate::screen;
use crate::worker::{News, Request, Worker};

/// The time to wait for a key before drawing again. Short, because the timer shows seconds.
const TICK: Duration = Duration::from_millis(200);

/// Tracks time until the user quits. The terminal is restored at the end, even after a panic.
pub(crate) fn run(kit: &Kit, clockify: Clockify) -> anyhow::Result<()> {
    ensure!(
        stdout().is_terminal(),
        "it draws on a terminal; `tracker --help` lists what else it does"
    );
    let journal = Journal::open(&Journal::directory()?)?;
    let app = App::new(journal.read()?);
    let worker = Worker::start(kit, clockify);
    let mut terminal = ratatui::try_init()?;
    let ended = Tui { app, journal, worker }.run(&mut terminal);
    ratatui::restore();
    ended
}

struct Tui {
    app: App,
    journal: Journal,
    worker: Worker,
}

impl Tui {
    fn run(mut self, terminal: &mut DefaultTerminal) -> anyhow::Result<()> {
        loop {
            let now = Zoned::now();
            terminal.draw(|frame| screen::draw(&self.app, &now, frame))?;
            let mut effects = Vec::new();
            if event::poll(TICK)? {
                effects.extend(self.read()?);
            }
            while let Some(news) = self.worker.news().context("the worker has ended")? {
                effects.extend(self.hear(news, terminal)?);
            }
            for effect in effects {
                if effect == Effect::Quit {
                    return self.journal.write(&self.app.entries);
                }
                self.carry_out(effect);
            }
        }
    }

    fn read(&mut self) -> anyhow::Result<Vec<Effect>> {
        let key = event::read()?;
        let key = key.as_key_press_event();
        Ok(key.map(|key| self.app.press(key, &Zoned::now())).unwrap_or_default())
    }

    fn hear(&mut self, news: News, terminal: &mut DefaultTerminal) -> anyhow::Result<Vec<Effect>> {
        match news {
            News::Key(status) => self.app.key = status,
            News::Sent(number, outcome) => return Ok(self.app.sent(number, outcome)),
            News::Passphrase(request, answer) => {
                // The question needs the terminal in its usual mode.
                ratatui::restore();
                // The worker waits for an answer, even if there is no passphrase.
                answer.send(Kit::ask(&request).ok().flatten()).ok();
                *terminal = ratatui::try_init()?;
            }
        }
        Ok(Vec::new())
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Save => {
                if let Err(error) = self.journal.write(&self.app.entries) {
                    self.app.problem = Some(format!("{error:#}."));
                }
            }
            Effect::Look => self.worker.ask(Request::Look),
            Effect::Send(number) => {
                self.worker.ask(Request::Send(number, self.app.entries[number].clone()));
            }
            Effect::Quit => {}
        }
    }
}
