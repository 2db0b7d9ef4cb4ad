//! `config status`: the secrets of a file, and the place of each.

use std::path::Path;

use serde_json::{Value, json};
use strongroom::blocking::SecretManager;
use strongroom::{ErrorKind, Timestamp};
use strongroom_config::{Ages, Exposure, FoundBy, Place, SecretStatus, Status};

use super::view::{exposures_as_json, shown, warn};
use crate::answer::{answer, key_as_json};
use crate::args::ConfigStatus;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output};
use crate::settings::Settings;
use crate::table::{Cell, Column, Importance, table};
use crate::times::age;
use crate::vault::open;
use crate::words::{command_word, counted, printable};

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
    output.confirm(next(&status, file.path()));
    Ok(Exit::Done)
}

fn columns(secrets: &[SecretStatus]) -> Vec<Column> {
    let column = |title, importance, cell: &dyn Fn(&SecretStatus) -> Cell| Column {
        title,
        cells: secrets.iter().map(cell).collect(),
        importance,
    };
    let text = |text: String| Cell { text, mark: None };
    let now = Timestamp::now();
    let ages = |secret: &SecretStatus| match secret.place {
        Place::Differs(ages) => ages,
        _ => Ages::default(),
    };
    vec![
        column("NAME", Importance::Whole, &|it| text(printable(it.key.name()))),
        column("TARGET", Importance::Whole, &|it| {
            text(printable(it.key.target().unwrap_or_default()))
        }),
        column("WHERE", Importance::Whole, &|it| Cell {
            text: word(it.place).into(),
            mark: mark(it.place),
        }),
        column("AGE IN FILE", Importance::Whole, &|it| text(age(ages(it).file, now))),
        column("AGE IN STORE", Importance::Whole, &|it| text(age(ages(it).store, now))),
        column("PATH", Importance::Detail, &|it| text(it.path.to_string())),
        column("LINE", Importance::Whole, &|it| text(line_number(it))),
        column("PROVIDER", Importance::Detail, &|it| {
            text(printable(it.provider.as_deref().unwrap_or_default()))
        }),
        column("PROBLEM", Importance::Detail, &|it| text(it.problem.clone().unwrap_or_default())),
    ]
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

/// Returns the advice on the next step.
fn next(status: &Status, path: &Path) -> String {
    let is_in_file =
        |it: &&SecretStatus| matches!(it.place, Place::File | Place::Both | Place::Differs(_));
    let remains = status.exposures.iter().any(Exposure::remains);
    match (status.secrets.len(), status.secrets.iter().filter(is_in_file).count()) {
        (0, _) => format!("No secret was found in {}. --rule PATH=NAME names one.", shown(path)),
        (_, 0) if remains => format!("{} holds no secret's value, but see above.", shown(path)),
        (_, 0) => format!("{} holds no secret's value.", shown(path)),
        (_, count) => {
            let secrets = counted(count);
            let file = command_word(&path.to_string_lossy(), "FILE");
            format!("{secrets} in the file: `strongroom config secure {file}` moves what is there.")
        }
    }
}
