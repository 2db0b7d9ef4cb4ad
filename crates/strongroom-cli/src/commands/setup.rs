//! `setup`: stores secrets, reads them back, and says where they are and how safe.

use serde_json::{Value, json};
use strongroom::{
    Backend, Capabilities, ChoiceReason, EntryName, ExposeSecret as _, Operation, Persistence,
    SecretBytes, WriteMode, provider_caveat,
};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input;
use crate::output::{Output, heading};
use crate::settings::Settings;
use crate::store::{Opened, open, quietly};
use crate::words::{command_word, persistence_token};

/// Stores one secret after the other. Each is kept when a later one fails.
pub(super) fn run(names: &[String], settings: &Settings, output: &mut Output) -> Result<Exit> {
    let names = named(names, settings, output)?;
    let entries = check(&names, settings)?;
    // What is piped in is read before the store is asked, so that nobody writes into a closed pipe.
    let piped = if settings.stdin_is_terminal { None } else { Some(input::piped()?) };
    // The fallback's warning comes in the report below, in better words.
    let opened = quietly(settings, || open(settings))?;
    for entry in &entries {
        let asked;
        let value = match &piped {
            Some(value) => value,
            None => {
                asked = input::ask(settings, &format!("\"{}\"", entry.user()))?;
                &asked
            }
        };
        store(entry, value, &opened)?;
        if entries.len() > 1 {
            output.confirm(format_args!("Stored {entry}."));
        }
    }
    report(&entries, &opened, settings, output)?;
    Ok(Exit::Done)
}

fn named(names: &[String], settings: &Settings, output: &mut Output) -> Result<Vec<String>> {
    match (names, settings.may_ask) {
        ([], true) => Ok(vec![input::ask_name(output)?]),
        ([], false) => Err(Failure::usage(
            "the secret has no name",
            "Put one after `setup`, such as `strongroom setup api-key`.",
        )),
        ([_, _, ..], _) if !settings.stdin_is_terminal => Err(Failure::usage(
            format!("standard input holds one value, and there are {} names", names.len()),
            "Run it once for each name, or on a terminal, where it asks for each.",
        )),
        _ => Ok(names.to_vec()),
    }
}

/// The names are checked before anybody is asked for a value.
fn check(names: &[String], settings: &Settings) -> Result<Vec<EntryName>> {
    let entry = |name: &String| EntryName::new(settings.service.as_str(), name.as_str());
    let entries: strongroom::Result<Vec<_>> = names.iter().map(entry).collect();
    Ok(entries.map_err(|error| error.during(Operation::Set))?)
}

/// Writes and reads back. A store may say that it has a value and have damaged it.
fn store(entry: &EntryName, value: &SecretBytes, opened: &Opened) -> Result<()> {
    let (service, user) = (entry.service().as_str(), entry.user().as_str());
    opened.store.set_secret(service, user, value, WriteMode::Overwrite)?;
    let read = opened.store.get_secret(service, user)?;
    if read.is_some_and(|read| read.expose_secret() == value.expose_secret()) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Corrupt,
        "corrupt",
        format!("{} stored {entry} and gave back something else", opened.backend),
        "Don't rely on what is stored there. Choose another store with --backend: \
         `strongroom backends` shows them.",
    ))
}

fn report(
    entries: &[EntryName],
    opened: &Opened,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    let can = opened.store.capabilities();
    // It has just been used: if nobody tells who serves it, that is no failure.
    let provider = opened.store.probe().map(|probe| probe.provider).unwrap_or_default();
    let commands: Vec<_> = entries.iter().map(|entry| reading(entry, settings)).collect();
    output.result(
        || told(entries, opened, can, &provider) + &rows("Read it with", &commands),
        || as_json(entries, opened, can, &provider, &commands),
    )?;
    if can.persistence != Persistence::Permanent {
        output.warning(forgets(opened, can.persistence));
    }
    if let Some(caveat) = provider_caveat(&provider) {
        output.warning(caveat);
    }
    Ok(())
}

fn told(entries: &[EntryName], opened: &Opened, can: Capabilities, provider: &str) -> String {
    let place = match provider {
        "" => opened.backend.to_string(),
        provider => format!("{}: {provider}", opened.backend),
    };
    let stored: Vec<_> = entries.iter().map(|entry| format!("{entry}, and read back")).collect();
    rows("Stored", &stored)
        + &rows("Where", &[place])
        + &rows("Protected by", &[protection(opened.backend).to_owned()])
        + &rows("Lasts", &[lifetime(can.persistence).to_owned()])
}

fn rows(title: &str, texts: &[String]) -> String {
    let title = heading(format_args!("{title:12}"));
    texts.iter().map(|text| format!("{title}  {text}\n")).collect()
}

fn as_json(
    entries: &[EntryName],
    opened: &Opened,
    can: Capabilities,
    provider: &str,
    commands: &[String],
) -> Value {
    let stored = entries.iter().zip(commands).map(|(entry, command)| {
        let (service, user) = (entry.service().as_str(), entry.user().as_str());
        json!({ "service": service, "user": user, "read_with": command })
    });
    json!({
        "stored": stored.collect::<Vec<_>>(),
        "backend": opened.backend.name(),
        "provider": provider,
        "persistence": persistence_token(can.persistence),
    })
}

/// The command that prints the value, from the store where it is.
fn reading(entry: &EntryName, settings: &Settings) -> String {
    let service = command_word(entry.service().as_str(), "SERVICE");
    let user = command_word(entry.user().as_str(), "NAME");
    match settings.backend {
        Some(backend) => format!("strongroom entry get {service} {user} --backend {backend}"),
        None => format!("strongroom entry get {service} {user}"),
    }
}

fn protection(backend: Backend) -> &'static str {
    match backend {
        Backend::Keyutils => {
            "the kernel: in memory only, never on disk; all programs of your user can read it"
        }
        Backend::Memory => "nothing but this process",
        Backend::SecretService => {
            "the keyring's password; while the keyring is open, all your programs can read it"
        }
        _ => "the operating system",
    }
}

fn lifetime(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Permanent => "until you delete it",
        Persistence::UntilReboot => "until this machine restarts",
        _ => "until this command ends",
    }
}

fn forgets(opened: &Opened, persistence: Persistence) -> String {
    let when = match persistence {
        Persistence::UntilReboot => "it lasts until reboot: store it again after a restart",
        _ => "it is gone when this command ends: choose another --backend",
    };
    match &opened.reason {
        ChoiceReason::Fallback(cause) => format!(
            "{when}.\n  cause: {cause}\n  help: `strongroom doctor` says how to keep it for good."
        ),
        _ => format!("{when}."),
    }
}
