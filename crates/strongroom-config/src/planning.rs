//! Planning: the steps that a file and a store need, and the new text of the file.

use std::collections::HashMap;

use strongroom::blocking::SecretManager;
use strongroom::{ExposeSecret, Result, SecretKey};
use zeroize::Zeroizing;

use crate::config_file::ConfigFile;
use crate::edit::{self, Change};
use crate::exposure::find_exposures;
use crate::file_secret::{Content, FileSecret};
use crate::flaw::Flaw;
use crate::plan::{Action, Leaves, Plan, Prefer, Purpose, Step};
use crate::reference_to;
use crate::rules::{Leave, Marker};
use crate::snapshot::Snapshot;
use crate::stored::{StoredSecret, StoredSecrets};
use crate::{Format, Position};

/// A plan with everything that carrying it out needs.
pub(crate) struct Work {
    pub(crate) plan: Plan,
    pub(crate) snapshot: Snapshot,
    /// For each step, the index of its secret in the snapshot.
    pub(crate) step_secrets: Vec<usize>,
    /// The new text of the file.
    pub(crate) text: Zeroizing<String>,
}

impl ConfigFile {
    /// Plans a move, for [`secure`](Self::secure). Changes nothing.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status). Also `Invalid`, with line and column, if a rule names something that can't be a
    /// secret, if two different values would have the same name in the store, or if a value can't be taken out of the
    /// file without changing another. `Unsupported` if the store loses its secrets at a restart, unless
    /// [`taking_forgetful_stores`](Self::taking_forgetful_stores) allows that.
    pub fn plan(&self, secrets: &SecretManager, prefer: Prefer) -> Result<Plan> {
        self.work(secrets, prefer, Purpose::Secure).map(|work| work.plan)
    }

    /// Plans a copy into the store, for [`import`](Self::import). Changes nothing.
    ///
    /// # Errors
    ///
    /// As [`plan`](Self::plan), without the errors that concern changing the file.
    pub fn plan_import(&self, secrets: &SecretManager, prefer: Prefer) -> Result<Plan> {
        self.work(secrets, prefer, Purpose::Import).map(|work| work.plan)
    }

    /// Plans a move or a copy from the file and the store as they are now.
    pub(crate) fn work(
        &self,
        manager: &SecretManager,
        prefer: Prefer,
        purpose: Purpose,
    ) -> Result<Work> {
        let snapshot = self.read()?;
        let keys = snapshot.secrets.iter().map(|secret| &secret.key);
        let stored = StoredSecrets::read(Some(manager), keys)?;
        let values = snapshot.values().map_err(|flaw| self.flaw_error(&snapshot.source, flaw))?;
        let steps = values.iter().map(|number| snapshot.step(*number, &stored, prefer, purpose));
        let plan = Plan {
            steps: steps.collect(),
            marker: None,
            references: match purpose {
                Purpose::Import => snapshot.references().map(|secret| secret.key.clone()).collect(),
                Purpose::Secure => Vec::new(),
            },
            exposures: find_exposures(&self.path, &snapshot, &stored),
            prefer,
            purpose,
            stamp: snapshot.source.stamp,
        };
        let text = snapshot.source.text.clone();
        let mut work = Work { plan, snapshot, step_secrets: values, text };
        // A file that keeps its values loses nothing to a store that forgets.
        if purpose == Purpose::Secure && !work.plan.steps.is_empty() {
            self.check_lasting(manager)?;
            let edited = work.edit(self.format, self.rules.marker.as_ref());
            edited.map_err(|flaw| self.flaw_error(&work.snapshot.source, flaw))?;
        }
        Ok(work)
    }
}

