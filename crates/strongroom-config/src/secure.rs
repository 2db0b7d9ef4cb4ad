//! Moving secrets: into the store first, then out of the file. If the process is killed in between, no secret is lost,
//! and the next attempt continues.

use strongroom::blocking::SecretManager;
use strongroom::{
    Backend, ErrorKind, ExposeSecret, Layout, Result, Secret, SecretKey, SecretString,
};

use crate::config_file::ConfigFile;
use crate::error;
use crate::file_secret::{Content, FileSecret};
use crate::plan::{Action, Plan, Purpose, Step};
use crate::planning::Work;
use crate::replace::replace;
use crate::source::Source;
use crate::{Ages, Exposure};

/// The progress of a move. Each step is reported before it is done, except for [`Done`](Self::Done).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Writing a secret to the store.
    Storing(&'a SecretKey),
    /// Reading a secret back from the store, and comparing it with the file's value.
    Comparing(&'a SecretKey),
    /// Writing the new file beside the old file.
    Writing,
    /// Replacing the old file with the new file.
    Replacing,
    /// The move is complete.
    Done,
}

/// The result of a move or an import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Secured {
    /// The secrets that are now in the store.
    pub secrets: Vec<SecretKey>,
    /// The backend of the store.
    pub backend: Backend,
    /// The exposures of the values before the move. Some [remain](Exposure::remains).
    pub exposures: Vec<Exposure>,
}

