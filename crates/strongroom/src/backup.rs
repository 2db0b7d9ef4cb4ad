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

use strongroom_core::{
    Error, ErrorKind, ExposeSecret, Operation, Result, SecretKey, SecretString, Timestamp,
};

use crate::lifecycle::restore;
use crate::vault::Engine;
use crate::vault::backup::Document;
use crate::{SecretManager, blocking};

pub use crate::lifecycle::restore::{RestoreAction, RestoreMode, RestorePlan, RestoreStep};

mod encryption;

/// The largest file that [`Backup::open`] reads, in bytes.
pub const LARGEST_FILE: usize = encryption::LARGEST;

/// The recipients or passphrase that a backup is encrypted to.
#[derive(Clone)]
pub struct Protection(Protected);

#[derive(Clone)]
enum Protected {
    Recipients(Vec<age::x25519::Recipient>),
    Passphrase(SecretString),
}

/// The keys, the passphrase, or both, that a backup is opened with.
#[derive(Clone, Default)]
#[must_use]
pub struct Unlock {
    identities: Vec<age::x25519::Identity>,
    passphrase: Option<SecretString>,
    max_work_factor: Option<u8>,
}

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

impl Protection {
    /// Encrypts to the owners of the keys that these recipients belong to, as `rage-keygen` prints them: they
    /// begin with `age1`. Each of the keys opens the backup alone.
    ///
    /// # Errors
    ///
    /// `Invalid` for no recipient, for more than 500, and for a text that is not a recipient.
    pub fn recipients<R: AsRef<str>>(recipients: impl IntoIterator<Item = R>) -> Result<Self> {
        let parsed = recipients.into_iter().map(|recipient| {
            let recipient = recipient.as_ref().trim();
            recipient.parse().map_err(|_| no_recipient(recipient))
        });
        let parsed = parsed.collect::<Result<Vec<_>>>()?;
        if parsed.is_empty() {
            return Err(invalid("there is no recipient", "Name one, or take a passphrase."));
        }
        if parsed.len() > encryption::MOST_RECIPIENTS {
            let message =
                format!("a backup has at most {} recipients", encryption::MOST_RECIPIENTS);
            return Err(invalid(&message, "Make several backups."));
        }
        Ok(Self(Protected::Recipients(parsed)))
    }

    /// Encrypts to a passphrase. Making the backup, and opening it, takes a second and 256 MiB of memory, and
    /// so does each guess of an attacker.
    ///
    /// # Errors
    ///
    /// `Invalid` if it is empty.
    pub fn passphrase(passphrase: impl Into<SecretString>) -> Result<Self> {
        let passphrase = passphrase.into();
        if passphrase.expose_secret().is_empty() {
            return Err(invalid("the passphrase is empty", "Choose one of several words."));
        }
        Ok(Self(Protected::Passphrase(passphrase)))
    }
}

impl Unlock {
    /// Creates an empty set, which opens nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the passphrase.
    pub fn with_passphrase(mut self, passphrase: impl Into<SecretString>) -> Self {
        self.passphrase = Some(passphrase.into());
        self
    }

    /// Allows a passphrase to take up to 2^`log2` steps of scrypt. The default is 18, the work of a backup
    /// that this library made: a second and 256 MiB of memory. Each increment doubles both. Values above 22
    /// count as 22.
    ///
    /// The author of the file chose its work, so allow more only for a file whose origin you know.
    pub fn with_max_work_factor(mut self, log2: u8) -> Self {
        self.max_work_factor = Some(log2);
        self
    }

    /// Adds the keys of an identity file as `rage-keygen` writes it: a key per line, each beginning with
    /// `AGE-SECRET-KEY-1`. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    ///
    /// `Invalid` for any other line, or if there is no key.
    pub fn with_identities(mut self, file: &SecretString) -> Result<Self> {
        let before = self.identities.len();
        for (index, line) in file.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The error names the line and not its text, which may be a secret key.
            self.identities.push(line.parse().map_err(|_| no_identity(index + 1))?);
        }
        if self.identities.len() == before {
            return Err(invalid("there is no key in the identity file", IDENTITIES));
        }
        Ok(self)
    }
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

const IDENTITIES: &str = "Take a file that `rage-keygen` or `age-keygen` wrote. One that is itself encrypted must \
                          be decrypted first.";

/// Returns the error for an invalid recipient, without the text itself, which may be a secret key.
fn no_recipient(text: &str) -> Error {
    const KEY: &str = "AGE-SECRET-KEY-";
    if text.get(..KEY.len()).is_some_and(|start| start.eq_ignore_ascii_case(KEY)) {
        return invalid(
            "that is a key and no recipient: keep it to yourself",
            "`rage-keygen -y` says which recipient it belongs to.",
        );
    }
    invalid(
        "a recipient is not age's",
        "Take what `rage-keygen` calls the public key. It begins with age1. An SSH key can't be used.",
    )
}

fn no_identity(line: usize) -> Error {
    invalid(&format!("line {line} of the identity file is no key of age's"), IDENTITIES)
}

fn invalid(message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, Operation::Backup).with_message(message).with_hint(hint)
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Protected::Recipients(_) => "Protection(recipients)",
            Protected::Passphrase(_) => "Protection(passphrase)",
        })
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlock")
            .field("identities", &self.identities.len())
            .field("passphrase", &self.passphrase.is_some())
            .finish()
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