impl Work {
    /// Sets the new text of the file, with the marker.
    fn edit(&mut self, format: Format, marker: Option<&Marker>) -> Result<(), Flaw> {
        let Snapshot { source, document, secrets, .. } = &self.snapshot;
        let mut changes = Vec::new();
        for (step, number) in self.plan.steps.iter().zip(&self.step_secrets) {
            let change = match &step.leaves {
                Leaves::Value => continue,
                Leaves::Text(text) => Change::Text(text),
                Leaves::Nothing => Change::Removal,
            };
            changes.extend(secrets[*number].node.map(|node| (node, change)));
        }
        self.text = edit::apply_changes(format, &source.text, document, &changes)?;
        // In the same text, so that values and marker change by a single replacement of the file.
        if let Some(Marker { path, value }) = marker {
            let marked = edit::set_text(format, &self.text, path, value)?;
            if *marked != *self.text {
                self.plan.marker = Some((path.clone(), value.clone()));
                self.text = marked;
            }
        }
        Ok(())
    }
}

impl Snapshot {
    /// Returns the indices of the secrets with a value in the file.
    ///
    /// # Errors
    ///
    /// A flaw at a value that can't be moved, that has no name in the store, or that has the name of another value.
    fn values(&self) -> Result<Vec<usize>, Flaw> {
        let mut values: Vec<usize> = Vec::new();
        let mut by_key: HashMap<&SecretKey, &str> = HashMap::new();
        for (number, secret) in self.secrets.iter().enumerate() {
            let value = match &secret.content {
                Content::Value(value) => value.expose_secret(),
                Content::Unclear(flaw) => return Err(flaw.clone()),
                Content::Reference | Content::Nothing => continue,
            };
            let at = self.node(secret).map_or(0, |node| node.span.start);
            // Checked here, because a flaw has a line and column, and the store's error has none.
            secret.key.validate().map_err(|error| unusable_name(at, secret, error.problem()))?;
            // Only one of two values could be kept under the name.
            if *by_key.entry(&secret.key).or_insert(value) != value {
                return Err(ambiguous_name(at, secret));
            }
            values.push(number);
        }
        Ok(values)
    }

    fn step(
        &self,
        number: usize,
        stored: &StoredSecrets,
        prefer: Prefer,
        purpose: Purpose,
    ) -> Step {
        let secret = &self.secrets[number];
        let leaves = match (purpose, secret.leave) {
            (Purpose::Import, _) => Leaves::Value,
            (Purpose::Secure, Leave::Reference) => Leaves::Text(reference_to(&secret.key)),
            (Purpose::Secure, Leave::Empty) => Leaves::Text(String::new()),
            (Purpose::Secure, Leave::Nothing) => Leaves::Nothing,
        };
        Step {
            key: secret.key.clone(),
            path: secret.path.clone(),
            position: self.position(secret).unwrap_or(Position::START),
            provider: secret.metadata.provider.clone(),
            action: self.action(secret, stored.get(&secret.key), prefer),
            leaves,
        }
    }

    fn action(&self, secret: &FileSecret, stored: Option<&StoredSecret>, prefer: Prefer) -> Action {
        let Content::Value(value) = &secret.content else { return Action::Nothing };
        let Some(stored) = stored else { return Action::Store };
        if stored.has_value(value.expose_secret()) {
            return Action::Nothing;
        }
        let ages = stored.ages(self.source.modified());
        match prefer {
            Prefer::Ask => Action::Conflict(ages),
            Prefer::Store => Action::KeepStore(ages),
            Prefer::File => Action::TakeFile(ages),
        }
    }
}

fn unusable_name(at: usize, secret: &FileSecret, problem: &str) -> Flaw {
    Flaw::new(at, format!("{} has no name in the store: {problem}", secret.path))
        .with_hint("Nothing was changed. Name it by a rule.")
}

fn ambiguous_name(at: usize, secret: &FileSecret) -> Flaw {
    let problem = format!("{} is another value that would be called {}", secret.path, secret.key);
    Flaw::new(at, problem)
        .with_hint("Nothing was changed. Give one of them another name by a rule.")
}
