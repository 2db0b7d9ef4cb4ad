//! The kernel keyring keeps the contract.

#![cfg(target_os = "linux")]

use std::sync::{Mutex, PoisonError};

/// An ordinary user's quota holds what one case writes, but not all of them at once.
static TURN: Mutex<()> = Mutex::new(());

strongroom_conformance::conformance_tests!({
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    move || {
        let _held = &turn;
        strongroom_keyutils::KeyutilsStore::new()
    }
});
