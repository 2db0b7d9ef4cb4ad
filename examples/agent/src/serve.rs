//! The agent's own web server, with the settings page in it.

use std::env;
use std::future::IntoFuture as _;
use std::net::Ipv4Addr;

use anyhow::Context as _;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use strongroom::SecretManager;
use strongroom::doctor::{System, diagnose};
use strongroom_settings::{ConfigExport, ConfigMigration, Settings};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;

use crate::keys::{Keys, configuration};
use crate::say;

/// The path of the settings page.
const SETTINGS: &str = "/settings";

/// The agent's own page. Every user of this machine may read it.
const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Agent</title>
<h1>Agent</h1>
<p>Ask from the terminal: <code>agent ask \"Why is the sky blue?\"</code>
<p>The keys are in the <a href=\"/settings/\">settings</a>. The link in the terminal opens them.
</html>
";

/// Serves both pages until Ctrl-C, to programs of this machine. `axum::serve` limits neither connections nor times. If other
/// users of the machine must not be able to block a server, it needs the limits in the documentation of the settings page.
///
/// This doesn't move keys out of the file: the settings page shows them, and offers to move them.
///
/// # Errors
///
/// If the vault can't be opened, or the port is not available.
pub(crate) async fn run(keys: &Keys, port: u16) -> anyhow::Result<()> {
    let secrets = keys.open().await.context("cannot open the keys")?;
    let settings = settings(keys, secrets)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.context("cannot listen")?;
    let here = format!("http://{}", listener.local_addr()?);
    say::note(&format!(
        "The agent is at {here}, until you press Ctrl-C. This opens its settings, once:"
    ));
    say::answer(&settings.link(&format!("{here}{SETTINGS}/"))?);
    let app = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .nest_service(SETTINGS, settings.router());
    tokio::select! {
        served = axum::serve(listener, app).into_future() => served.context("the server failed"),
        stop = ctrl_c() => stop.context("cannot wait for Ctrl-C"),
    }
}

fn settings(keys: &Keys, secrets: SecretManager) -> strongroom::Result<Settings> {
    let (backend, vault) = (secrets.backend(), secrets.blocking());
    let mut settings = Settings::builder(secrets)
        .title("Agent")
        .migration(ConfigMigration::new(keys.file.clone(), vault.clone()))
        .health(move || {
            let system = System::new().in_use(backend);
            diagnose(&configuration().inspect(), &system)
        });
    if let Some(home) = env::home_dir().filter(|home| home.is_absolute()) {
        settings = settings.export(ConfigExport::new("agent", vault, home));
    }
    settings.build()
}
