//! The page served alone: over real sockets, until it ends.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom::{Backend, Config};
use strongroom_settings::Settings;
use strongroom_testkit::unused_name;
use support::VALUE;
use support::served::{PATIENCE, hear, serve};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing_subscriber::fmt::MakeWriter;

#[tokio::test]
async fn raw_paths_and_hosts_lead_nowhere() {
    let served = serve(PATIENCE).await;
    for path in ["../../etc/passwd", "%2e%2e/api/secrets", "api//secrets", "api/./secrets"] {
        let answer = served.raw(served.head("GET", path, None) + "\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let absolute = "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    assert!(served.raw(absolute).await.starts_with("HTTP/1.1 403"));
    let old = served.raw("GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 403"), "{old}");
}

#[tokio::test]
async fn nothing_is_at_a_path_that_could_be_known_before() {
    let served = serve(PATIENCE).await;
    let here = served.address;
    for path in ["/", "/page.js", "/settings/", "/api/session", "/api/secrets"] {
        let answer = served.raw(format!("GET {path} HTTP/1.1\r\nHost: {here}\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("cache-control: no-store"), "{path}: {answer}");
    }
    let page = served.raw(served.head("GET", "", None) + "\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert_ne!(served.path, serve(PATIENCE).await.path);
}

#[cfg(any(target_os = "linux", windows))]
#[tokio::test]
async fn a_fresh_page_has_an_address_of_its_own() {
    let manager = Config::new(unused_name("app")).backend(Backend::Memory).open().await.unwrap();
    let settings = Settings::builder(manager).build().unwrap();
    let host = |link: &str| link.split(['/', ':']).nth(3).unwrap().to_owned();
    let [one, other] = [(); 2].map(|()| host(settings.bind_fresh().unwrap().link()));
    assert!(one.starts_with("127.") && one != "127.0.0.1" && one != other, "{one} {other}");
}

#[tokio::test]
async fn a_body_beyond_the_largest_value_is_refused_however_it_is_sent() {
    let served = serve(PATIENCE).await;
    let session = served.session().await;
    let huge = "A".repeat(24 << 20);
    let head = served.head("POST", "api/secrets/add", Some(&session));
    let sized = format!("{head}Content-Length: {}\r\n\r\n{huge}", huge.len());
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n1800000\r\n{huge}\r\n0\r\n\r\n");
    for request in [sized, chunked] {
        let answer = served.raw(request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}

#[tokio::test]
async fn changes_are_told_without_values_and_the_stream_ends_with_the_session() {
    let served = serve(PATIENCE).await;
    let session = served.session().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let request = served.head("GET", "api/events", Some(&session)) + "\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    hear(&mut stream, &mut heard, "\r\n\r\n").await;
    served.manager.set_api_key("KEY", "s3cret", None).await.unwrap();
    hear(&mut stream, &mut heard, "\"kind\":\"added\"").await;
    served.post("api/session/end", &session, "{}").await;
    hear(&mut stream, &mut heard, "event: end").await;
    assert!(heard.contains("\"name\":\"KEY\""), "{heard}");
    assert!(!heard.contains("s3cret") && !heard.contains(VALUE), "{heard}");
}

#[tokio::test]
async fn it_stops_with_its_terminal_though_a_page_listens() {
    let served = serve(PATIENCE).await;
    let session = served.session().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let request = served.head("GET", "api/events", Some(&session)) + "\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    hear(&mut stream, &mut String::new(), "\r\n\r\n").await;
    served.stop.send(()).unwrap();
    timeout(PATIENCE, served.run).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn it_ends_when_its_link_is_not_used() {
    serve(Duration::from_millis(50)).await.ends().await;
}

#[tokio::test]
async fn it_ends_with_its_last_session() {
    let served = serve(PATIENCE).await;
    let session = served.session().await;
    served.post("api/session/end", &session, "{}").await;
    served.ends().await;
}

#[tokio::test]
async fn it_runs_without_a_runtime() {
    let manager = Config::new(unused_name("app")).backend(Backend::Memory).open().await.unwrap();
    let settings = Settings::builder(manager).idle(Duration::from_millis(50)).build().unwrap();
    let server = settings.bind(([127, 0, 0, 1], 0)).unwrap();
    let thread = std::thread::spawn(|| server.run_blocking(std::future::pending()));
    thread.join().unwrap().unwrap();
}

#[tokio::test]
async fn debug_shows_no_token() {
    let manager = Config::new(unused_name("app")).backend(Backend::Memory).open().await.unwrap();
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
    let mut wrong = String::new();
    for _ in 0..20 {
        wrong = served.exchange("wrong-token").await;
        assert!(wrong.starts_with("HTTP/1.1 401"));
    }
    let session = served.session().await;
    let form = format!(r#"{{"name":"KEY","value":"{VALUE}"}}"#);
    let send = async |path: &str, body: &str| served.post(path, &session, body).await;
    assert!(send("api/secrets/add", &form).await.starts_with("HTTP/1.1 204"));
    let again = send("api/secrets/add", &form).await;
    let broken = send("api/secrets/add", &form.replace("\"value\"", "\"value\" ")).await;
    let garbled = send("api/secrets/add", &form[..form.len() - 1]).await;
    let revealed = send("api/secrets/reveal", r#"{"name":"KEY"}"#).await;
    assert!(revealed.ends_with("\r\n\r\ns3cret"), "{revealed}");
    let listed = served.raw(served.head("GET", "api/secrets", Some(&session)) + "\r\n").await;
    assert!(listed.contains("\"KEY\""), "{listed}");

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(logged.matches("links to the settings page were refused").count(), 1, "{logged}");
    for (place, text) in [
        ("log", &logged),
        ("answer", &wrong),
        ("answer", &again),
        ("answer", &broken),
        ("answer", &garbled),
        ("list", &listed),
    ] {
        for secret in ["s3cret", VALUE, &served.token, &session.bearer, "wrong-token"] {
            assert!(!text.contains(secret), "a secret is in the {place}");
        }
    }
}
