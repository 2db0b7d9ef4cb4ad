//! The JSON that Strongroom gives to other programs, as `docs/json.md` describes it: the parts that the program, the settings
//! page and the desktop plugin have in common.
//!
//! No part contains the value of a secret.

use std::error::Error as _;

use serde::Serialize;
use strongroom_core::{Capabilities, Error, Reason, SecretKey, SecretMetadata, Timestamp};

use crate::store::ChoiceReason;
use crate::{Backend, Layout, SecretInfo, SecretManager, blocking};

/// The version of the form, the `version` of each answer. A new field does not change it.
pub const VERSION: u32 = 1;

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SecretView {
    /// The name, the target and the metadata.
    #[serde(flatten)]
    pub info: SecretInfo,
    /// `true` if the secret has expired.
    pub expired: bool,
}

/// A store, and its protection of the secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreView {
    /// The backend.
    pub backend: Backend,
    /// The layout of the vault; `None` if it is not known, or if there is no vault.
    pub layout: Option<Layout>,
    /// The features of the store, and its protection.
    #[serde(flatten)]
    pub capabilities: Capabilities,
}

/// A fact that the user has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WarningView {
    /// The stable token, in snake case.
    pub code: &'static str,
    /// The fact, as a clause.
    pub message: String,
}

/// An error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ErrorView {
    /// The stable token: that of an [`ErrorKind`](crate::ErrorKind), or of a refusal that the library does not know.
    pub code: &'static str,
    /// The error and all its causes, as a clause.
    pub message: String,
    /// The next step, as sentences; may be empty.
    pub hint: String,
    /// The token of the [`Reason`], if there is one.
    pub reason: Option<&'static str>,
}

impl SecretView {
    /// Describes a secret of which the key and this metadata are known.
    pub fn of(key: SecretKey, metadata: SecretMetadata) -> Self {
        Self::new(SecretInfo { key, metadata }, Timestamp::now())
    }

    /// Describes a secret at this time.
    pub fn new(info: SecretInfo, now: Timestamp) -> Self {
        let expired = info.metadata.is_expired(now);
        Self { info, expired }
    }

    /// Describes secrets as they are now.
    pub fn list(secrets: Vec<SecretInfo>) -> Vec<Self> {
        let now = Timestamp::now();
        secrets.into_iter().map(|info| Self::new(info, now)).collect()
    }
}

impl StoreView {
    /// Describes a store. Some capabilities are known only once the store was used.
    pub fn new(
        backend: Backend,
        layout: impl Into<Option<Layout>>,
        capabilities: Capabilities,
    ) -> Self {
        Self { backend, layout: layout.into(), capabilities }
    }

    /// Returns the warnings about the protection, the most important first.
    pub fn warnings(&self) -> Vec<WarningView> {
        self.capabilities.warnings().into_iter().map(WarningView::from).collect()
    }
}

impl From<&SecretManager> for StoreView {
    fn from(vault: &SecretManager) -> Self {
        Self::new(vault.backend(), vault.layout(), vault.store_capabilities())
    }
}

impl From<&blocking::SecretManager> for StoreView {
    fn from(vault: &blocking::SecretManager) -> Self {
        Self::new(vault.backend(), vault.layout(), vault.store_capabilities())
    }
}

impl WarningView {
    /// Creates a warning from its token, in snake case, and its message, a clause.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Returns the warning `fallback`, if the store was chosen because the default can't be used.
    pub fn of_choice(reason: &ChoiceReason) -> Option<Self> {
        match reason {
            ChoiceReason::Fallback(cause) => {
                Some(Self::new("fallback", format!("the default can't be used: {cause}")))
            }
            _ => None,
        }
    }
}

impl From<crate::Warning> for WarningView {
    fn from(warning: crate::Warning) -> Self {
        Self::new(warning.code(), warning.to_string())
    }
}

impl ErrorView {
    /// Creates an error from its token, its message, a clause, and its hint, sentences.
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into(), reason: None }
    }

    /// Adds the causes to the message.
    #[must_use]
    pub fn with_causes<T: AsRef<str>>(mut self, causes: impl IntoIterator<Item = T>) -> Self {
        for cause in causes {
            self.message += ": ";
            self.message += cause.as_ref();
        }
        self
    }

    /// Sets the token of the reason.
    #[must_use]
    pub fn with_reason(mut self, reason: Option<&'static str>) -> Self {
        self.reason = reason;
        self
    }
}

impl From<&Error> for ErrorView {
    fn from(error: &Error) -> Self {
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        Self::new(error.code(), error.to_string(), error.hint())
            .with_causes(causes.map(ToString::to_string))
            .with_reason(error.reason().map(Reason::code))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use serde_json::{Value, json};
    use strongroom_core::{ErrorKind, Operation, Persistence};

    use super::*;

    fn written(view: impl Serialize) -> Value {
        serde_json::to_value(view).unwrap()
    }

    #[test]
    fn a_secret_has_each_field_and_knows_if_it_has_expired() {
        let end: Timestamp = "2026-12-31T18:00:00Z".parse().unwrap();
        let mut metadata = SecretMetadata::new();
        metadata.expires_at = Some(end);
        let info = SecretInfo { key: ("A", "test").into(), metadata };
        let view = |now| written(SecretView::new(info.clone(), now));
        let expected = json!({
            "name": "A", "target": "test", "provider": null, "scope": null, "created_at": null,
            "updated_at": null, "expires_at": "2026-12-31T18:00:00Z", "expired": true,
        });
        assert_eq!(view(end), expected);
        assert_eq!(view(Timestamp::UNIX_EPOCH)["expired"], false);
    }

    #[test]
    fn a_store_is_its_name_its_layout_and_its_capabilities() {
        let can = Capabilities::new(Persistence::Session).with_max_secret_len(9);
        let store = StoreView::new(Backend::Memory, Layout::Sealed, can);
        let mut expected = written(can);
        expected["backend"] = json!("memory");
        expected["layout"] = json!("sealed");
        assert_eq!(written(&store), expected);
        assert_eq!(
            (&expected["persistence"], &expected["max_secret_bytes"]),
            (&json!("session"), &json!(9))
        );
        assert_eq!(written(store.warnings())[0]["code"], "not_persistent");
    }

    #[test]
    fn an_error_tells_all_its_causes_and_its_reason() {
        let cause = Error::new(ErrorKind::Io, Operation::Open)
            .with_source(io::Error::other("the disk is full"));
        let error = Error::new(ErrorKind::NoBackend, Operation::Set)
            .with_reason(Reason::NoBus)
            .with_hint("Do this.")
            .with_source(cause);
        let expected = json!({
            "code": "no_backend", "reason": "no_bus", "hint": "Do this.",
            "message": "cannot store: no usable credential store was found: cannot open the vault: reading or \
                        writing failed: the disk is full",
        });
        assert_eq!(written(ErrorView::from(&error)), expected);
        let fallback = WarningView::of_choice(&ChoiceReason::Fallback(Arc::new(error))).unwrap();
        assert_eq!(fallback.code, "fallback");
        assert_eq!(WarningView::of_choice(&ChoiceReason::Bound), None);
    }
}
