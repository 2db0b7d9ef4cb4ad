//! `completions`: a shell's completion script.

use clap_complete::{Shell, generate};

use crate::args;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Output;

/// Prints the script.
pub(super) fn run(shell: Shell, output: &mut Output) -> Result<Exit> {
    let mut script = Vec::new();
    generate(shell, &mut args::command(), "strongroom", &mut script);
    output.raw(&script)?;
    Ok(Exit::Done)
}
