//! The recipients, keys and passphrases of a backup.

use std::fmt;

use strongroom_core::{Error, ErrorKind, ExposeSecret as _, Operation, Result, SecretString};

/// The most recipients of a file, whose header then stays well below `LONGEST_HEADER`.
const MOST_RECIPIENTS: usize = 500;

/// The recipients or passphrase that a backup is encrypted to.
#[derive(Clone)]
pub struct Protection(pub(super) Protected);

/// The recipients or passphrase of a [`Protection`].
#[derive(Clone)]
pub(super) enum Protected {
    Recipients(Vec<age::x25519::Recipient>),
    Passphrase(SecretString),
}

/// The keys, the passphrase, or both, that a backup is opened with.
#[derive(Clone, Default)]
#[must_use]
pub struct Unlock {
    pub(super) identities: Vec<age::x25519::Identity>,
    pub(super) passphrase: Option<SecretString>,
    pub(super) max_work_factor: Option<u8>,
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
        if parsed.len() > MOST_RECIPIENTS {
            let message = format!("a backup has at most {} recipients", MOST_RECIPIENTS);
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
