//! The program `strongroom`.

use std::process::ExitCode;

fn main() -> ExitCode {
    strongroom_cli::main()
}
