//! Another account of the machine, which has no session, opens connections as it likes.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::io::{ErrorKind, Read as _};
use std::time::{Duration, Instant};

use strongroom_testkit::PageSession;
use support::served::{PATIENCE, Served, hear, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// More than a process may have descriptors, by the usual limit.
const MANY: usize = 1_100;

/// Opens so many connections that send this, and holds them.
async fn hold(served: &Served, count: usize, sent: &str) -> Vec<TcpStream> {
    allow_descriptors();
    let mut held = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.ok();
        held.push(stream);
    }
    held
}

/// Lets this process have as many descriptors as it may: it holds both ends.
fn allow_descriptors() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    }
}

/// Whether the owner gets the page, a session, and all that belongs to it.
async fn owner_is_served(served: &Served, session: Option<&PageSession>) -> PageSession {
    let page = served.raw(served.head("GET", "", None) + "\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let session = match session {
        Some(session) => session.clone(),
        None => served.session().await,
    };
    let listed = served.raw(served.head("GET", "api/secrets", Some(&session)) + "\r\n").await;
    assert!(listed.starts_with("HTTP/1.1 200"), "{listed}");
    session
}

#[tokio::test]
#[cfg_attr(windows, ignore = "Windows refuses all connections while a backlog is full")]
async fn many_connections_without_a_session_keep_the_owner_out_of_nothing() {
    let served = serve(PATIENCE).await;
    let slow_body =
        served.head("POST", "api/session", None) + "Content-Length: 4000\r\n\r\n{\"token\":";
    let kept_alive = served.head("GET", "page.js", None) + "Connection: keep-alive\r\n\r\n";
    let stream = served.head("GET", "api/events", None) + "\r\n";
    let forged = PageSession::new("AAAA.AAAA");
    let forged = served.head("GET", "api/events", Some(&forged)) + "\r\n";
    let kinds = ["", "GET / HTTP/1.1\r\nHost: 127.0", &slow_body, &kept_alive, &stream, &forged];
    let mut session = None;
    for sent in kinds {
        let started = Instant::now();
        let held = hold(&served, MANY, sent).await;
        session = Some(owner_is_served(&served, session.as_ref()).await);
        assert!(started.elapsed() < PATIENCE / 2, "{sent}: {:?}", started.elapsed());
        let open = held.into_iter().map(is_open).filter(|is_open| *is_open).count();
        assert!(open <= 64, "{sent}: {open} are open");
    }
}

/// Whether the server has not closed a connection.
fn is_open(stream: TcpStream) -> bool {
    let mut answer = Vec::new();
    let end = stream.into_std().unwrap().read_to_end(&mut answer);
    end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test]
#[cfg_attr(windows, ignore = "Windows refuses all connections while a backlog is full")]
async fn an_open_page_goes_on_while_others_open_connections() {
    let served = serve(PATIENCE).await;
    let session = served.session().await;
    let (mut stream, mut heard) =
        (TcpStream::connect(served.address).await.unwrap(), String::new());
    let events = served.head("GET", "api/events", Some(&session)) + "\r\n";
    stream.write_all(events.as_bytes()).await.unwrap();
    hear(&mut stream, &mut heard, "\r\n\r\n").await;
    let _held = hold(&served, MANY, "GET /").await;
    served.manager.set_api_key("KEY", "v", None).await.unwrap();
    hear(&mut stream, &mut heard, "\"kind\":\"added\"").await;
}

/// Waits until the server has closed the connection, and returns how long that was.
async fn closed(mut stream: TcpStream) -> Duration {
    let started = Instant::now();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
    started.elapsed()
}

#[tokio::test]
async fn a_connection_without_a_session_ends_by_itself() {
    let served = serve(PATIENCE * 10).await;
    let slow_body =
        served.head("POST", "api/session", None) + "Content-Length: 4000\r\n\r\n{\"token\":";
    let mut held = Vec::new();
    for sent in ["", "GET / HTTP/1.1\r\n", &slow_body] {
        held.extend(hold(&served, 1, sent).await);
    }
    let mut ends = tokio::task::JoinSet::new();
    for stream in held {
        ends.spawn(closed(stream));
    }
    for took in ends.join_all().await {
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
    // One with an answer ends with it.
    let page = served.head("GET", "page.js", None) + "Connection: keep-alive\r\n\r\n";
    let took = closed(hold(&served, 1, &page).await.pop().unwrap()).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn wrong_tokens_without_a_pause_leave_the_link_as_it_is() {
    let served = serve(PATIENCE).await;
    for _ in 0..200 {
        let refused = served.exchange("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
        assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    }
    owner_is_served(&served, None).await;
}
