//! `restore`: the secrets of a backup back into the vault.

use std::io::{self, Read};
use std::path::Path;

use serde_json::{Value, json};
use strongroom::advice::{Advice, Command};
use strongroom::backup::{
    Backup, LARGEST_FILE, RestoreAction, RestoreMode, RestorePlan, RestoreStep, Unlock,
};
use strongroom::blocking::SecretManager;
use strongroom::store::secret_copy;
use strongroom::{ErrorKind, Timestamp};
use strongroom_files::{Source, open as open_file};

use crate::answer::{answer, key_as_json};
use crate::args::Restore;
use crate::ask;
use crate::content;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input::{self, ask_openly};
use crate::output::{Mark, Output};
use crate::passphrase;
use crate::passphrase_source;
use crate::settings::Settings;
use crate::table::{Cell, Column, Importance, table};
use crate::times::{age, local};
use crate::vault::open;
use crate::words::printable;

/// The work factor of the backups that Strongroom writes.
const OUR_WORK: u8 = 18;

/// The largest work factor that is accepted without `--max-work-factor`. rage measures the machine, and chooses as much
/// on a fast machine.
const ALLOWED_WORK: u8 = 20;

/// Shows the plan, and carries it out.
pub(super) fn run(flags: &Restore, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let asks = flags.replace && !flags.yes && !flags.dry_run;
    if asks && !settings.may_ask {
        return Err(Failure::usage(
            "nobody can be asked whether the vault shall be replaced; nothing was changed",
            "Say so beforehand with --yes, or see with --dry-run what would be done.",
        ));
    }
    let file = read(&flags.file)?;
    let mut backup = unlocked(&file, flags, settings, output)?;
    if flags.any_service {
        backup = backup.for_any_service();
    }
    let vault = open(settings)?;
    let mode = if flags.replace { RestoreMode::Replace } else { RestoreMode::Merge };
    let plan = vault.plan_restore(&backup, mode).map_err(|error| match error.kind() {
        ErrorKind::Conflict => of_another_service(&backup, flags, settings),
        _ => error.into(),
    })?;
    let loses = plan.with(RestoreAction::Replace).chain(plan.with(RestoreAction::Remove)).count();
    // A plan that loses nothing needs no consent.
    let asked = asks && loses > 0;
    if asked {
        agree(&plan, &backup, settings, output)?;
    }
    if !flags.dry_run {
        vault.restore(&backup, &plan)?;
    }
    report(&plan, &backup, &vault, flags.dry_run, asked, settings, output)?;
    Ok(Exit::Done)
}

/// Reads the whole file, or standard input.
fn read(path: &Path) -> Result<Vec<u8>> {
    let read = match path == Path::new("-") {
        true => read_limited(&mut io::stdin()),
        false => open_file(path, Source::Given).and_then(|mut file| read_limited(&mut file)),
    };
    read.map_err(|cause| Failure::file("read the backup", path, cause))
}

/// Reads a backup. A byte above the limit is read, too, so that opening the backup can tell that it is too large.
fn read_limited(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens the backup with the keys that the flags name, or with a passphrase that is asked for.
fn unlocked(
    file: &[u8],
    flags: &Restore,
    settings: &Settings,
    output: &mut Output,
) -> Result<Backup> {
    let mut unlock = Unlock::new();
    for path in &flags.identities {
        let identities = content::private(path)?;
        unlock = unlock
            .with_identities(&input::text(&secret_copy(&identities), "nothing was changed")?)?;
    }
    if let Some(path) = &flags.passphrase_file {
        unlock = unlock.with_passphrase(passphrase_source::from_file(path)?);
    }
    let work = Backup::passphrase_work(file)?;
    let allowed = flags.max_work_factor.unwrap_or(ALLOWED_WORK);
    unlock = unlock.with_max_work_factor(allowed);
    warn_of_work(work, allowed, output);
    // Only a backup with a passphrase has a work factor.
    let takes_passphrase = work.is_some();
    if !takes_passphrase && flags.identities.is_empty() {
        return Err(Failure::usage(
            "the backup is encrypted to a key; nothing was changed",
            "Name the file of the key: --identity key.txt.",
        ));
    }
    if !takes_passphrase || flags.passphrase_file.is_some() {
        return Ok(Backup::open_blocking(file, &unlock)?);
    }
    typed(file, &unlock, settings)
}

/// Warns of the work that a backup's passphrase takes, if it is more than usual and allowed.
fn warn_of_work(work: Option<u8>, allowed: u8, output: &mut Output) {
    let Some(work) = work.filter(|work| (OUR_WORK + 1..=allowed).contains(work)) else { return };
    // The factor is the logarithm of scrypt's cost, and 2^18 steps take 256 MiB.
    let times = 1_u32 << (work - OUR_WORK);
    let warning = format!(
        "opening it takes {times} times the work of a usual backup, and {} MiB of memory",
        256 * times
    );
    output.warning("much_work", warning);
}

/// Opens the backup with a passphrase that is asked for.
fn typed(file: &[u8], unlock: &Unlock, settings: &Settings) -> Result<Backup> {
    let mut attempt = 1;
    loop {
        let typed = passphrase::ask(passphrase::BACKUP, settings)?;
        match Backup::open_blocking(file, &unlock.clone().with_passphrase(typed)) {
            Err(error) if error.kind() == ErrorKind::WrongKey && attempt < ask::TRIES => {
                attempt += 1;
                passphrase::say_wrong(attempt)?;
            }
            opened => return Ok(opened?),
        }
    }
}

fn of_another_service(backup: &Backup, flags: &Restore, settings: &Settings) -> Failure {
    let (theirs, ours) = (printable(backup.service()), printable(&settings.service));
    let restore = Command::new("restore")
        .value(flags.file.display().to_string(), "FILE")
        .on(backup.service());
    Failure::new(
        Exit::Failed,
        ErrorKind::Conflict.code(),
        format!(
            "the backup is of the service \"{theirs}\", and this is \"{ours}\"; nothing was changed"
        ),
        Advice::from(restore.does("restores it where it belongs"))
            .and("With --any-service it is restored here."),
    )
}

/// Shows the plan, and asks for the name of the service: a stray key must not confirm a loss.
fn agree(
    plan: &RestorePlan,
    backup: &Backup,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    let service = printable(&settings.service);
    output.question(&shown(plan, backup, output.width()))?;
    let question = format!("Type the name of the service to go on ({service}): ");
    let answer = ask_openly(&question, "Say so beforehand with --yes.", output)?;
    if answer == settings.service {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Locked,
        ErrorKind::Dismissed.code(),
        "the answer was not the name of the service; nothing was changed",
        "Run it again, or without --replace: then nothing is removed.",
    ))
}

