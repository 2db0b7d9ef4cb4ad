//! `delete`, `rename`, `exists`: whole secrets.

use strongroom::advice::Sentence;
use strongroom::{ErrorKind, SecretKey, SecretMetadata};

use crate::answer::{about_secret, answer, key_as_json};
use crate::args::{Key, Rename};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::settings::Settings;
use crate::vault::{self, missing, open};

/// Deletes a secret.
pub(super) fn delete(key: &Key, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let key = key.check()?;
    let vault = open(settings)?;
    if !vault.delete(&key)? {
        return Err(missing("delete", &key, &vault.list()?, &vault, settings));
    }
    let backend = vault.backend();
    output.answer(|| {
        let mut fields = key_as_json(&key);
        fields["deleted"] = true.into();
        answer(fields, &settings.service, &vault)
    });
    output.confirm(format_args!("Deleted {key} from {backend}."));
    Ok(Exit::Done)
}

/// Gives a secret another name, another target, or both.
pub(super) fn rename(flags: &Rename, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let old = vault::key(&flags.old, flags.target.as_deref())?;
    // An empty new target removes the target.
    let target = flags.new_target.as_deref().or(flags.target.as_deref());
    let new = vault::new_key(&flags.new, target.filter(|target| !target.is_empty()))?;
    if old == new {
        return Err(Failure::usage(
            format!("{old} is what it is called already"),
            "Give it another name, or another target with --new-target.",
        ));
    }
    let vault = open(settings)?;
    let renamed = vault.rename(&old, &new);
    if renamed.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Err(missing("rename", &old, &vault.list()?, &vault, settings));
    }
    renamed.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(&new),
        _ => error.into(),
    })?;
    output.answer(|| about_secret(&new, SecretMetadata::new(), &settings.service, &vault));
    output.confirm(format_args!("Renamed {old} to {new}."));
    Ok(Exit::Done)
}

fn taken(new: &SecretKey) -> Failure {
    Failure::new(
        Exit::Failed,
        ErrorKind::AlreadyExists.code(),
        format!("there is a secret {new} already; nothing was changed"),
        Sentence::from("Choose another name, or delete that one first: ")
            .command(vault::command("delete", new, ""))
            .text("."),
    )
}

/// Tells by the exit code whether a secret exists.
pub(super) fn exists(key: &Key, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let key = key.check()?;
    let vault = open(settings)?;
    let exists = vault.exists(&key)?;
    let backend = vault.backend();
    output.answer(|| {
        let mut fields = key_as_json(&key);
        fields["exists"] = exists.into();
        answer(fields, &settings.service, &vault)
    });
    if settings.verbose > 0 {
        let word = if exists { "is there" } else { "is not there" };
        output.confirm(format_args!("{key} {word} ({backend})."));
    }
    Ok(if exists { Exit::Done } else { Exit::NotFound })
}
