//! `backends`: the stores that can keep secrets, and the store that would be chosen.

use std::time::Instant;

use serde_json::{Value, json};
use strongroom::doctor::Inspection;
use strongroom::json::{ErrorView, StoreView};
use strongroom::store::ChoiceReason;
use strongroom::{Backend, Error, ErrorKind};

use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output, heading, marked};
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
    let (chosen, error) = (chosen.as_ref().ok(), chosen.as_ref().err());
    json!({
        "service": settings.service,
        "stores": found.iter().map(row).collect::<Vec<_>>(),
        "chosen": chosen.map(|(backend, _)| backend),
        "chosen_because": chosen.map(|(_, reason)| why(reason, settings)),
        "error": error.map(ErrorView::from),
    })
}

fn row(inspection: &Inspection) -> Value {
    let backend = inspection.backend;
    let store = inspection.capabilities.map(|can| StoreView::new(backend, None, can));
    json!({
        "backend": backend,
        "in_this_build": is_in_this_program(backend),
        "usable": inspection.state.is_ok(),
        "served_by": inspection.state.as_ref().ok().map(|probe| &probe.provider),
        "error": inspection.state.as_ref().err().map(ErrorView::from),
        "warnings": store.as_ref().map(StoreView::warnings).unwrap_or_default(),
        "store": store,
    })
}
