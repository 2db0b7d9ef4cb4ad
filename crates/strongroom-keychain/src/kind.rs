//! The macOS Keychain as a kind of store.

use std::sync::Arc;

use strongroom_core::{Result, Store, StoreContext, StoreKind};

use crate::{Config, KeychainStore};

/// The macOS Keychain as a kind of store. Its settings are a [`Config`]; the deadline and the prompt policy come from the context.
pub const KIND: StoreKind = StoreKind::new(KeychainStore::NAME, open)
    .with_label("the macOS Keychain")
    .with_protection("the macOS Keychain, which your login opens")
    .with_default_on("macos");

fn open(context: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
    let config = context.settings_or_default::<Config>();
    let config = config.with_prompt(context.prompt).with_deadline(context.deadlines.call);
    Ok(Arc::new(KeychainStore::new(config)))
}
