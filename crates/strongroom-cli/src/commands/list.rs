//! `list`: the vault's secrets, without a value.

use std::time::Duration;

use serde_json::json;
use strongroom::advice::{Advice, Command};
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
    let of_provider = secrets
        .into_iter()
        .filter(|secret| flags.provider.is_none() || secret.metadata.provider == flags.provider);
    let secrets: Vec<_> = of_provider.collect();
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
        let advice = output.spoken(nothing(&vault, settings)?);
        output.confirm(advice);
    }
    Ok(Exit::Done)
}

fn columns(secrets: &[SecretInfo], now: Timestamp) -> Vec<Column> {
    vec![
        Column::of("NAME", Importance::Whole, secrets, |it| printable(it.key.name())),
        Column::of("TARGET", Importance::Whole, secrets, |it| {
            printable(it.key.target().unwrap_or_default())
        }),
        Column::of("PROVIDER", Importance::Detail, secrets, |it| {
            printable(it.metadata.provider.as_deref().unwrap_or_default())
        }),
        Column::of("SCOPE", Importance::Detail, secrets, |it| {
            printable(it.metadata.scope.as_deref().unwrap_or_default())
        }),
        Column::of("AGE", Importance::Whole, secrets, |it| age(it.metadata.updated_at, now)),
        Column::of("EXPIRES", Importance::Whole, secrets, |it| Cell {
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
    let fields = [
        printable(secret.key.name()),
        printable(secret.key.target().unwrap_or_default()),
        printable(known.provider.as_deref().unwrap_or_default()),
        printable(known.scope.as_deref().unwrap_or_default()),
        seconds(known.updated_at),
        seconds(known.expires_at),
    ];
    fields.join("\t") + "\n"
}

/// Returns a time in whole seconds; empty if there is none.
fn seconds(time: Option<Timestamp>) -> String {
    time.map(|time| format!("{time:.0}")).unwrap_or_default()
}

fn nothing(vault: &SecretManager, settings: &Settings) -> Result<Advice> {
    let (service, backend) = (printable(&settings.service), vault.backend());
    let vault_of = format!("The vault of \"{service}\" in {backend}");
    Ok(match vault.list()?.len() {
        0 => match entries_without_vault(vault, settings).len() {
            0 => Advice::from(format!("{vault_of} is empty."))
                .and(Command::new("setup NAME").does("stores a secret")),
            entries => Advice::from(format!(
                "{vault_of} is empty, and {} of this service lie beside it as single entries.",
                counted(entries)
            ))
            .and(Command::new("doctor").does("says how to take them in")),
        },
        1 => format!("{vault_of} holds 1 secret, and none like that.").into(),
        count => format!("{vault_of} holds {count} secrets, and none like that.").into(),
    })
}
