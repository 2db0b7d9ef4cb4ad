//! The page served alone: over real sockets, until it ends.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom::{Backend, SecretManager};
use strongroom_settings::Settings;
use support::VALUE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing_subscriber::fmt::MakeWriter;

/// A loaded machine sets the measure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server, the address in its link, and what stops it.
struct Served {
    address: SocketAddr,
    token: String,
    manager: SecretManager,
    stop: oneshot::Sender<()>,
    run: JoinHandle<strongroom::Result<()>>,
}

async fn serve(idle: Duration) -> Served {
    let manager = SecretManager::builder("app").backend(Backend::Memory).open().await.unwrap();
    let settings = Settings::builder(manager.clone()).idle(idle).build().unwrap();
    let server = settings.bind(([127, 0, 0, 1], 0)).unwrap();
    let (base, token) = server.link().split_once("/#token=").unwrap();
    let (address, token) = (base["http://".len()..].parse().unwrap(), token.to_owned());
    let (stop, stopped) = oneshot::channel();
    let run = tokio::spawn(server.run(async { drop(stopped.await) }));
    Served { address, token, manager, stop, run }
}

impl Served {
    /// What comes back for these bytes until the server closes the connection, which they ask for.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that has seen enough closes before it has read all.
        stream.write_all(request.as_bytes()).await.ok();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(&self, path: &str) -> String {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        ))
        .await
    }

    fn post(&self, path: &str, cookie: &str, body: &str) -> String {
        let here = self.address;
        format!(
            "POST {path} HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\nCookie: {cookie}\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    async fn session(&self) -> String {
        let body = format!("{{\"token\":\"{}\"}}", self.token);
        let answer = self.raw(&self.post("/api/session", "", &body)).await;
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn ends(self) {
        timeout(PATIENCE, self.run).await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn raw_paths_and_hosts_lead_nowhere() {
    let served = serve(PATIENCE).await;
    for path in ["/../../etc/passwd", "/%2e%2e/api/secrets", "//api/secrets", "/api/./secrets"] {
        let answer = served.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let absolute =
        "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(served.raw(absolute).await.starts_with("HTTP/1.1 403"));
    let old = served.raw("GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 403"), "{old}");
}

#[tokio::test]
async fn a_body_of_10_mib_is_refused_however_it_is_sent() {
    let served = serve(PATIENCE).await;
    let cookie = served.session().await;
    let huge = "A".repeat(10 << 20);
    let answer = served.raw(&served.post("/api/secrets/add", &cookie, &huge)).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let here = served.address;
    let chunked = format!(
        "POST /api/secrets/add HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\n\
         Cookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\r\na00000\r\n{huge}\r\n0\r\n\r\n"
    );
    let answer = served.raw(&chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn changes_are_told_without_values_and_the_stream_ends_with_the_session() {
    let served = serve(PATIENCE).await;
    let cookie = served.session().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let here = served.address;
    let request = format!("GET /api/events HTTP/1.1\r\nHost: {here}\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    hear(&mut stream, &mut heard, "\r\n\r\n").await;
    served.manager.set_api_key("KEY", "s3cret", None).await.unwrap();
    hear(&mut stream, &mut heard, "\"kind\":\"added\"").await;
    served.raw(&served.post("/api/session/end", &cookie, "{}")).await;
    hear(&mut stream, &mut heard, "event: end").await;
    assert!(heard.contains("\"name\":\"KEY\""), "{heard}");
    assert!(!heard.contains("s3cret") && !heard.contains(VALUE), "{heard}");
}

async fn hear(stream: &mut TcpStream, heard: &mut String, awaited: &str) {
    let mut bytes = [0; 1024];
    while !heard.contains(awaited) {
        let read = timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
        assert_ne!(read, 0, "the stream ended: {heard}");
        *heard += &String::from_utf8_lossy(&bytes[..read]);
    }
}

#[tokio::test]
async fn it_stops_with_its_terminal_though_a_page_listens() {
    let served = serve(PATIENCE).await;
    let cookie = served.session().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let here = served.address;
    let request = format!("GET /api/events HTTP/1.1\r\nHost: {here}\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    hear(&mut stream, &mut String::new(), "\r\n\r\n").await;
    served.stop.send(()).unwrap();
    timeout(PATIENCE, served.run).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(here).await.is_err());
}

#[tokio::test]
async fn it_ends_when_its_link_is_not_used() {
    serve(Duration::from_millis(50)).await.ends().await;
}

#[tokio::test]
async fn it_ends_with_its_last_session() {
    let served = serve(PATIENCE).await;
    let cookie = served.session().await;
    served.raw(&served.post("/api/session/end", &cookie, "{}")).await;
    served.ends().await;
}

#[tokio::test]
async fn it_runs_without_a_runtime() {
    let manager = SecretManager::builder("app").backend(Backend::Memory).open().await.unwrap();
    let settings = Settings::builder(manager).idle(Duration::from_millis(50)).build().unwrap();
    let server = settings.bind(([127, 0, 0, 1], 0)).unwrap();
    let thread = std::thread::spawn(|| server.run_blocking(std::future::pending()));
    thread.join().unwrap().unwrap();
}

#[tokio::test]
async fn debug_shows_no_token() {
    let manager = SecretManager::builder("app").backend(Backend::Memory).open().await.unwrap();
    let settings = Settings::builder(manager).build().unwrap();
    let server = settings.bind(([127, 0, 0, 1], 0)).unwrap();
    let token = server.link().split_once("#token=").unwrap().1.to_owned();
    let shown = format!("{settings:?} {server:?}");
    assert!(shown.contains("127.0.0.1") && !shown.contains(&token), "{shown}");
}

/// All that was logged, at any level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_value_and_no_token_is_logged_listed_or_in_an_error() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let served = serve(PATIENCE).await;
    let wrong = served.raw(&served.post("/api/session", "", r#"{"token":"wrong-token"}"#)).await;
    assert!(wrong.starts_with("HTTP/1.1 401"));
    let cookie = served.session().await;
    let form = format!(r#"{{"name":"KEY","value":"{VALUE}"}}"#);
    let send = async |path: &str, body: &str| served.raw(&served.post(path, &cookie, body)).await;
    assert!(send("/api/secrets/add", &form).await.starts_with("HTTP/1.1 204"));
    let again = send("/api/secrets/add", &form).await;
    let broken = send("/api/secrets/add", &form.replace("\"value\"", "\"value\" ")).await;
    let garbled = send("/api/secrets/add", &form[..form.len() - 1]).await;
    let revealed = send("/api/secrets/reveal", r#"{"name":"KEY"}"#).await;
    assert!(revealed.ends_with("\r\n\r\ns3cret"), "{revealed}");
    let here = served.address;
    let listed = served
        .raw(&format!(
            "GET /api/secrets HTTP/1.1\r\nHost: {here}\r\nCookie: {cookie}\r\n\
             Connection: close\r\n\r\n"
        ))
        .await;
    assert!(listed.contains("\"KEY\""), "{listed}");

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("was refused"), "{logged}");
    let session = cookie.split_once('=').unwrap().1;
    for (place, text) in [
        ("log", &logged),
        ("answer", &again),
        ("answer", &broken),
        ("answer", &garbled),
        ("list", &listed),
    ] {
        for secret in ["s3cret", VALUE, &served.token, session, "wrong-token"] {
            assert!(!text.contains(secret), "a secret is in the {place}");
        }
    }
}
