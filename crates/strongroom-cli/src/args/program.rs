//! The program `strongroom`: its commands and flags beside those that other programs embed.

use std::env;
#[cfg(feature = "completions")]
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{
    ArgAction, Args as ClapArgs, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
};
#[cfg(feature = "completions")]
use clap_complete::Shell;

use super::{Command, Entry, Flags, PROGRAM};
use crate::exit;

/// The name of the program of this crate, and the service whose secrets it keeps by default.
pub(crate) const STANDALONE: &str = "strongroom";

/// Keep secrets in the operating system's credential store.
#[derive(Debug, Parser)]
#[command(
    name = STANDALONE,
    bin_name = STANDALONE,
    version,
    after_help = exit::help(),
    after_long_help = format!("{EXAMPLES}\n\n{}", exit::help()),
    max_term_width = 100,
    arg_required_else_help = true,
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: ProgramCommand,
}

/// Returns the command line of the program.
pub(crate) fn command() -> clap::Command {
    named(Args::command())
}

/// Puts the program's name into the help of a command and of all below it.
fn named(command: clap::Command) -> clap::Command {
    let help = command.get_after_help().map(ToString::to_string);
    let command = match help {
        Some(help) => command.after_help(help.replace(PROGRAM, STANDALONE)),
        None => command,
    };
    command.mut_subcommands(named)
}

impl Args {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = command();
        let mut matches = command.try_get_matches_from_mut(env::args_os())?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }
}

const EXAMPLES: &str = "\
Examples:
  strongroom setup API_KEY               Ask for a secret, store it, say where it is
  strongroom get API_KEY                 Print it
  strongroom set API_KEY --expires 90d   Replace it by one that is valid for 90 days
  strongroom list                        See what is there, and what expires
  strongroom run -- npm start            Start a program with the secrets in its environment
  strongroom doctor                      See what is wrong and how to mend it";

const BACKEND: &str =
    "Use this store and no other [env: STRONGROOM_BACKEND] [default: the system's own]";

/// The flags that every command takes.
#[derive(ClapArgs, Debug)]
#[command(
    next_help_heading = "Global options",
    mut_arg("backend", |flag| flag.help(BACKEND)),
    mut_arg("allow_unencrypted_bus", |flag| {
        flag.env("STRONGROOM_ALLOW_UNENCRYPTED_BUS").value_parser(FalseyValueParser::new())
    })
)]
pub(crate) struct Global {
    /// Name the application whose secrets these are
    #[arg(
        long,
        value_name = "NAME",
        env = "STRONGROOM_SERVICE",
        hide_env_values = true,
        default_value = STANDALONE,
        global = true
    )]
    pub(crate) service: String,

    #[command(flatten)]
    pub(crate) flags: Flags,

    /// Log more on stderr, never a value: -v, -vv or -vvv
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

/// A command of the program: those that other programs embed, too, and those on the program itself.
#[derive(Debug, Subcommand)]
pub(crate) enum ProgramCommand {
    #[command(flatten)]
    Secrets(Command),

    /// Work on single entries of the store, as other programs see them
    #[command(subcommand)]
    Entry(Entry),

    /// Print a completion script for a shell
    #[cfg(feature = "completions")]
    #[command(after_help = "\
Examples:
  bash:  strongroom completions bash > ~/.local/share/bash-completion/completions/strongroom
  zsh:   strongroom completions zsh > \"${fpath[1]}/_strongroom\"
  fish:  strongroom completions fish > ~/.config/fish/completions/strongroom.fish")]
    Completions {
        /// The shell
        shell: Shell,
    },

    /// Print the manual page
    #[cfg(feature = "completions")]
    #[command(after_help = "\
Examples:
  strongroom man | man -l -              Read it
  strongroom man --dir ~/.local/share/man/man1
                                         Install it, with one page per command")]
    Man {
        /// Write one page per command into this directory
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn help_names_the_program() {
        all_below(&command(), &mut |command| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.contains(PROGRAM), "{}: {help}", command.get_name());
        });
        let command = command();
        let help = command.find_subcommand("list").and_then(clap::Command::get_after_help);
        assert!(help.unwrap().to_string().contains("  strongroom list --expiring 30d "));
    }

    #[test]
    fn paragraphs_of_help_wrap_where_the_terminal_ends() {
        all_below(&Args::command(), &mut |command| {
            let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
            let lines: Vec<_> = notes.lines().collect();
            for pair in lines.windows(2) {
                let breaks = is_prose(pair[0]) && is_prose(pair[1]);
                assert!(!breaks, "{}: {:?} ends before its paragraph", command.get_name(), pair[0]);
            }
        });
    }

    fn all_below(command: &clap::Command, check: &mut impl FnMut(&clap::Command)) {
        check(command);
        command.get_subcommands().for_each(|below| all_below(below, check));
    }
}
