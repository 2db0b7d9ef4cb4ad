//! The flags of `entry`.

use clap::{Args as ClapArgs, Subcommand};

use super::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum Entry {
    /// Store a value, or replace it
    #[command(after_help = "\
The value is never an argument: other users could see it. It comes from a hidden prompt, or from \
standard input if that is not a terminal. The newline at the end of a single line is dropped, a value of \
several lines keeps every byte, and with --exact any value does. An empty value is an error, unless it \
comes from a file: `--from-file /dev/null`.

Examples:
  strongroom entry set tracker token               Ask for the value
  openssl rand -hex 32 | strongroom entry set tracker token
  strongroom entry set tracker token --from-env TOKEN
  strongroom entry set tracker key --from-file key.pem")]
    Set {
        #[command(flatten)]
        name: Name,

        /// Refuse if the entry exists already
        #[arg(long)]
        create_new: bool,

        /// Write text of several lines as it is, for programs that read it without strongroom
        #[arg(long)]
        keep_lines: bool,

        #[command(flatten)]
        source: Source,
    },

    /// Print a value
    #[command(after_help = "\
The value alone goes to standard output, byte by byte, with --json too. A newline follows only on a \
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
        /// The application [default: that of --service]
        #[arg(id = "entry_service", value_name = "SERVICE")]
        service: Option<String>,
    },

    /// Tell by the exit code whether an entry is there: 0 yes, 3 no
    #[command(after_help = "\
Example:
  strongroom entry exists tracker token || strongroom entry set tracker token")]
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

        /// Keep the item with this id from the list, or the newest; delete the rest
        #[arg(long, value_name = "ID|newest")]
        keep: Option<String>,
    },
}

/// An entry's name.
#[derive(ClapArgs, Debug)]
pub(crate) struct Name {
    /// The application
    // The id differs from that of `--service`, as clap would take both for the same argument.
    #[arg(id = "entry_service", value_name = "SERVICE")]
    pub(crate) service: String,

    /// The name within the application
    pub(crate) user: String,
}
