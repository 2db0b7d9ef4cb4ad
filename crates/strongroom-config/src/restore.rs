//! Restoring: the values of a file's references come back into the file. The store keeps them.

use std::fmt;

use strongroom::blocking::SecretManager;
use strongroom::{ExposeSecret, Result, SecretKey};
use zeroize::Zeroizing;

use crate::config_file::ConfigFile;
use crate::edit::{self, Change};
use crate::exposure::{Exposure, exposures_of_values};
use crate::file_secret::FileSecret;
use crate::secure::{Progress, write};
use crate::snapshot::Snapshot;
use crate::source::Stamp;
use crate::stored::{StoredSecret, StoredSecrets};
use crate::{ConfigPath, Position, error};

/// The references of a file that a restoration replaces by their values. A plan contains no values.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestorePlan {
    /// The references that become values again, in the order of the rules and of the file.
    pub steps: Vec<RestoreStep>,
    /// The references that stay, because the store has no value for them.
    pub dangling: Vec<DanglingReference>,
    /// The exposures that the values have in the file.
    pub exposures: Vec<Exposure>,
    stamp: Stamp,
}

/// A reference that becomes a value again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreStep {
    /// The key of the secret in the store.
    pub key: SecretKey,
    /// The path of the reference in the file.
    pub path: ConfigPath,
    /// The line and column of the reference in the file.
    pub position: Position,
}

/// A reference to a secret without a value in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DanglingReference {
    /// The key of the secret.
    pub key: SecretKey,
    /// The path of the reference in the file.
    pub path: ConfigPath,
    /// The line and column of the reference in the file.
    pub position: Position,
    /// Set if the store has the secret, and it has expired. It is missing otherwise.
    pub has_expired: bool,
}

/// The result of a restoration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The secrets with their values in the file, without duplicates. The store still has them.
    pub secrets: Vec<SecretKey>,
    /// The references that stayed.
    pub dangling: Vec<DanglingReference>,
    /// The exposures that the values now have.
    pub exposures: Vec<Exposure>,
}

impl ConfigFile {
    /// Plans a restoration, for [`restore`](Self::restore). Changes nothing.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status). Also `Invalid`, with line and column, if the format can't represent a value in the place
    /// of its reference.
    pub fn plan_restore(&self, secrets: &SecretManager) -> Result<RestorePlan> {
        self.restoration(secrets).map(|restoration| restoration.plan)
    }

    /// Replaces the references of the file by their values, as planned. The values stay in the store.
    ///
    /// - Each value stands in the quotes of its reference if they can hold it, and else in quotes that can. All other bytes
    ///   of the file stay. A [`Marker`](crate::Marker) stays, too.
    /// - After [`secure`](Self::secure), this brings the same bytes back, except for numbers, which come back as text, and for
    ///   values that were spelled with escapes, on several lines, or in YAML without quotes between brackets: they come back
    ///   in another spelling of the same value.
    /// - Only references become values: a place that was left empty stays empty.
    /// - The file keeps its owner and permissions. If the process is killed, either the old or the new file is complete.
    ///
    /// # Errors
    ///
    /// `Conflict` if the file, or what the store has of it, has changed since the plan was made, or if another program writes
    /// the file meanwhile, whose text then stays. `Busy` if another process replaces the file. Also the errors of
    /// [`plan_restore`](Self::plan_restore), and `Io` and `AccessDenied` for the file.
    pub fn restore(
        &self,
        secrets: &SecretManager,
        plan: &RestorePlan,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<Restored> {
        // Planned again from the file and the store as they are, so that an outdated plan changes nothing.
        let restoration = self.restoration(secrets)?;
        if !restoration.plan.is_same_work(plan) {
            return Err(error::changed_since_plan(&self.path));
        }
        let Restoration { plan, snapshot, text } = restoration;
        write(&snapshot.source, &text, &mut progress)?;
        Ok(plan.into_result())
    }

    /// Plans a restoration from the file and the store as they are now.
    fn restoration(&self, manager: &SecretManager) -> Result<Restoration> {
        let snapshot = self.read()?;
        let keys = snapshot.references().map(|secret| &secret.key);
        let stored = StoredSecrets::read(Some(manager), keys)?;
        let changes = snapshot.references().filter_map(|secret| change(secret, &stored));
        let Snapshot { source, document, .. } = &snapshot;
        let text =
            edit::apply_changes(self.format, &source.text, document, &changes.collect::<Vec<_>>())
                .map_err(|flaw| self.flaw_error(source, flaw.with_hint(NOT_RESTORED)))?;
        let mut plan = RestorePlan::new(&snapshot, &stored);
        // A file that gets no values exposes none.
        if plan.changes_anything() {
            plan.exposures = exposures_of_values(&self.path, &snapshot, &stored);
        }
        Ok(Restoration { plan, text, snapshot })
    }
}

/// Returns the change from a reference to its value. `None` if the store has no value for it.
fn change<'a>(secret: &FileSecret, stored: &'a StoredSecrets) -> Option<(usize, Change<'a>)> {
    let value = stored.value(&secret.key)?;
    Some((secret.node?, Change::Text(value.expose_secret())))
}

const NOT_RESTORED: &str = "Nothing was changed. Store a value that the format can represent, or write it into the file by hand.";

/// A plan with everything that carrying it out needs.
struct Restoration {
    plan: RestorePlan,
    snapshot: Snapshot,
    /// The new text of the file.
    text: Zeroizing<String>,
}

impl RestorePlan {
    /// Creates the plan without its exposures.
    fn new(snapshot: &Snapshot, stored: &StoredSecrets) -> Self {
        let (mut steps, mut dangling) = (Vec::new(), Vec::new());
        for secret in snapshot.references() {
            // A path of a rule that is not in the file has no reference, so each of these has a position.
            let position = snapshot.position(secret).unwrap_or(Position::START);
            let (key, path) = (secret.key.clone(), secret.path.clone());
            match stored.get(&key) {
                Some(StoredSecret::Valid(_)) => steps.push(RestoreStep { key, path, position }),
                other => {
                    let has_expired = other.is_some();
                    dangling.push(DanglingReference { key, path, position, has_expired });
                }
            }
        }
        Self { steps, dangling, exposures: Vec::new(), stamp: snapshot.source.stamp }
    }

    /// Returns whether the plan changes the file.
    pub fn changes_anything(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Returns whether two plans do the same. Their exposures may differ: an editor can make a copy at any time.
    fn is_same_work(&self, other: &Self) -> bool {
        let same = Self { exposures: other.exposures.clone(), ..self.clone() };
        same == *other
    }

    fn into_result(self) -> Restored {
        let mut secrets: Vec<_> = self.steps.into_iter().map(|step| step.key).collect();
        secrets.sort();
        secrets.dedup();
        Restored { secrets, dangling: self.dangling, exposures: self.exposures }
    }
}

impl fmt::Debug for RestorePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestorePlan")
            .field("steps", &self.steps)
            .field("dangling", &self.dangling)
            .field("exposures", &self.exposures)
            .finish_non_exhaustive()
    }
}
