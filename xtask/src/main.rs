//! Tasks of the repository. `cargo xtask tidy` checks the rules that no lint can check.

#![forbid(unsafe_code)]

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

mod tidy;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    anyhow::ensure!(arguments == ["tidy"], "usage: cargo xtask tidy");
    let violations = tidy::violations(&tidy::Tree::read()?);
    let mut stdout = io::stdout().lock();
    for violation in &violations {
        writeln!(stdout, "{violation}")?;
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
