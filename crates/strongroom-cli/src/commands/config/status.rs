//! `config status`: the secrets of a file, and the place of each.

use std::path::Path;

use serde_json::{Value, json};
use strongroom::advice::Sentence;
use strongroom::blocking::SecretManager;
use strongroom::{ErrorKind, Timestamp};
use strongroom_config::{Ages, Exposure, FoundBy, Place, SecretStatus, Status};

use super::view::{exposures_as_json, secure_command, shown, warn};
use crate::answer::{answer, key_as_json};
use crate::args::ConfigStatus;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output};
use crate::settings::Settings;
use crate::table::{Cell, Column, Importance, table};
use crate::times::age;
use crate::vault::open;
use crate::words::{counted, printable};

/// Prints the secrets: as a table on a terminal, else as lines for programs.
pub(super) fn run(flags: &ConfigStatus, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let file = flags.source.file(flags.source.rules(settings), settings)?;
    let vault = match open(settings) {
        Ok(vault) => Some(vault),
        // The content of the file can be told without a store.
        Err(error) if error.kind() == ErrorKind::NoBackend => {
            output.warning(error.code(), format_args!("there is no store to ask: {error}"));
            None
        }
        Err(error) => return Err(error.into()),
    };
    let status = file.status(vault.as_ref())?;
    let width = output.width();
    output.result(
        || match settings.stdout_is_terminal && !status.secrets.is_empty() {
            true => table(columns(&status.secrets), width),
            false => status.secrets.iter().map(line).collect(),
        },
        || as_json(&status, file.path(), vault.as_ref(), settings),
    )?;
    warn(&status.exposures, output);
    let next = output.spoken(next(&status, file.path()));
    output.confirm(next);
    Ok(Exit::Done)
}

fn columns(secrets: &[SecretStatus]) -> Vec<Column> {
    let now = Timestamp::now();
    vec![
        Column::of("NAME", Importance::Whole, secrets, |it| printable(it.key.name())),
        Column::of("TARGET", Importance::Whole, secrets, |it| {
            printable(it.key.target().unwrap_or_default())
        }),
        Column::of("WHERE", Importance::Whole, secrets, |it| Cell {
            text: word(it.place).into(),
            mark: mark(it.place),
        }),
        Column::of("AGE IN FILE", Importance::Whole, secrets, |it| age(ages(it).file, now)),
        Column::of("AGE IN STORE", Importance::Whole, secrets, |it| age(ages(it).store, now)),
        Column::of("PATH", Importance::Detail, secrets, |it| it.path.to_string()),
        Column::of("LINE", Importance::Whole, secrets, line_number),
        Column::of("PROVIDER", Importance::Detail, secrets, |it| {
            printable(it.provider.as_deref().unwrap_or_default())
        }),
        Column::of("PROBLEM", Importance::Detail, secrets, |it| {
            it.problem.clone().unwrap_or_default()
        }),
    ]
}

/// Returns the ages of the two values; none if they are the same.
fn ages(secret: &SecretStatus) -> Ages {
    match secret.place {
        Place::Differs(ages) => ages,
        _ => Ages::default(),
    }
}

/// Returns a secret as a line for programs. Tabs separate the fields, which no name can contain.
fn line(secret: &SecretStatus) -> String {
    let fields = [
        printable(secret.key.name()),
        printable(secret.key.target().unwrap_or_default()),
        word(secret.place).to_owned(),
        secret.path.to_string(),
        line_number(secret),
        printable(secret.provider.as_deref().unwrap_or_default()),
        secret.problem.clone().unwrap_or_default(),
    ];
    fields.join("\t") + "\n"
}

fn line_number(secret: &SecretStatus) -> String {
    secret.position.map(|position| position.line.to_string()).unwrap_or_default()
}

fn word(place: Place) -> &'static str {
    match place {
        Place::File => "file",
        Place::Store => "store",
        Place::Both => "both",
        Place::Differs(_) => "differs",
        Place::Nowhere => "nowhere",
        _ => "unknown",
    }
}

fn mark(place: Place) -> Option<Mark> {
    match place {
        Place::Store => Some(Mark::Good),
        Place::File | Place::Both => Some(Mark::Note),
        Place::Differs(_) | Place::Nowhere => Some(Mark::Problem),
        _ => None,
    }
}

fn found_by(by: FoundBy) -> &'static str {
    match by {
        FoundBy::Rule => "rule",
        FoundBy::KeyName => "key_name",
        FoundBy::ValueShape => "value_shape",
        FoundBy::Reference => "reference",
        FoundBy::Export => "export",
        _ => "other",
    }
}

fn as_json(
    status: &Status,
    file: &Path,
    vault: Option<&SecretManager>,
    settings: &Settings,
) -> Value {
    let fields = json!({
        "file": file.display().to_string(),
        "format": status.format.name(),
        "exposures": exposures_as_json(&status.exposures),
        "secrets": status.secrets.iter().map(secret_as_json).collect::<Vec<_>>(),
        "service": settings.service,
        "store": null,
    });
    match vault {
        Some(vault) => answer(fields, &settings.service, vault),
        None => fields,
    }
}

fn secret_as_json(secret: &SecretStatus) -> Value {
    let ages = match secret.place {
        Place::Differs(ages) => ages,
        _ => Ages::default(),
    };
    let mut fields = key_as_json(&secret.key);
    fields["provider"] = json!(secret.provider);
    fields["place"] = word(secret.place).into();
    fields["path"] = secret.path.to_string().into();
    fields["line"] = json!(secret.position.map(|position| position.line));
    fields["column"] = json!(secret.position.map(|position| position.column));
    fields["found_by"] = found_by(secret.found_by).into();
    fields["problem"] = json!(secret.problem);
    fields["updated_at_in_file"] = json!(ages.file);
    fields["updated_at_in_store"] = json!(ages.store);
    fields
}

fn is_in_file(place: Place) -> bool {
    matches!(place, Place::File | Place::Both | Place::Differs(_))
}

/// Returns the advice on the next step.
fn next(status: &Status, path: &Path) -> Sentence {
    let remains = status.exposures.iter().any(Exposure::remains);
    match (status.secrets.len(), status.secrets.iter().filter(|it| is_in_file(it.place)).count()) {
        (0, _) => {
            format!("No secret was found in {}. --rule PATH=NAME names one.", shown(path)).into()
        }
        (_, 0) if remains => {
            format!("{} holds no secret's value, but see above.", shown(path)).into()
        }
        (_, 0) => format!("{} holds no secret's value.", shown(path)).into(),
        (_, count) => {
            let secrets = counted(count);
            Sentence::from(format!("{secrets} in the file: "))
                .command(secure_command(path))
                .text(" moves what is there.")
        }
    }
}
