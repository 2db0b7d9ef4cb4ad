//! `backends`: the stores that can keep secrets, and the store that would be chosen.

use std::time::Instant;

use serde_json::{Value, json};
use strongroom::doctor::Inspection;
use strongroom::error::Reason;
use strongroom::store::ChoiceReason;
use strongroom::{Backend, Error, ErrorKind};

use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output, heading, marked};
use crate::protection::warnings;
use crate::settings::Settings;
use crate::store::choice;
use crate::words::{lasts, size};

/// The backend where secrets are or would be kept, and the reason.
type Choice = (Backend, ChoiceReason);

/// Prints the table.
pub(super) fn run(settings: &Settings, output: &mut Output) -> Result<Exit> {
    let started = Instant::now();
    let found = settings.config(settings.deadlines.call).inspect();
    let chosen = choice(settings, started.elapsed());
    output.result(|| table(&found, &chosen, settings), || as_json(&found, &chosen, settings))?;
    Ok(Exit::Done)
}

fn table(found: &[Inspection], chosen: &Result<Choice, Error>, settings: &Settings) -> String {
    let title = format!("{:20}{:16}{:16}NOW", "NAME", "KEEPS", "LARGEST");
    let mut text = heading(title) + "\n";
    let mut elsewhere = Vec::new();
    for inspection in found {
        let name = inspection.backend.name();
        if !is_in_this_program(inspection.backend) {
            elsewhere.push(name);
            continue;
        }
        let can = inspection.capabilities;
        let keeps = can.map_or("-", |can| lasts(can.persistence));
        let largest = can.map_or_else(
            || "-".to_owned(),
            |can| can.max_secret_len.map_or_else(|| "no limit".to_owned(), size),
        );
        let session = can.and_then(|can| can.session_encrypted).map_or("", session);
        text += &format!("{name:20}{keeps:16}{largest:16}{}{session}\n", state(&inspection.state));
    }
    text += &format!("\n{}\n", choice_line(chosen, settings));
    if !elsewhere.is_empty() {
        text += &format!("Not in this build: {}.\n", elsewhere.join(", "));
    }
    text
}

fn is_in_this_program(backend: Backend) -> bool {
    backend.is_custom() || backend.is_supported_here()
}

fn session(is_encrypted: bool) -> &'static str {
    if is_encrypted { ", encrypted session" } else { ", session without encryption" }
}

fn state(state: &Result<strongroom::store::Probe, Error>) -> String {
    match state {
        Ok(probe) => format!("{}: {}", marked(Mark::Good, "usable"), probe.provider),
        Err(error) => {
            let word = match error.kind() {
                ErrorKind::Locked => marked(Mark::Note, "locked"),
                ErrorKind::KeyMissing => marked(Mark::Note, "needs a key"),
                ErrorKind::TimedOut => marked(Mark::Problem, "no answer"),
                _ => marked(Mark::Problem, "not usable"),
            };
            format!("{word}: {}", error.problem())
        }
    }
}

fn choice_line(chosen: &Result<Choice, Error>, settings: &Settings) -> String {
    match chosen {
        Ok((backend, reason)) => {
            let chosen_now = heading(format_args!("Chosen now: {backend}"));
            format!("{chosen_now}, {}.", why(reason, settings))
        }
        Err(error) => format!("{}: {error}.", marked(Mark::Problem, "None can be chosen")),
    }
}

fn why(reason: &ChoiceReason, settings: &Settings) -> String {
    match reason {
        ChoiceReason::Bound => "where the secrets of this service are".to_owned(),
        ChoiceReason::Explicit if settings.backend.is_none() => "as this program says".to_owned(),
        ChoiceReason::Explicit => "as --backend says".to_owned(),
        ChoiceReason::Environment(variable) => format!("as {variable} says"),
        ChoiceReason::PlatformDefault => "this system's own".to_owned(),
        ChoiceReason::Fallback(cause) => {
            let default = cause.store().unwrap_or("the system's own");
            format!("because {default} can't be used: {}", cause.problem())
        }
        other => other.to_string(),
    }
}

fn as_json(found: &[Inspection], chosen: &Result<Choice, Error>, settings: &Settings) -> Value {
    let backends: Vec<_> = found.iter().map(row).collect();
    match chosen {
        Ok((backend, reason)) => json!({
            "backends": backends,
            "chosen": backend.name(),
            "reason": why(reason, settings),
        }),
        Err(error) => json!({
            "backends": backends,
            "chosen": null,
            "reason": error.to_string(),
        }),
    }
}

fn row(inspection: &Inspection) -> Value {
    let can = inspection.capabilities;
    let (provider, error) = match &inspection.state {
        Ok(probe) => (Some(&probe.provider), None),
        Err(error) => (None, Some(error)),
    };
    json!({
        "name": inspection.backend.name(),
        "in_this_build": is_in_this_program(inspection.backend),
        "usable": provider.is_some(),
        "provider": provider,
        "code": error.map(Error::code),
        "problem": error.map(Error::problem),
        "reason": error.and_then(Error::reason).map(Reason::code),
        "persistence": can.map(|can| can.persistence.code()),
        "max_secret_bytes": can.and_then(|can| can.max_secret_len),
        "session_encrypted": can.and_then(|can| can.session_encrypted),
        "read_by_user_programs": can.map(|can| can.read_by_user_programs),
        "read_by_containers": can.map(|can| can.read_by_containers),
        "warnings": can.map(warnings).unwrap_or_default(),
    })
}
