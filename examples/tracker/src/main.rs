//! A time tracker for the terminal. Finished entries go to Clockify, with a key from the machine's own credential store.
//!
//! [`app`] has the state, [`screen`] draws it, [`journal`] stores the entries. [`worker`] does the work that may take long:
//! it reads the [`key`] and sends entries to [`clockify`]. [`tui`] connects them.

#![forbid(unsafe_code)]

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
    /// The address of Clockify's API
    #[arg(long, env = "TRACKER_URL", default_value = clockify::URL, value_parser = base_url)]
    url: Uri,

    /// A command in place of tracking time
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
