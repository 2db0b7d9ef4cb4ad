//! The state of the service's secrets: their place, their readability, and their lifetime.

use std::error::Error as _;
use std::time::Duration;

use serde_json::{Value, json};
use strongroom::advice::{Command, Line};
use strongroom::blocking::SecretManager;
use strongroom::doctor::{Finding, Fix, Inspection, Severity, SpokenFinding};
use strongroom::json::{StoreView, WarningView};
use strongroom::store::{ChoiceReason, Persistence};
use strongroom::{Backend, Error, ErrorKind, Layout, SecretInfo, Timestamp};

use crate::exit::Exit;
use crate::failure::Result;
use crate::settings::Settings;
use crate::store::{choice, entries_without_vault, quietly, remaining};
use crate::words::{counted, printable};

/// The largest number of entries for which a command each is shown.
const SHOWN: usize = 5;

/// The state of a service's secrets.
#[derive(Debug)]
pub(super) struct Service {
    /// The backend where they are or would be kept, and the reason; `None` if that can't be found out.
    pub(super) place: Option<(Backend, ChoiceReason)>,
    pub(super) has_secrets: bool,
    pub(super) findings: Vec<Finding>,
    /// The exit of a command that reads them in this state.
    pub(super) exit: Exit,
    facts: Option<Facts>,
}

/// Facts about secrets that can be read.
#[derive(Debug)]
struct Facts {
    store: StoreView,
    secrets: usize,
    expired: usize,
}

/// Examines the secrets without asking the user for anything.
///
/// # Errors
///
/// `Invalid` for a service or a variable that can't be used.
pub(super) fn look(
    found: &[Inspection],
    spent: Duration,
    settings: &Settings,
) -> Result<Service, Error> {
    let silent = settings.without_questions();
    let config = silent.config(remaining(settings.deadlines.call, spent));
    let read = quietly(settings, || {
        let vault = config.open_blocking()?;
        let secrets = vault.list()?;
        Ok::<_, Error>((vault, secrets))
    });
    match read {
        Ok((vault, secrets)) => Ok(readable(&vault, &secrets, found, &silent, settings)),
        // Not a state of the secrets, but wrong usage.
        Err(error) if error.kind() == ErrorKind::Invalid => Err(error),
        Err(error) => Ok(unreadable(&error, choice(&silent, spent).ok(), settings)),
    }
}

impl Service {
    /// Returns the state for machines, with its findings in the words of this program.
    pub(super) fn as_json(&self, findings: &[SpokenFinding], settings: &Settings) -> Value {
        let facts = self.facts.as_ref();
        let fallback = self.place.as_ref().and_then(|(_, reason)| WarningView::of_choice(reason));
        let of_store = facts.map(|facts| facts.store.warnings()).unwrap_or_default();
        json!({
            "exit_code": self.exit.code(),
            "service": settings.service,
            "backend": self.place.as_ref().map(|(backend, _)| backend),
            "readable": facts.is_some(),
            "store": facts.map(|facts| &facts.store),
            "secret_count": facts.map(|facts| facts.secrets),
            "expired_count": facts.map(|facts| facts.expired),
            "secret_findings": findings,
            "warnings": fallback.into_iter().chain(of_store).collect::<Vec<_>>(),
        })
    }
}

