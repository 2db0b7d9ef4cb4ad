//! The company's own secrets program: all commands of Strongroom, on the company's server.

#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use http_store::HttpStore;
use strongroom::{Config, Deadlines, Layout, SecretString};
use strongroom_cli::{Kit, SecretsCommand};

/// Keeps Acme's secrets on the company's secret server.
#[derive(Debug, Parser)]
#[command(name = "acme", version)]
struct Args {
    /// The address of the secret server
    #[arg(long, env = "ACME_SECRETS_URL")]
    url: String,

    #[command(subcommand)]
    command: SecretsCommand,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let token = env::var("ACME_SECRETS_TOKEN").context("set ACME_SECRETS_TOKEN to your token")?;
    let store = HttpStore::new(&args.url, &SecretString::from(token), Deadlines::default())?;
    // Several machines share the server, but a vault's lock works only within a machine. So each secret gets its own entry.
    let config = Config::new("acme").store(Arc::new(store)).layout(Layout::Entries);
    Ok(Kit::new(config).program("acme").run(args.command))
}
