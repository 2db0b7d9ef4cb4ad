//! The endpoints of the server, and its shutdown.

use std::future::{Future, IntoFuture as _};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use strongroom::SecretManager;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::problem::Problem;
use crate::secrets::{client_secret, storage_warning};
use crate::token::access_token;
use crate::upstream::{Data, Upstream};

/// The time to complete open answers after the server was asked to end.
const GRACE: Duration = Duration::from_secs(15);

/// The state that all requests share.
pub(crate) struct App {
    pub(crate) secrets: SecretManager,
    pub(crate) upstream: Upstream,
}

/// Serves until `stop`, and then completes the open answers, within [`GRACE`].
///
/// # Errors
///
/// The errors of the listener.
pub(crate) async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let stop = async move {
        stop.await;
        tracing::info!("stopping");
        stopping.send(()).ok();
    };
    let served = axum::serve(listener, router(app)).with_graceful_shutdown(stop);
    let grace = async {
        stopped.await.ok();
        sleep(GRACE).await;
    };
    tokio::select! {
        served = served.into_future() => served,
        () = grace => {
            tracing::warn!("some answers took too long to wait for");
            Ok(())
        }
    }
}

fn router(app: App) -> Router {
    Router::new().route("/", get(data)).route("/health", get(health)).with_state(Arc::new(app))
}

/// Returns the upstream's data.
async fn data(State(app): State<Arc<App>>) -> Result<Data, Problem> {
    let App { secrets, upstream } = &*app;
    let token = access_token(secrets, upstream, None).await?.value;
    match upstream.data(&token).await {
        // The token was revoked, or the clocks differ. A new token gets a single further attempt.
        Err(Problem::Refused(_, StatusCode::UNAUTHORIZED)) => {
            let token = access_token(secrets, upstream, Some(&token)).await?.value;
            upstream.data(&token).await
        }
        answer => answer,
    }
}

/// The answer of `/health`, for the operator and for machines.
#[derive(Serialize)]
struct Health {
    /// The name of the store.
    backend: &'static str,
    is_persistent: bool,
    /// A warning about a store that doesn't last.
    warning: Option<String>,
    /// The reason for which requests fail, and its remedy.
    problem: Option<String>,
}

/// Returns whether requests can be answered, without a request to the upstream.
async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let secrets = &app.secrets;
    let problem = client_secret(secrets).await.err();
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let health = Health {
        backend: secrets.backend().name(),
        is_persistent: secrets.is_persistent(),
        warning: storage_warning(secrets),
        problem: problem.map(|problem| problem.report()),
    };
    (status, Json(health))
}
