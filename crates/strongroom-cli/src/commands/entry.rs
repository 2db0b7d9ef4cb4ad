//! `entry set|get|delete|list|exists`: single entries of the store.

use serde_json::json;
use strongroom::advice::{Advice, Command};
use strongroom::error::Operation;
use strongroom::store::{EntryName, VAULT_ENTRY, WriteMode};
use strongroom::{Error, ErrorKind, ExposeSecret as _, SecretBytes};
use strongroom_config::looks_like_a_secret;

use crate::answer::answer;
use crate::args::{Name, Source};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input::{self, NOTHING_STORED, Wanted};
use crate::misuse;
use crate::output::Output;
use crate::settings::Settings;
use crate::store::open_entries;
use crate::words::{command_word, printable};

/// Stores a value in an entry.
pub(super) fn set(
    name: &Name,
    create_new: bool,
    source: &Source,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let entry = name.check(Operation::Set)?;
    must_not_be_the_vault(&entry)?;
    if looks_like_a_secret(&name.user) {
        return Err(Failure::usage(
            "this name has the form of a secret; nothing was stored",
            misuse::VALUE,
        ));
    }
    let value = match input::given(settings, source)? {
        Some(value) => value,
        None => asked(name, &entry, source.exact, settings)?,
    };
    input::must_be_no_reference(&value, NOTHING_STORED)?;
    let mode = if create_new { WriteMode::CreateNew } else { WriteMode::Overwrite };
    let entries = open_entries(&name.service, true, settings)?;
    entries.write(&name.user, &value, mode)?;
    let backend = entries.backend().name();
    output.answer(|| answer(json!({ "user": name.user }), &name.service, &entries));
    output.confirm(format_args!("Stored {entry} in {backend}."));
    Ok(Exit::Done)
}

fn asked(name: &Name, entry: &EntryName, exact: bool, settings: &Settings) -> Result<SecretBytes> {
    let command = Command::new("entry set")
        .value(name.service.as_str(), "SERVICE")
        .value(name.user.as_str(), "USER");
    let wanted = Wanted {
        name: &entry.to_string(),
        exact,
        state: NOTHING_STORED,
        from_file: &command.words("--from-file PATH"),
    };
    input::asked(&wanted, settings)
}

/// Prints a value.
pub(super) fn get(name: &Name, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let entry = name.check(Operation::Get)?;
    let entries = open_entries(&name.service, false, settings)?;
    match entries.read(&name.user)? {
        Some(value) => output.value(value.expose_secret())?,
        None => {
            return Err(missing(&entry, Operation::Get)
                .with_store(entries.backend().name())
                .into());
        }
    }
    Ok(Exit::Done)
}

/// Deletes an entry.
pub(super) fn delete(name: &Name, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let entry = name.check(Operation::Delete)?;
    must_not_be_the_vault(&entry)?;
    let entries = open_entries(&name.service, false, settings)?;
    let backend = entries.backend().name();
    if !entries.delete(&name.user)? {
        return Err(missing(&entry, Operation::Delete).with_store(backend).into());
    }
    let fields = json!({ "user": name.user, "deleted": true });
    output.answer(|| answer(fields, &name.service, &entries));
    output.confirm(format_args!("Deleted {entry} from {backend}."));
    Ok(Exit::Done)
}

/// Prints the names of a service's entries.
pub(super) fn list(service: &str, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let entries = open_entries(service, false, settings)?;
    let users = entries.list()?;
    let users: Vec<_> = users.iter().map(|user| user.as_str()).collect();
    let unnamed = entries.count_unnamed()?;
    let backend = entries.backend().name();
    let lines = || users.iter().map(|user| printable(user) + "\n").collect();
    let fields = json!({ "users": users, "unnamed_count": unnamed });
    output.result(lines, || answer(fields, service, &entries))?;
    if users.is_empty() {
        let service = printable(service);
        output.confirm(format_args!("Service \"{service}\" has no entries in {backend}."));
    }
    tell_unnamed(unnamed, service, output);
    Ok(Exit::Done)
}

/// Warns of items without a user name, and names a command that shows them.
pub(super) fn tell_unnamed(count: usize, service: &str, output: &mut Output) {
    let items = match count {
        0 => return,
        1 => "1 item".to_owned(),
        count => format!("{count} items"),
    };
    let word = command_word(service, "SERVICE");
    let warning = format!(
        "{items} of other programs under service \"{}\" without a user name can't be seen here: \
         `secret-tool search --all service {word}` shows them",
        printable(service)
    );
    output.warning("unnamed_items", warning);
}

/// Tells by the exit code whether an entry exists.
pub(super) fn exists(name: &Name, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let entry = name.check(Operation::Exists)?;
    let entries = open_entries(&name.service, false, settings)?;
    let exists = entries.exists(&name.user)?;
    let backend = entries.backend().name();
    let fields = json!({ "user": name.user, "exists": exists });
    output.answer(|| answer(fields, &name.service, &entries));
    if settings.verbose > 0 {
        let word = if exists { "is there" } else { "is not there" };
        output.confirm(format_args!("{entry} {word} ({backend})."));
    }
    Ok(if exists { Exit::Done } else { Exit::NotFound })
}

/// Refuses the entry that holds all secrets of a service: to replace or delete it would lose them all.
pub(super) fn must_not_be_the_vault(entry: &EntryName) -> Result<()> {
    if entry.user().as_str() != VAULT_ENTRY {
        return Ok(());
    }
    let name = entry.service().as_str();
    let service = command_word(name, "SERVICE");
    Err(Failure::usage(
        format!(
            "\"{VAULT_ENTRY}\" is the entry that holds the secrets of {service}; nothing was changed"
        ),
        Advice::from(Command::new("list").on(name).does("shows them"))
            .and(Command::new("purge").on(name).does("deletes them all"))
            .and(Command::new("repair").on(name).does("mends what can't be read")),
    ))
}

/// Returns the error for an entry that does not exist.
pub(super) fn missing(entry: &EntryName, operation: Operation) -> Error {
    Error::new(ErrorKind::NotFound, operation).with_entry(entry)
}

impl Name {
    /// Returns the name, if it is valid. Commands check it before they ask for a value.
    pub(super) fn check(&self, operation: Operation) -> Result<EntryName> {
        let entry = EntryName::new(self.service.as_str(), self.user.as_str());
        Ok(entry.map_err(|error| error.during(operation))?)
    }
}
