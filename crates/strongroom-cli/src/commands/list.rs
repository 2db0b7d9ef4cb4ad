//! `list`: the vault's secrets, without a value.

use std::time::Duration;

use serde_json::json;
use strongroom::blocking::SecretManager;
use strongroom::json::SecretView;
use strongroom::{SecretInfo, Timestamp};

use crate::answer::answer;
use crate::args::List;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output};
use crate::settings::Settings;
use crate::store::entries_without_vault;
use crate::table::{Cell, Column, Importance, table};
use crate::times::{age, expires};
use crate::vault::open;
use crate::words::{counted, printable};

/// The time before its end in which a secret is marked.
const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Prints the secrets: as a table on a terminal, else as lines for programs.
pub(super) fn run(flags: &List, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let vault = open(settings)?;
    let secrets = match flags.expiring {
        Some(within) => vault.expiring(within)?,
        None => vault.list()?,
    };
    let of_provider = |secret: &SecretInfo| {
        flags.provider.is_none() || secret.metadata.provider == flags.provider
    };
    let secrets: Vec<_> = secrets.into_iter().filter(of_provider).collect();
    let now = Timestamp::now();
    let width = output.width();
    output.result(
        || match settings.stdout_is_terminal && !secrets.is_empty() {
            true => table(columns(&secrets, now), width),
            false => secrets.iter().map(line).collect(),
        },
        || {
            let views = SecretView::list(secrets.clone());
            answer(json!({ "secrets": views }), &settings.service, &vault)
        },
    )?;
    if secrets.is_empty() {
        output.confirm(nothing(&vault, settings)?);
    }
    Ok(Exit::Done)
}

fn columns(secrets: &[SecretInfo], now: Timestamp) -> Vec<Column> {
    let column = |title, importance, cell: &dyn Fn(&SecretInfo) -> Cell| Column {
        title,
        cells: secrets.iter().map(cell).collect(),
        importance,
    };
    let text =
        |text: Option<&str>| Cell { text: text.map(printable).unwrap_or_default(), mark: None };
    vec![
        column("NAME", Importance::Whole, &|it| text(Some(it.key.name()))),
        column("TARGET", Importance::Whole, &|it| text(it.key.target())),
        column("PROVIDER", Importance::Detail, &|it| text(it.metadata.provider.as_deref())),
        column("SCOPE", Importance::Detail, &|it| text(it.metadata.scope.as_deref())),
        column("AGE", Importance::Whole, &|it| text(Some(&age(it.metadata.updated_at, now)))),
        column("EXPIRES", Importance::Whole, &|it| Cell {
            text: expires(it.metadata.expires_at, now),
            mark: mark(it, now),
        }),
    ]
}

fn mark(secret: &SecretInfo, now: Timestamp) -> Option<Mark> {
    if secret.metadata.is_expired(now) {
        Some(Mark::Problem)
    } else if secret.metadata.expires_within(now, SOON) {
        Some(Mark::Note)
    } else {
        None
    }
}

/// Returns a secret as a line for programs. Tabs separate the fields, which no name can contain.
fn line(secret: &SecretInfo) -> String {
    let known = &secret.metadata;
    let time = |time: Option<Timestamp>| time.map(|time| format!("{time:.0}")).unwrap_or_default();
    let fields = [
        printable(secret.key.name()),
        printable(secret.key.target().unwrap_or_default()),
        printable(known.provider.as_deref().unwrap_or_default()),
        printable(known.scope.as_deref().unwrap_or_default()),
        time(known.updated_at),
        time(known.expires_at),
    ];
    fields.join("\t") + "\n"
}

fn nothing(vault: &SecretManager, settings: &Settings) -> Result<String> {
    let (service, backend) = (printable(&settings.service), vault.backend());
    let vault_of = format!("The vault of \"{service}\" in {backend}");
    Ok(match vault.list()?.len() {
        0 => match entries_without_vault(vault, settings).len() {
            0 => format!("{vault_of} is empty. `strongroom setup NAME` stores a secret."),
            entries => format!(
                "{vault_of} is empty, and {} of this service lie beside it as single entries. `strongroom doctor` \
                 says how to take them in.",
                counted(entries)
            ),
        },
        1 => format!("{vault_of} holds 1 secret, and none like that."),
        count => format!("{vault_of} holds {count} secrets, and none like that."),
    })
}
