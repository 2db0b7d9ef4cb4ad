//! Plans: the changes to file and store, as data.

use std::fmt;

use strongroom::SecretKey;

use crate::source::Stamp;
use crate::{Ages, ConfigPath, Exposure, Position};

/// The choice for a secret that has different values in the file and in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefer {
    /// Ask the user: the plan then has a conflict, and can't be carried out. The default.
    #[default]
    Ask,
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
        self.steps.iter().any(|step| step.leaves != Leaves::Value || step.action != Action::Nothing)
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
