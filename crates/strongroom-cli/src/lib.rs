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
//! - Advice names the program by the path that it was started by, where the shell would not find it by its name.
//! - The kit reads no state of the process but its arguments' matches, the path that it was started by, standard streams,
//!   terminal, `PATH` and the variables of [`Config`](strongroom::Config), installs no logger, and changes no setting of the process. `strongroom` itself also
//!   keeps its memory out of core dumps, which is for each program to decide.
//! - While it asks for a hidden answer, signals that would end or stop the program are caught, so that the terminal comes
//!   back first; then they have their effect. Handlers of the program stay, are called, and end the question. Install
//!   them before or after a question, not while one is open.
//! - The commands of a program that asks nobody for a passphrase work with the encrypted file if a key of it is at hand;
//!   see [`Kit::config`].
//!
//! # Features
//!
//! - `backup` (default): the commands `backup` and `restore`.
//! - `completions` (default): `completions` and `man`, which only `strongroom` has.
//! - `settings` (default): `settings`, the page in the browser, which brings an HTTP server. While it is open, Ctrl-C ends
//!   the page in place of the program.

// Two stages and a run: raw flags (`args`), resolved settings (`settings`), commands. Values come in through `input`, which
// asks for those that are hidden by `ask`; everything goes out through `output`, and how it all ends for the shell is decided in `exit`.

mod advice;
mod application;
mod args;
mod ask;
mod commands;
mod content;
mod credential;
mod exit;
mod failure;
mod hardening;
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
mod protection;
mod run;
mod secrets_command;
mod settings;
mod store;
mod streams;
mod table;
mod times;
mod vault;
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
