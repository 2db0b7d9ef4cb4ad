//! Encrypted backups of a vault.
//!
//! A backup is one [`age`](https://age-encryption.org) file, as text, around a JSON document: `rage -d` or
//! `age -d` opens it without this library, and shows every secret in the clear. It holds all secrets of one
//! generation, expired ones too, with their metadata and times.
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

use crate::vault::{Document, Vault};
use crate::{SecretManager, blocking};

pub use crate::vault::{RestoreAction, RestoreMode, RestorePlan, RestoreStep};

mod encryption;

/// The largest file that [`Backup::open`] reads, in bytes.
pub const LARGEST_FILE: usize = encryption::LARGEST;

/// Who can open a backup.
#[derive(Clone)]
pub struct Protection(Protected);

#[derive(Clone)]
enum Protected {
    Recipients(Vec<age::x25519::Recipient>),
    Passphrase(SecretString),
}

/// What opens a backup: keys, a passphrase, or both.
#[derive(Clone, Default)]
#[must_use]
pub struct Unlock {
    identities: Vec<age::x25519::Identity>,
    passphrase: Option<SecretString>,
    max_work_factor: Option<u8>,
}

/// A backup as it is to be written somewhere.
#[derive(Clone)]
#[non_exhaustive]
pub struct BackupFile {
    /// All of the file: ASCII text, which begins with `-----BEGIN AGE ENCRYPTED FILE-----`.
    pub text: String,
    /// The vault's revision number at which it was made.
    pub generation: u64,
    /// How many secrets are in it.
    pub secrets: usize,
}

/// A backup that was opened. Clones share it; its values are wiped with the last of them.
#[derive(Clone)]
pub struct Backup {
    document: Arc<Document>,
    for_any_service: bool,
}

impl Protection {
    /// The owners of the keys that these belong to: one or more recipients as `rage-keygen` prints them, which
    /// begin with `age1`. Each of the keys opens the backup alone.
    ///
    /// # Errors
    ///
    /// `Invalid` for none, for more than 500, and for a text that is none.
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

    /// Whoever knows this passphrase. Making the backup, and opening it, takes a second and 256 MiB of memory,
    /// and so does each guess of somebody who doesn't know it.
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
    /// Nothing yet, which opens nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a passphrase.
    pub fn with_passphrase(mut self, passphrase: impl Into<SecretString>) -> Self {
        self.passphrase = Some(passphrase.into());
        self
    }

    /// Allows a passphrase to take up to 2^`log2` steps of scrypt: 18 by default, as much as a backup of ours
    /// takes, a second and 256 MiB of memory. Each one more doubles both; more than 22 are not done.
    ///
    /// Whoever made the file chose its work, so allow more for a file that you know the origin of.
    pub fn with_max_work_factor(mut self, log2: u8) -> Self {
        self.max_work_factor = Some(log2);
        self
    }

    /// The same with the keys of an identity file, such as `rage-keygen` writes: one a line, each begins with
    /// `AGE-SECRET-KEY-1`. Empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    ///
    /// `Invalid` for a line that is something else, or if there is no key.
    pub fn with_identities(mut self, file: &SecretString) -> Result<Self> {
        let before = self.identities.len();
        for (index, line) in file.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.identities.push(line.parse().map_err(|_| no_identity(index + 1))?);
        }
        if self.identities.len() == before {
            return Err(invalid("there is no key in the identity file", IDENTITIES));
        }
        Ok(self)
    }
}

impl Backup {
    /// Opens a backup, as text or in age's binary form. It runs on a thread pool: a passphrase takes a second
    /// of work.
    ///
    /// # Errors
    ///
    /// `WrongKey` if nothing of what there is opens it, `Corrupt` if it is damaged or of an unknown version,
    /// `TooLarge` if it has more than [`LARGEST_FILE`] bytes, `Unsupported` if its passphrase takes more work
    /// than is [allowed](Unlock::with_max_work_factor): nothing was tried then.
    pub async fn open(file: impl Into<Vec<u8>>, unlock: &Unlock) -> Result<Self> {
        let (file, unlock) = (file.into(), unlock.clone());
        crate::pool::run(move || Self::open_blocking(file, &unlock)).await
    }

