//! Answers in JSON: the service, its store and the warnings, in the form of `strongroom::json`.

use serde_json::{Value, json};
use strongroom::blocking::SecretManager;
use strongroom::json::{SecretView, StoreView, WarningView};
use strongroom::keys::VaultKeys;
use strongroom::moves::Moved;
use strongroom::repair::VaultRepair;
use strongroom::store::{ChoiceReason, ServiceEntries};
use strongroom::{Layout, SecretKey, SecretMetadata, Timestamp};

use crate::store::Opened;

/// A place that keeps secrets.
pub(crate) trait Place {
    fn view(&self) -> StoreView;

    /// Returns the reason why it was chosen, if that is known.
    fn reason(&self) -> Option<&ChoiceReason>;
}

/// Adds to the fields of an answer the service, the store, and the warnings about the store.
///
/// To be called once the place was used, since some facts are known only then.
pub(crate) fn answer(mut fields: Value, service: &str, place: &impl Place) -> Value {
    let store = place.view();
    let fallback = place.reason().and_then(WarningView::of_choice);
    let warnings: Vec<_> = fallback.into_iter().chain(store.warnings()).collect();
    fields["service"] = service.into();
    fields["store"] = json!(store);
    fields["warnings"] = json!(warnings);
    fields
}

/// Returns the answer about a secret that was stored. Its times are those of the vault, if it is still there.
pub(crate) fn about_secret(
    key: &SecretKey,
    metadata: SecretMetadata,
    service: &str,
    vault: &SecretManager,
) -> Value {
    let listed = vault.list().unwrap_or_default().into_iter().find(|found| found.key == *key);
    let secret = match listed {
        Some(listed) => SecretView::new(listed, Timestamp::now()),
        None => SecretView::of(key.clone(), metadata),
    };
    answer(json!({ "secret": secret }), service, vault)
}

/// Returns the name and the target of a secret.
pub(crate) fn key_as_json(key: &SecretKey) -> Value {
    json!({ "name": key.name(), "target": key.target() })
}

impl Place for SecretManager {
    fn view(&self) -> StoreView {
        self.into()
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(self.reason())
    }
}

impl Place for ServiceEntries {
    fn view(&self) -> StoreView {
        StoreView::new(self.backend(), None, self.capabilities())
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(self.reason())
    }
}

impl Place for VaultKeys {
    fn view(&self) -> StoreView {
        StoreView::new(self.backend(), Layout::Sealed, self.store_capabilities())
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(self.reason())
    }
}

/// The layout of a vault that may be damaged is not known.
impl Place for VaultRepair {
    fn view(&self) -> StoreView {
        StoreView::new(self.backend(), None, self.store_capabilities())
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(self.reason())
    }
}

impl Place for Opened {
    fn view(&self) -> StoreView {
        StoreView::new(self.backend, self.layout, self.store.capabilities())
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(&self.reason)
    }
}

/// A move has no reason for its target, which the user names.
impl Place for Moved {
    fn view(&self) -> StoreView {
        StoreView::new(self.to, None, self.capabilities)
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        None
    }
}
