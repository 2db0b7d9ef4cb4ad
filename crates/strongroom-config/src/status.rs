//! The status of a file: its secrets, and the place of each.

use strongroom::blocking::SecretManager;
use strongroom::{ExposeSecret, Result, SecretKey};

use crate::config_file::ConfigFile;
use crate::document::Document;
use crate::exposure::{Exposure, find_exposures};
use crate::file_secret::{Content, FileSecret, FoundBy};
use crate::snapshot::Snapshot;
use crate::stored::StoredSecrets;
use crate::{Ages, ConfigPath, Format, Position};

/// The secrets of a file, and their places. A status contains no values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The format of the file.
    pub format: Format,
    /// The secrets: first those of rules, in the order of the rules, then the rest in the order of the file.
    pub secrets: Vec<SecretStatus>,
    /// Set if the marker is in the file. Always false if the rules have no marker.
    pub is_marked: bool,
    /// The exposures of the values.
    pub exposures: Vec<Exposure>,
}

/// The status of a single secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretStatus {
    /// The key of the secret in the store.
    pub key: SecretKey,
    /// The provider that issued the secret, if known.
    pub provider: Option<String>,
    /// The path in the file, even if the file has no value there.
    pub path: ConfigPath,
    /// The line and column in the file. `None` if the path is not in the file.
    pub position: Option<Position>,
    /// The reason for taking it as a secret.
    pub found_by: FoundBy,
    /// The place of the secret: the file, the store, or both.
    pub place: Place,
    /// The reason for which the value can't be moved as it is, if there is such a reason.
    pub problem: Option<String>,
}

/// The place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Only the file has it.
    File,
    /// Only the store has it.
    Store,
    /// File and store have the same value.
    Both,
    /// File and store have different values.
    Differs(Ages),
    /// Neither has it. A reference in the file, if there is one, is dangling.
    Nowhere,
    /// The file doesn't have it, and there was no store to ask.
    Unknown,
}

impl ConfigFile {
    /// Returns the secrets of the file, and the place of each: the file, the store, or both. Changes nothing. Without a
    /// store, only the places in the file are known.
    ///
    /// # Errors
    ///
    /// `Invalid`, with line and column, if the file doesn't have its format; `NotFound`, `AccessDenied`, `Io` or
    /// `TooLarge` if it can't be read at all; and the errors of reading the store.
    pub fn status(&self, secrets: Option<&SecretManager>) -> Result<Status> {
        let snapshot = self.read()?;
        let keys = snapshot.secrets.iter().map(|secret| &secret.key);
        let stored = StoredSecrets::read(secrets, keys)?;
        Ok(Status {
            format: self.format,
            is_marked: self.is_marked(&snapshot.document),
            exposures: find_exposures(&self.path, &snapshot, &stored),
            secrets: snapshot
                .secrets
                .iter()
                .map(|secret| snapshot.status(secret, &stored))
                .collect(),
        })
    }

    fn is_marked(&self, document: &Document) -> bool {
        self.rules.marker.as_ref().is_some_and(|marker| {
            let node = document.find(&marker.path).map(|number| &document.nodes[number]);
            let text = node.and_then(|node| node.text());
            text.is_some_and(|text| text.expose_secret() == marker.value)
        })
    }
}

impl Snapshot {
    fn status(&self, secret: &FileSecret, stored: &StoredSecrets) -> SecretStatus {
        let problem = match &secret.content {
            Content::Unclear(flaw) => Some(flaw.problem.clone()),
            _ => None,
        };
        SecretStatus {
            key: secret.key.clone(),
            provider: secret.metadata.provider.clone(),
            path: secret.path.clone(),
            position: self.position(secret),
            found_by: secret.found_by,
            place: self.place(secret, stored),
            problem,
        }
    }

    fn place(&self, secret: &FileSecret, stored: &StoredSecrets) -> Place {
        let in_file = secret.may_have_value();
        let Some(in_store) = stored.get(&secret.key) else {
            return match (in_file, stored.is_known) {
                (true, _) => Place::File,
                (false, true) => Place::Nowhere,
                // Without a store, an empty place in the file says nothing about the secret.
                (false, false) => Place::Unknown,
            };
        };
        match &secret.content {
            Content::Reference | Content::Nothing => Place::Store,
            Content::Value(value) if in_store.has_value(value.expose_secret()) => Place::Both,
            Content::Value(_) | Content::Unclear(_) => {
                Place::Differs(in_store.ages(self.source.modified()))
            }
        }
    }
}
