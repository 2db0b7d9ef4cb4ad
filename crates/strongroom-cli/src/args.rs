//! Raw flags, as they are typed: nothing is looked up or decided here.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[cfg(feature = "backup")]
pub(crate) use backup::{Backup, Restore};
pub(crate) use command::Command;
pub(crate) use config::{
    ConfigCommand, ConfigExport, ConfigImport, ConfigSecure, ConfigSource, ConfigStatus,
};
pub(crate) use entry::{Entry, Name};
pub(crate) use flags::{Flags, backend_parser};
pub(crate) use key::{KeyCommand, NewKey, OtherKeys};
#[cfg(any(feature = "completions", test))]
pub(crate) use program::command;
pub(crate) use program::{Args, ProgramCommand, STANDALONE};
pub(crate) use secrets::{
    Get, Key, LayoutName, List, Metadata, Move, Origin, Rename, Repair, Run, Set, Setup, Update,
};
#[cfg(feature = "settings")]
pub(crate) use settings_page::SettingsPage;

#[cfg(feature = "backup")]
mod backup;
mod command;
mod config;
mod entry;
mod flags;
mod key;
mod program;
mod secrets;
#[cfg(feature = "settings")]
mod settings_page;

/// The place of the program's name in help texts, which other programs show, too.
pub(crate) const PROGRAM: &str = "{program}";

/// The source of a value, if it is neither a prompt nor standard input.
#[derive(ClapArgs, Debug)]
pub(crate) struct Source {
    /// Take the value of this environment variable
    #[arg(long, value_name = "VAR", conflicts_with = "from_file")]
    pub(crate) from_env: Option<String>,

    /// Take the content of this file
    #[arg(long, value_name = "PATH")]
    pub(crate) from_file: Option<PathBuf>,

    /// Keep every byte, the newline at the end of a single line and a byte order mark too
    #[arg(long)]
    pub(crate) exact: bool,
}

impl Source {
    /// Returns whether a flag names the source.
    pub(crate) const fn is_named(&self) -> bool {
        self.from_env.is_some() || self.from_file.is_some()
    }
}
