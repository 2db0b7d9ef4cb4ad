//! The file without encryption as a kind of store.

use std::sync::Arc;

use strongroom_core::{Error, ErrorKind, Operation, Result, Store, StoreContext, StoreKind};

use crate::{Config, PlaintextStore};

/// The file without encryption as a kind of store. Its settings are a [`Config`]. There is no default, so
/// opening fails with `NoBackend` without them. The deadlines come from the context.
pub const KIND: StoreKind = StoreKind::new(PlaintextStore::NAME, open)
    .with_label("a file without encryption")
    .with_protection("the permissions of its file alone; it is not encrypted");

fn open(context: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
    let Some(config) = context.settings.get::<Config>() else {
        return Err(Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_store(PlaintextStore::NAME)
            .with_message("this program was not told where its plaintext file is")
            .with_hint("Use the application that made the file."));
    };
    Ok(Arc::new(PlaintextStore::new(config.clone().with_deadlines(context.deadlines))))
}
