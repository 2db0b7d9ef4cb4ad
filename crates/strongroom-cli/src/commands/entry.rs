//! `entry set|get|delete|list|exists`: single entries of the store.

use serde_json::json;
use strongroom::{
    EntryName, Error, ErrorKind, ExposeSecret as _, Operation, SecretBytes, WriteMode,
};

use crate::args::{Name, Source};
use crate::exit::Exit;
use crate::failure::Result;
use crate::input::{self, NOTHING_STORED, Wanted};
use crate::output::Output;
use crate::settings::Settings;
use crate::store::open_entries;
use crate::words::{command_word, persistence_token, printable};

/// Stores a value.
pub(super) fn set(
    name: &Name,
    create_new: bool,
    source: &Source,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let entry = name.check(Operation::Set)?;
    let value = match input::given(settings, source)? {
        Some(value) => value,
        None => asked(name, &entry, source.exact, settings)?,
    };
    let mode = if create_new { WriteMode::CreateNew } else { WriteMode::Overwrite };
    let opened = open_entries(&name.service, true, settings)?;
    opened.store.set_secret(&name.service, &name.user, &value, mode)?;
    let backend = opened.backend.name();
    if settings.json {
        let lasts = persistence_token(opened.store.capabilities().persistence);
        output.json(&json!({
            "service": name.service, "user": name.user, "backend": backend, "persistence": lasts,
        }))?;
    }
    output.confirm(format_args!("Stored {entry} in {backend}."));
    Ok(Exit::Done)
}

fn asked(name: &Name, entry: &EntryName, exact: bool, settings: &Settings) -> Result<SecretBytes> {
    let (service, user) =
        (command_word(&name.service, "SERVICE"), command_word(&name.user, "USER"));
    let wanted = Wanted {
        name: &entry.to_string(),
        exact,
        state: NOTHING_STORED,
        from_file: &format!("strongroom entry set {service} {user} --from-file PATH"),
    };
    input::asked(&wanted, settings)
}

/// Prints a value.
pub(super) fn get(name: &Name, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let entry = name.check(Operation::Get)?;
    let opened = open_entries(&name.service, false, settings)?;
    match opened.store.get_secret(&name.service, &name.user)? {
        Some(value) => output.value(value.expose_secret())?,
        None => {
            return Err(missing(&entry, Operation::Get).with_store(opened.backend.name()).into());
        }
    }
    Ok(Exit::Done)
}

/// Deletes an entry.
pub(super) fn delete(name: &Name, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let entry = name.check(Operation::Delete)?;
    let opened = open_entries(&name.service, false, settings)?;
    let backend = opened.backend.name();
    if !opened.store.delete_password(&name.service, &name.user)? {
        return Err(missing(&entry, Operation::Delete).with_store(backend).into());
    }
    if settings.json {
        output.json(&json!({
            "service": name.service, "user": name.user, "backend": backend, "deleted": true,
        }))?;
    }
    output.confirm(format_args!("Deleted {entry} from {backend}."));
    Ok(Exit::Done)
}

/// Names the entries of a service.
pub(super) fn list(service: &str, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let opened = open_entries(service, false, settings)?;
    let users = opened.store.list(service)?;
    let users: Vec<_> = users.iter().map(|user| user.as_str()).collect();
    let backend = opened.backend.name();
    let lines = || users.iter().map(|user| printable(user) + "\n").collect();
    output.result(lines, || json!({ "service": service, "backend": backend, "users": users }))?;
    if users.is_empty() {
        let service = printable(service);
        output.confirm(format_args!("Service \"{service}\" has no entries in {backend}."));
    }
    Ok(Exit::Done)
}

/// Tells by the exit code whether an entry is there.
pub(super) fn exists(name: &Name, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let entry = name.check(Operation::Exists)?;
    let opened = open_entries(&name.service, false, settings)?;
    let exists = opened.store.exists(&name.service, &name.user)?;
    let backend = opened.backend.name();
    if settings.json {
        output.json(&json!({
            "service": name.service, "user": name.user, "backend": backend, "exists": exists,
        }))?;
    }
    if settings.verbose > 0 {
        let word = if exists { "is there" } else { "is not there" };
        output.confirm(format_args!("{entry} {word} ({backend})."));
    }
    Ok(if exists { Exit::Done } else { Exit::NotFound })
}

/// There is no such entry.
pub(super) fn missing(entry: &EntryName, operation: Operation) -> Error {
    Error::new(ErrorKind::NotFound, operation).with_entry(entry)
}

impl Name {
    /// The name, if it can be one. Checked before anybody is asked for a value.
    pub(super) fn check(&self, operation: Operation) -> Result<EntryName> {
        let entry = EntryName::new(self.service.as_str(), self.user.as_str());
        Ok(entry.map_err(|error| error.during(operation))?)
    }
}
