//! The Windows Credential Manager as a kind of store.

use std::sync::Arc;

use strongroom_core::{Result, Store, StoreContext, StoreKind};

use crate::{Config, CredentialManagerStore};

/// The Windows Credential Manager as a kind of store. Its settings are a [`Config`]; the deadline and the
/// state directory come from the context.
pub const KIND: StoreKind = StoreKind::new(CredentialManagerStore::NAME, open)
    .with_label("the Windows Credential Manager")
    .with_protection("Windows, for your login alone")
    .with_default_on("windows");

fn open(context: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
    let config = context.settings_or_default::<Config>().with_deadline(context.deadlines.call);
    let config = match context.state_dir {
        Some(directory) => config.with_state_dir(directory),
        None => config,
    };
    Ok(Arc::new(CredentialManagerStore::with_config(config)))
}
