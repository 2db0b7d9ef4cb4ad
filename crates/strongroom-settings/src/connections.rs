//! The limits of a [`Server`](crate::Server)'s connections: their number, and the time of each.
//!
//! Every account of this machine can open connections. A connection that shows no session ends soon, and gives way to a new
//! connection if there are too many. So an account without a session can't shut out the user.

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

/// The deadline of a connection without a session, from its opening to the end of the answer.
const WITHOUT_SESSION: Duration = Duration::from_secs(15);

/// The time to complete an answer after its session or the server has ended.
const GRACE: Duration = Duration::from_secs(5);

/// The largest head of a request, in bytes.
const HEAD: usize = 32 * 1024;

/// The part of a connection that its request can reach.
#[derive(Clone, Default)]
pub(crate) struct Connection {
    /// The session that the request has shown. The inner `None` if the application admits requests itself.
    session: Arc<OnceLock<Option<Arc<Session>>>>,
}

/// All connections of a server. They end when this is dropped.
pub(crate) struct Connections {
    shared: Arc<Shared>,
    router: Router,
    /// The open connections, the oldest first.
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
        // A connection has a single request, so the session is set once.
        self.session.set(session).ok();
    }

    fn is_admitted(&self) -> bool {
        self.session.get().is_some()
    }

    /// Waits until the connection has exceeded its time.
    async fn overdue(&self, shared: &Shared) {
        // With a session, an answer may take as long as the session: the stream of changes does.
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

    /// Serves a new connection, or closes it if there are too many and all have a session.
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

    /// Waits until a connection ends, but at most a second.
    pub(crate) async fn one_ended(&mut self) {
        let ended = async {
            // Without connections, `join_next` returns at once, and the caller would not pause.
            if self.tasks.join_next().await.is_none() {
                pending::<()>().await;
            }
        };
        timeout(Duration::from_secs(1), ended).await.ok();
    }

    /// Ends all connections: those without a session at once, the rest when their answers are complete.
    pub(crate) async fn finish(mut self) {
        while self.make_room() {}
        let answered = async { while self.tasks.join_next().await.is_some() {} };
        timeout(GRACE, answered).await.ok();
    }
}

/// Serves a single request. Errors of the connection concern only the client, and are ignored.
async fn serve(stream: TcpStream, router: Router, connection: Connection) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<_>| {
        request.extensions_mut().insert(connection.clone());
        router.call(request)
    });
    let mut builder = http1::Builder::new();
    // Without keep-alive, an idle connection can't keep its place.
    builder.keep_alive(false).max_buf_size(HEAD);
    builder.serve_connection(TokioIo::new(stream), service).await.ok();
}
