//! Backups of a vault's secrets, and their restoration.

use std::collections::BTreeSet;

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, Secret, SecretBytes, SecretKey,
    SecretMetadata, Timestamp,
};

use crate::shared::Shared;
use crate::vault::backup::{self, Document};
use crate::vault::{Engine, Payload};

#[cfg(test)]
mod tests;

/// The treatment of secrets that differ or that the backup does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreMode {
    /// Removes nothing. If vault and backup differ, the secret that was written last stays.
    Merge,
    /// Makes the vault hold the secrets of the backup and nothing else.
    Replace,
}

/// The plan of a restore, secret by secret. It contains no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestorePlan {
    /// The mode that the plan was made for.
    pub mode: RestoreMode,
    /// The secrets of the backup and the secrets that are removed, sorted by name and target.
    pub steps: Vec<RestoreStep>,
}

/// The step of a restore that concerns a single secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreStep {
    /// The secret's name and target.
    pub key: SecretKey,
    /// The action on the secret.
    pub action: RestoreAction,
    /// The time of the last write in the vault, if the secret is there and the time is known.
    pub in_vault: Option<Timestamp>,
    /// The time of the last write in the backup, if the secret is there and the time is known.
    pub in_backup: Option<Timestamp>,
}

/// The action of a restore on a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreAction {
    /// Adds a secret that the vault does not have.
    Add,
    /// Replaces a secret of the vault by a different secret of the backup.
    Replace,
    /// Keeps a secret of the vault that differs from the backup's, because the backup's is not known to be
    /// newer.
    Keep,
    /// Does nothing: vault and backup have the same secret.
    Unchanged,
    /// Removes a secret that the backup does not have.
    Remove,
}

/// The secrets of a vault at a single generation.
pub(crate) struct Snapshot {
    /// The backup before its encryption.
    pub(crate) json: SecretBytes,
    pub(crate) generation: u64,
    pub(crate) secrets: usize,
}

impl RestorePlan {
    /// Returns the secrets with this action, sorted by name and target.
    pub fn with(&self, action: RestoreAction) -> impl Iterator<Item = &SecretKey> {
        self.steps.iter().filter(move |step| step.action == action).map(|step| &step.key)
    }

    /// Returns whether the restore would change the vault.
    pub fn changes_anything(&self) -> bool {
        use RestoreAction::{Add, Remove, Replace};
        self.steps.iter().any(|step| matches!(step.action, Add | Replace | Remove))
    }

    fn of(vault: &Payload, backup: &Payload, mode: RestoreMode) -> Self {
        let keys: BTreeSet<_> = vault.secrets().keys().chain(backup.secrets().keys()).collect();
        let steps = keys.into_iter().filter_map(|key| {
            let action = action(vault, backup, mode, key)?;
            let (in_vault, in_backup) = (updated_at(vault, key), updated_at(backup, key));
            Some(RestoreStep { key: key.clone(), action, in_vault, in_backup })
        });
        Self { mode, steps: steps.collect() }
    }
}

/// Writes the secrets of a single generation as a backup.
pub(crate) fn back_up(engine: &Engine) -> Result<Snapshot> {
    let now = engine.now();
    let snapshot = engine.read(|vault| {
        let vault = vault.snapshot()?;
        Ok(Snapshot {
            json: backup::write(&vault, engine.storage.service().as_str(), now),
            generation: vault.generation,
            secrets: vault.secrets().len(),
        })
    });
    snapshot.map_err(|error| error.during(Operation::Backup))
}

/// Plans a restoration. Changes nothing.
pub(crate) fn plan_restore(
    engine: &Engine,
    backup: &Document,
    mode: RestoreMode,
) -> Result<RestorePlan> {
    let plan = engine.read(|vault| Ok(RestorePlan::of(&vault.snapshot()?, &backup.payload, mode)));
    plan.map_err(|error| error.during(Operation::Restore))
}

/// Carries out a plan in a single commit. The restored secrets have the times of the backup.
///
/// # Errors
///
/// `Conflict` if the vault has changed so that the plan would be different. Nothing is changed then.
pub(crate) fn restore(shared: &Shared, backup: &Document, plan: &RestorePlan) -> Result<()> {
    // A plan that changes nothing needs no commit, as long as it is still the plan.
    if !plan.changes_anything() && plan_restore(&shared.engine, backup, plan.mode)? == *plan {
        return Ok(());
    }
    let restored = shared.commit(|vault| {
        if RestorePlan::of(&vault.snapshot()?, &backup.payload, plan.mode) != *plan {
            return Err(changed_meanwhile());
        }
        use RestoreAction::{Add, Replace};
        // All checks come first: in the layout `entries` a change that fails half way is not undone.
        for step in &plan.steps {
            let secret = backup.payload.secrets().get(&step.key);
            if let (Add | Replace, Some(secret)) = (step.action, secret) {
                vault.check(&step.key, &secret.metadata)?;
            }
        }
        for step in &plan.steps {
            match step.action {
                Add | Replace => {
                    vault.copy_from(&backup.payload, &step.key)?;
                }
                RestoreAction::Remove => drop(vault.remove(&step.key)?),
                RestoreAction::Keep | RestoreAction::Unchanged => {}
            }
        }
        Ok(())
    });
    restored.map_err(|error| shared.engine.storage.named(error.during(Operation::Restore)))
}

fn updated_at(payload: &Payload, key: &SecretKey) -> Option<Timestamp> {
    payload.secrets().get(key)?.metadata.updated_at
}

/// Returns the action on a secret, or `None` if it is not in the backup and stays in the vault.
fn action(
    vault: &Payload,
    backup: &Payload,
    mode: RestoreMode,
    key: &SecretKey,
) -> Option<RestoreAction> {
    use RestoreAction::{Add, Keep, Remove, Replace, Unchanged};
    Some(match (vault.secrets().get(key), backup.secrets().get(key), mode) {
        (None, _, _) => Add,
        (Some(_), None, RestoreMode::Replace) => Remove,
        (Some(_), None, RestoreMode::Merge) => return None,
        _ if vault.is_same(backup, key) => Unchanged,
        (Some(_), Some(_), RestoreMode::Replace) => Replace,
        (Some(ours), Some(theirs), RestoreMode::Merge) => {
            let newer = theirs.metadata.updated_at > ours.metadata.updated_at;
            match (newer, says_the_same(ours, theirs)) {
                (_, true) => Unchanged,
                // A secret without a time, as in vaults of version 0, may be newer than the backup's.
                (true, false) if ours.metadata.updated_at.is_some() => Replace,
                _ => Keep,
            }
        }
    })
}

/// Returns whether two secrets are equal apart from their times.
fn says_the_same(one: &Secret, two: &Secret) -> bool {
    one.value.expose_secret() == two.value.expose_secret()
        && without_times(&one.metadata) == without_times(&two.metadata)
}

fn without_times(metadata: &SecretMetadata) -> SecretMetadata {
    let mut metadata = metadata.clone();
    (metadata.created_at, metadata.updated_at) = (None, None);
    metadata
}

fn changed_meanwhile() -> Error {
    Error::new(ErrorKind::Conflict, Operation::Restore)
        .with_message(
            "the vault is not the one that the restore was planned for; nothing was changed",
        )
        .with_hint("Somebody changed it in between: plan the restore again.")
}
