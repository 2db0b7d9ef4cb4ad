//! The data that the page and Rust exchange.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use strongroom::error::Operation;
use strongroom::json::{ErrorView, SecretView, StoreView, VERSION, WarningView};
use strongroom::store::ChoiceReason;
use strongroom::{ErrorKind, Secret, SecretInfo, SecretManager, SecretString, Timestamp};

use crate::Error;

/// The event that tells which secret has changed, with a [`Change`](strongroom::Change) as its payload.
pub const CHANGED: &str = "strongroom://changed";

/// The result of the command `status`: the store of the secrets, if they can be stored on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The version of the form: [`VERSION`].
    pub version: u32,
    /// The store of the secrets. `None` if no store can be used.
    pub store: Option<StoreView>,
    /// The facts about the store that the user has to know.
    pub warnings: Vec<WarningView>,
    /// The reason for which no store, or only the fallback, can be used.
    pub error: Option<ErrorView>,
}

/// The result of the command `list`: the secrets that the page may name, and their store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SecretList {
    /// The version of the form: [`VERSION`].
    pub version: u32,
    /// The secrets, without their values.
    pub secrets: Vec<SecretView>,
    /// The store of the secrets.
    pub store: StoreView,
    /// The facts about the store that the user has to know.
    pub warnings: Vec<WarningView>,
}

/// A value from the page.
pub(crate) struct Value(SecretString);

/// The metadata that the page sends with a secret.
#[derive(Default)]
pub(crate) struct Metadata(RawMetadata);

// Unknown fields are an error, because a misspelled field would be lost otherwise.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawMetadata {
    provider: Option<String>,
    scope: Option<String>,
    expires_at: Option<String>,
}

impl Status {
    pub(crate) fn of(opened: &Result<SecretManager, Error>) -> Self {
        let secrets = match opened {
            Ok(secrets) => secrets,
            Err(error) => return Self::new(None, Vec::new(), Some(error.view())),
        };
        let store = StoreView::from(secrets);
        let fallback = WarningView::of_choice(secrets.reason());
        let warnings = fallback.into_iter().chain(store.warnings()).collect();
        // A fallback works, but is not the store that the user expects.
        let error = match secrets.reason() {
            ChoiceReason::Fallback(cause) => Some(Error::Secrets(Arc::clone(cause)).view()),
            _ => None,
        };
        Self::new(Some(store), warnings, error)
    }

    fn new(store: Option<StoreView>, warnings: Vec<WarningView>, error: Option<ErrorView>) -> Self {
        Self { version: VERSION, store, warnings, error }
    }
}

impl SecretList {
    pub(crate) fn new(secrets: Vec<SecretInfo>, vault: &SecretManager) -> Self {
        let store = StoreView::from(vault);
        let (secrets, warnings) = (SecretView::list(secrets), store.warnings());
        Self { version: VERSION, secrets, store, warnings }
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
        let metadata = RawMetadata::deserialize(deserializer);
        // A value in the wrong field must not appear in the error.
        metadata
            .map(Self)
            .map_err(|_| wrong("metadata is { provider, scope, expires_at }, as text"))
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
        let RawMetadata { provider, scope, expires_at } = metadata.0;
        secret.metadata.expires_at = expires_at.map(|time| expiry(&time)).transpose()?;
        secret.metadata.provider = provider;
        secret.metadata.scope = scope;
        Ok(secret)
    }
}

fn expiry(time: &str) -> strongroom::Result<Timestamp> {
    let time: Timestamp = time.parse().map_err(|_| invalid("the expiry is not a time"))?;
    if time <= Timestamp::now() { Err(invalid("the expiry is over")) } else { Ok(time) }
}

fn invalid(message: &str) -> strongroom::Error {
    strongroom::Error::new(ErrorKind::Invalid, Operation::Set)
        .with_message(message)
        .with_hint("Give a time that is to come, as ISO 8601: new Date(…).toISOString().")
}
