//! The flags of the commands that work on the vault.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use strongroom::Backend;

use super::{Source, backend_parser};
use crate::times::{Expiry, expiry, within};

/// A secret's name and target.
#[derive(ClapArgs, Debug)]
pub(crate) struct Key {
    /// The secret's name
    pub(crate) name: String,

    /// Its target, where one name has several values, such as production
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
}

/// The metadata of a secret.
#[derive(ClapArgs, Debug)]
pub(crate) struct Metadata {
    /// The provider that issued it, such as openai
    #[arg(long)]
    pub(crate) provider: Option<String>,

    /// Its scope, in the provider's words, such as repo:read
    #[arg(long)]
    pub(crate) scope: Option<String>,

    /// When it expires: 90d, "2 weeks", 2026-12-31 (at the end of that day), 2026-12-31T18:00Z,
    /// or never
    #[arg(long, value_name = "WHEN", value_parser = expiry, allow_hyphen_values = true)]
    pub(crate) expires: Option<Expiry>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Setup {
    /// The names of the secrets [default: asks]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Keep every byte, the newline at the end of a single line and a byte order mark too
    #[arg(long)]
    pub(crate) exact: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) key: Key,

    #[command(flatten)]
    pub(crate) metadata: Metadata,

    /// Refuse if the secret exists already
    #[arg(long)]
    pub(crate) create_new: bool,

    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) key: Key,

    #[command(flatten)]
    pub(crate) metadata: Metadata,

    /// Ask for a new value, beside the other changes
    #[arg(long, conflicts_with_all = ["from_env", "from_file"])]
    pub(crate) ask: bool,

    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Rename {
    /// The secret's name
    pub(crate) old: String,

    /// The new name
    pub(crate) new: String,

    /// The secret's target, which it keeps without --new-target
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,

    /// The new target; an empty text removes the target
    #[arg(long, value_name = "TARGET")]
    pub(crate) new_target: Option<String>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct List {
    /// List only the secrets of this provider
    #[arg(long)]
    pub(crate) provider: Option<String>,

    /// List only secrets that have expired, or expire within this time: 30d, "2 weeks", 0d
    #[arg(long, value_name = "WITHIN", value_parser = within, allow_hyphen_values = true)]
    pub(crate) expiring: Option<Duration>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) key: Key,

    /// Print it even if it has expired
    #[arg(long)]
    pub(crate) expired: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Run {
    /// Take these secrets and no other
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// Prefer values for this target to values without a target
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,

    /// Leave out expired secrets, with a warning
    #[arg(long)]
    pub(crate) skip_expired: bool,

    /// Put this before each name, such as APP_
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,

    /// The command, with its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Repair {
    /// Save the readable secrets of a damaged encrypted file into a new file
    #[arg(long, conflicts_with_all = ["merge", "reset"])]
    pub(crate) salvage: bool,

    /// Merge several entries of the vault's name into a single vault
    #[arg(long, conflicts_with = "reset")]
    pub(crate) merge: bool,

    /// Put a copy of an unreadable vault aside, and begin with an empty vault
    #[arg(long)]
    pub(crate) reset: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Move {
    /// The backend to move to
    #[arg(long, value_name = "BACKEND", value_parser = backend_parser())]
    pub(crate) to: Backend,

    /// Move this in place of the vault: the single entries of the service, as the `keyring` crate and other programs
    /// store them
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) from: Option<Origin>,

    /// The layout there [default: entries if the secrets lie in entries, else inline]
    #[arg(long, value_enum)]
    pub(crate) layout: Option<LayoutName>,

    /// Write text of several lines into entries as it is, for programs that read them without strongroom
    #[arg(long)]
    pub(crate) keep_lines: bool,

    /// Allow a store that forgets at a restart, without asking
    #[arg(long)]
    pub(crate) session_store: bool,
}

/// The origin of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Origin {
    /// Each secret is an entry of its own, as other programs write it
    Entries,
}

/// The layout of a vault in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutName {
    /// All secrets in a single entry
    Inline,
    /// In an encrypted file, with its key in the entry
    Sealed,
    /// Each secret in an entry of its own, as other programs would write it
    Entries,
}
