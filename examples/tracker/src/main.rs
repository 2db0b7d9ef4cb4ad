//! A time tracker for the terminal. What is done goes to Clockify, with a key from the machine's own credential store.
//!
//! [`app`] decides, [`screen`] draws, [`journal`] keeps the entries. [`worker`] does what may take long: it reads the
//! [`key`] and sends entries to [`clockify`]. [`tui`] brings them together.

mod app;
mod clockify;
mod entries;
mod journal;
mod key;
mod screen;
mod tui;
mod worker;

use std::process::ExitCode;

use clap::Parser;
use strongroom_cli::{Kit, SecretsCommand};
use ureq::http::Uri;

use crate::clockify::{Clockify, base_url};

/// Tracks time, and sends it to Clockify.
#[derive(Debug, Parser)]
#[command(name = "tracker", version, args_conflicts_with_subcommands = true)]
struct Args {
    /// Where Clockify's API is
    #[arg(long, env = "TRACKER_URL", default_value = clockify::URL, value_parser = base_url)]
    url: Uri,

    /// What to do in place of tracking time
    #[command(subcommand)]
    secrets: Option<SecretsCommand>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let kit = Kit::new("claude-tracker").program("tracker").secret(key::NAME, "Clockify API key");
    match args.secrets {
        Some(command) => Ok(kit.run(command)),
        None => tui::run(&kit, Clockify::new(args.url)).map(|()| ExitCode::SUCCESS),
    }
}
