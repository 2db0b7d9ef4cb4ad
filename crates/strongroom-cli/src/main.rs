//! The command line of Strongroom.
//!
//! Two stages and a run: raw flags ([`args`]), resolved settings ([`settings`]), commands. Values
//! come in through [`input`], everything goes out through [`output`], and how it all ends for the
//! shell is decided in [`exit`].

mod args;
mod commands;
mod exit;
mod failure;
mod hardening;
mod input;
mod keys;
mod logging;
mod output;
mod passphrase;
mod settings;
mod store;
mod streams;
mod table;
mod times;
mod vault;
mod whole_file;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::output::Output;
use crate::settings::Settings;

fn main() -> ExitCode {
    hardening::keep_memory_private();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return output::usage(&error),
    };
    let mut settings = Settings::resolve(&args.global);
    logging::start(&settings);
    let mut output = Output::new(&settings);
    let ready = settings.take_keys(&args.global);
    match ready.and_then(|()| commands::run(&args.command, &settings, &mut output)) {
        Ok(exit) => exit.into(),
        Err(failure) => output.failure(&failure).into(),
    }
}