fn readable(
    vault: &SecretManager,
    secrets: &[SecretInfo],
    found: &[Inspection],
    silent: &Settings,
    settings: &Settings,
) -> Service {
    let (backend, reason) = (vault.backend(), vault.reason().clone());
    let persistence = vault.store_capabilities().persistence;
    let now = Timestamp::now();
    let expired = secrets.iter().filter(|secret| secret.metadata.is_expired(now)).count();
    let (mut first, exit) = match (secrets.len(), &reason) {
        (0, ChoiceReason::Fallback(cause)) if persistence != Persistence::Permanent => {
            (nowhere_to_last(cause, backend, persistence), Exit::from(cause.kind()))
        }
        (0, ChoiceReason::Bound) => (empty(&place(backend, found), persistence), Exit::Done),
        (0, _) => (would_be_kept(&place(backend, found), persistence), Exit::Done),
        (count, _) => (kept(count, &place(backend, found), persistence), Exit::Done),
    };
    // The plaintext file lasts, but a store that protects its secrets is better.
    let forgets = persistence != Persistence::Permanent || backend == Backend::PlaintextFile;
    let is_there = !secrets.is_empty() || matches!(reason, ChoiceReason::Bound);
    if forgets && is_there {
        first.fixes = better(backend, &reason, found, settings);
    }
    let mut findings = vec![first];
    if expired > 0 {
        findings.push(expiry(expired));
    }
    if secrets.is_empty() && vault.layout() != Layout::Entries {
        findings.extend(entries_beside(vault, silent));
    }
    Service {
        has_secrets: is_there,
        findings,
        exit,
        facts: Some(Facts { store: vault.into(), secrets: secrets.len(), expired }),
        place: Some((backend, reason)),
    }
}

fn unreadable(
    error: &Error,
    place: Option<(Backend, ChoiceReason)>,
    settings: &Settings,
) -> Service {
    let is_bound = matches!(place, Some((_, ChoiceReason::Bound)));
    let is_file = matches!(place, Some((Backend::File, _)));
    // The doctor asks for nothing, so a passphrase that other commands would ask for is no trouble.
    let is_asked_for =
        error.kind() == ErrorKind::KeyMissing && is_file && settings.can_ask_passphrase();
    let (finding, exit) = match is_asked_for {
        true => {
            let problem = "secrets are kept in the encrypted file, until you delete them; its passphrase is asked \
                           for at each use, and was not asked for now";
            (finding(Severity::Note, None, problem.to_owned()), Exit::Done)
        }
        false => (trouble(error), Exit::from(error.kind())),
    };
    Service {
        has_secrets: is_bound || !is_about_stores(error.kind()),
        place,
        findings: vec![finding],
        exit,
        facts: None,
    }
}

/// Returns whether an error of this kind says nothing about the secrets, since there is no store to look for them.
fn is_about_stores(kind: ErrorKind) -> bool {
    use ErrorKind::{Locked, NoBackend, NoDefaultCollection, NoLogonSession, TimedOut};
    matches!(kind, Locked | NoBackend | NoDefaultCollection | NoLogonSession | TimedOut)
}

fn trouble(error: &Error) -> Finding {
    let mut problem = error.problem().to_owned();
    for cause in std::iter::successors(error.source(), |cause| (*cause).source()) {
        problem += &format!(": {cause}");
    }
    let problem = match error.kind() {
        ErrorKind::BoundElsewhere => problem,
        _ => format!("the secrets can't be read: {problem}"),
    };
    let mut finding = finding(Severity::Problem, Some(error.kind()), problem);
    finding.fixes = vec![error.into()];
    finding
}

fn nowhere_to_last(cause: &Error, backend: Backend, persistence: Persistence) -> Finding {
    let default = cause.store().unwrap_or("the system's own store");
    let problem = format!(
        "nothing is stored yet, and {default} can't be used: {}. What is stored now goes to {backend} and lasts \
         {persistence}",
        cause.problem()
    );
    finding(Severity::Problem, Some(cause.kind()), problem)
}

fn empty(place: &str, persistence: Persistence) -> Finding {
    let until = until(persistence);
    let problem = format!("the vault is empty; secrets are kept in {place} and last {until}");
    finding(severity(persistence), None, problem)
}

fn would_be_kept(place: &str, persistence: Persistence) -> Finding {
    let until = until(persistence);
    let problem =
        format!("nothing is stored yet; secrets would be kept in {place} and last {until}");
    finding(severity(persistence), None, problem)
}

fn kept(count: usize, place: &str, persistence: Persistence) -> Finding {
    let (secrets, are) = (counted(count), if count == 1 { "is" } else { "are" });
    let until = until(persistence);
    let last = if count == 1 { "lasts" } else { "last" };
    let problem = format!("{secrets} {are} kept in {place}, can be read, and {last} {until}");
    finding(severity(persistence), None, problem)
}

