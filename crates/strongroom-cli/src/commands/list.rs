//! `list`: the vault's secrets, without a value.

use std::time::Duration;

use serde_json::{Value, json};
use strongroom::advice::{Advice, Command};
use strongroom::blocking::SecretManager;
use strongroom::{SecretInfo, Timestamp};

use crate::args::List;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output};
use crate::protection::with_protection;
use crate::settings::Settings;
use crate::store::entries_without_vault;
use crate::table::{Cell, Column, Importance, table};
use crate::times::{age, expires};
use crate::vault::open;
use crate::words::{counted, printable};

/// The version of the `--json` output. A new field does not change it.
const SCHEMA: u32 = 1;

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
    if settings.json {
        output.json(&with_protection(as_json(&secrets, &vault, settings, now), &vault))?;
    } else if settings.stdout_is_terminal && !secrets.is_empty() {
        output.text(&table(columns(&secrets, now), output.width()))?;
    } else {
        output.text(&secrets.iter().map(line).collect::<String>())?;
    }
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

fn as_json(
    secrets: &[SecretInfo],
    vault: &SecretManager,
    settings: &Settings,
    now: Timestamp,
) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let secret = |secret: &SecretInfo| {
        let known = &secret.metadata;
        json!({
            "name": secret.key.name(),
            "target": secret.key.target(),
            "provider": known.provider,
            "scope": known.scope,
            "created_at": time(known.created_at),
            "updated_at": time(known.updated_at),
            "expires_at": time(known.expires_at),
            "expired": known.is_expired(now),
        })
    };
    json!({
        "version": SCHEMA,
        "service": settings.service,
        "backend": vault.backend().name(),
        "layout": vault.layout().name(),
        "secrets": secrets.iter().map(secret).collect::<Vec<_>>(),
    })
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
