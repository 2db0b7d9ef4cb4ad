//! A program for the terminal that needs one key: `setup` asks for it and stores it; without arguments the program starts.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Asks for the key and stores it.
    Setup,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Some(Command::Setup) => {
            let line = std::io::read_to_string(std::io::stdin())?;
            secrets::store_secret("clockify_api_key", line.trim_end())?;
            println!("The key is stored.");
        }
        None => {
            let key = secrets::get_secret("clockify_api_key")?;
            println!("Started with a key of {} characters.", key.len());
        }
    }
    Ok(())
}

mod secrets {
    use anyhow::Result;
    use strongroom::{Config, ExposeSecret, SecretString, SecureStore};

    /// Stores a secret. Replaces its old value.
    pub(crate) fn store_secret(name: &str, value: &str) -> Result<()> {
        Ok(open()?.set_secret(name, &SecretString::from(value))?)
    }

    /// Returns a secret. If it is missing, the error names the command to run.
    pub(crate) fn get_secret(name: &str) -> Result<String> {
        Ok(open()?.require_secret(name)?.expose_secret().to_owned())
    }

    fn open() -> strongroom::Result<SecureStore> {
        Config::new("claude-tracker").setup_hint("Run `claude-tracker setup`.").open_store()
    }
}
