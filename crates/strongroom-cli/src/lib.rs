//! The command line of Strongroom, as the program `strongroom` and as a kit: another program gets `setup`, `list`,
//! `config secure` and the other commands under its own name, for its own service.
//!
//! # Examples
//!
//! ```
//! use clap::{Parser, Subcommand};
//! use strongroom_cli::{Kit, SecretsCommand};
//!
//! #[derive(Parser)]
//! #[command(name = "tracker")]
//! struct Args {
//!     #[command(subcommand)]
//!     command: Command,
//! }
//!
//! #[derive(Subcommand)]
//! enum Command {
//!     /// Start the timer
//!     Start,
//!     #[command(flatten)]
//!     Secrets(SecretsCommand),
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     # let args = Args::parse_from(["tracker", "list", "--backend", "memory"]);
//!     # /*
//!     let args = Args::parse();
//!     # */
//!     let kit = Kit::new("claude-tracker").program("tracker").secret("clockify_api_key", "Clockify API key");
//!     match args.command {
//!         Command::Secrets(command) => kit.run(command),
//!         Command::Start => { /* kit.builder().open_blocking() … */ std::process::ExitCode::SUCCESS }
//!     }
//! }
//! ```
//!
//! Now `tracker setup` asks for the key and stores it, and `tracker doctor` says what is wrong with the keyring.
//!
//! - Help texts and advice name the program, and its service needs no flag.
//! - If the shell would not find the program by its name, advice names it by the path that it was started by.
//! - The kit reads no state of the process but its arguments' matches, the path that it was started by, standard streams,
//!   terminal, `PATH` and the variables of [`Config`](strongroom::Config). It installs no logger, and changes no setting of
//!   the process. `strongroom` itself also keeps its memory out of core dumps, which each program has to decide for itself.
//! - During a hidden question, signals that would end or stop the program are caught until the terminal is restored, and
//!   take effect then. Handlers of the program stay, are called, and end the question. Install them before or after a
//!   question, not during it.
//! - A program that never asks for a passphrase can use the encrypted file only if a key is at hand; see [`Kit::config`].
//!
//! # Features
//!
//! - `backup` (default): the commands `backup` and `restore`.
//! - `completions` (default): `completions` and `man`, which only `strongroom` has.
//! - `settings` (default): `settings`, the page in the browser, which brings an HTTP server. While it is open, Ctrl-C ends
//!   the page in place of the program.

#![forbid(unsafe_code)]

// A command passes through raw flags (`args`) and resolved settings (`settings`) to its module in `commands`. Values come
// in through `input`, which asks hidden questions with `ask`. Everything goes out through `output`, and `exit` decides the
// exit code.

mod answer;
mod application;
mod args;
mod ask;
mod commands;
mod content;
mod credential;
mod exit;
mod failure;
mod hardening;
mod heard;
mod inheritance;
mod input;
mod keys;
mod kit;
mod logging;
mod misuse;
mod output;
mod passphrase;
mod passphrase_source;
mod program;
mod run;
mod secrets_command;
mod settings;
mod store;
mod streams;
mod table;
mod times;
mod vault;
mod voice;
mod whole_file;
mod wiped;
mod words;

pub use kit::Kit;
#[doc(hidden)]
pub use run::main;
pub use secrets_command::{ConfigExportArgs, ConfigSecureArgs, SecretsCommand};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