fn report(
    plan: &RestorePlan,
    backup: &Backup,
    vault: &SecretManager,
    dry_run: bool,
    asked: bool,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    let width = output.width();
    output.result(
        || if asked { String::new() } else { shown(plan, backup, width) },
        || answer(as_json(plan, backup, dry_run), &settings.service, vault),
    )?;
    let count = |action| plan.with(action).count();
    let (added, replaced) = (count(RestoreAction::Add), count(RestoreAction::Replace));
    let (kept, removed) = (count(RestoreAction::Keep), count(RestoreAction::Remove));
    let would = if dry_run { "Would restore" } else { "Restored" };
    output.confirm(format_args!(
        "{would} into {}: {added} added, {replaced} replaced, {kept} kept, {removed} removed.",
        vault.backend()
    ));
    Ok(())
}

/// Returns the plan as a table, without the secrets that are the same in both.
fn shown(plan: &RestorePlan, backup: &Backup, width: usize) -> String {
    let steps = plan.steps.iter().filter(|step| step.action != RestoreAction::Unchanged);
    let steps: Vec<_> = steps.collect();
    let made = local(backup.created_at());
    if steps.is_empty() {
        return format!("The vault holds what the backup of {made} holds: nothing to restore.\n");
    }
    let now = Timestamp::now();
    let columns = vec![
        Column::of("NAME", Importance::Whole, &steps, |it| printable(it.key.name())),
        Column::of("TARGET", Importance::Whole, &steps, |it| {
            printable(it.key.target().unwrap_or_default())
        }),
        Column::of("ACTION", Importance::Whole, &steps, |it| Cell {
            text: word(it.action).into(),
            mark: mark(it.action),
        }),
        Column::of("AGE IN VAULT", Importance::Whole, &steps, |it| age(it.in_vault, now)),
        Column::of("AGE IN BACKUP", Importance::Whole, &steps, |it| age(it.in_backup, now)),
    ];
    format!("The backup was made at {made}.\n\n") + &table(columns, width)
}

fn word(action: RestoreAction) -> &'static str {
    match action {
        RestoreAction::Add => "add",
        RestoreAction::Replace => "replace",
        RestoreAction::Keep => "keep",
        RestoreAction::Remove => "remove",
        _ => "unchanged",
    }
}

/// Returns the mark of an action. A loss stands out.
fn mark(action: RestoreAction) -> Option<Mark> {
    match action {
        RestoreAction::Remove => Some(Mark::Problem),
        RestoreAction::Replace | RestoreAction::Keep => Some(Mark::Note),
        _ => None,
    }
}

fn as_json(plan: &RestorePlan, backup: &Backup, dry_run: bool) -> Value {
    json!({
        "mode": if plan.mode == RestoreMode::Replace { "replace" } else { "merge" },
        "dry_run": dry_run,
        "backup": {
            "service": backup.service(),
            "created_at": backup.created_at(),
            "generation": backup.generation(),
        },
        "secrets": plan.steps.iter().map(step_as_json).collect::<Vec<_>>(),
    })
}

fn step_as_json(step: &RestoreStep) -> Value {
    let mut fields = key_as_json(&step.key);
    fields["action"] = word(step.action).into();
    fields["updated_at_in_vault"] = json!(step.in_vault);
    fields["updated_at_in_backup"] = json!(step.in_backup);
    fields
}
