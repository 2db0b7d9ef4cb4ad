//! The command line of the server. It contains no secret.

use std::net::SocketAddr;

use clap::Parser;
use reqwest::Url;
use tracing::level_filters::LevelFilter;

use crate::upstream::base_url;

/// Passes on the data of an upstream that requires an access token.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// The address to listen on.
    #[arg(long, env = "SERVER_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// The address below which the upstream has `token` and `data`.
    #[arg(long, env = "SERVER_UPSTREAM", value_parser = base_url)]
    pub(crate) upstream: Url,

    /// The id by which the upstream knows this server.
    #[arg(long, env = "SERVER_CLIENT_ID", default_value = "example-server")]
    pub(crate) client_id: String,

    /// The log level: off, error, warn, info, debug, trace.
    #[arg(long, env = "SERVER_LOG", default_value = "info")]
    pub(crate) log: LevelFilter,
}
