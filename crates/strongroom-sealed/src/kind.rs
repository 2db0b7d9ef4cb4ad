//! The sealed file as a kind of store.

use std::sync::Arc;

use strongroom_core::{ErrorKind, Operation, Result, Store, StoreContext, StoreKind};

use crate::error::{STORE, fault};
use crate::{Config, SealedStore};

/// The sealed file as a kind of store. Its settings are a [`Config`] with the directory and the key sources,
/// without which it can't be opened.
pub const KIND: StoreKind = StoreKind::new(SealedStore::NAME, open)
    .with_label("an encrypted file")
    .with_protection("encryption; whoever has the passphrase or a key, and the file, can read it");

fn open(context: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
    let config = context.settings.get::<Config>().cloned().ok_or_else(|| {
        fault(ErrorKind::NoBackend, "no directory was named for encrypted files")
            .during(Operation::Choose)
            .with_store(STORE)
    })?;
    Ok(Arc::new(SealedStore::new(config)))
}
