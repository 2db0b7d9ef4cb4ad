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
use crate::prompt::ShownPrompt;
use crate::session::Session;

/// The time limit for the last call to the bus, when a connection is closed.
const FAREWELL: Duration = Duration::from_millis(200);

/// The connection of this process to a bus.
pub(crate) struct SharedConnection {
    /// The id of the process that made it. A forked process has the socket and the memory, but none of the
    /// threads.
    pid: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    runtime: Option<SharedRuntime>,
    connection: Option<OpenConnection>,
}

/// An established connection.
pub(crate) struct OpenConnection {
    pub(crate) bus: Bus,
    pub(crate) session: Option<Session>,
    /// The key pair of the first session.
    pub(crate) pair: Option<KeyPair>,
    /// The prompt that an operation gave up and left on the screen.
    pub(crate) abandoned_prompt: Option<ShownPrompt>,
}

impl OpenConnection {
    /// Connects to the bus at these addresses; to the session bus if there are none.
    pub(crate) async fn open(list: Option<&str>, budget: &Budget) -> Result<Self, Failure> {
        // Generated while the bus is awaited, which costs no extra time.
        let pair = async { KeyPair::generate().map_err(Failure::from) };
        let (bus, pair) = future::try_zip(Bus::connect(list, budget), pair).await?;
        Ok(Self { bus, session: None, pair: Some(pair), abandoned_prompt: None })
    }
}

type Buses = BTreeMap<Option<String>, Weak<SharedConnection>>;

impl SharedConnection {
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
        work: impl FnOnce(&SharedRuntime, &mut Option<OpenConnection>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !self.is_of_this_process() {
            return Err(Failure::forked());
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { runtime, connection } = &mut *state;
        let runtime = match runtime {
            Some(runtime) => runtime,
            None => runtime.insert(SharedRuntime::new().map_err(|error| {
                Failure::new(ErrorKind::Io)
                    .with_message("the system has no room for a connection to the session bus")
                    .with_cause(&error.to_string())
            })?),
        };
        work(runtime, connection)
    }

    fn is_of_this_process(&self) -> bool {
        self.pid == process::id()
    }
}

impl Default for SharedConnection {
    fn default() -> Self {
        Self { pid: process::id(), state: Mutex::default() }
    }
}

impl Drop for SharedConnection {
    fn drop(&mut self) {
        let state = mem::take(self.state.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !self.is_of_this_process() {
            // Both processes share the epoll instance: closing the connection would remove the parent's
            // socket from it.
            mem::forget(state);
            return;
        }
        let (Some(runtime), Some(mut connection)) = (state.runtime, state.connection) else {
            return;
        };
        if let Some(prompt) = connection.abandoned_prompt.take() {
            // The prompt's subscription holds the connection until the bus is told, and this thread may not
            // wait for that. If no thread can be started, the connection stays until the process ends.
            let farewell = thread::Builder::new().name("strongroom-farewell".into());
            drop(farewell.spawn(move || close(connection, prompt, &runtime)));
        }
    }
}

/// Closes a connection that still listens for the answer to a prompt.
fn close(connection: OpenConnection, prompt: ShownPrompt, runtime: &SharedRuntime) {
    drop(connection);
    let budget = Budget::start(Deadlines::both(FAREWELL), runtime);
    runtime.block_on(prompt.forget(&budget));
}

/// Drops the state that has to be rebuilt before an operation is repeated.
pub(crate) fn forget(connection: &mut Option<OpenConnection>, lost: Retry) {
    if lost == Retry::Connection {
        *connection = None;
    }
    if let Some(connection) = connection {
        connection.session = None;
        connection.abandoned_prompt = None;
        connection.bus.forget_owner();
    }
}
