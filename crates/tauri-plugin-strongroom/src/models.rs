//! What goes between the page and Rust.

use serde::{Deserialize, Deserializer, Serialize};
use strongroom::store::ChoiceReason;
use strongroom::{
    ChangeKind, Secret, SecretInfo, SecretManager, SecretMetadata, SecretString, Timestamp,
};

use crate::Error;

/// The event that tells which secret changes, as a [`Changed`].
pub const CHANGED: &str = "strongroom://changed";

/// Whether secrets can be kept here: what `status` returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Where they are kept; `None` where no store can be used.
    pub storage: Option<Storage>,
    /// Why none can be used, or why not the one that lasts; with what to do about it.
    pub problem: Option<Problem>,
}

/// Where secrets are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// The backend's name, such as `keychain`: see [`strongroom::Backend::name`].
    pub backend: &'static str,
    /// `inline`, `sealed` (in an encrypted file, whose key is in the backend) or `entries`.
    pub layout: &'static str,
    /// Whether they stay over a restart of the machine.
    pub persistent: bool,
    /// How long they stay: `permanent`, `until_reboot`, `until_logout` or `session`.
    pub persistence: &'static str,
    /// Whether values are encrypted on their way to the keyring; `None` where they cross no connection.
    pub session_encrypted: Option<bool>,
    /// What weakens their protection, for the user to know.
    pub warnings: Vec<Warning>,
}

/// A fact about where secrets are kept that the user has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// A stable token.
    pub code: &'static str,
    /// The fact, as a clause.
    pub message: String,
}

/// What is known about a secret beside its value: what `describe` and `list` return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Who issued it.
    pub provider: Option<String>,
    /// What it is good for, in the provider's words.
    pub scope: Option<String>,
    /// When it was first stored, as ISO 8601, like all times here.
    pub created_at: Option<String>,
    /// When its value was last written.
    pub updated_at: Option<String>,
    /// The first moment at which it is not valid any more.
    pub expires_at: Option<String>,
    /// Whether that is over.
    pub expired: bool,
    /// Where it is kept.
    pub storage: Storage,
}

/// What went wrong: what the page gets as an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// A stable token.
    pub code: &'static str,
    /// What happened, as a clause.
    pub message: String,
    /// What to do next, in a sentence.
    pub hint: String,
}

/// A secret that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// `added`, `updated` or `removed`.
    pub kind: &'static str,
}

/// A value from the page.
pub(crate) struct Value(SecretString);

/// What the page says about a secret that it stores.
#[derive(Default)]
pub(crate) struct Metadata(Said);

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
        said.map(Self).map_err(|_| wrong("metadata is { provider, scope, expiresAt }, as text"))
    }
}

/// In place of serde's own error, which shows what was sent: a value, or one in the wrong place.
fn wrong<E: serde::de::Error>(expected: &str) -> E {
    E::custom(expected)
}

impl Value {
    /// The secret to store.
    ///
    /// # Errors
    ///
    /// `Invalid` for an expiry that is no time, or over.
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
