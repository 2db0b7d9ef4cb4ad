//! `run`: a program with the secrets in its environment.

mod start;

use std::collections::BTreeMap;
use std::process::Command;

use strongroom::advice::{self, Advice, Sentence};
use strongroom::blocking::SecretManager;
use strongroom::{ErrorKind, ExposeSecret as _, SecretInfo, SecretString, Timestamp};

use crate::args::Run;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::inheritance::strip_keys;
use crate::output::Output;
use crate::settings::Settings;
use crate::vault::{command, key, missing, open};
use crate::words::{grouped, printable};

/// The longest variable with its name and the NUL behind it, in bytes: `MAX_ARG_STRLEN` of `execve(2)` on Linux.
const LONGEST_VARIABLE: usize = 128 << 10;

/// Starts the program, once every secret for it is checked.
pub(super) fn run(flags: &Run, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let vault = open(settings)?;
    let secrets = vault.list()?;
    let mut taken = taken(&secrets, flags, settings)?;
    if !flags.only.is_empty() {
        taken = only(&taken, flags, &secrets, &vault, settings)?;
    }
    // Names and expiry are known from the list, so these checks come before any value is read.
    must_be_names(&taken, flags)?;
    if flags.skip_expired {
        skip_expired(&mut taken, output);
    }
    must_be_valid(&taken)?;
    if secrets.is_empty() {
        let service = printable(&settings.service);
        let warning = format!("the vault of \"{service}\" is empty: the program gets no secret");
        output.warning("empty", warning);
    }
    warn_of_names(&taken, flags, output);
    let mut program = Command::new(&flags.command[0]);
    program.args(&flags.command[1..]);
    strip_keys(&mut program, &settings.application.program).map_err(|cause| {
        let hint = "Nothing was started. Open fewer files for this command.";
        Failure::io("what opens the vault can't be kept from the program", &cause, hint)
    })?;
    for (name, secret) in taken {
        // Another process may have deleted the secret since it was listed.
        let Some(found) = vault.get(&secret.key)? else {
            return Err(missing("get", &secret.key, &vault.list()?, &vault, settings));
        };
        let name = format!("{}{name}", flags.prefix);
        let value = variable(secret, &name, &found.value)?;
        program.env(name, value);
    }
    // The output belongs to the program from here on.
    output.finish()?;
    start::start(program, &flags.command[0])
}

/// Warns of names that the program gets, but that shells below it drop, as dash does, which `npm start` uses.
fn warn_of_names(taken: &Taken<'_>, flags: &Run, output: &mut Output) {
    let dropped =
        taken.iter().filter(|(name, _)| !is_passed_on(&format!("{}{name}", flags.prefix)));
    let dropped: Vec<_> = dropped.collect();
    let Some((_, first)) = dropped.first() else { return };
    let names: Vec<_> = dropped.iter().map(|(_, secret)| secret.key.to_string()).collect();
    let names = names.join(", ");
    let warning =
        Advice::from(format!("many shells don't pass on variables of such names: {names}."))
            .and(command("rename", &first.key, "NEW_NAME").does("gives the first another"));
    let warning = output.spoken(warning);
    output.warning("names_not_passed_on", warning);
}

/// Returns whether all shells pass on a variable of this name.
fn is_passed_on(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The secrets by name, each with a single value: that for the target, or that without a target.
type Taken<'a> = BTreeMap<&'a str, &'a SecretInfo>;

fn of_target<'a>(target: Option<&str>, secrets: &'a [SecretInfo]) -> Taken<'a> {
    let secrets = secrets.iter().filter(|secret| secret.key.target() == target);
    secrets.map(|secret| (secret.key.name(), secret)).collect()
}

fn taken<'a>(secrets: &'a [SecretInfo], flags: &Run, settings: &Settings) -> Result<Taken<'a>> {
    let mut taken = of_target(None, secrets);
    if let Some(target) = &flags.target {
        let preferred = of_target(Some(target), secrets);
        // Most likely a typing error, which would start the program with the wrong values.
        if preferred.is_empty() {
            return Err(no_target(target, secrets, settings));
        }
        taken.extend(preferred);
    }
    Ok(taken)
}

