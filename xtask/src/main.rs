//! Tasks of the repository. `cargo xtask tidy` checks the rules that no lint can check.

#![forbid(unsafe_code)]

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

mod tidy;

const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  tidy  check the rules of the house that no lint can check";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy(),
        _ => {
            writeln!(io::stderr(), "{USAGE}")?;
            Ok(ExitCode::from(2))
        }
    }
}

fn tidy() -> anyhow::Result<ExitCode> {
    let violations = tidy::violations(&tidy::Tree::read()?);
    let mut stdout = io::stdout().lock();
    for violation in &violations {
        writeln!(stdout, "{violation}")?;
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
