//! Runs a command, from its flags to its exit code.

use std::process::ExitCode;

use crate::application::Application;
use crate::args::{Args, Command, Flags};
#[cfg(unix)]
use crate::ask;
use crate::commands;
use crate::exit::Exit;
use crate::failure::Result;
use crate::hardening;
use crate::logging;
use crate::output::{self, Output};
use crate::program::Program;
use crate::settings::Settings;

/// Runs the program `strongroom`.
pub fn main() -> ExitCode {
    // Before anything else: a value among the arguments, by mistake, is a secret already.
    hardening::keep_memory_private();
    #[cfg(unix)]
    ask::assume_sole_handler();
    let args = match Args::read() {
        Ok(args) => args,
        Err(error) => return output::usage(&error),
    };
    let flags = &args.global.flags;
    let mut settings =
        Settings::resolve(Application::of(Program::standalone()), flags, args.global.verbose);
    settings.service = args.global.service;
    logging::start(&settings);
    run_to_exit(settings, flags, |settings, output| {
        commands::run_program(&args.command, settings, output)
    })
}

/// Runs a command of another program.
pub(crate) fn run(settings: Settings, flags: &Flags, command: &Command) -> ExitCode {
    run_to_exit(settings, flags, |settings, output| commands::run(command, settings, output))
}

fn run_to_exit(
    mut settings: Settings,
    flags: &Flags,
    work: impl FnOnce(&Settings, &mut Output) -> Result<Exit>,
) -> ExitCode {
    // A failure to read the keys is reported like any other, so the output comes first.
    let mut output = Output::new(&settings);
    let ready = settings.take_keys(flags);
    let ended = ready.and_then(|()| work(&settings, &mut output));
    match ended.and_then(|exit| Ok(output.finish().map(|()| exit)?)) {
        Ok(exit) => exit.into(),
        Err(failure) => output.failure(&failure).into(),
    }
}
