//! Raw flags, as they are typed: nothing is looked up or decided here.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;
use strongroom::Backend;

use crate::exit;

/// Keep secrets in the operating system's credential store.
#[derive(Debug, Parser)]
#[command(
    name = "strongroom",
    bin_name = "strongroom",
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
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  strongroom setup api-key               Ask for a secret and store it
  strongroom entry get strongroom api-key
                                         Print it
  strongroom doctor                      See what is wrong and how to mend it";

/// What every command understands.
#[derive(ClapArgs, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Name the application whose secrets these are
    #[arg(
        long,
        value_name = "NAME",
        env = "STRONGROOM_SERVICE",
        hide_env_values = true,
        default_value = "strongroom",
        global = true
    )]
    pub(crate) service: String,

    /// Use this store and no other [env: STRONGROOM_BACKEND] [default: the system's own]
    #[arg(long, value_name = "NAME", value_parser = backend_parser(), global = true)]
    pub(crate) backend: Option<Backend>,

    /// Never ask: neither here nor in a window of the keyring
    #[arg(long, global = true)]
    pub(crate) no_prompt: bool,

    /// Wait at most this long for the store, and for its prompt [default: 5, for a prompt 60]
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = seconds,
        allow_negative_numbers = true,
        global = true
    )]
    pub(crate) timeout: Option<Duration>,

    /// Write results and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say more on stderr, never a value: -v, -vv or -vvv
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store secrets: asks for each, or takes one from a pipe
    #[command(after_help = "\
Examples:
  strongroom setup api-key               Ask for the value, hidden
  strongroom setup api-key token         Ask for both
  pass show api-key | strongroom setup api-key
                                         Take the value from another program

A secret of that name that is there already is replaced.")]
    Setup {
        /// What to call the secrets [default: asks]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },

    /// Work on single entries of the store
    #[command(subcommand)]
    Entry(Entry),

    /// Show what there is to keep secrets in
    #[command(after_help = "\
Examples:
  strongroom backends                    As a table
  strongroom backends --json             For a program")]
    Backends,

    /// Find out what is wrong, and the command that mends it
    #[command(after_help = "\
Changes nothing and asks nobody. It ends with 0 if all is well, 4 if the store is locked, 5 if there
is none, 7 if it does not answer.")]
    Doctor,

    /// Print a completion script for a shell
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

#[derive(Debug, Subcommand)]
pub(crate) enum Entry {
    /// Store a value; the one that is there is replaced
    #[command(after_help = "\
The value is never an argument: other users could see it. It comes from a hidden prompt, or from
standard input if that is not a terminal. One newline at its end is dropped. An empty value is an
error, unless it comes from a file: `--from-file /dev/null`.

Examples:
  strongroom entry set tracker token               Ask for the value
  openssl rand -hex 32 | strongroom entry set tracker token
  strongroom entry set tracker token --from-env TOKEN
  strongroom entry set tracker key --from-file key.pem")]
    Set {
        #[command(flatten)]
        name: Name,

        /// Refuse if there is one already
        #[arg(long)]
        create_new: bool,

        #[command(flatten)]
        source: Source,
    },

    /// Print a value
    #[command(after_help = "\
The value alone goes to standard output, byte by byte, with --json too. A newline follows only on a
terminal.

Examples:
  strongroom entry get tracker token
  TOKEN=$(strongroom entry get tracker token)")]
    Get {
        #[command(flatten)]
        name: Name,
    },

    /// Delete an entry
    Delete {
        #[command(flatten)]
        name: Name,
    },

    /// List the names of the entries of an application, without reading a value
    List {
        /// The application [default: the one of --service]
        #[arg(id = "entry_service", value_name = "SERVICE")]
        service: Option<String>,
    },

    /// Tell by the exit code whether an entry is there: 0 yes, 3 no
    #[command(after_help = "\
Example:
  strongroom entry exists tracker token || strongroom setup --service tracker token")]
    Exists {
        #[command(flatten)]
        name: Name,
    },

    /// Choose between several items that have the same name
    #[command(after_help = "\
Without --keep it only lists them. No value is shown.

Examples:
  strongroom entry repair tracker token            List the items
  strongroom entry repair tracker token --keep 7   Keep the item 7, delete the others
  strongroom entry repair tracker token --keep newest")]
    Repair {
        #[command(flatten)]
        name: Name,

        /// Keep the item with this id from the list, or the newest; delete the others
        #[arg(long, value_name = "ID|newest")]
        keep: Option<String>,
    },
}

/// An entry's name.
#[derive(ClapArgs, Debug)]
pub(crate) struct Name {
    /// The application
    // Not the id of `--service`, which clap would take it for.
    #[arg(id = "entry_service", value_name = "SERVICE")]
    pub(crate) service: String,

    /// The name within the application
    pub(crate) user: String,
}

/// Where a value comes from, if neither from a prompt nor from standard input.
#[derive(ClapArgs, Debug)]
#[group(multiple = false)]
pub(crate) struct Source {
    /// Take the value of this environment variable
    #[arg(long, value_name = "VAR")]
    pub(crate) from_env: Option<String>,

    /// Take the content of this file, without one newline at its end
    #[arg(long, value_name = "PATH")]
    pub(crate) from_file: Option<PathBuf>,
}

/// Backends that this build doesn't have are understood, so that the answer can say so, but not
/// offered.
fn backend_parser() -> impl TypedValueParser<Value = Backend> {
    let value =
        |backend: &Backend| PossibleValue::new(backend.name()).hide(!backend.is_supported_here());
    PossibleValuesParser::new(Backend::ALL.iter().map(value))
        .try_map(|name| name.parse::<Backend>())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // A year stands in for "for ever", which no clock can add to now.
    let limit = Duration::from_secs(365 * 24 * 60 * 60);
    duration
        .filter(|duration| !duration.is_zero())
        .map(|duration| duration.min(limit))
        .ok_or_else(|| "it takes a number of seconds above zero, such as 2 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_timeout_is_a_positive_number() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("inf").is_err());
        for text in ["0", "-1", "nan", "", "2s", "1e400"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
