//! `get`: a secret's value, alone.

use strongroom::advice::Advice;
use strongroom::{ErrorKind, ExposeSecret as _};

use crate::args::Get;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Output;
use crate::settings::Settings;
use crate::vault::{command, missing, open};

/// Prints the value.
pub(super) fn run(flags: &Get, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let key = flags.key.check()?;
    let vault = open(settings)?;
    let secret = match flags.expired {
        // `get` refuses an expired secret, and `peek` does not.
        true => vault.peek(&key)?,
        false => vault.get(&key).map_err(|error| match error.kind() {
            ErrorKind::Expired => {
                let update = command("update", &key, "--expires never").does("stores a new value");
                let get = command("get", &key, "--expired").does("prints the old one");
                error.with_advice(Advice::from(update).and(get))
            }
            _ => error,
        })?,
    };
    match secret {
        Some(secret) => output.value(secret.value.expose_secret().as_bytes())?,
        None => return Err(missing("get", &key, &vault.list()?, &vault, settings)),
    }
    Ok(Exit::Done)
}
