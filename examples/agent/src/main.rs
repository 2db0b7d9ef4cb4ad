//! An AI agent for the terminal. Its keys move from its configuration file into the store on the first run.
//!
//! [`args`] is the command line, [`config`] the configuration file, [`keys`] finds the keys, [`first_run`] moves them,
//! [`provider`] and [`ask`] talk to the services, and [`serve`] serves the settings page.

#![forbid(unsafe_code)]

mod args;
mod ask;
mod config;
mod first_run;
mod keys;
mod provider;
mod say;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;
use strongroom_cli::SecretsCommand;
use tokio::task::spawn_blocking;

use crate::args::{Args, Command};
use crate::keys::Keys;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Args { config, command } = Args::parse();
    let keys = match Keys::new(config) {
        Ok(keys) => keys,
        Err(error) => return say::failure(&error),
    };
    let done = match command {
        None => keys::show(&keys).await,
        Some(Command::Ask { question }) => ask::run(&keys, &question).await,
        Some(Command::Serve { port }) => serve::run(&keys, port).await,
        Some(Command::ConfigSecure(arguments)) => return run(keys, arguments).await,
        Some(Command::ConfigExport(arguments)) => return run(keys, arguments).await,
        Some(Command::Secrets { command }) => return run(keys, command).await,
    };
    done.map_or_else(|error| say::failure(&error), |()| ExitCode::SUCCESS)
}

/// Runs a command of the kit, which blocks.
async fn run(keys: Keys, command: impl Into<SecretsCommand> + Send + 'static) -> ExitCode {
    let ran = spawn_blocking(move || keys.kit.run(command)).await;
    ran.unwrap_or(ExitCode::FAILURE)
}
