//! The connection of a process to a bus, shared by all its stores.

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

/// The time limit for the last call to the bus, when a connection is closed.
const FAREWELL: Duration = Duration::from_millis(200);

/// The connection of this process to a bus.
pub(crate) struct Shared {
    /// The id of the process that made it. A forked process has the socket and the memory, but none of the
    /// threads.
    pid: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    runtime: Option<SharedRuntime>,
    connected: Option<Connected>,
}

/// An established connection.
pub(crate) struct Connected {
    pub(crate) bus: Bus,
    pub(crate) session: Option<Session>,
    /// The key pair of the first session.
    pub(crate) pair: Option<KeyPair>,
    /// The prompt that an operation gave up and left on the screen.
    pub(crate) left_behind: Option<Shown>,
}

impl Connected {
    /// Connects to the bus at these addresses; to the session bus if there are none.
    pub(crate) async fn to(list: Option<&str>, budget: &Budget) -> Result<Self, Failure> {
        // Generated while the bus is awaited, which costs no extra time.
        let pair = async { KeyPair::generate().map_err(Failure::from) };
        let (bus, pair) = future::try_zip(Bus::connect(list, budget), pair).await?;
        Ok(Self { bus, session: None, pair: Some(pair), left_behind: None })
    }
}

type Buses = BTreeMap<Option<String>, Weak<Shared>>;

impl Shared {
    /// Returns the connection that all stores on this bus share. It is closed with the last of them.
    pub(crate) fn of_bus(addresses: Option<&str>) -> Arc<Self> {
        static BUSES: Mutex<Buses> = Mutex::new(BTreeMap::new());
        static PROCESS: OnceLock<u32> = OnceLock::new();
        // A thread of the parent may have held the table when this process was forked: then it stays locked
        // for ever. So a forked process gets a connection that is not shared.
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

    /// Runs a whole operation with the connection to itself. The operation ends by its deadlines.
    ///
    /// # Errors
    ///
    /// `NoBackend` in a process that was forked since; `Io` if the system has no room for a connection.
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
            // Both processes share the epoll instance: closing the connection would remove the parent's
            // socket from it.
            mem::forget(state);
            return;
        }
        let (Some(runtime), Some(mut connected)) = (state.runtime, state.connected) else { return };
        if let Some(shown) = connected.left_behind.take() {
            // The prompt's subscription holds the connection until the bus is told, and this thread may not
            // wait for that. If no thread can be started, the connection stays until the process ends.
            let farewell = move || {
                drop(connected);
                let budget = Budget::start(Deadlines::both(FAREWELL), &runtime);
                runtime.block_on(shown.forget(&budget));
            };
            drop(thread::Builder::new().name("strongroom-farewell".into()).spawn(farewell));
        }
    }
}

/// Drops the state that has to be rebuilt before an operation is repeated.
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
