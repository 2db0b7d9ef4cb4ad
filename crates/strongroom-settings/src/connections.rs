//! The connections of a page that is served alone: how many there are, and how long each may take.
//!
//! Every account of this machine can open connections. One that shows no session ends soon, and gives way to a new one
//! when there are too many, so that an account without a session can't shut out the one that has it.

use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use futures_lite::future::or;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::access::Session;
use crate::settings::Shared;

/// The largest number of connections at a time. A browser opens six to one address.
const CONNECTIONS: usize = 64;

/// The time that a connection without a session has, from its opening to the end of the answer.
const WITHOUT_SESSION: Duration = Duration::from_secs(15);

/// The time for answers that are under way when their session or the server ends.
const GRACE: Duration = Duration::from_secs(5);

/// The largest head of a request, in bytes.
const HEAD: usize = 32 * 1024;

/// A connection, as its requests know it.
#[derive(Clone, Default)]
pub(crate) struct Connection {
    /// The session that it has shown; the inner `None` where the application admits.
    session: Arc<OnceLock<Option<Arc<Session>>>>,
}

/// All connections of a server. They end with it.
pub(crate) struct Connections {
    shared: Arc<Shared>,
    router: Router,
    /// The oldest one is the first.
    open: Vec<Open>,
    tasks: JoinSet<()>,
}

struct Open {
    connection: Connection,
    task: AbortHandle,
}

impl Connection {
    /// Notes that a request has shown a session.
    pub(crate) fn admit(&self, session: Option<Arc<Session>>) {
        // A connection has one request.
        self.session.set(session).ok();
    }

    fn is_admitted(&self) -> bool {
        self.session.get().is_some()
    }

    /// Waits until the connection has taken longer than it may.
    async fn overdue(&self, shared: &Shared) {
        sleep(WITHOUT_SESSION).await;
        if let Some(session) = self.session.get() {
            shared.access.ended(session.as_deref()).await;
            sleep(GRACE).await;
        }
    }
}

impl Connections {
    pub(crate) fn new(shared: Arc<Shared>, router: Router) -> Self {
        Self { shared, router, open: Vec::new(), tasks: JoinSet::new() }
    }

    /// Serves a new connection, or closes it where all others have a session.
    pub(crate) fn take(&mut self, stream: TcpStream) {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|open| !open.task.is_finished());
        if self.open.len() >= CONNECTIONS && !self.make_room() {
            return;
        }
        let connection = Connection::default();
        let served = serve(stream, self.router.clone(), connection.clone());
        let (shared, watched) = (Arc::clone(&self.shared), connection.clone());
        let task = self.tasks.spawn(async move { or(served, watched.overdue(&shared)).await });
        self.open.push(Open { connection, task });
    }

    /// Closes the oldest connection without a session, and returns whether there was one.
    pub(crate) fn make_room(&mut self) -> bool {
        let Some(at) = self.open.iter().position(|open| !open.connection.is_admitted()) else {
            return false;
        };
        self.open.remove(at).task.abort();
        true
    }

    /// Waits until a connection ends, or a second.
    pub(crate) async fn one_ended(&mut self) {
        let ended = async {
            if self.tasks.join_next().await.is_none() {
                pending::<()>().await;
            }
        };
        timeout(Duration::from_secs(1), ended).await.ok();
    }

    /// Ends all connections: those without a session at once, the others with their answers.
    pub(crate) async fn finish(mut self) {
        while self.make_room() {}
        let answered = async { while self.tasks.join_next().await.is_some() {} };
        timeout(GRACE, answered).await.ok();
    }
}

/// Serves one request. The errors of a connection are its client's.
async fn serve(stream: TcpStream, router: Router, connection: Connection) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<_>| {
        request.extensions_mut().insert(connection.clone());
        router.call(request)
    });
    let mut builder = http1::Builder::new();
    builder.keep_alive(false).max_buf_size(HEAD);
    builder.serve_connection(TokioIo::new(stream), service).await.ok();
}
