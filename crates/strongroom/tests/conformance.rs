//! A guard keeps the contract of the store behind it.

use std::sync::Arc;

use strongroom::store::{Guard, MemoryStore};

strongroom_conformance::conformance_tests!({
    let store = MemoryStore::new();
    move || Guard::new(Arc::new(store.clone()))
});
