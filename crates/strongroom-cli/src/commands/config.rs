//! `config`: secrets out of configuration files, and back.

mod export;
mod move_in;
mod plan;
mod status;
mod view;

use std::path::Path;

use strongroom_config::{ConfigFile, Rules};

use self::view::format;
use crate::args::{ConfigCommand, ConfigSource};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::settings::Settings;

/// Runs a command of `config`.
pub(super) fn run(
    command: &ConfigCommand,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    match command {
        ConfigCommand::Status(flags) => status::run(flags, settings, output),
        ConfigCommand::Secure(flags) => move_in::secure(flags, settings, output),
        ConfigCommand::Export(flags) => export::run(flags, settings, output),
        ConfigCommand::Import(flags) => move_in::import(flags, settings, output),
    }
}

impl ConfigSource {
    /// Returns the rules that find the secrets: the program's own, if it is the program's file.
    fn rules(&self, settings: &Settings) -> Rules {
        let known = settings
            .application
            .known_file()
            .filter(|(path, _)| self.path(settings) == Some(*path));
        let rules = match known {
            _ if self.only_rules => Rules::new(),
            Some((_, rules)) => rules.clone(),
            None => Rules::detecting(),
        };
        self.rules.iter().cloned().fold(rules, Rules::with_rule)
    }

    /// Returns the file that is named, else the program's own.
    fn path<'a>(&'a self, settings: &'a Settings) -> Option<&'a Path> {
        let known = settings.application.known_file().map(|(path, _)| path);
        self.file.as_deref().or(known)
    }

    /// Returns the file, read by these rules.
    fn file(&self, rules: Rules, settings: &Settings) -> Result<ConfigFile> {
        let path = self.path(settings).ok_or_else(|| {
            Failure::usage("no configuration file is named", "Name one after the command.")
        })?;
        let format = format(self.format, path)?;
        let file = ConfigFile::with_format(path, format, rules);
        // A file that can't be read is reported before a passphrase is asked for.
        file.status(None)?;
        Ok(file)
    }
}

/// Returns the file of this path, else the program's own, if it has any.
#[cfg(feature = "settings")]
pub(super) fn own_file(path: Option<&Path>, settings: &Settings) -> Result<Option<ConfigFile>> {
    let (path, rules) = match (path, settings.application.known_file()) {
        (Some(path), _) => (path, Rules::detecting()),
        (None, Some((path, rules))) => (path, rules.clone()),
        (None, None) => return Ok(None),
    };
    Ok(Some(ConfigFile::with_format(path, format(None, path)?, rules)))
}