impl ConfigFile {
    /// Moves the secrets of the file into the store, as planned. Each is written to the store, read back and compared.
    /// Then the file is replaced by a file without the secrets, and with the marker.
    ///
    /// - If the move fails, or the process is killed, each value is still in the file, in the store, or in both. A new
    ///   plan has the remaining steps.
    /// - The file keeps its owner and permissions. A symbolic link stays a symbolic link.
    /// - The old content may still be found on the disk, in snapshots and in backups.
    ///
    /// # Errors
    ///
    /// `Conflict` if the plan has [conflicts](Plan::conflicts), if the file or the store has changed since the plan was
    /// made, or if another program writes the file meanwhile, whose text then stays. `Corrupt` if the store doesn't
    /// return the value that was stored. `Busy` if another process replaces the file. Also the errors of
    /// [`plan`](Self::plan), those of changing the vault, and `Io` and `AccessDenied` for the file.
    pub fn secure(
        &self,
        secrets: &SecretManager,
        plan: &Plan,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<Secured> {
        // Planned again from the file and the store as they are, so that an outdated plan changes nothing.
        let work = self.work_for(secrets, plan, Purpose::Secure)?;
        work.store(secrets, &mut progress)?;
        write(&work.snapshot.source, &work.text, &mut progress)?;
        Ok(work.into_result(secrets.backend()))
    }

    /// Copies the secrets of the file into the store, as [planned](Self::plan_import), and reads them back. The
    /// file stays as it is.
    ///
    /// # Errors
    ///
    /// As [`secure`](Self::secure), without the errors that concern writing the file.
    pub fn import(
        &self,
        secrets: &SecretManager,
        plan: &Plan,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<Secured> {
        let work = self.work_for(secrets, plan, Purpose::Import)?;
        work.store(secrets, &mut progress)?;
        progress(Progress::Done);
        Ok(work.into_result(secrets.backend()))
    }

    /// Plans again, and returns the work for a plan.
    ///
    /// # Errors
    ///
    /// `Conflict` if the new plan is another, or has conflicts; and the errors of [`plan`](Self::plan).
    fn work_for(&self, secrets: &SecretManager, plan: &Plan, purpose: Purpose) -> Result<Work> {
        let work = self.work(secrets, plan.prefer, purpose)?;
        if !work.plan.is_same_work(plan) {
            return Err(error::changed_since_plan(&self.path));
        }
        match plan.conflicts().next() {
            Some(step) => Err(error::different_values(&step.key)),
            None => Ok(work),
        }
    }
}

/// Replaces the text of a file. An untouched file keeps its time of change.
pub(crate) fn write(
    source: &Source,
    text: &str,
    progress: &mut impl FnMut(Progress<'_>),
) -> Result<()> {
    if text != source.text.as_str() {
        progress(Progress::Writing);
        replace(source, text, || progress(Progress::Replacing))?;
    }
    progress(Progress::Done);
    Ok(())
}

impl Work {
    /// Writes the missing values to the store, and reads all values back.
    fn store(
        &self,
        manager: &SecretManager,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<()> {
        if !self.create_all(manager, progress)? {
            self.store_in_turn(manager, progress)?;
        }
        self.compare_all(manager, progress)
    }

    /// Writes all values in a single batch, if the store has none of the secrets. Returns whether it did.
    fn create_all(
        &self,
        manager: &SecretManager,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<bool> {
        if !self.values().all(|(step, ..)| step.action == Action::Store) {
            return Ok(false);
        }
        let created = manager.batch(|batch| {
            for (step, secret, value) in self.values() {
                progress(Progress::Storing(&step.key));
                batch.create(&step.key, new_secret(manager, secret, value));
            }
        });
        match created {
            // Another process has stored a secret since the plan. The caller then takes the secrets in turn.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            created => created.map(|()| true),
        }
    }

    fn store_in_turn(
        &self,
        manager: &SecretManager,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<()> {
        for (step, secret, value) in self.values() {
            let replaced = match step.action {
                Action::Store => None,
                Action::TakeFile(ages) => Some(ages),
                _ => continue,
            };
            progress(Progress::Storing(&step.key));
            store_unless_changed(manager, secret, value, replaced)?;
        }
        Ok(())
    }

    fn compare_all(
        &self,
        manager: &SecretManager,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<()> {
        // An inline vault is read from memory, which proves nothing about the store, unless its copy is forgotten first. A
        // vault in an encrypted file is read from the file, and forgetting it would ask for its passphrase again.
        if manager.layout() == Layout::Inline {
            manager.forget();
        }
        for (step, _, value) in self.values() {
            progress(Progress::Comparing(&step.key));
            compare(manager, step, value)?;
        }
        Ok(())
    }

    /// Returns the steps with a value in the file, and their secrets.
    fn values(&self) -> impl Iterator<Item = (&Step, &FileSecret, &SecretString)> {
        let steps = self.plan.steps.iter().zip(&self.step_secrets);
        steps.filter_map(|(step, number)| match &self.snapshot.secrets[*number] {
            secret @ FileSecret { content: Content::Value(value), .. } => {
                Some((step, secret, value))
            }
            _ => None,
        })
    }

    fn into_result(self, backend: Backend) -> Secured {
        let mut secrets: Vec<_> = self.plan.steps.into_iter().map(|step| step.key).collect();
        secrets.sort();
        secrets.dedup();
        Secured { secrets, backend, exposures: self.plan.exposures }
    }
}

/// Checks that the store has the value that the file is about to give up.
fn compare(manager: &SecretManager, step: &Step, value: &SecretString) -> Result<()> {
    let is_there = match step.action {
        // The store's value is another, and may have expired: it only has to be there.
        Action::KeepStore(_) => manager.exists(&step.key)?,
        _ => manager
            .get(&step.key)?
            .is_some_and(|stored| stored.value.expose_secret() == value.expose_secret()),
    };
    if is_there { Ok(()) } else { Err(error::not_read_back(&step.key)) }
}

/// Writes a value to the store, if the store has no value, the same value, or the value of the age in `replaced`.
///
/// # Errors
///
/// `Conflict` if the store has another value, and the errors of changing the vault.
fn store_unless_changed(
    manager: &SecretManager,
    secret: &FileSecret,
    value: &SecretString,
    replaced: Option<Ages>,
) -> Result<()> {
    let mut has_changed = false;
    let new = new_secret(manager, secret, value);
    // Decided inside of the update: another process may have stored a value since the plan.
    manager.update(&secret.key, |old| match old {
        Some(old) if old.value.expose_secret() == new.value.expose_secret() => Some(old),
        Some(old) if replaced.is_none_or(|ages| ages.store != old.metadata.updated_at) => {
            has_changed = true;
            Some(old)
        }
        _ => Some(new),
    })?;
    if has_changed { Err(error::different_values(&secret.key)) } else { Ok(()) }
}

fn new_secret(manager: &SecretManager, secret: &FileSecret, value: &SecretString) -> Secret {
    let mut new = Secret::new(SecretString::from(value.expose_secret()));
    // Entries of their own keep no metadata, and refuse a secret that has some. The provider is still in the rules.
    if manager.capabilities().keeps_metadata {
        new.metadata = secret.metadata.clone();
    }
    new
}
