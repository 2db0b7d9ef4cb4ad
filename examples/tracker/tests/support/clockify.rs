//! A Clockify that keeps what it is sent.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use strongroom_testkit::PATIENCE;

use super::KEY;

/// A Clockify that keeps what it is sent, and refuses who has another key.
pub(crate) struct Clockify {
    pub(crate) url: String,
    entries: Receiver<Value>,
}

impl Clockify {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let (sender, entries) = mpsc::channel();
        // It ends with the test's process.
        thread::spawn(move || serve(listener, sender));
        Self { url, entries }
    }

    /// The next entry that it is sent.
    #[track_caller]
    pub(crate) fn next(&self) -> Value {
        self.entries.recv_timeout(PATIENCE).expect("an entry is sent")
    }
}

fn serve(listener: TcpListener, sender: Sender<Value>) {
    let moved = || async { Redirect::permanent("/api/v1/user") };
    let routes = Router::new()
        .route("/moved/user", get(moved))
        .route("/api/v1/user", get(user))
        .route("/api/v1/workspaces/{workspace}/time-entries", post(add))
        .with_state(sender);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, routes).await.unwrap();
    });
}

async fn user(headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    check(&headers)?;
    Ok(Json(json!({ "id": "u", "activeWorkspace": "a", "defaultWorkspace": "w" })))
}

async fn add(
    State(sender): State<Sender<Value>>,
    Path(workspace): Path<String>,
    headers: HeaderMap,
    Json(entry): Json<Value>,
) -> Result<StatusCode, StatusCode> {
    check(&headers)?;
    assert_eq!(workspace, "w", "the default workspace");
    sender.send(entry).ok();
    Ok(StatusCode::CREATED)
}

fn check(headers: &HeaderMap) -> Result<(), StatusCode> {
    let is_ours = headers.get("X-Api-Key").is_some_and(|key| key == KEY);
    is_ours.then_some(()).ok_or(StatusCode::UNAUTHORIZED)
}
