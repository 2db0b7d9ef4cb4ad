//! Encrypted backups of a vault.
//!
//! A backup is a single [`age`](https://age-encryption.org) file, as text, around a JSON document: `rage -d`
//! or `age -d` opens it without this library, and shows every secret in the clear. It holds all secrets of a
//! single generation, including expired secrets, with their metadata and times.
//!
//! ```
//! use strongroom::backup::{Backup, Protection, RestoreAction, RestoreMode, Unlock};
//! use strongroom::{Backend, ExposeSecret, SecretKey, Config, SecretString};
//!
//! # let key = SecretString::from(concat!(
//! #     "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33"));
//! # let recipient = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
//! let secrets = Config::new("example-backup").backend(Backend::Memory).open_blocking()?;
//! secrets.set_api_key("API_KEY", "sk-1", None)?;
//! let file = secrets.backup(&Protection::recipients([recipient])?)?;
//!
//! secrets.delete(&SecretKey::new("API_KEY"))?;
//! let backup = Backup::open_blocking(file.text, &Unlock::new().with_identities(&key)?)?;
//! let plan = secrets.plan_restore(&backup, RestoreMode::Merge)?;
//! assert_eq!(plan.with(RestoreAction::Add).next().map(|key| key.name()), Some("API_KEY"));
//! secrets.restore(&backup, &plan)?;
//! assert_eq!(secrets.get_value("API_KEY")?.expect("it was restored").expose_secret(), "sk-1");
//! # Ok::<(), strongroom::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretKey, Timestamp};

use crate::lifecycle::restore;
use crate::vault::Engine;
use crate::vault::backup::Document;
use crate::{SecretManager, blocking};

pub use crate::lifecycle::restore::{RestoreAction, RestoreMode, RestorePlan, RestoreStep};

mod access;
mod encryption;

pub use access::{Protection, Unlock};

/// The largest file that [`Backup::open`] reads, in bytes.
pub const LARGEST_FILE: usize = encryption::LARGEST;

/// An encrypted backup, ready to be written to a file.
#[derive(Clone)]
#[non_exhaustive]
pub struct BackupFile {
    /// The whole file: ASCII text, which begins with `-----BEGIN AGE ENCRYPTED FILE-----`.
    pub text: String,
    /// The vault's generation at the time of the backup.
    pub generation: u64,
    /// The number of secrets in the backup.
    pub secrets: usize,
}

/// An opened backup. Clones share it, and its values are wiped when the last clone is dropped.
#[derive(Clone)]
pub struct Backup {
    document: Arc<Document>,
    for_any_service: bool,
}

impl Backup {
    /// Opens a backup, as text or in age's binary form. It runs on a thread pool, because a passphrase takes
    /// a second of work.
    ///
    /// # Errors
    ///
    /// `WrongKey` if none of the keys and passphrases opens it; `Corrupt` if it is damaged or of an unknown
    /// version; `TooLarge` if it has more than [`LARGEST_FILE`] bytes; `Unsupported` if its passphrase takes
    /// more work than is [allowed](Unlock::with_max_work_factor), in which case nothing was tried.
    pub async fn open(file: impl Into<Vec<u8>>, unlock: &Unlock) -> Result<Self> {
        let (file, unlock) = (file.into(), unlock.clone());
        crate::pool::run(move || Self::open_blocking(file, &unlock)).await
    }

    /// Opens a backup for blocking callers, as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_blocking(file: impl AsRef<[u8]>, unlock: &Unlock) -> Result<Self> {
        let json = encryption::decrypt(file.as_ref(), unlock)?;
        let document = Arc::new(Document::parse(&json)?);
        Ok(Self { document, for_any_service: false })
    }

    /// Returns whether a passphrase opens this file; if not, a key does. This takes no work and no secret.
    ///
    /// # Errors
    ///
    /// `Corrupt` if it is not an age file; `TooLarge` as [`open`](Self::open).
    pub fn takes_passphrase(file: impl AsRef<[u8]>) -> Result<bool> {
        Self::passphrase_work(file).map(|work| work.is_some())
    }

    /// Returns the work that this file's passphrase takes, as the base-2 logarithm of scrypt's steps, or
    /// `None` if a key opens the file. See [`Unlock::with_max_work_factor`].
    ///
    /// # Errors
    ///
    /// As [`takes_passphrase`](Self::takes_passphrase).
    pub fn passphrase_work(file: impl AsRef<[u8]>) -> Result<Option<u8>> {
        encryption::passphrase_work(file.as_ref())
    }

    /// Allows restoring into the vault of another service, too.
    #[must_use]
    pub fn for_any_service(mut self) -> Self {
        self.for_any_service = true;
        self
    }

    /// Returns the service of the vault in the backup.
    pub fn service(&self) -> &str {
        &self.document.service
    }

    /// Returns the time of the backup.
    pub fn created_at(&self) -> Timestamp {
        self.document.created_at
    }

    /// Returns the vault's generation at the time of the backup.
    pub fn generation(&self) -> u64 {
        self.document.payload.generation
    }

    /// Returns the keys of the secrets in the backup, by name and target.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &SecretKey> {
        self.document.payload.secrets().keys()
    }

    fn check_service(&self, engine: &Engine) -> Result<()> {
        let (theirs, ours) = (self.service(), engine.storage.service().as_str());
        if self.for_any_service || theirs == ours {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, Operation::Restore)
            .with_message(format!(
                "the backup is of the service {theirs:?}, and this vault is of {ours:?}"
            ))
            .with_hint("Nothing was changed. Restore it there, or say that it is meant for here."))
    }
}

