//! The stores of the core keep the contract.

mod memory {
    strongroom_conformance::conformance_tests!({
        let store = strongroom_core::MemoryStore::new();
        move || store.clone()
    });
}

mod mock {
    strongroom_conformance::conformance_tests!({
        let store = strongroom_core::MockKeyringStore::new();
        move || store.clone()
    });
}
