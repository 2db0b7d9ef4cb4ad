//! The commands, each in a file of its own.

mod backends;
#[cfg(feature = "backup")]
mod backup;
#[cfg(feature = "completions")]
mod completions;
mod config;
mod doctor;
mod entry;
mod entry_repair;
mod get;
mod key;
mod list;
#[cfg(feature = "completions")]
mod man;
mod manage;
mod move_to;
mod purge;
mod repair;
#[cfg(feature = "backup")]
mod restore;
mod run;
mod set;
#[cfg(feature = "settings")]
mod settings_page;
mod setup;

use crate::args::{Command, Entry, ProgramCommand};
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Output;
use crate::settings::Settings;

/// Runs a command of the program `strongroom`.
pub(crate) fn run_program(
    command: &ProgramCommand,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    match command {
        ProgramCommand::Secrets(command) => run(command, settings, output),
        ProgramCommand::Entry(entry) => run_entry(entry, settings, output),
        #[cfg(feature = "completions")]
        ProgramCommand::Completions { shell } => completions::run(*shell, output),
        #[cfg(feature = "completions")]
        ProgramCommand::Man { dir } => man::run(dir.as_deref(), output),
    }
}

/// Runs a command that other programs can embed.
pub(crate) fn run(command: &Command, settings: &Settings, output: &mut Output) -> Result<Exit> {
    match command {
        Command::Setup(flags) => setup::run(flags, settings, output),
        Command::Set(flags) => set::set(flags, settings, output),
        Command::Get(flags) => get::run(flags, settings, output),
        Command::List(flags) => list::run(flags, settings, output),
        Command::Run(flags) => run::run(flags, settings, output),
        Command::Update(flags) => set::update(flags, settings, output),
        Command::Delete { key } => manage::delete(key, settings, output),
        Command::Rename(flags) => manage::rename(flags, settings, output),
        Command::Exists { key } => manage::exists(key, settings, output),
        #[cfg(feature = "backup")]
        Command::Backup(flags) => backup::run(flags, settings, output),
        #[cfg(feature = "backup")]
        Command::Restore(flags) => restore::run(flags, settings, output),
        Command::Config(command) => config::run(command, settings, output),
        #[cfg(feature = "settings")]
        Command::Settings(flags) => settings_page::run(flags, settings, output),
        Command::Purge { yes } => purge::run(*yes, settings, output),
        Command::Move(flags) => move_to::run(flags, settings, output),
        Command::Repair(flags) => repair::run(flags, settings, output),
        Command::Key(command) => key::run(command, settings, output),
        Command::Backends => backends::run(settings, output),
        Command::Doctor => doctor::run(settings, output),
    }
}

fn run_entry(command: &Entry, settings: &Settings, output: &mut Output) -> Result<Exit> {
    match command {
        Entry::Set { name, create_new, keep_lines, source } => {
            entry::set(name, *create_new, source, &settings.keeping_lines(*keep_lines), output)
        }
        Entry::Get { name } => entry::get(name, settings, output),
        Entry::Delete { name } => entry::delete(name, settings, output),
        Entry::List { service } => {
            let service = service.as_deref().unwrap_or(&settings.service);
            entry::list(service, settings, output)
        }
        Entry::Exists { name } => entry::exists(name, settings, output),
        Entry::Repair { name, keep } => entry_repair::run(name, keep.as_deref(), settings, output),
    }
}