fn severity(persistence: Persistence) -> Severity {
    match persistence {
        Persistence::Permanent => Severity::Fine,
        _ => Severity::Note,
    }
}

fn place(backend: Backend, found: &[Inspection]) -> String {
    let provider = found.iter().find(|it| it.backend == backend).map(|it| &it.state);
    match provider {
        Some(Ok(probe)) => format!("{backend} ({})", probe.provider),
        _ => backend.to_string(),
    }
}

fn expiry(expired: usize) -> Finding {
    let has = if expired == 1 { "has" } else { "have" };
    let problem = format!("{} {has} expired", counted(expired));
    let mut note = finding(Severity::Note, None, problem);
    note.fixes = vec![Fix::new("See which:", [Command::new("list --expiring 0d").into()])];
    note
}

/// Returns the ways to move the secrets into a store that keeps them better.
fn better(
    from: Backend,
    reason: &ChoiceReason,
    found: &[Inspection],
    settings: &Settings,
) -> Vec<Fix> {
    let default = Backend::platform_default().filter(|backend| lasts(*backend, found));
    let file =
        Some(Backend::File).filter(|file| lasts(*file, found) || settings.can_ask_passphrase());
    let mut fixes: Vec<_> = [default, file]
        .into_iter()
        .flatten()
        .filter(|backend| *backend != from)
        .map(|backend| move_to(backend, reason))
        .collect();
    fixes.dedup();
    if fixes.is_empty() {
        let text =
            "No store that lasts can be used here now. What each of them needs stands below.";
        fixes.push(Fix::new(text, []));
    }
    fixes
}

/// Returns whether a backend can be used, and keeps its secrets until they are deleted.
fn lasts(backend: Backend, found: &[Inspection]) -> bool {
    found
        .iter()
        .filter(|it| it.backend == backend && it.state.is_ok())
        .any(|it| it.capabilities.is_some_and(|can| can.persistence == Persistence::Permanent))
}

fn move_to(backend: Backend, reason: &ChoiceReason) -> Fix {
    let mut commands = vec![Line::from(Command::new("move --to").words(backend.name()))];
    if let ChoiceReason::Environment(variable) = reason {
        commands.push(format!("unset {variable}").into());
    }
    Fix::new(
        format!("Move the vault into {backend}, which keeps it until you delete it."),
        commands,
    )
}

/// Returns a note on single entries beside an empty vault. They are from a program that keeps each secret as an entry.
fn entries_beside(vault: &SecretManager, silent: &Settings) -> Option<Finding> {
    let names = entries_without_vault(vault, silent);
    if names.is_empty() {
        return None;
    }
    let problem = format!(
        "the vault is empty, and {} of \"{}\" {} beside it, as single entries",
        counted(names.len()),
        printable(&silent.service),
        if names.len() == 1 { "lies" } else { "lie" }
    );
    let mut note = finding(Severity::Note, None, problem);
    let copies = names.iter().take(SHOWN).map(|name| {
        let set = Command::new("set").value(name.as_str(), "NAME");
        Line::from(of_entries("entry get", silent).value(name.as_str(), "NAME")).piped(set)
    });
    note.fixes = vec![
        Fix::new("See them:", [of_entries("entry list", silent).into()]),
        Fix::new("Copy them into the vault:", copies),
    ];
    Some(note)
}

/// Returns a command on the entries of the service.
fn of_entries(words: &'static str, silent: &Settings) -> Command {
    Command::new(words).value(silent.service.as_str(), "SERVICE")
}

fn finding(severity: Severity, kind: Option<ErrorKind>, problem: String) -> Finding {
    let mut finding = Finding::new(severity, problem);
    finding.kind = kind;
    finding
}

fn until(persistence: Persistence) -> String {
    match persistence {
        Persistence::Permanent => "until you delete them".to_owned(),
        other => other.to_string(),
    }
}
