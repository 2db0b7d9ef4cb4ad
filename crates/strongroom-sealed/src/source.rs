//! The sources of the keys that open a vault.

use std::fmt;
use std::path::PathBuf;

use secrecy::ExposeSecret;
use strongroom_core::{ErrorKind, SecretString};

use crate::aead::Key;
use crate::budget::{Budget, Skip};
use crate::error::{Result, fault};
use crate::passphrase::Cost;
use crate::{SealingKey, keys};

/// A source of a key that opens a vault: a key, a file or credential that holds a key, or a passphrase.
///
/// A file is read each time that a vault is opened or a slot is added.
#[derive(Clone)]
#[must_use]
pub struct KeySource {
    origin: Origin,
    label: Option<String>,
}

#[derive(Clone)]
enum Origin {
    Key(SealingKey),
    KeyFile(PathBuf),
    Credential(PathBuf),
    Passphrase { passphrase: SecretString, cost: Option<Cost> },
}

/// The kind of source that opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotKind {
    /// A [`SealingKey`] that the caller keeps, for instance in an entry of an OS store.
    Key,
    /// A file that holds a key.
    KeyFile,
    /// A systemd credential that holds a key.
    Credential,
    /// A passphrase.
    Passphrase,
}

/// The outcome of deriving a slot's key.
pub(crate) enum Derived {
    /// A key, possibly of another slot.
    Key(Key),
    /// The slot is of another kind than the source.
    OtherKind,
    /// The derivation was skipped.
    Skipped(Skip),
}

/// The content of a source: a key, or a passphrase from which a salt and a cost make a key.
pub(crate) enum Material {
    Key(SealingKey),
    Passphrase(SecretString),
}

impl KeySource {
    /// Creates a source from a key.
    pub fn key(key: SealingKey) -> Self {
        Self::of(Origin::Key(key))
    }

    /// Creates a source from a key file, which only the user may read: mode 0600, or less.
    pub fn key_file(path: impl Into<PathBuf>) -> Self {
        Self::of(Origin::KeyFile(path.into()))
    }

    /// Creates a source from a file in `$CREDENTIALS_DIRECTORY`, whose permissions are up to systemd.
    pub fn credential(path: impl Into<PathBuf>) -> Self {
        Self::of(Origin::Credential(path.into()))
    }

    /// Creates a source from a passphrase. The cost of a new slot is calibrated to about half a second on
    /// this machine.
    pub fn passphrase(passphrase: SecretString) -> Self {
        Self::of(Origin::Passphrase { passphrase, cost: None })
    }

    /// Creates a source from a passphrase, with the cost of a new slot. An existing slot has its own cost.
    pub fn passphrase_with_cost(passphrase: SecretString, cost: Cost) -> Self {
        Self::of(Origin::Passphrase { passphrase, cost: Some(cost) })
    }

    /// Sets the label of the slots that are created from this source. It can be read without a key.
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Returns the kind of slot that this source opens.
    pub const fn kind(&self) -> SlotKind {
        match self.origin {
            Origin::Key(_) => SlotKind::Key,
            Origin::KeyFile(_) => SlotKind::KeyFile,
            Origin::Credential(_) => SlotKind::Credential,
            Origin::Passphrase { .. } => SlotKind::Passphrase,
        }
    }

    pub(crate) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or_default()
    }

    /// Reads the source.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if its file does not exist; `AccessDenied` if other users can read the file; `Invalid` if
    /// it holds no key, or the passphrase is empty; `Io`.
    pub(crate) fn material(&self) -> Result<Material> {
        match &self.origin {
            Origin::Key(key) => Ok(Material::Key(key.clone())),
            Origin::KeyFile(path) => SealingKey::from_file(path).map(Material::Key),
            Origin::Credential(path) => SealingKey::from_credential(path).map(Material::Key),
            Origin::Passphrase { passphrase, .. } if passphrase.expose_secret().is_empty() => {
                Err(fault(ErrorKind::Invalid, "the passphrase is empty"))
            }
            Origin::Passphrase { passphrase, .. } => Ok(Material::Passphrase(passphrase.clone())),
        }
    }

    /// Returns the cost of a new slot; `None` if the source holds a key.
    pub(crate) fn cost(&self) -> Result<Option<Cost>> {
        match &self.origin {
            Origin::Passphrase { cost: Some(cost), .. } => Ok(Some(*cost)),
            Origin::Passphrase { cost: None, .. } => Cost::calibrate().map(Some),
            _ => Ok(None),
        }
    }

    const fn of(origin: Origin) -> Self {
        Self { origin, label: None }
    }
}

impl Material {
    /// Derives the key of a slot with this salt and cost.
    pub(crate) fn slot_key(
        &self,
        salt: &[u8],
        cost: Option<Cost>,
        budget: &mut Budget,
    ) -> Result<Derived> {
        let material = match (self, cost) {
            (Self::Key(key), None) => {
                return Ok(Derived::Key(keys::slot_key(key.bytes(), salt)));
            }
            (Self::Passphrase(passphrase), Some(cost)) => budget.derive(cost, passphrase, salt)?,
            _ => return Ok(Derived::OtherKind),
        };
        Ok(match material {
            Ok(material) => Derived::Key(keys::slot_key(material.expose_secret(), salt)),
            Err(skip) => Derived::Skipped(skip),
        })
    }
}

impl SlotKind {
    const ALL: [Self; 4] = [Self::Key, Self::KeyFile, Self::Credential, Self::Passphrase];

    /// Returns the word for this kind, in the file and for users.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::KeyFile => "key-file",
            Self::Credential => "credential",
            Self::Passphrase => "passphrase",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeySource");
        shown.field("kind", &self.kind()).field("label", &self.label);
        if let Origin::KeyFile(path) | Origin::Credential(path) = &self.origin {
            shown.field("path", path);
        }
        shown.finish_non_exhaustive()
    }
}
