//! The program `strongroom`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    strongroom_cli::main()
}