    /// The same for callers that block.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_blocking(file: impl AsRef<[u8]>, unlock: &Unlock) -> Result<Self> {
        let json = encryption::decrypt(file.as_ref(), unlock)?;
        let document = Arc::new(Document::parse(&json)?);
        Ok(Self { document, for_any_service: false })
    }

    /// Whether a passphrase opens this file; if not, a key does. It takes no work and no secret.
    ///
    /// # Errors
    ///
    /// `Corrupt` if it is no age file, `TooLarge` as [`open`](Self::open).
    pub fn takes_passphrase(file: impl AsRef<[u8]>) -> Result<bool> {
        Self::passphrase_work(file).map(|work| work.is_some())
    }

    /// The work that this file's passphrase takes, as the logarithm of scrypt's steps to the base 2; `None` if a
    /// key opens it. See [`Unlock::with_max_work_factor`].
    ///
    /// # Errors
    ///
    /// As [`takes_passphrase`](Self::takes_passphrase).
    pub fn passphrase_work(file: impl AsRef<[u8]>) -> Result<Option<u8>> {
        encryption::passphrase_work(file.as_ref())
    }

    /// The same, to be restored into the vault of another service, too.
    #[must_use]
    pub fn for_any_service(mut self) -> Self {
        self.for_any_service = true;
        self
    }

    /// The service whose vault it holds.
    pub fn service(&self) -> &str {
        &self.document.service
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        self.document.created_at
    }

    /// The vault's revision number when it was made.
    pub fn generation(&self) -> u64 {
        self.document.payload.generation
    }

    /// The secrets in it, by name and target.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &SecretKey> {
        self.document.payload.secrets().keys()
    }

    fn check_service(&self, vault: &Vault) -> Result<()> {
        let (theirs, ours) = (self.service(), vault.service().as_str());
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
    fn of(vault: &Vault, protection: &Protection) -> Result<Self> {
        let snapshot = vault.back_up()?;
        let text = encryption::encrypt(&snapshot.json, &protection.0)?;
        Ok(Self { text, generation: snapshot.generation, secrets: snapshot.secrets })
    }
}

impl SecretManager {
    /// Makes a backup: one `age` file, as text, for the application to write where it likes. See
    /// [`backup`](crate::backup).
    ///
    /// It holds all secrets of one generation, whatever other processes write meanwhile, expired ones
    /// included.
    ///
    /// # Errors
    ///
    /// As a read.
    pub async fn backup(&self, protection: &Protection) -> Result<BackupFile> {
        let protection = protection.clone();
        self.run(move |vault| BackupFile::of(vault, &protection)).await
    }

    /// What a restore would do. Changes nothing.
    ///
    /// In the mode `Merge` the vault gets what it lacks, and nothing is removed. Where both have a secret and
    /// its value, provider, scope or expiry differ, the one that was written last stays; if that is not known,
    /// or it was at the same time, the vault's. `Replace` makes the vault the backup.
    ///
    /// # Errors
    ///
    /// `Conflict` if the backup is of another service, unless it is
    /// [`for_any_service`](Backup::for_any_service).
    pub async fn plan_restore(&self, backup: &Backup, mode: RestoreMode) -> Result<RestorePlan> {
        let backup = backup.clone();
        self.run(move |vault| {
            backup.check_service(vault)?;
            vault.plan_restore(&backup.document, mode)
        })
        .await
    }

    /// Restores as planned, in one write: all of it, or nothing. What is restored keeps the times that it has in
    /// the backup.
    ///
    /// # Errors
    ///
    /// `Conflict` if the vault was changed since in a way that changes the plan, or if the backup is of another
    /// service; otherwise as a change.
    pub async fn restore(&self, backup: &Backup, plan: &RestorePlan) -> Result<()> {
        let (backup, plan) = (backup.clone(), plan.clone());
        self.run(move |vault| {
            backup.check_service(vault)?;
            vault.restore(&backup.document, &plan)
        })
        .await
    }
}

impl blocking::SecretManager {
    /// As [`SecretManager::backup`](crate::SecretManager::backup).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn backup(&self, protection: &Protection) -> Result<BackupFile> {
        BackupFile::of(&self.shared.vault, protection)
    }

    /// As [`SecretManager::plan_restore`](crate::SecretManager::plan_restore).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn plan_restore(&self, backup: &Backup, mode: RestoreMode) -> Result<RestorePlan> {
        backup.check_service(&self.shared.vault)?;
        self.shared.vault.plan_restore(&backup.document, mode)
    }

    /// As [`SecretManager::restore`](crate::SecretManager::restore).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn restore(&self, backup: &Backup, plan: &RestorePlan) -> Result<()> {
        backup.check_service(&self.shared.vault)?;
        self.shared.vault.restore(&backup.document, plan)
    }
}

const IDENTITIES: &str = "Take a file that `rage-keygen` or `age-keygen` wrote. One that is itself encrypted must \
                          be decrypted first.";

/// What was taken for a recipient is not shown: it may be the key itself.
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