impl BackupFile {
    fn of(engine: &Engine, protection: &Protection) -> Result<Self> {
        let snapshot = restore::back_up(engine)?;
        let text = encryption::encrypt(&snapshot.json, &protection.0)?;
        Ok(Self { text, generation: snapshot.generation, secrets: snapshot.secrets })
    }
}

impl SecretManager {
    /// Makes a backup: a single `age` file, as text, for the application to write. See
    /// [`backup`](crate::backup).
    ///
    /// It holds all secrets of a single generation, even if other processes write meanwhile. Expired secrets
    /// are included.
    ///
    /// # Errors
    ///
    /// The errors of a read.
    pub async fn backup(&self, protection: &Protection) -> Result<BackupFile> {
        let protection = protection.clone();
        self.run(move |secrets| secrets.backup(&protection)).await
    }

    /// Plans a restore. Changes nothing.
    ///
    /// In the mode `Merge` the vault gets the secrets that it lacks, and nothing is removed. If the vault and
    /// the backup have different values, providers, scopes or expiries for a secret, the version that was
    /// written last stays; if the times are equal or unknown, the vault's version stays. `Replace` makes the
    /// vault equal to the backup.
    ///
    /// # Errors
    ///
    /// `Conflict` if the backup is of another service, unless it is
    /// [`for_any_service`](Backup::for_any_service).
    pub async fn plan_restore(&self, backup: &Backup, mode: RestoreMode) -> Result<RestorePlan> {
        let backup = backup.clone();
        self.run(move |secrets| secrets.plan_restore(&backup, mode)).await
    }

    /// Restores as planned, in a single write: all of it, or nothing. Restored secrets keep the times that
    /// they have in the backup.
    ///
    /// # Errors
    ///
    /// `Conflict` if the vault was changed since in a way that changes the plan, or if the backup is of
    /// another service; otherwise the errors of a change.
    pub async fn restore(&self, backup: &Backup, plan: &RestorePlan) -> Result<()> {
        let (backup, plan) = (backup.clone(), plan.clone());
        self.run(move |secrets| secrets.restore(&backup, &plan)).await
    }
}

impl blocking::SecretManager {
    /// Makes a backup, as [`SecretManager::backup`](crate::SecretManager::backup) does.
    ///
    /// # Errors
    ///
    /// The errors of the async method.
    pub fn backup(&self, protection: &Protection) -> Result<BackupFile> {
        BackupFile::of(&self.shared.engine, protection)
    }

    /// Plans a restore, as [`SecretManager::plan_restore`](crate::SecretManager::plan_restore) does.
    ///
    /// # Errors
    ///
    /// The errors of the async method.
    pub fn plan_restore(&self, backup: &Backup, mode: RestoreMode) -> Result<RestorePlan> {
        backup.check_service(&self.shared.engine)?;
        restore::plan_restore(&self.shared.engine, &backup.document, mode)
    }

    /// Restores as planned, as [`SecretManager::restore`](crate::SecretManager::restore) does.
    ///
    /// # Errors
    ///
    /// The errors of the async method.
    pub fn restore(&self, backup: &Backup, plan: &RestorePlan) -> Result<()> {
        backup.check_service(&self.shared.engine)?;
        restore::restore(&self.shared, &backup.document, plan)
    }
}

impl fmt::Debug for BackupFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupFile")
            .field("bytes", &self.text.len())
            .field("generation", &self.generation)
            .field("secrets", &self.secrets)
            .finish()
    }
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup")
            .field("service", &self.service())
            .field("created_at", &self.created_at())
            .field("generation", &self.generation())
            .field("secrets", &self.keys().len())
            .finish_non_exhaustive()
    }
}
