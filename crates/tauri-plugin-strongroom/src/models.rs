//! The data that the page and Rust exchange.

use serde::{Deserialize, Deserializer, Serialize};
use strongroom::store::ChoiceReason;
use strongroom::{
    ChangeKind, Secret, SecretInfo, SecretManager, SecretMetadata, SecretString, Timestamp,
};

use crate::Error;

/// The event that tells which secret has changed, with a [`Changed`] as its payload.
pub const CHANGED: &str = "strongroom://changed";

/// The result of the command `status`: whether secrets can be stored on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The place of the secrets. `None` if no store can be used.
    pub storage: Option<Storage>,
    /// The reason for which no store, or only the fallback, can be used.
    pub problem: Option<Problem>,
}

/// The place in which secrets are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// The backend's name, such as `keychain`: see [`strongroom::Backend::name`].
    pub backend: &'static str,
    /// The vault's layout: `inline`, `sealed` (in an encrypted file, with its key in the backend) or `entries`.
    pub layout: &'static str,
    /// Set if secrets survive a restart of the machine.
    pub persistent: bool,
    /// The time for which secrets last: `permanent`, `until_reboot`, `until_logout` or `session`.
    pub persistence: &'static str,
    /// Set if values are encrypted on their way to the keyring. `None` if they cross no connection.
    pub session_encrypted: Option<bool>,
    /// The weaknesses of the protection that the user has to know.
    pub warnings: Vec<Warning>,
}

/// A weakness of the store that the user has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// The stable code of the warning.
    pub code: &'static str,
    /// The warning, as a clause.
    pub message: String,
}

/// The metadata of a secret, from the commands `describe` and `list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The name of the secret.
    pub name: String,
    /// The provider that issued the secret.
    pub provider: Option<String>,
    /// The permissions of the secret, in the provider's words.
    pub scope: Option<String>,
    /// The time at which the secret was first stored, as ISO 8601, like all times here.
    pub created_at: Option<String>,
    /// The time at which the value was last written.
    pub updated_at: Option<String>,
    /// The first moment at which the secret is no longer valid.
    pub expires_at: Option<String>,
    /// Set if the secret has expired.
    pub expired: bool,
    /// The place in which the secret is stored.
    pub storage: Storage,
}

/// An error, in the form that the page gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The stable code of the error.
    pub code: &'static str,
    /// The description of the error, as a clause.
    pub message: String,
    /// The next step, as a sentence.
    pub hint: String,
}

/// The payload of the event [`CHANGED`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Changed {
    /// The name of the secret.
    pub name: String,
    /// The kind of the change: `added`, `updated` or `removed`.
    pub kind: &'static str,
}

/// A value from the page.
pub(crate) struct Value(SecretString);

/// The metadata that the page sends with a secret.
#[derive(Default)]
pub(crate) struct Metadata(Said);

// Unknown fields are an error, because a misspelled field would be lost otherwise.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Said {
    provider: Option<String>,
    scope: Option<String>,
    expires_at: Option<String>,
}

impl Status {
    pub(crate) fn of(opened: &Result<SecretManager, Error>) -> Self {
        match opened {
            Ok(secrets) => {
                // A fallback works, but is not the store that the user expects.
                let ChoiceReason::Fallback(cause) = secrets.reason() else {
                    return Self { storage: Some(Storage::of(secrets)), problem: None };
                };
                let problem = Error::Secrets(cause.clone()).problem();
                Self { storage: Some(Storage::of(secrets)), problem: Some(problem) }
            }
            Err(error) => Self { storage: None, problem: Some(error.problem()) },
        }
    }
}

impl Storage {
    pub(crate) fn of(secrets: &SecretManager) -> Self {
        let can = secrets.store_capabilities();
        Self {
            backend: secrets.backend().name(),
            layout: secrets.layout().name(),
            persistent: secrets.is_persistent(),
            persistence: can.persistence.code(),
            session_encrypted: can.session_encrypted,
            warnings: can.warnings().iter().map(Warning::of).collect(),
        }
    }
}

impl Warning {
    fn of(warning: &strongroom::Warning) -> Self {
        Self { code: warning.code(), message: warning.to_string() }
    }
}

impl Description {
    pub(crate) fn new(secret: &SecretInfo, storage: Storage) -> Self {
        let SecretMetadata { provider, scope, expires_at, created_at, updated_at, .. } =
            &secret.metadata;
        let time = |time: &Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            name: secret.key.name().to_owned(),
            provider: provider.clone(),
            scope: scope.clone(),
            created_at: time(created_at),
            updated_at: time(updated_at),
            expires_at: time(expires_at),
            expired: secret.metadata.is_expired(Timestamp::now()),
            storage,
        }
    }
}

impl Changed {
    pub(crate) fn new(name: &str, kind: ChangeKind) -> Self {
        let kind = match kind {
            ChangeKind::Added => "added",
            ChangeKind::Removed => "removed",
            _ => "updated",
        };
        Self { name: name.to_owned(), kind }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer);
        text.map(|text| Self(text.into())).map_err(|_| wrong("a value is text"))
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = Said::deserialize(deserializer);
        // A value in the wrong field must not appear in the error.
        said.map(Self).map_err(|_| wrong("metadata is { provider, scope, expiresAt }, as text"))
    }
}

/// Returns an error in place of serde's own, which would show the input. The input is a value, or could contain a value.
fn wrong<E: serde::de::Error>(expected: &str) -> E {
    E::custom(expected)
}

impl Value {
    /// Returns the secret to store.
    ///
    /// # Errors
    ///
    /// `Invalid` for an expiry that is not a time, or in the past.
    pub(crate) fn into_secret(self, metadata: Metadata) -> strongroom::Result<Secret> {
        let mut secret = Secret::new(self.0);
        let Said { provider, scope, expires_at } = metadata.0;
        secret.metadata.expires_at = expires_at.map(|time| expiry(&time)).transpose()?;
        secret.metadata.provider = provider;
        secret.metadata.scope = scope;
        Ok(secret)
    }
}

fn expiry(time: &str) -> strongroom::Result<Timestamp> {
    use strongroom::ErrorKind;
    use strongroom::error::Operation;

    let invalid = |message| {
        strongroom::Error::new(ErrorKind::Invalid, Operation::Set)
            .with_message(message)
            .with_hint("Give a time that is to come, as ISO 8601: new Date(…).toISOString().")
    };
    let time: Timestamp = time.parse().map_err(|_| invalid("the expiry is not a time"))?;
    if time <= Timestamp::now() { Err(invalid("the expiry is over")) } else { Ok(time) }
}
