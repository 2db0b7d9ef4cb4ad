//! `setup`: stores secrets, reads them back, and reports their place and its protection.

use serde_json::{Value, json};
use strongroom::advice::{Advice, Command, Sentence, Voice as _};
use strongroom::blocking::SecretManager;
use strongroom::error::Reason;
use strongroom::repair::VaultRepair;
use strongroom::store::{Capabilities, ChoiceReason, Persistence};
use strongroom::{
    Backend, Error, ErrorKind, ExposeSecret as _, Layout, Secret, SecretKey, SecretString, Warning,
};

use crate::answer::{answer, key_as_json};
use crate::args::Setup;
use crate::ask;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input::{self, NOTHING_STORED, Wanted};
use crate::output::{Output, rows};
use crate::settings::Settings;
use crate::store::{Opened, open_of, quietly};
use crate::vault::{self, command, open, unread};
use crate::voice::ProgramVoice;
use crate::words::printable;

/// The stores to choose from on a machine without a keyring.
const CHOICE: &str = "\
There is no keyring on this machine. Secrets can lie in
  1  an encrypted file, which lasts; it takes a passphrase, and asks for it at each use
  2  the kernel's memory, which asks for nothing and forgets at a restart
";

/// Stores the secrets in turn. Those that are stored stay if a later secret fails.
pub(super) fn run(flags: &Setup, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let keys = named(&flags.names, settings, output)?;
    // Standard input is read before the store is asked: if the store fails, the program in front of the pipe has written
    // everything, and does not meet a closed pipe.
    let piped = if settings.stdin_is_terminal { None } else { Some(input::piped(flags.exact)?) };
    let mut piped = piped.as_ref().map(|piped| input::secret(piped, NOTHING_STORED)).transpose()?;
    let settings = &settled(settings, output)?;
    // The fallback's warning comes in the report below, in better words.
    let vault = quietly(settings, || open(settings))?;
    for (number, key) in keys.iter().enumerate() {
        let value = match piped.take() {
            Some(value) => value,
            None => {
                let (stored, missing) = keys.split_at(number);
                ask(stored, missing, flags.exact, settings)?
            }
        };
        store(key, value, &vault)?;
        if keys.len() > 1 {
            output.confirm(format_args!("Stored {key}."));
        }
    }
    report(&keys, &open_of(&vault, settings)?, vault.layout(), settings, output)?;
    Ok(Exit::Done)
}

/// Asks for the value of the first missing secret.
fn ask(
    stored: &[SecretKey],
    missing: &[SecretKey],
    exact: bool,
    settings: &Settings,
) -> Result<SecretString> {
    let key = &missing[0];
    let state = match stored {
        [] => NOTHING_STORED.to_owned(),
        _ => format!("stored: {}; not stored: {}", listed(stored), listed(missing)),
    };
    let wanted = Wanted {
        name: &called(key, settings),
        exact,
        state: &state,
        from_file: &command("set", key, "--from-file PATH"),
    };
    input::asked_secret(&wanted, settings)
}

fn listed(keys: &[SecretKey]) -> String {
    let names: Vec<_> = keys.iter().map(SecretKey::to_string).collect();
    names.join(", ")
}

/// Lets the user choose the store if there is no keyring. A key at hand decides for the encrypted file without a question.
fn settled(settings: &Settings, output: &mut Output) -> Result<Settings> {
    let mut settled = settings.clone();
    let has_key = settings.config(settings.deadlines.call).has_key();
    if settings.backend.is_some() || !settings.may_ask || has_key {
        return Ok(settled);
    }
    let found = quietly(settings, || unread(settings));
    if !lacks_keyring(&found) {
        return Ok(settled);
    }
    if wants_file(output)? {
        settled.backend = Some(Backend::File);
    } else if found.is_err_and(|error| error.reason() == Some(Reason::Container)) {
        // In a container, the kernel's keyring is used only if it is named.
        settled.backend = Some(Backend::Keyutils);
    }
    Ok(settled)
}

fn lacks_keyring(found: &strongroom::Result<VaultRepair, Error>) -> bool {
    match found {
        // A vault that exists stays in its store, which is no fallback then.
        Ok(vault) => matches!(vault.reason(), ChoiceReason::Fallback(_)),
        // A store that was named is not replaced by another.
        Err(error) => error.kind() == ErrorKind::NoBackend && error.store().is_none(),
    }
}

fn wants_file(output: &mut Output) -> Result<bool> {
    output.question(CHOICE)?;
    for _ in 0..ask::TRIES {
        let instead = "Name the store: --backend file, or --backend keyutils.";
        match input::ask_openly("Which (1 or 2)? ", instead, output)?.as_str() {
            "1" => return Ok(true),
            "2" => return Ok(false),
            "" => break,
            _ => {}
        }
    }
    Err(Failure::new(
        Exit::Locked,
        ErrorKind::Dismissed.code(),
        "nothing was chosen; nothing was stored",
        "Run it again, or name the store: --backend file, or --backend keyutils.",
    ))
}

