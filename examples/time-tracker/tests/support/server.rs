//! A Jira-like server of this process, on the loopback address.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) const EMAIL: &str = "me@example.org";

/// It knows one user, two issues, and what was posted to them.
pub(crate) struct Server {
    address: String,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    authorization: String,
    worklogs: Mutex<Vec<(String, Value)>>,
    requests: Mutex<Vec<String>>,
}

impl Server {
    /// Starts one that takes this token.
    pub(crate) fn start(token: &str) -> Self {
        let shared = Arc::new(Shared {
            authorization: basic(token),
            worklogs: Mutex::default(),
            requests: Mutex::default(),
        });
        let router = Router::new()
            .route("/rest/api/3/search/jql", get(search))
            .route("/rest/api/3/issue/{key}/worklog", post(log))
            .with_state(Arc::clone(&shared));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { address, shared, _runtime: runtime }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What was posted, by the issue.
    pub(crate) fn worklogs(&self) -> Vec<(String, Value)> {
        self.shared.worklogs.lock().unwrap().clone()
    }

    /// What was sent as authorization, request by request.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }
}

/// How the token travels.
pub(crate) fn basic(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{EMAIL}:{token}")))
}

impl Shared {
    fn let_in(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        let sent = headers.get(AUTHORIZATION).and_then(|sent| sent.to_str().ok());
        let sent = sent.unwrap_or_default().to_owned();
        let is_right = sent == self.authorization;
        self.requests.lock().unwrap().push(sent);
        if is_right { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
    }
}

async fn search(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    shared.let_in(&headers)?;
    let issue = |key: &str, summary: &str, status: &str| json!({ "key": key, "fields": { "summary": summary, "status": { "name": status } } });
    Ok(Json(json!({ "issues": [
        issue("WEB-12", "The date picker opens behind the dialog", "In Progress"),
        issue("API-7", "Answer 429 with a Retry-After header", "To Do"),
        issue("WEB-31", "Keyboard focus is lost when a row is <removed>", "To Do"),
    ]})))
}

async fn log(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    Json(worklog): Json<Value>,
) -> Result<StatusCode, StatusCode> {
    shared.let_in(&headers)?;
    shared.worklogs.lock().unwrap().push((key, worklog));
    Ok(StatusCode::CREATED)
}
