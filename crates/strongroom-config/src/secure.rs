//! Moving secrets: into the store first, then out of the file. A process that is killed in between has lost
//! nothing, and the next one goes on.

use strongroom::blocking::SecretManager;
use strongroom::{
    Backend, ErrorKind, ExposeSecret, Layout, Result, Secret, SecretKey, SecretString,
};

use crate::config_file::ConfigFile;
use crate::error;
use crate::find::{Content, Found};
use crate::plan::{Action, Plan, Purpose, Step, Work};
use crate::replace::replace;
use crate::{Ages, Exposure};

/// How far the move is. Each is told before it is done, but for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A secret is written to the store.
    Storing(&'a SecretKey),
    /// It is read back, and compared with the file's.
    Comparing(&'a SecretKey),
    /// The new file is written beside the old one.
    Writing,
    /// The new file takes the old one's place.
    Replacing,
    /// All of it is done.
    Done,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Secured {
    /// The secrets that are now in the store.
    pub secrets: Vec<SecretKey>,
    /// Which store that is.
    pub backend: Backend,
    /// The exposures of the values before the move. Some [remain](Exposure::remains).
    pub exposures: Vec<Exposure>,
}

impl ConfigFile {
    /// Moves the secrets of the file into the store, as planned: each is written to the store, read back and
    /// compared; then the file is replaced by one without them, and with the marker.
    ///
    /// - Where this ends before its end, killed or by an error, each value is still in the file or in the store,
    ///   or in both. A new plan then says what is left to do.
    /// - The file keeps its owner and permissions, and if it is a symbolic link, that stays one.
    /// - What stood in the file may still be found on the disk, in snapshots and in backups.
    ///
    /// # Errors
    ///
    /// `Conflict` if the plan has [conflicts](Plan::conflicts), if file or store are not as they were when it was
    /// made, or if somebody writes the file meanwhile: nothing of theirs is written over. `Corrupt` if the store
    /// doesn't return what it was given. `Busy` if another process replaces the file. As [`plan`](Self::plan),
    /// as a change of the vault, and `Io` and `AccessDenied` for the file.
    pub fn secure(
        &self,
        secrets: &SecretManager,
        plan: &Plan,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<Secured> {
        let work = self.checked(secrets, plan, Purpose::Secure)?;
        work.store(secrets, &mut progress)?;
        if *work.text != *work.read.source.text {
            progress(Progress::Writing);
            replace(&work.read.source, &work.text, || progress(Progress::Replacing))?;
        }
        progress(Progress::Done);
        Ok(work.done(secrets.backend()))
    }

    /// Copies the secrets of the file into the store, as [planned](Self::plan_import), and reads them back. The
    /// file stays as it is.
    ///
    /// # Errors
    ///
    /// As [`secure`](Self::secure), but for what is about writing the file.
    pub fn import(
        &self,
        secrets: &SecretManager,
        plan: &Plan,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<Secured> {
        let work = self.checked(secrets, plan, Purpose::Import)?;
        work.store(secrets, &mut progress)?;
        progress(Progress::Done);
        Ok(work.done(secrets.backend()))
    }

    /// The work that a plan is of, if it still is.
    fn checked(&self, secrets: &SecretManager, plan: &Plan, purpose: Purpose) -> Result<Work> {
        let work = self.work(secrets, plan.prefer, purpose)?;
        if !work.plan.is_same_work(plan) {
            return Err(error::changed_since_plan(&self.path));
        }
        match plan.conflicts().next() {
            Some(step) => Err(error::differs(&step.key)),
            None => Ok(work),
        }
    }
}

impl Work {
    /// Writes to the store what it doesn't have, and reads all of it back from there.
    fn store(
        &self,
        secrets: &SecretManager,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<()> {
        if self.create_all(secrets, progress)? {
            return self.compare_all(secrets, progress);
        }
        for (step, found, value) in self.values() {
            let over = match step.action {
                Action::Store => None,
                Action::TakeFile(ages) => Some(ages),
                _ => continue,
            };
            progress(Progress::Storing(&step.key));
            put(secrets, found, value, over)?;
        }
        self.compare_all(secrets, progress)
    }

    /// Writes all of it at once, if the store has none of it, and returns whether it did.
    fn create_all(
        &self,
        secrets: &SecretManager,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<bool> {
        if !self.values().all(|(step, ..)| step.action == Action::Store) {
            return Ok(false);
        }
        let created = secrets.batch(|batch| {
            for (step, found, value) in self.values() {
                progress(Progress::Storing(&step.key));
                batch.create(&step.key, new_secret(secrets, found, value));
            }
        });
        match created {
            // Another process was faster with one of them.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            created => created.map(|()| true),
        }
    }

    fn compare_all(
        &self,
        secrets: &SecretManager,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<()> {
        // An inline vault is read from memory, which says nothing about the store. One in an encrypted file is
        // read from there, and would ask for its passphrase again.
        if secrets.layout() == Layout::Inline {
            secrets.forget();
        }
        for (step, _, value) in self.values() {
            progress(Progress::Comparing(&step.key));
            compare(secrets, step, value)?;
        }
        Ok(())
    }

    fn values(&self) -> impl Iterator<Item = (&Step, &Found, &SecretString)> {
        let steps = self.plan.steps.iter().zip(&self.steps);
        steps.filter_map(|(step, number)| match &self.read.found[*number] {
            found @ Found { content: Content::Value(value), .. } => Some((step, found, value)),
            _ => None,
        })
    }

    fn done(self, backend: Backend) -> Secured {
        let mut secrets: Vec<_> = self.plan.steps.into_iter().map(|step| step.key).collect();
        secrets.sort();
        secrets.dedup();
        Secured { secrets, backend, exposures: self.plan.exposures }
    }
}

/// Checks that the store has what the file is about to give up.
fn compare(secrets: &SecretManager, step: &Step, value: &SecretString) -> Result<()> {
    let is_there = match step.action {
        Action::KeepStore(_) => secrets.exists(&step.key)?,
        _ => secrets
            .get(&step.key)?
            .is_some_and(|stored| stored.value.expose_secret() == value.expose_secret()),
    };
    if is_there { Ok(()) } else { Err(error::not_read_back(&step.key)) }
}

/// Writes a value to the store: over nothing, over itself, or over the value of this age.
///
/// # Errors
///
/// `Conflict` if the store holds another value.
fn put(
    secrets: &SecretManager,
    found: &Found,
    value: &SecretString,
    over: Option<Ages>,
) -> Result<()> {
    let mut is_other = false;
    let new = new_secret(secrets, found, value);
    secrets.update(&found.key, |old| match old {
        Some(old) if old.value.expose_secret() == new.value.expose_secret() => Some(old),
        Some(old) if over.is_none_or(|ages| ages.store != old.metadata.updated_at) => {
            is_other = true;
            Some(old)
        }
        _ => Some(new),
    })?;
    if is_other { Err(error::differs(&found.key)) } else { Ok(()) }
}

fn new_secret(secrets: &SecretManager, found: &Found, value: &SecretString) -> Secret {
    let mut new = Secret::new(SecretString::from(value.expose_secret()));
    // The rules go on naming the provider where entries can't.
    if secrets.capabilities().keeps_metadata {
        new.metadata = found.metadata.clone();
    }
    new
}