/// Returns the keys of the secrets to store: those of these names, else those that the program needs.
fn named(names: &[String], settings: &Settings, output: &mut Output) -> Result<Vec<SecretKey>> {
    let keys: Vec<_> = match names {
        [] => settings.application.secrets.iter().map(|(key, _)| key.clone()).collect(),
        names => names.iter().map(|name| vault::new_key(name, None)).collect::<Result<_>>()?,
    };
    match (keys.as_slice(), settings.may_ask) {
        ([], true) => Ok(vec![vault::new_key(&input::ask_name(output)?, None)?]),
        ([], false) => Err(Failure::usage(
            "the secret has no name",
            Sentence::from("Put one after `setup`, such as ")
                .command(Command::new("setup API_KEY"))
                .text("."),
        )),
        // A pipe has no mark between values, so all of it is a single value.
        ([_, _, ..], _) if !settings.stdin_is_terminal => Err(Failure::usage(
            format!("standard input holds one value, and there are {} names", keys.len()),
            "Run it once for each name, or on a terminal, where it asks for each.",
        )),
        _ => Ok(keys),
    }
}

/// Returns the name of a secret for a question, with the program's description if it has any.
fn called(key: &SecretKey, settings: &Settings) -> String {
    let known = settings.application.secrets.iter().find(|(known, _)| known == key);
    known.map_or_else(|| key.to_string(), |(_, what)| format!("the {what}, {key}"))
}

/// Writes a secret and reads it back, since a store may accept a value and damage it.
fn store(key: &SecretKey, value: SecretString, vault: &SecretManager) -> Result<()> {
    let secret = Secret::new(value);
    vault.set(key, &secret)?;
    // The copy in memory proves nothing about the store.
    vault.forget();
    let read = vault.get_value(key)?;
    if read.is_some_and(|read| read.expose_secret() == secret.value.expose_secret()) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Corrupt,
        ErrorKind::Corrupt.code(),
        format!("{} stored {key} and gave back something else", vault.backend()),
        Advice::from("Don't rely on what is stored there. Choose another store with --backend.")
            .and(Command::new("backends").does("shows them")),
    ))
}

fn report(
    keys: &[SecretKey],
    opened: &Opened,
    layout: Layout,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    // The store has just worked, so it is no failure if it doesn't tell its provider.
    let provider = opened.store.probe().map(|probe| probe.provider).unwrap_or_default();
    let can = opened.store.capabilities();
    // The user may have chosen the store just now, so the output doesn't know it.
    let voice = ProgramVoice::of(settings);
    let commands = keys.iter().filter_map(|key| voice.command(&command("get", key, "")));
    let commands: Vec<_> = commands.collect();
    let stored: Vec<_> = keys.iter().map(|key| stored(key, settings)).collect();
    output.result(
        || {
            rows("Stored", &stored)
                + &place(opened, layout, can, &provider)
                + &rows("Read it with", &commands)
        },
        || answer(as_json(keys, &provider, &commands), &settings.service, opened),
    )?;
    for warning in can.warnings() {
        match warning {
            Warning::NotPersistent(lasting) => {
                let text = forgets(opened, lasting, output);
                output.remark(text);
            }
            // The table above names the kernel already.
            Warning::ReadByContainers => {}
            other => output.remark(format_args!("{other}.")),
        }
    }
    Ok(())
}

fn stored(key: &SecretKey, settings: &Settings) -> String {
    format!("{key} of service \"{}\", and read back", printable(&settings.service))
}

fn place(opened: &Opened, layout: Layout, can: Capabilities, provider: &str) -> String {
    let place = match provider {
        "" => opened.backend.to_string(),
        provider => format!("{}: {provider}", opened.backend),
    };
    let mut protected_by = vec![opened.backend.protection().to_owned()];
    if layout == Layout::Sealed && opened.backend != Backend::File {
        protected_by
            .push("encryption: the values lie in a file, whose key the store keeps".to_owned());
    }
    let way = if opened.backend == Backend::SecretService { "On the bus" } else { "On the way" };
    let session = can.session_encrypted.map(session).map(str::to_owned);
    rows("Where", &[place])
        + &rows("Protected by", &protected_by)
        + &rows(way, session.as_slice())
        + &rows("Lasts", &[lifetime(can.persistence).to_owned()])
}

fn as_json(keys: &[SecretKey], provider: &str, commands: &[String]) -> Value {
    let secrets = keys.iter().zip(commands).map(|(key, command)| {
        let mut fields = key_as_json(key);
        fields["read_with"] = command.as_str().into();
        fields
    });
    json!({
        "secrets": secrets.collect::<Vec<_>>(),
        "served_by": Some(provider).filter(|provider| !provider.is_empty()),
    })
}

fn session(is_encrypted: bool) -> &'static str {
    if is_encrypted { "encrypted" } else { "in the clear" }
}

fn lifetime(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Permanent => "until you delete it",
        Persistence::UntilReboot => "until this machine restarts",
        Persistence::UntilLogout => "until you log out",
        _ => "until this command ends",
    }
}

fn forgets(opened: &Opened, persistence: Persistence, output: &Output) -> String {
    let help = output.spoken(Command::new("doctor").does("says how to keep it for good"));
    let when = match persistence {
        Persistence::UntilReboot => "it lasts until reboot: store it again after a restart",
        Persistence::UntilLogout => {
            "it lasts until you log out, for it is in the keyring's session collection"
        }
        _ => "it is gone when this command ends: choose another --backend",
    };
    match &opened.reason {
        ChoiceReason::Fallback(cause) => format!("{when}.\n  cause: {cause}\n  help: {help}"),
        _ if persistence == Persistence::UntilLogout => {
            format!("{when}.\n  help: {help}")
        }
        _ => format!("{when}."),
    }
}
