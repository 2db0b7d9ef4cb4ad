//! `config secure` and `config import`: a file's secrets into the store.

use strongroom::advice::Sentence;
use strongroom::blocking::SecretManager;
use strongroom::{Error, ErrorKind};
use strongroom_config::{ConfigFile, Plan, Prefer, Progress, Rules};

use super::plan::{as_json, shown};
use super::view::{secure_command, warn};
use crate::answer::answer;
use crate::args::{ConfigImport, ConfigSecure};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input;
use crate::output::{Output, question};
use crate::settings::Settings;
use crate::vault::open;
use crate::words::counted;

/// Shows the plan, asks, and carries it out.
pub(super) fn secure(
    flags: &ConfigSecure,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let asks = !flags.yes && !flags.dry_run;
    if asks && !settings.may_ask {
        return Err(Failure::usage(
            "nobody can be asked whether the secrets shall be moved; nothing was changed",
            "Say so beforehand with --yes, or see with --dry-run what would be done.",
        ));
    }
    let rules = flags.source.rules(settings);
    let rules = match flags.leave {
        Some(leave) => rules.leaving(leave.into()),
        None => rules,
    };
    let rules = flags.marker.iter().cloned().fold(rules, Rules::with_marker);
    let mut file = flags.source.file(rules, settings)?;
    if flags.session_store {
        file = file.taking_forgetful_stores();
    }
    let vault = open(settings)?;
    let plan = file.plan(&vault, flags.prefer.map_or(Prefer::Ask, Prefer::from));
    let plan = plan.map_err(|error| refused(error, &vault))?;
    let move_in = MoveIn { verb: "secure", file: &file, vault: &vault, plan: &plan, settings };
    let is_due = move_in.check(flags.dry_run, output)?;
    let asked = asks && is_due;
    if asked {
        move_in.agree(output)?;
    }
    let done = is_due.then(|| file.secure(&vault, &plan, progress(output))).transpose()?;
    move_in.report(is_due, asked, output)?;
    // Repeated after the move, since these places still have the values.
    warn(done.iter().flat_map(|done| &done.exposures).filter(|it| it.remains()), output);
    Ok(Exit::Done)
}

/// Shows the plan, and carries it out without asking, since the file stays as it is.
pub(super) fn import(
    flags: &ConfigImport,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let file = flags.source.file(flags.source.rules(settings), settings)?;
    let vault = open(settings)?;
    let plan = file.plan_import(&vault, flags.prefer.map_or(Prefer::Ask, Prefer::from))?;
    let move_in = MoveIn { verb: "import", file: &file, vault: &vault, plan: &plan, settings };
    let is_due = move_in.check(flags.dry_run, output)?;
    if is_due {
        file.import(&vault, &plan, progress(output))?;
    }
    move_in.report(is_due, false, output)?;
    Ok(Exit::Done)
}

/// A plan, with the file and the vault that it is made for.
struct MoveIn<'a> {
    verb: &'static str,
    file: &'a ConfigFile,
    vault: &'a SecretManager,
    plan: &'a Plan,
    settings: &'a Settings,
}

impl MoveIn<'_> {
    /// Warns of exposures and references, and returns whether there is something to do. A conflict is an error.
    fn check(&self, dry_run: bool, output: &mut Output) -> Result<bool> {
        warn(&self.plan.exposures, output);
        for key in &self.plan.references {
            output.remark(format_args!(
                "{key} is left out: the file holds a reference in place of its value"
            ));
        }
        let conflicts: Vec<_> = self.plan.conflicts().map(|step| step.key.to_string()).collect();
        if conflicts.is_empty() {
            return Ok(!dry_run && !self.plan.steps.is_empty());
        }
        self.show(false, output)?;
        Err(Failure::new(
            Exit::Failed,
            ErrorKind::Conflict.code(),
            format!(
                "the file and the store hold different values of {}; nothing was changed",
                conflicts.join(", ")
            ),
            "Say which counts: --prefer file takes the file's value, --prefer store keeps the store's.",
        ))
    }

    fn agree(&self, output: &mut Output) -> Result<()> {
        output.question(&(shown(self.plan, output.width()) + "\n"))?;
        let (secrets, backend) = (counted(self.plan.steps.len()), self.vault.backend());
        let question = format!("Move {secrets} into {backend} (y/n)? ");
        if input::agrees(&question, "Say so beforehand with --yes.", output)? {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Locked,
            ErrorKind::Dismissed.code(),
            "the answer was not yes; nothing was changed",
            "Run it again if the secrets shall be moved.",
        ))
    }

    /// Prints the plan, unless the question has shown it, and the result.
    fn report(&self, is_done: bool, asked: bool, output: &mut Output) -> Result<()> {
        if self.settings.json || !asked {
            self.show(is_done, output)?;
        }
        let (secrets, backend) = (counted(self.plan.steps.len()), self.vault.backend());
        let file = super::view::shown(self.file.path());
        let done = match (self.verb, is_done) {
            ("secure", true) => "Moved",
            ("secure", false) => "Would move",
            (_, true) => "Copied",
            (_, false) => "Would copy",
        };
        if !self.plan.steps.is_empty() {
            output.confirm(format_args!("{done} {secrets} of {file} into {backend}."));
        }
        if self.verb == "import" && is_done {
            let text = output.spoken(
                Sentence::from("The file still has them: ")
                    .command(secure_command(self.file.path()))
                    .text(" takes them out."),
            );
            output.confirm(text);
        }
        Ok(())
    }

    fn show(&self, is_done: bool, output: &mut Output) -> Result<()> {
        let width = output.width();
        output.result(
            || shown(self.plan, width),
            || {
                let fields = as_json(self.plan, is_done, self.file);
                answer(fields, &self.settings.service, self.vault)
            },
        )?;
        Ok(())
    }
}

/// Returns a function that shows each step, if progress is to be shown.
fn progress(output: &Output) -> impl FnMut(Progress<'_>) {
    let is_shown = output.shows_progress();
    move |step| {
        let text = match step {
            Progress::Storing(key) => format!("Storing {key}\n"),
            Progress::Comparing(key) => format!("Reading {key} back\n"),
            Progress::Writing => "Writing the file\n".to_owned(),
            _ => return,
        };
        if is_shown {
            // A terminal that is gone is no reason to stop.
            let _ = question(&text);
        }
    }
}

/// Returns the failure for a plan that was refused, with the ways out if the store forgets.
fn refused(error: Error, vault: &SecretManager) -> Failure {
    if error.kind() != ErrorKind::Unsupported || vault.is_persistent() {
        return error.into();
    }
    let backend = vault.backend();
    Failure::new(
        Exit::Failed,
        ErrorKind::Unsupported.code(),
        format!(
            "{backend} forgets its secrets, and the file would not have them any more; nothing was changed"
        ),
        "With --backend file an encrypted file keeps them for good; with --session-store they move all the same.",
    )
}
