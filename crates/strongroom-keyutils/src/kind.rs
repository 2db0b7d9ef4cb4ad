//! The kernel's keyring as a kind of store.

use std::sync::Arc;

use strongroom_core::{Result, Store, StoreContext, StoreKind};

use crate::KeyutilsStore;

/// The kernel's keyring as a kind of store.
pub const KIND: StoreKind =
    StoreKind::new(KeyutilsStore::NAME, open).with_label("the kernel's keyring").with_protection(
        "the kernel: in memory only, never on disk; all programs of your user can read it",
    );

fn open(_: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(KeyutilsStore::new()))
}
