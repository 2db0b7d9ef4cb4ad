//! Plans: the changes to file and store, as data.

use std::collections::HashMap;
use std::fmt;

use strongroom::blocking::SecretManager;
use strongroom::{ExposeSecret, Result, SecretKey};
use zeroize::Zeroizing;

use crate::config_file::{ConfigFile, Read, Stored, Theirs};
use crate::edit::{self, Change};
use crate::error::Flaw;
use crate::find::{Content, Found};
use crate::rules::{Leave, Marker};
use crate::source::Stamp;
use crate::{Ages, ConfigPath, Exposure, Position, exposure, reference_to};

/// The choice for a secret that has different values in the file and in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefer {
    /// No choice. The plan then has a conflict, and can't be carried out. The default.
    #[default]
    Neither,
    /// The store's value stays, and the file's is given up.
    Store,
    /// The file's value replaces the store's.
    File,
}

/// The steps that bring a file's secrets into the store. A plan contains no values.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The steps in their order, one for each value in the file.
    pub steps: Vec<Step>,
    /// The path and the text of the marker, if the plan sets it.
    pub marker: Option<(ConfigPath, String)>,
    /// The secrets that an import leaves out: the file holds a reference in place of their value.
    pub references: Vec<SecretKey>,
    /// The exposures of the values.
    pub exposures: Vec<Exposure>,
    pub(crate) prefer: Prefer,
    pub(crate) purpose: Purpose,
    pub(crate) stamp: Stamp,
}

/// A step of a plan, for a single value in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The key of the secret in the store.
    pub key: SecretKey,
    /// The path of the value in the file.
    pub path: ConfigPath,
    /// The line and column of the value in the file.
    pub position: Position,
    /// The provider that issued the secret, if known.
    pub provider: Option<String>,
    /// The change to the store.
    pub action: Action,
    /// The new content of the file at this path.
    pub leaves: Leaves,
}

/// The change to the store that a step makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Stores the secret. The store doesn't have it yet.
    Store,
    /// Changes nothing. The store has the same value.
    Nothing,
    /// Replaces the store's value, which is different, with the file's.
    TakeFile(Ages),
    /// Keeps the store's value, which is different. The file's value is given up.
    KeepStore(Ages),
    /// The store has a different value, and no choice was made: the plan can't be carried out.
    Conflict(Ages),
}

/// The content of a file in a secret's place after the plan was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leaves {
    /// The value. The file doesn't change here.
    Value,
    /// A text: a reference, or an empty text.
    Text(String),
    /// Nothing. The key is removed, too.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Moves the values into the store, and out of the file.
    Secure,
    /// Copies the values into the store.
    Import,
}

/// A plan with everything that carrying it out needs.
pub(crate) struct Work {
    pub(crate) plan: Plan,
    pub(crate) read: Read,
    /// For each step, the index of its secret in `read.found`.
    pub(crate) steps: Vec<usize>,
    /// The new text of the file.
    pub(crate) text: Zeroizing<String>,
}

impl Plan {
    /// Returns the steps that need a choice, because file and store have different values.
    pub fn conflicts(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| matches!(step.action, Action::Conflict(_)))
    }

    /// Returns whether two plans do the same. Their exposures may differ: an editor can make a copy at any time.
    pub(crate) fn is_same_work(&self, other: &Self) -> bool {
        let same = Self { exposures: other.exposures.clone(), ..self.clone() };
        same == *other
    }

    /// Returns whether the plan changes the file or the store.
    pub fn changes_anything(&self) -> bool {
        let is_change =
            |step: &Step| step.leaves != Leaves::Value || step.action != Action::Nothing;
        self.steps.iter().any(is_change)
    }

    /// Returns the change to the file as a diff: the removed and the added entries, by path. Values are not shown.
    pub fn diff(&self) -> String {
        let mut diff = String::new();
        for step in &self.steps {
            let gone = format!("-{}: {} = …\n", step.position.line, step.path);
            let line = format!("+{}: {} = ", step.position.line, step.path);
            diff += &match &step.leaves {
                Leaves::Value => continue,
                Leaves::Nothing => gone,
                Leaves::Text(text) => format!("{gone}{line}\"{text}\"\n"),
            };
        }
        if let Some((path, value)) = &self.marker {
            diff += &format!("+ {path} = \"{}\"\n", value.escape_debug());
        }
        diff
    }
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

    pub(crate) fn work(
        &self,
        secrets: &SecretManager,
        prefer: Prefer,
        purpose: Purpose,
    ) -> Result<Work> {
        let read = self.read()?;
        let stored = Stored::of(Some(secrets), read.found.iter().map(|found| &found.key))?;
        let steps = read.values().map_err(|flaw| self.flaw(&read.source, flaw))?;
        let plan = Plan {
            steps: steps
                .iter()
                .map(|number| read.step(*number, &stored, prefer, purpose))
                .collect(),
            marker: None,
            references: match purpose {
                Purpose::Import => read.references().cloned().collect(),
                Purpose::Secure => Vec::new(),
            },
            exposures: exposure::of(&self.path, &read, &stored),
            prefer,
            purpose,
            stamp: read.source.stamp,
        };
        // A file that keeps its values loses nothing to a store that forgets.
        if purpose == Purpose::Import || steps.is_empty() {
            let text = read.source.text.clone();
            return Ok(Work { plan, read, steps, text });
        }
        self.check_lasts(secrets)?;
        self.with_edits(Work { plan, text: read.source.text.clone(), read, steps })
    }

    /// Returns the work with the new text of the file, including the marker.
    fn with_edits(&self, mut work: Work) -> Result<Work> {
        let (plan, read) = (&mut work.plan, &work.read);
        let changes = plan.steps.iter().zip(&work.steps).filter_map(|(step, number)| {
            let change = match &step.leaves {
                Leaves::Value => return None,
                Leaves::Text(text) => Change::Text(text.clone()),
                Leaves::Nothing => Change::Removed,
            };
            Some((read.found[*number].node?, change))
        });
        let changes: Vec<_> = changes.collect();
        let changed = edit::changed(self.format, &read.source.text, &read.document, &changes);
        let text = changed.map_err(|flaw| self.flaw(&read.source, flaw))?;
        work.text = Zeroizing::new(text);
        // In the same text, so that values and marker change by a single replacement of the file.
        if let Some(Marker { path, value }) = &self.rules.marker {
            let marked = edit::with_text(self.format, &work.text, path, value);
            let marked = Zeroizing::new(marked.map_err(|flaw| self.flaw(&read.source, flaw))?);
            if *marked != *work.text {
                plan.marker = Some((path.clone(), value.clone()));
                work.text = marked;
            }
        }
        Ok(work)
    }
}

