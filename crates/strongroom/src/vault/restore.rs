//! A vault's secrets out into a backup, and back.

use std::collections::BTreeSet;

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, Secret, SecretBytes, SecretKey,
    Timestamp,
};

use super::engine::Vault;
use super::payload::Payload;

#[cfg(test)]
mod tests;
use super::payload::backup::{self, Document};

/// What becomes of secrets that differ, or that the backup doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreMode {
    /// Nothing is removed. Where vault and backup differ, the one that was written last stays.
    Merge,
    /// Afterwards the vault holds what the backup holds, and nothing else.
    Replace,
}

/// What a restore does, secret by secret. It names no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestorePlan {
    /// The way of restoring that it is the plan of.
    pub mode: RestoreMode,
    /// The secrets of the backup, and those that are removed, by name and target.
    pub steps: Vec<RestoreStep>,
}

/// What a restore does about one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreStep {
    /// The secret.
    pub key: SecretKey,
    /// What is done.
    pub action: RestoreAction,
    /// When it was last written in the vault, if it is there and that is known.
    pub in_vault: Option<Timestamp>,
    /// When it was last written in the backup, if it is there and that is known.
    pub in_backup: Option<Timestamp>,
}

/// What is done about a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreAction {
    /// The vault doesn't have it, and gets it.
    Add,
    /// Both have it and differ: the backup's takes the place of the vault's.
    Replace,
    /// Both have it and differ: the vault's stays, because the backup's is not known to be newer.
    Keep,
    /// Both have the same.
    Unchanged,
    /// The backup doesn't have it, and it goes.
    Remove,
}

/// A vault's secrets at one generation.
pub(crate) struct Snapshot {
    /// The backup, not encrypted yet.
    pub(crate) json: SecretBytes,
    pub(crate) generation: u64,
    pub(crate) secrets: usize,
}

impl RestorePlan {
    /// The secrets about which this is done, by name and target.
    pub fn with(&self, action: RestoreAction) -> impl Iterator<Item = &SecretKey> {
        self.steps.iter().filter(move |step| step.action == action).map(|step| &step.key)
    }

    /// Whether the vault would be another one afterwards.
    pub fn changes_anything(&self) -> bool {
        use RestoreAction::{Add, Remove, Replace};
        self.steps.iter().any(|step| matches!(step.action, Add | Replace | Remove))
    }

    fn of(vault: &Payload, backup: &Payload, mode: RestoreMode) -> Self {
        let updated = |payload: &Payload, key: &SecretKey| {
            payload.secrets().get(key).and_then(|secret| secret.metadata.updated_at)
        };
        let keys: BTreeSet<_> = vault.secrets().keys().chain(backup.secrets().keys()).collect();
        let steps = keys.into_iter().filter_map(|key| {
            let action = action(vault, backup, mode, key)?;
            let (in_vault, in_backup) = (updated(vault, key), updated(backup, key));
            Some(RestoreStep { key: key.clone(), action, in_vault, in_backup })
        });
        Self { mode, steps: steps.collect() }
    }
}

impl Vault {
    /// The secrets of one generation, as a backup.
    pub(crate) fn back_up(&self) -> Result<Snapshot> {
        let now = self.now();
        let snapshot = self.read(|vault| {
            let vault = vault.snapshot()?;
            Ok(Snapshot {
                json: backup::write(&vault, self.service().as_str(), now),
                generation: vault.generation,
                secrets: vault.secrets().len(),
            })
        });
        snapshot.map_err(|error| error.during(Operation::Backup))
    }

    pub(crate) fn plan_restore(&self, backup: &Document, mode: RestoreMode) -> Result<RestorePlan> {
        let plan =
            self.read(|vault| Ok(RestorePlan::of(&vault.snapshot()?, &backup.payload, mode)));
        plan.map_err(|error| error.during(Operation::Restore))
    }

    /// Does what the plan says, all of it in one commit. The times of what is restored are the backup's.
    pub(crate) fn restore(&self, backup: &Document, plan: &RestorePlan) -> Result<()> {
        if !plan.changes_anything() && self.plan_restore(backup, plan.mode)? == *plan {
            return Ok(());
        }
        let restored = self.commit(|vault| {
            if RestorePlan::of(&vault.snapshot()?, &backup.payload, plan.mode) != *plan {
                return Err(changed_meanwhile());
            }
            use RestoreAction::{Add, Replace};
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
        restored.map_err(|error| self.named(error.during(Operation::Restore)))
    }
}

/// What is done about a secret that one of them has; `None` if it is none of the backup's business.
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
                (true, false) if ours.metadata.updated_at.is_some() => Replace,
                _ => Keep,
            }
        }
    })
}

/// Whether they differ in their times alone.
fn says_the_same(one: &Secret, two: &Secret) -> bool {
    let known = |secret: &Secret| {
        let metadata = &secret.metadata;
        (metadata.provider.clone(), metadata.scope.clone(), metadata.expires_at)
    };
    one.value.expose_secret() == two.value.expose_secret() && known(one) == known(two)
}

fn changed_meanwhile() -> Error {
    Error::new(ErrorKind::Conflict, Operation::Restore)
        .with_message(
            "the vault is not the one that the restore was planned for; nothing was changed",
        )
        .with_hint("Somebody changed it in between: plan the restore again.")
}
