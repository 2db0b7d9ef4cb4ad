//! A provider to ask, which speaks as Anthropic and as OpenAI do.
#![allow(dead_code, reason = "each program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is for tests and for trying")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::runtime;

/// What it answers.
pub(crate) const ANSWER: &str = "Because of Rayleigh.";

/// The one key that it refuses.
pub(crate) const REFUSED: &str = "marker-anthropic-key-that-was-revoked";

/// One that listens on a loopback address until the program ends.
pub(crate) struct Api {
    address: SocketAddr,
    asked: Asked,
}

/// The key and the question of each request.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

impl Api {
    pub(crate) fn start() -> Self {
        Self::start_at(0)
    }

    /// One that listens on this port; 0 is one that is free.
    pub(crate) fn start_at(port: u16) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port))).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        thread::spawn(move || runtime.block_on(async { axum::serve(listener, router).await }));
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key and the question of the last request.
    pub(crate) fn last(&self) -> (String, String) {
        self.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

async fn answer(
    State(asked): State<Asked>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let header = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (key, answer) = match uri.path() {
        "/v1/messages" => (
            header("x-api-key"),
            format!(r#"{{"content":[{{"thinking":"Hm."}},{{"text":"{ANSWER}"}}]}}"#),
        ),
        "/v1/chat/completions" => {
            let key =
                header("authorization").and_then(|it| Some(it.strip_prefix("Bearer ")?.to_owned()));
            (key, format!(r#"{{"choices":[{{"message":{{"content":"{ANSWER}"}}}}]}}"#))
        }
        _ => return (StatusCode::NOT_FOUND, String::new()),
    };
    let key = key.unwrap_or_default();
    let question: serde_json::Value = serde_json::from_str(&body).unwrap();
    let question = question["messages"][0]["content"].as_str().unwrap().to_owned();
    asked.lock().unwrap().push((key.clone(), question));
    match key == REFUSED {
        true => (StatusCode::UNAUTHORIZED, format!("{key} is wrong")),
        false => (StatusCode::OK, answer),
    }
}
