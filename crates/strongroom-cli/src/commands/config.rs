//! `config`: secrets out of configuration files, and back.

mod export;
mod move_in;
mod plan;
mod status;

use std::path::Path;

use serde_json::{Value, json};
use strongroom::Timestamp;
use strongroom_config::{ConfigFile, Exposure, Format, Rules};

use crate::args::{ConfigCommand, ConfigSource};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::settings::Settings;
use crate::words::printable;

/// The version of what `--json` prints. Another field is no other version.
const SCHEMA: u32 = 1;

/// Runs one of them.
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
    /// By which the secrets are found: the program's own rules, if it is the program's file.
    fn rules(&self, settings: &Settings) -> Rules {
        let known =
            settings.kit.known_file().filter(|(path, _)| self.path(settings) == Some(*path));
        let rules = match known {
            _ if self.only_rules => Rules::new(),
            Some((_, rules)) => rules.clone(),
            None => Rules::of_looks(),
        };
        self.rules.iter().cloned().fold(rules, Rules::with_rule)
    }

    /// The file that was named, else the program's own.
    fn path<'a>(&'a self, settings: &'a Settings) -> Option<&'a Path> {
        let known = || settings.kit.known_file().map(|(path, _)| path);
        self.file.as_deref().or_else(known)
    }

    /// The file, as these rules read it. It can be read: nobody is asked for a passphrase before that is known.
    fn file(&self, rules: Rules, settings: &Settings) -> Result<ConfigFile> {
        let path = self.path(settings).ok_or_else(|| {
            Failure::usage("no configuration file is named", "Name one after the command.")
        })?;
        let format = format(self.format, path)?;
        let file = ConfigFile::with_format(path, format, rules);
        file.status(None)?;
        Ok(file)
    }
}

/// The file of this path, else the program's own, if there is one.
#[cfg(feature = "settings")]
pub(super) fn own_file(path: Option<&Path>, settings: &Settings) -> Result<Option<ConfigFile>> {
    let (path, rules) = match (path, settings.kit.known_file()) {
        (Some(path), _) => (path, Rules::of_looks()),
        (None, Some((path, rules))) => (path, rules.clone()),
        (None, None) => return Ok(None),
    };
    Ok(Some(ConfigFile::with_format(path, format(None, path)?, rules)))
}

/// The format that was named, or that the file's name tells.
fn format(named: Option<Format>, path: &Path) -> Result<Format> {
    named.or_else(|| Format::of_file(path)).ok_or_else(|| {
        let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        Failure::usage(
            format!("the name of {} doesn't tell its format", shown(path)),
            format!("Say which it is: --format with one of {}.", names.join(", ")),
        )
    })
}

/// Warns of exposures, with advice.
fn warn<'a>(exposures: impl IntoIterator<Item = &'a Exposure>, output: &mut Output) {
    for exposure in exposures {
        output.warning(format_args!("{exposure}.\n  help: {}", exposure.hint()));
    }
}

/// Returns exposures as JSON, each with the fields of its kind.
fn exposures_as_json(exposures: &[Exposure]) -> Vec<Value> {
    let as_json = |exposure: &Exposure| {
        let mut json = json!({
            "kind": exposure.code(), "message": exposure.to_string(), "hint": exposure.hint(),
        });
        match exposure {
            Exposure::HistoryNotSearched { command } => json["command"] = json!(command),
            Exposure::CopiedTo { path } | Exposure::CopiesNotSearched { path } => {
                json["file"] = json!(path.display().to_string());
            }
            Exposure::InComments { lines } => json["lines"] = json!(lines),
            _ => {}
        }
        json
    };
    exposures.iter().map(as_json).collect()
}

fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}
