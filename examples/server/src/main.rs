//! A server that calls an upstream with an access token, and keeps its secrets in the machine's own store.
//!
//! [`secrets`] opens the vault, [`token`] keeps the token fresh, [`upstream`] sends HTTP requests, [`app`] answers requests,
//! and [`problem`] has the errors.

#![forbid(unsafe_code)]

mod app;
mod args;
mod logging;
mod problem;
mod secrets;
mod stop;
mod token;
mod upstream;

use anyhow::Context as _;
use clap::Parser as _;
use tokio::net::TcpListener;

use crate::app::App;
use crate::args::Args;
use crate::upstream::Upstream;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    logging::start(args.log);
    let stop = stop::requested().context("signals can't be waited for")?;
    let secrets = secrets::open().await.map_err(|error| {
        let hint = format!("the secrets can't be opened. {}", error.hint());
        anyhow::Error::new(error).context(hint)
    })?;
    secrets::report(&secrets).await;
    let upstream = Upstream::new(args.upstream, args.client_id).context("no HTTP client")?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("{} can't be listened on", args.listen))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    app::serve(listener, App { secrets, upstream }, stop).await.context("the server failed")
}
