//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use strongroom_cli::{ConfigExportArgs, ConfigSecureArgs, SecretsCommand};

/// Asks a language model. Without a command: shows the model, and the places of the keys.
#[derive(Debug, Parser)]
#[command(name = "agent", version)]
pub(crate) struct Args {
    /// The configuration file [default: .agent/config.json in your home]
    #[arg(long, value_name = "FILE", env = "AGENT_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a question, and print the answer
    Ask {
        /// The question
        question: String,
    },

    /// Serve a page with the settings on this machine, until Ctrl-C
    Serve {
        /// The port to listen on; 0 takes a free port
        #[arg(long, default_value_t = 0)]
        port: u16,
    },

    /// Move the keys of the configuration file into the store
    #[command(name = "config:secure")]
    ConfigSecure(ConfigSecureArgs),

    /// Write all keys into a file, in the clear
    #[command(name = "config:export")]
    ConfigExport(ConfigExportArgs),

    /// Store, list, change and delete keys
    Secrets {
        #[command(subcommand)]
        command: SecretsCommand,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn its_arguments_and_those_of_the_kit_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
