//! Moving the keys out of the configuration file, and telling the user about it.

use std::fmt::Write as _;

use strongroom::{SecretKey, Timestamp};
use strongroom_config::{Action, Ages, ConfigFile, Exposure, FirstRun, Plan, Secured};
use tokio::task::spawn_blocking;

use crate::keys::{COMMANDS, Keys};
use crate::say;

/// Moves the keys out of the file, if there are any, and tells the user. Once the file has no keys, this only checks the
/// file's metadata.
///
/// # Errors
///
/// If the file can't be read. It is then unchanged.
pub(crate) async fn run(keys: &Keys) -> anyhow::Result<()> {
    let (file, store) = (keys.file.clone(), keys.store.clone());
    let outcome = spawn_blocking(move || file.first_run(store)).await??;
    if let Some(text) = told(&outcome, &keys.file) {
        say::note(&text);
    }
    Ok(())
}

fn told(outcome: &FirstRun, file: &ConfigFile) -> Option<String> {
    let path = file.path().display();
    match outcome {
        FirstRun::Secured(done) => Some(secured(done, file)),
        FirstRun::Conflict(plan) => Some(conflict(plan, file)),
        FirstRun::NoStore(error) => Some(format!(
            "Your keys stay in {path}, where whoever can read it can use them: {}. {} `{COMMANDS} doctor` shows how.",
            error.problem(),
            error.hint()
        )),
        _ => None,
    }
}

fn secured(done: &Secured, file: &ConfigFile) -> String {
    let path = file.path().display();
    let names: Vec<_> = done.secrets.iter().map(SecretKey::name).collect();
    let keys = if names.len() == 1 { "key" } else { "keys" };
    let (count, names) = (names.len(), names.join(", "));
    format!("{count} {keys} moved from {path} into {}: {names}.", done.backend)
        + &warnings(&done.exposures)
}

/// Returns a line for each exposure of the keys.
fn warnings(exposures: &[Exposure]) -> String {
    exposures.iter().map(|exposure| format!("\nwarning: {exposure}. {}", exposure.hint())).collect()
}

fn conflict(plan: &Plan, file: &ConfigFile) -> String {
    let path = file.path().display();
    let mut text =
        format!("{path} and the store hold different keys, and the file's is used now:\n");
    for step in plan.conflicts() {
        if let Action::Conflict(ages) = step.action {
            // Writing to a string can't fail.
            let _ = writeln!(text, "  {}, {}", step.key.name(), written(ages));
        }
    }
    text + "Choose: `agent config:secure --prefer file` stores the file's, `--prefer store` drops it."
}

/// Returns the times at which both values were written.
fn written(ages: Ages) -> String {
    let time = |time: Option<Timestamp>| {
        time.map_or_else(|| "at an unknown time".to_owned(), |time| format!("{time:.0}"))
    };
    let expired = if ages.store_expired { ", and expired" } else { "" };
    format!("file written {}, store written {}{expired}", time(ages.file), time(ages.store))
}