fn only<'a>(
    taken: &Taken<'a>,
    flags: &Run,
    secrets: &'a [SecretInfo],
    vault: &SecretManager,
    settings: &Settings,
) -> Result<Taken<'a>> {
    let found = flags.only.iter().map(|name| match taken.get_key_value(name.as_str()) {
        Some((name, secret)) => Ok((*name, *secret)),
        None => {
            let key = key(name, flags.target.as_deref())?;
            Err(missing("get", &key, secrets, vault, settings))
        }
    });
    found.collect()
}

fn no_target(target: &str, secrets: &[SecretInfo], settings: &Settings) -> Failure {
    let mut targets: Vec<_> = secrets.iter().filter_map(|secret| secret.key.target()).collect();
    targets.sort_unstable();
    targets.dedup();
    let targets: Vec<_> = targets.iter().map(|it| format!("\"{}\"", printable(it))).collect();
    let hint = match targets.as_slice() {
        [] => "Leave out --target: no secret has one.".to_owned(),
        targets => format!("There are secrets for {}.", targets.join(", ")),
    };
    let (target, service) = (printable(target), printable(&settings.service));
    Failure::new(
        Exit::NotFound,
        ErrorKind::NotFound.code(),
        format!("no secret of \"{service}\" is for target \"{target}\"; nothing was started"),
        hint,
    )
}

/// Refuses names that the system does not take for a variable.
fn must_be_names(taken: &Taken<'_>, flags: &Run) -> Result<()> {
    let names = taken.keys().filter(|name| format!("{}{name}", flags.prefix).contains(['=', '\0']));
    let names: Vec<_> = names.map(|name| format!("\"{}\"", printable(name))).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("no environment variable can be called {}; nothing was started", names.join(", ")),
        Sentence::from("Use names and a prefix without \"=\": ")
            .command(advice::Command::new("rename OLD NEW"))
            .text(". Or name the secrets that the program needs with --only."),
    ))
}

fn skip_expired(taken: &mut Taken<'_>, output: &mut Output) {
    let now = Timestamp::now();
    taken.retain(|_, secret| {
        let is_valid = !secret.metadata.is_expired(now);
        if !is_valid {
            let warning = format!("{} has expired, and is left out", secret.key);
            output.warning(ErrorKind::Expired.code(), warning);
        }
        is_valid
    });
}

fn must_be_valid(taken: &Taken<'_>) -> Result<()> {
    let now = Timestamp::now();
    let expired: Vec<_> = taken.values().filter(|secret| secret.metadata.is_expired(now)).collect();
    let Some(first) = expired.first() else {
        return Ok(());
    };
    let names: Vec<_> = expired.iter().map(|secret| secret.key.to_string()).collect();
    let update = command("update", &first.key, "--expires WHEN");
    Err(Failure::new(
        Exit::Expired,
        ErrorKind::Expired.code(),
        format!("expired: {}; nothing was started", names.join(", ")),
        Advice::from(update.does("stores a new value"))
            .and(advice::Command::new("list --expiring 0d").does("shows since when"))
            .and(
                "--only takes the secrets that the program needs, --skip-expired leaves these out.",
            ),
    ))
}

/// Returns a value as the system takes it for a variable of this name.
fn variable<'a>(secret: &SecretInfo, name: &str, value: &'a SecretString) -> Result<&'a str> {
    let value = value.expose_secret();
    // The string of a variable is its name, "=", the value and a NUL.
    if cfg!(target_os = "linux") && name.len() + 1 + value.len() + 1 > LONGEST_VARIABLE {
        return Err(Failure::usage(
            format!(
                "{} is too long for a variable: with its name it may have {} bytes; nothing was started",
                secret.key,
                grouped(LONGEST_VARIABLE)
            ),
            Sentence::from("Leave it out with --only, and let the program read it with ")
                .command(advice::Command::new("get"))
                .text("."),
        ));
    }
    if value.contains('\0') {
        return Err(Failure::usage(
            format!(
                "{} holds a NUL character, as no variable can; nothing was started",
                secret.key
            ),
            "Leave it out with --only, or store it encoded, for example with `base64`.",
        ));
    }
    Ok(value)
}
