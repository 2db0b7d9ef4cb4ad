//! The connection of one process to one bus, which all its stores share.

use std::collections::BTreeMap;
use std::mem;
use std::process;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use futures_lite::future;
use strongroom_core::{Deadlines, ErrorKind};
use zruntime::SharedRuntime;

use crate::budget::Budget;
use crate::bus::Bus;
use crate::dh::KeyPair;
use crate::error::{Failure, Retry};
use crate::prompt::Shown;
use crate::session::Session;

/// How long saying farewell to the bus may take.
const FAREWELL: Duration = Duration::from_millis(200);

/// The connection of this process to one bus.
pub(crate) struct Shared {
    /// The process that made it. A forked one has the socket and the memory, and none of the threads.
    pid: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    runtime: Option<SharedRuntime>,
    connected: Option<Connected>,
}

/// A connection that was made.
pub(crate) struct Connected {
    pub(crate) bus: Bus,
    pub(crate) session: Option<Session>,
    /// For the first session, made while the bus was awaited.
    pub(crate) pair: Option<KeyPair>,
    pub(crate) left_behind: Option<Shown>,
}

impl Connected {
    /// Connects to the bus at these addresses, or to the session bus.
    pub(crate) async fn to(list: Option<&str>, budget: &Budget) -> Result<Self, Failure> {
        let pair = async { KeyPair::generate().map_err(Failure::from) };
        let (bus, pair) = future::try_zip(Bus::connect(list, budget), pair).await?;
        Ok(Self { bus, session: None, pair: Some(pair), left_behind: None })
    }
}

type Buses = BTreeMap<Option<String>, Weak<Shared>>;

impl Shared {
    /// The connection that all stores on this bus share; the last store to go closes it.
    pub(crate) fn of_bus(addresses: Option<&str>) -> Arc<Self> {
        static BUSES: Mutex<Buses> = Mutex::new(BTreeMap::new());
        static PROCESS: OnceLock<u32> = OnceLock::new();
        // A thread of the parent may have held the table when this process was forked: then it stays locked for ever. A
        // connection that is not shared does as well.
        if *PROCESS.get_or_init(process::id) != process::id() {
            return Arc::default();
        }
        let mut buses = BUSES.lock().unwrap_or_else(PoisonError::into_inner);
        buses.retain(|_, shared| shared.strong_count() > 0);
        let known = buses.entry(addresses.map(str::to_owned)).or_default();
        match known.upgrade() {
            Some(shared) if shared.is_of_this_process() => shared,
            _ => {
                let shared = Arc::<Self>::default();
                *known = Arc::downgrade(&shared);
                shared
            }
        }
    }

    /// Does something with the connection, for as long as one whole operation, which ends by its
    /// deadlines.
    ///
    /// # Errors
    ///
    /// `NoBackend` in a process that was forked since; `Io` where the system has no room for it.
    pub(crate) fn run<T>(
        &self,
        work: impl FnOnce(&SharedRuntime, &mut Option<Connected>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !self.is_of_this_process() {
            return Err(Failure::forked());
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { runtime, connected } = &mut *state;
        let runtime = match runtime {
            Some(runtime) => runtime,
            None => runtime.insert(SharedRuntime::new().map_err(|error| {
                Failure::new(ErrorKind::Io)
                    .message("the system has no room for a connection to the session bus")
                    .caused_by(&error.to_string())
            })?),
        };
        work(runtime, connected)
    }

    fn is_of_this_process(&self) -> bool {
        self.pid == process::id()
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self { pid: process::id(), state: Mutex::default() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = mem::take(self.state.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !self.is_of_this_process() {
            // Closing it would take the parent's socket out of what both wait on.
            mem::forget(state);
            return;
        }
        let (Some(runtime), Some(mut connected)) = (state.runtime, state.connected) else { return };
        if let Some(shown) = connected.left_behind.take() {
            // It holds the connection until the bus was told; this thread may not wait for that. Where no
            // thread can be had, the connection stays until the process ends.
            let farewell = move || {
                drop(connected);
                let budget = Budget::start(Deadlines::both(FAREWELL), &runtime);
                runtime.block_on(shown.forget(&budget));
            };
            drop(thread::Builder::new().name("strongroom-farewell".into()).spawn(farewell));
        }
    }
}

/// Forgets what has to be made anew.
pub(crate) fn forget(connected: &mut Option<Connected>, what: Retry) {
    if what == Retry::Connection {
        *connected = None;
    }
    if let Some(connected) = connected {
        connected.session = None;
        connected.left_behind = None;
        connected.bus.forget_owner();
    }
}
