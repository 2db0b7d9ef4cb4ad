//! A secret server in memory, and servers that misbehave.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::future;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http_store::HttpStore;
use strongroom::{Deadlines, SecretString};
use tokio::sync::oneshot;

/// The token that the server takes.
pub(crate) const TOKEN: &str = "dG9rZW4gb2YgYSB0ZXN0";

/// The server's state in which it answers as it should.
const WELL: u16 = 0;

/// The server's state in which it takes requests and never answers.
const HUNG: u16 = 1;

/// A secret server in memory. It ends when it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    entries: Mutex<BTreeMap<(String, String), Vec<u8>>>,
    /// `WELL`, `HUNG`, or the status of every answer.
    state: AtomicU16,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::<Shared>::default();
        let (stop, stopped) = oneshot::channel();
        let routes = routes(Arc::clone(&shared));
        let thread = thread::spawn(move || serve(listener, routes, stopped));
        Self { url, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// A handle to the store on this server.
    pub(crate) fn store(&self) -> HttpStore {
        store_at(&self.url, Duration::from_secs(5))
    }

    /// From now on, every answer has this status.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.state.store(status, Ordering::SeqCst);
    }

    /// From now on, nothing is answered.
    pub(crate) fn hang(&self) {
        self.answer(HUNG);
    }

    pub(crate) fn heal(&self) {
        self.answer(WELL);
    }

    /// Ends the server, with all of its connections.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(JoinHandle::join);
    }

    /// The entries of a service that the server has.
    pub(crate) fn users(&self, service: &str) -> Vec<String> {
        users(&self.shared, service)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A store on the server at this address, with the server's token and this deadline.
pub(crate) fn store_at(url: &str, deadline: Duration) -> HttpStore {
    HttpStore::new(url, &SecretString::from(TOKEN), Deadlines::both(deadline)).unwrap()
}

/// Answers one request with these bytes, closes the connection, and returns the address.
pub(crate) fn answering(bytes: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap() > 0 {
            head.extend(byte);
        }
        connection.write_all(bytes.as_bytes()).unwrap();
    });
    url
}

fn serve(listener: TcpListener, routes: Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        tokio::spawn(async { axum::serve(listener, routes).await });
        stopped.await.ok();
    });
}

fn routes(shared: Arc<Shared>) -> Router {
    let probe = || async { StatusCode::NO_CONTENT };
    let admitted = middleware::from_fn_with_state(Arc::clone(&shared), admit);
    Router::new()
        .route("/v1", get(probe))
        .route("/v1/{service}", get(list))
        .route("/v1/{service}/{user}", get(read).put(write).delete(remove))
        .layer(admitted)
        .with_state(shared)
}

async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let is_known = request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(|sent| sent.as_bytes() == format!("Bearer {TOKEN}").as_bytes());
    let mut response = match shared.state.load(Ordering::SeqCst) {
        HUNG => future::pending().await,
        WELL if is_known => next.run(request).await,
        WELL => StatusCode::UNAUTHORIZED.into_response(),
        status => StatusCode::from_u16(status).unwrap().into_response(),
    };
    response.headers_mut().insert("Acme-Secrets", HeaderValue::from_static("1"));
    response
}

type Name = Path<(String, String)>;

async fn list(State(shared): State<Arc<Shared>>, Path(service): Path<String>) -> String {
    serde_json::to_string(&users(&shared, &service)).unwrap()
}

async fn read(State(shared): State<Arc<Shared>>, Path(name): Name) -> Response {
    match shared.entries.lock().unwrap().get(&name) {
        Some(value) => Body::from(value.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn write(
    State(shared): State<Arc<Shared>>,
    Path(name): Name,
    headers: HeaderMap,
    value: Bytes,
) -> StatusCode {
    let mut entries = shared.entries.lock().unwrap();
    if headers.contains_key(header::IF_NONE_MATCH) && entries.contains_key(&name) {
        return StatusCode::PRECONDITION_FAILED;
    }
    entries.insert(name, value.to_vec());
    StatusCode::NO_CONTENT
}

async fn remove(State(shared): State<Arc<Shared>>, Path(name): Name) -> StatusCode {
    match shared.entries.lock().unwrap().remove(&name) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

fn users(shared: &Shared, service: &str) -> Vec<String> {
    let entries = shared.entries.lock().unwrap();
    entries.keys().filter(|(of, _)| of == service).map(|(_, user)| user.clone()).collect()
}
