//! The memory store keeps the contract.

strongroom_conformance::conformance_tests!({
    let store = strongroom_core::MemoryStore::new();
    move || store.clone()
});
