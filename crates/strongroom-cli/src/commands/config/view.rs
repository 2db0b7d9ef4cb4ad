//! The messages and the JSON that the commands on configuration files share.

use std::path::Path;

use serde_json::{Value, json};
use strongroom::advice::Command;
use strongroom_config::{Exposure, Format};

use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::words::printable;

/// Returns the format that is named, else that of the file's name.
pub(super) fn format(named: Option<Format>, path: &Path) -> Result<Format> {
    named.or_else(|| Format::of_file(path)).ok_or_else(|| {
        let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        Failure::usage(
            format!("the name of {} doesn't tell its format", shown(path)),
            format!("Say which it is: --format with one of {}.", names.join(", ")),
        )
    })
}

/// Warns of exposures, with advice.
pub(super) fn warn<'a>(exposures: impl IntoIterator<Item = &'a Exposure>, output: &mut Output) {
    for exposure in exposures {
        output.remark(format_args!("{exposure}.\n  help: {}", exposure.hint()));
    }
}

/// Returns exposures as JSON.
pub(super) fn exposures_as_json(exposures: &[Exposure]) -> Vec<Value> {
    exposures.iter().map(exposure_as_json).collect()
}

fn exposure_as_json(exposure: &Exposure) -> Value {
    let mut json = json!({
        "code": exposure.code(), "message": exposure.to_string(), "hint": exposure.hint(),
        "command": null, "file": null, "lines": [],
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
}

pub(super) fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// Returns the command that moves a file's secrets into the store.
pub(super) fn secure_command(file: &Path) -> Command {
    Command::new("config secure").value(file.to_string_lossy(), "FILE")
}