impl Read {
    fn references(&self) -> impl Iterator<Item = &SecretKey> {
        let references =
            self.found.iter().filter(|found| matches!(found.content, Content::Reference));
        references.map(|found| &found.key)
    }

    /// Returns the indices of the secrets with a value in the file. Values of the same name must be equal.
    fn values(&self) -> Result<Vec<usize>, Flaw> {
        let mut values: Vec<usize> = Vec::new();
        let mut by_key: HashMap<&SecretKey, &str> = HashMap::new();
        for (number, found) in self.found.iter().enumerate() {
            let value = match &found.content {
                Content::Value(value) => value.expose_secret(),
                Content::Unclear(flaw) => {
                    return Err(Flaw::new(flaw.at, flaw.problem.clone()).with_hint(flaw.hint));
                }
                Content::Reference | Content::Nothing => continue,
            };
            let at = found.node.map_or(0, |node| self.document.nodes[node].span.start);
            // Checked here, because a flaw has a line and column, and the store's error has none.
            found.key.validate().map_err(|error| unnameable(at, found, error.problem()))?;
            if *by_key.entry(&found.key).or_insert(value) != value {
                return Err(one_name(at, found));
            }
            values.push(number);
        }
        Ok(values)
    }

    fn step(&self, number: usize, stored: &Stored, prefer: Prefer, purpose: Purpose) -> Step {
        let found = &self.found[number];
        let position = self.position(found).unwrap_or(Position { line: 1, column: 1 });
        let leaves = match (purpose, found.leave) {
            (Purpose::Import, _) => Leaves::Value,
            (Purpose::Secure, Leave::Reference) => Leaves::Text(reference_to(&found.key)),
            (Purpose::Secure, Leave::Empty) => Leaves::Text(String::new()),
            (Purpose::Secure, Leave::Nothing) => Leaves::Nothing,
        };
        Step {
            key: found.key.clone(),
            path: found.path.clone(),
            position,
            provider: found.metadata.provider.clone(),
            action: self.action(found, stored.get(&found.key), prefer),
            leaves,
        }
    }

    fn action(&self, found: &Found, theirs: Option<&Theirs>, prefer: Prefer) -> Action {
        let Content::Value(value) = &found.content else { return Action::Nothing };
        match (theirs, prefer) {
            (None, _) => Action::Store,
            (Some(theirs), _) if theirs.is(value.expose_secret()) => Action::Nothing,
            (Some(theirs), Prefer::Neither) => Action::Conflict(self.ages(theirs)),
            (Some(theirs), Prefer::Store) => Action::KeepStore(self.ages(theirs)),
            (Some(theirs), Prefer::File) => Action::TakeFile(self.ages(theirs)),
        }
    }
}

fn unnameable(at: usize, found: &Found, problem: &str) -> Flaw {
    Flaw::new(at, format!("{} has no name in the store: {problem}", found.path))
        .with_hint("Nothing was changed. Name it by a rule.")
}

fn one_name(at: usize, found: &Found) -> Flaw {
    Flaw::new(at, format!("{} is another value that would be called {}", found.path, found.key))
        .with_hint("Nothing was changed. Give one of them another name by a rule.")
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("steps", &self.steps)
            .field("marker", &self.marker)
            .field("exposures", &self.exposures)
            .field("prefer", &self.prefer)
            .finish_non_exhaustive()
    }
}
