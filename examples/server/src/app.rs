//! What the server answers, and how it ends.

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

/// How long answers that are under way may take once the server is to end.
const GRACE: Duration = Duration::from_secs(15);

/// What all requests share.
pub(crate) struct App {
    pub(crate) secrets: SecretManager,
    pub(crate) upstream: Upstream,
}

/// Serves until `stop`, and then what is under way.
///
/// # Errors
///
/// The listener's.
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

/// Passes on the upstream's data.
async fn data(State(app): State<Arc<App>>) -> Result<Data, Problem> {
    let App { secrets, upstream } = &*app;
    let token = access_token(secrets, upstream, None).await?.value;
    match upstream.data(&token).await {
        // It was revoked, or the clocks differ: once more, with another.
        Err(Problem::Refused(_, StatusCode::UNAUTHORIZED)) => {
            let token = access_token(secrets, upstream, Some(&token)).await?.value;
            upstream.data(&token).await
        }
        answer => answer,
    }
}

/// What `/health` says, for the operator and for machines.
#[derive(Serialize)]
struct Health {
    /// Where secrets are kept.
    backend: &'static str,
    is_persistent: bool,
    /// What to know of a storage that doesn't last.
    warning: Option<String>,
    /// Why requests fail, and what to do.
    problem: Option<String>,
}

/// Says whether requests can be answered, without asking the upstream.
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
