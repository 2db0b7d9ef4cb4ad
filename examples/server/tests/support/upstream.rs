//! An upstream to try the server with: a token endpoint, and data for who has a token.
#![allow(dead_code, reason = "each program uses a part of it")]

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// The secret that it gives tokens for.
pub(crate) const CLIENT_SECRET: &str = "demo-client-secret";

/// `example-server:demo-client-secret`, as it stands in a header.
pub(crate) const CREDENTIALS: &str = "ZXhhbXBsZS1zZXJ2ZXI6ZGVtby1jbGllbnQtc2VjcmV0";

/// How every token begins.
pub(crate) const TOKEN: &str = "demo-access-token-";

/// What it does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// It refuses to give tokens, and quotes the request.
    RefusesToken,
    /// It gives tokens that are not as agreed upon.
    GarblesToken,
    /// It gives no data, and quotes the request.
    FailsData,
}

/// One that listens on a loopback address until the runtime ends.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: SocketAddr,
    lifetime: Duration,
    delay: Duration,
    tokens: AtomicUsize,
    data: AtomicUsize,
    fault: Mutex<Fault>,
    /// The one token that is good.
    token: Mutex<Option<String>>,
}

impl Upstream {
    /// Its tokens last this long, and each of its answers takes this long.
    pub(crate) async fn start(
        address: SocketAddr,
        lifetime: Duration,
        delay: Duration,
    ) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind(address).await?;
        let upstream = Arc::new(Self {
            address: listener.local_addr()?,
            lifetime,
            delay,
            tokens: AtomicUsize::new(0),
            data: AtomicUsize::new(0),
            fault: Mutex::default(),
            token: Mutex::default(),
        });
        let router = Router::new().route("/token", post(give_token)).route("/data", get(give_data));
        let router = router.with_state(Arc::clone(&upstream));
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(upstream)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often it was asked for a token.
    pub(crate) fn asked_for_tokens(&self) -> usize {
        self.tokens.load(Ordering::SeqCst)
    }

    /// How often it was asked for data.
    pub(crate) fn asked_for_data(&self) -> usize {
        self.data.load(Ordering::SeqCst)
    }

    pub(crate) fn set_fault(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The token that it gave is good no more.
    pub(crate) fn revoke(&self) {
        self.replace_token(None);
    }

    fn replace_token(&self, token: Option<String>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn has(&self, fault: Fault) -> bool {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) == fault
    }

    fn is_good(&self, authorization: &str) -> bool {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().is_some_and(|token| authorization == format!("Bearer {token}"))
    }
}

async fn give_token(State(upstream): State<Arc<Upstream>>, headers: HeaderMap) -> Response {
    let count = upstream.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    sleep(upstream.delay).await;
    let authorization = authorization(&headers);
    if authorization != format!("Basic {CREDENTIALS}") || upstream.has(Fault::RefusesToken) {
        return (StatusCode::UNAUTHORIZED, authorization).into_response();
    }
    let token = format!("{TOKEN}{count}");
    if upstream.has(Fault::GarblesToken) {
        return Json(json!({ "access_token": "t", "expires_in": token })).into_response();
    }
    upstream.replace_token(Some(token.clone()));
    let lifetime = upstream.lifetime.as_secs();
    let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": lifetime });
    Json(answer).into_response()
}

async fn give_data(State(upstream): State<Arc<Upstream>>, headers: HeaderMap) -> Response {
    upstream.data.fetch_add(1, Ordering::SeqCst);
    sleep(upstream.delay).await;
    let authorization = authorization(&headers);
    if upstream.has(Fault::FailsData) {
        return (StatusCode::INTERNAL_SERVER_ERROR, authorization).into_response();
    }
    if !upstream.is_good(&authorization) {
        return (StatusCode::UNAUTHORIZED, authorization).into_response();
    }
    Json(json!({ "tokens": upstream.asked_for_tokens() })).into_response()
}

fn authorization(headers: &HeaderMap) -> String {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
