//! The switch for prompts, which belongs to the whole process, and the turns at it.

use std::fmt::Debug;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::status::Status;

/// The switch for prompts of a keychain.
pub(crate) trait PromptSwitch: Debug {
    /// Returns whether the switch is on; false if this keychain has no switch.
    fn prompts_allowed(&self) -> Result<bool, Status>;

    /// Turns the switch on or off, for the whole process.
    fn allow_prompts(&self, allowed: bool) -> Result<(), Status>;

    /// Returns the turns at the switch, of the whole process.
    fn turns(&self) -> &Turns;
}

/// The mode of a call: it may make the Keychain prompt, or it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Asking,
    Silent,
}

/// The turns at the switch for prompts. Calls of the same mode run side by side. Calls of different modes
/// take turns, since the switch can't be on and off at the same time.
///
/// The mutex is a leaf in the order of locks. It is held to count calls and to turn the switch, which stays
/// within the process (`Globals::setUserInteractionAllowed` in Apple's Security), and never across a call to
/// the Keychain. A turn is not a lock, and the wait for it has a limit.
#[derive(Debug)]
pub(crate) struct Turns {
    running: Mutex<RunningCalls>,
    changed: Condvar,
}

/// The numbers of running calls.
#[derive(Debug)]
struct RunningCalls {
    asking: usize,
    silent: usize,
    /// True if the switch was on before the first silent call, so that the last has to turn it on again.
    turned_off: bool,
}

/// A turn, which ends when it is dropped, also by a panic. During a silent turn the switch is off.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    switch: &'a dyn PromptSwitch,
    mode: Mode,
}

/// The reason why a call got no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// Calls of the other mode did not end in time.
    Busy,
    /// The switch can't be turned off.
    Stuck(Status),
}

impl Turns {
    /// Creates the turns of a switch that is not in use.
    pub(crate) const fn new() -> Self {
        let running = RunningCalls { asking: 0, silent: 0, turned_off: false };
        Self { running: Mutex::new(running), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, RunningCalls> {
        // No panic leaves the counts half changed, so a poisoned mutex is used as it is.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no call of the other mode runs, but not longer than `limit`.
    fn wait(&self, mode: Mode, limit: Duration) -> Result<MutexGuard<'_, RunningCalls>, NoTurn> {
        let waited =
            self.changed.wait_timeout_while(self.lock(), limit, |running| running.exclude(mode));
        let (running, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() { Err(NoTurn::Busy) } else { Ok(running) }
    }
}

impl RunningCalls {
    const fn exclude(&self, mode: Mode) -> bool {
        match mode {
            Mode::Asking => self.silent > 0,
            Mode::Silent => self.asking > 0,
        }
    }
}

impl<'a> Turn<'a> {
    /// Waits for a turn, and turns the switch off if the turn is silent.
    pub(crate) fn take(
        switch: &'a dyn PromptSwitch,
        mode: Mode,
        limit: Duration,
    ) -> Result<Self, NoTurn> {
        let mut running = switch.turns().wait(mode, limit)?;
        match mode {
            Mode::Asking => running.asking += 1,
            Mode::Silent => {
                if running.silent == 0 {
                    running.turned_off = turn_off(switch).map_err(NoTurn::Stuck)?;
                }
                running.silent += 1;
            }
        }
        Ok(Self { switch, mode })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let turns = self.switch.turns();
        let mut running = turns.lock();
        match self.mode {
            Mode::Asking => running.asking -= 1,
            Mode::Silent => {
                running.silent -= 1;
                if running.silent == 0
                    && running.turned_off
                    && let Err(status) = self.switch.allow_prompts(true)
                {
                    tracing::warn!(%status, "the Keychain's switch for prompts can't be put back");
                }
            }
        }
        // Waiters of both modes share the condition, so all of them are woken.
        turns.changed.notify_all();
    }
}

/// Turns the switch off and returns whether it was on: an application that never wants prompts may have
/// turned it off itself.
fn turn_off(switch: &dyn PromptSwitch) -> Result<bool, Status> {
    let was_on = switch.prompts_allowed()?;
    if was_on {
        switch.allow_prompts(false)?;
    }
    Ok(was_on)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::simulated::Simulated;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(20);

    fn take(keychain: &Simulated, mode: Mode, limit: Duration) -> Result<Turn<'_>, NoTurn> {
        Turn::take(keychain, mode, limit)
    }

    #[test]
    fn the_switch_is_off_until_the_last_silent_call_ends() {
        let keychain = Simulated::new();
        let first = take(&keychain, Mode::Silent, LONG).unwrap();
        let second = take(&keychain, Mode::Silent, LONG).unwrap();
        assert_eq!(keychain.prompts_allowed(), Ok(false));
        drop(first);
        assert_eq!(keychain.prompts_allowed(), Ok(false));
        drop(second);
        assert_eq!(keychain.prompts_allowed(), Ok(true));
    }

    #[test]
    fn a_panic_puts_the_switch_back() {
        let keychain = Simulated::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _turn = take(&keychain, Mode::Silent, LONG).unwrap();
            panic!("in the middle of a call");
        }));
        assert!(panicked.is_err());
        assert_eq!(keychain.prompts_allowed(), Ok(true));
    }

    #[test]
    fn a_switch_that_the_application_turned_off_stays_off() {
        let keychain = Simulated::new();
        keychain.allow_prompts(false).unwrap();
        drop(take(&keychain, Mode::Silent, LONG).unwrap());
        assert_eq!(keychain.prompts_allowed(), Ok(false));
    }

    #[test]
    fn a_switch_that_can_not_be_turned_is_no_turn() {
        let keychain = Simulated::new();
        keychain.break_switch(Status(-4));
        assert_eq!(take(&keychain, Mode::Silent, LONG).unwrap_err(), NoTurn::Stuck(Status(-4)));
        assert!(take(&keychain, Mode::Asking, LONG).is_ok());
    }

    #[test]
    fn the_two_kinds_take_turns_and_give_up_in_time() {
        let keychain = Simulated::new();
        for (held, wanted) in [(Mode::Asking, Mode::Silent), (Mode::Silent, Mode::Asking)] {
            let turn = take(&keychain, held, LONG).unwrap();
            assert!(take(&keychain, held, SHORT).is_ok(), "calls of one kind don't wait");
            assert_eq!(take(&keychain, wanted, SHORT).unwrap_err(), NoTurn::Busy);
            drop(turn);
            assert!(take(&keychain, wanted, SHORT).is_ok());
        }
    }

    #[test]
    fn who_waits_gets_its_turn_when_the_other_ends() {
        let keychain = Simulated::new();
        let asking = take(&keychain, Mode::Asking, LONG).unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let keychain = &keychain;
            scope.spawn(move || sender.send(take(keychain, Mode::Silent, LONG).map(drop)));
            let early = receiver.recv_timeout(Duration::from_millis(100));
            assert_eq!(early, Err(RecvTimeoutError::Timeout), "it has to wait");
            let ended = Instant::now();
            drop(asking);
            assert_eq!(receiver.recv(), Ok(Ok(())));
            assert!(ended.elapsed() < LONG / 2, "it was not woken");
        });
    }
}
