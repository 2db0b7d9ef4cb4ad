//! The thread of the service: its connection, its name, and the calls that it serves concurrently.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_lite::{FutureExt as _, StreamExt as _};
use zbus::fdo::RequestNameFlags;
use zbus::message::{Message, Type};
use zbus::{Connection, MessageStream, connection};
use zruntime::{Event, Shared as OnAnyThread, SharedRuntime, Task};

use super::call::{Call, Failure, PROPERTIES, Reply};
use super::state::Shared;
use super::{collection, item, prompt, properties, service, session};

const NAME: &str = "org.freedesktop.secrets";
/// The longest wait for a name that another connection still owns. A bus needs a moment to notice that a
/// crashed owner is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// The context of serving a call.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) shared: Arc<Shared>,
    pub(super) connection: Connection,
}

/// Waits on the runtime of the service.
pub(super) async fn sleep(duration: Duration) {
    // There always is a runtime: this function runs in a task of it.
    if let Ok(runtime) = SharedRuntime::current() {
        runtime.sleep(duration).await;
    }
}

/// A request to end, which is not lost if it comes before the wait for it.
#[derive(Default)]
struct Stop {
    asked: AtomicBool,
    event: Event,
}

impl Stop {
    fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.event.notify(usize::MAX);
    }

    async fn asked(&self) {
        let listener = self.event.listen();
        if !self.asked.load(Ordering::Acquire) {
            listener.await;
        }
    }
}

/// The running thread.
pub(super) struct Run {
    stop: Arc<Stop>,
    thread: JoinHandle<()>,
}

impl Run {
    /// Starts the thread. The service owns its name when the function returns.
    pub(super) fn start(address: &str, shared: &Arc<Shared>) -> zbus::Result<Self> {
        let stop = Arc::new(Stop::default());
        let (ready, started) = mpsc::channel();
        let (address, shared, stopped) = (address.to_owned(), shared.clone(), stop.clone());
        let builder = std::thread::Builder::new().name("scripted-secret-service".into());
        let thread =
            builder.spawn(move || zbus::block_on(run(&address, shared, &stopped, &ready)))?;
        let outcome = started.recv();
        outcome
            .unwrap_or_else(|_| Err(zbus::Error::Failure("the service's thread died".into())))?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread. The name is free when the function returns.
    pub(super) fn end(self) {
        self.stop.ask();
        // If the thread has panicked, the test fails for that reason.
        let _ = self.thread.join();
    }
}

async fn run(
    address: &str,
    shared: Arc<Shared>,
    stop: &Stop,
    ready: &mpsc::Sender<zbus::Result<()>>,
) {
    let claimed = claim(address).await;
    let (connection, mut calls) = match claimed {
        Ok(claimed) => claimed,
        Err(error) => return ready.send(Err(error)).unwrap_or(()),
    };
    // Sending fails only if the caller's thread is gone.
    let _ = ready.send(Ok(()));
    let context = Context { shared, connection };
    let stopped = serve(&context, &mut calls, stop).await;
    drop(calls);
    if stopped {
        // With a limit: the bus may be gone already, and then there is no answer to wait for.
        let release = async { drop(context.connection.release_name(NAME).await) };
        release.or(sleep(PATIENCE)).await;
    }
    let _ = context.connection.close().await;
}

/// Takes the name. Retries until [`PATIENCE`] has passed, because a crashed owner may still hold it.
async fn claim(address: &str) -> zbus::Result<(Connection, MessageStream)> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_claim(address).await {
            Err(zbus::Error::NameTaken) if Instant::now() < deadline => {}
            outcome => return outcome,
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Connects and asks for the name once. The stream is created first, so that no call is missed. It is not read
/// yet, so that further attempts on the same connection could fill it and block the connection.
async fn try_claim(address: &str) -> zbus::Result<(Connection, MessageStream)> {
    let connection = connection::Builder::address(address).build().await?;
    let stream = MessageStream::from(&connection);
    // The default flags allow replacement: the next service could take the name away, and this service could take it from
    // another connection.
    let flags = RequestNameFlags::DO_NOT_QUEUE;
    connection.request_name_with_flags(NAME, flags).await?;
    Ok((connection, stream))
}

/// Serves calls. Returns true after a request to stop, and false if the connection ends or the service crashes.
async fn serve(context: &Context, calls: &mut MessageStream, stop: &Stop) -> bool {
    let mut tasks: Vec<Task<(), OnAnyThread>> = Vec::new();
    loop {
        let stopped = async {
            stop.asked().await;
            Err(())
        };
        let message = match stopped.or(async { Ok(calls.next().await) }).await {
            Err(()) => return true,
            Ok(None | Some(Err(_))) => return false,
            Ok(Some(Ok(message))) => message,
        };
        if message.message_type() != Type::MethodCall {
            continue;
        }
        let call = Call::new(message, context.shared.releases());
        context.shared.log(&call.name);
        if crashes(context, &call) {
            return false;
        }
        // Dropping a handle cancels its task, so that hung calls end with this function.
        tasks.retain(|task| !task.is_finished());
        tasks.push(zruntime::spawn(handle(context.clone(), call)));
    }
}

/// Counts the unanswered `OpenSession` calls. Returns whether this call crashes the service.
fn crashes(context: &Context, call: &Call) -> bool {
    if call.name != "Service.OpenSession" {
        return false;
    }
    context.shared.with(|state| {
        state.opening += 1;
        state.crashed = state.script.crash_on_concurrent_open_session && state.opening > 1;
        state.crashed
    })
}

async fn handle(context: Context, call: Call) {
    let reply = answer(&context, &call).await;
    let message = match &reply {
        Ok(message) => Ok(message.clone()),
        Err(failure) => call.error(failure).map(Some),
    };
    if call.name == "Service.OpenSession" {
        context.shared.with(|state| state.opening = state.opening.saturating_sub(1));
    }
    if let Ok(Some(message)) = message {
        send_answer(&context, &call, &message).await;
    }
}

/// Sends a reply, unless the call expects none.
pub(super) async fn send_answer(context: &Context, call: &Call, message: &Message) {
    if call.wants_answer() {
        // Sending fails if the connection has ended.
        let _ = context.connection.send(message).await;
    }
}

/// Carries out a call, after the hang, delay or failure that the script demands.
async fn answer(context: &Context, call: &Call) -> Reply {
    let (hangs, delay, failure) = context.shared.with(|state| {
        let script = &state.script;
        let delay = script.delay.get(&call.name).copied();
        (script.hang.contains(&call.name), delay, script.fail.get(&call.name).cloned())
    });
    if hangs {
        context.shared.hang(call.arrived).await;
    }
    if let Some(delay) = delay {
        sleep(delay).await;
    }
    if let Some((name, text)) = failure {
        return Err(Failure { name, text });
    }
    match call.interface.as_str() {
        service::INTERFACE => service::answer(context, call).await,
        collection::INTERFACE => collection::answer(context, call).await,
        item::INTERFACE => item::answer(context, call).await,
        session::INTERFACE => session::answer(context, call),
        prompt::INTERFACE => prompt::answer(context, call).await,
        PROPERTIES => properties::answer(context, call).await,
        "org.freedesktop.DBus.Peer" if call.member == "Ping" => call.reply(&()),
        _ => Err(Failure::unknown_method(call)),
    }
}
