//! Fetched secrets and a store that fails.

use super::*;

fn old() -> Option<SecretString> {
    Some(SecretString::from("1"))
}

#[test]
fn a_store_that_can_not_be_written_is_known_before_the_fetch() {
    for machine in Machine::of_each_layout().into_iter().chain([Machine::with(Layout::Entries)]) {
        let vault = machine.vault();
        vault.set(&key("a"), Secret::new("1")).unwrap();
        vault.shared.check_writable(&key("a")).unwrap();
        vault.shared.check_writable(&key("missing")).unwrap();
        assert_eq!(value(&vault, "a").as_deref(), Some("1"));
        assert!(!vault.exists(key("missing")).unwrap());
        if machine.layout == Layout::Sealed {
            continue; // Its file takes the write.
        }
        machine.store.fail(Operation::Set, ErrorKind::Locked);
        let error = vault.shared.check_writable(&key("a")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked, "{:?}", machine.layout);
    }
}

#[test]
fn a_fetched_secret_that_the_store_did_not_take_is_returned_and_stored_by_the_next_change() {
    for layout in [Layout::Inline, Layout::Entries] {
        let machine = Machine::with(layout);
        let vault = machine.vault();
        vault.set(&key("a"), Secret::new("1")).unwrap();
        machine.store.fail(Operation::Set, ErrorKind::Locked);
        let secret =
            vault.shared.store_fetched(&key("a"), old().as_ref(), Secret::new("2")).unwrap();
        assert_eq!(secret.value.expose_secret(), "2");
        assert_eq!(vault.unstored(), [key("a")]);
        let again = vault.shared.for_refresh(&key("a")).unwrap().unwrap();
        assert_eq!(again.value.expose_secret(), "2", "a refresh goes on with it");
        machine.store.heal(Operation::Set);
        vault.set(&key("b"), Secret::new("3")).unwrap();
        assert!(vault.unstored().is_empty());
        assert_eq!(value(&machine.vault(), "a").as_deref(), Some("2"));
    }
}

#[test]
fn what_was_changed_or_deleted_meanwhile_stands() {
    let machine = Machine::new();
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    machine.store.fail_once(Operation::Set, ErrorKind::TimedOut);
    vault.shared.store_fetched(&key("a"), old().as_ref(), Secret::new("2")).unwrap();
    machine.vault().set(&key("a"), Secret::new("theirs")).unwrap();
    let found = vault.shared.for_refresh(&key("a")).unwrap().unwrap();
    assert_eq!(found.value.expose_secret(), "theirs");
    machine.vault().delete(key("a")).unwrap();
    let error =
        vault.shared.store_fetched(&key("a"), old().as_ref(), Secret::new("2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(vault.unstored().is_empty() && value(&vault, "a").is_none());
}

#[test]
fn an_entry_takes_the_value_of_what_was_fetched() {
    let machine = Machine::with(Layout::Entries);
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    let fetched = Secret::with_provider("2", "p").expires_at(at(2_000));
    vault.shared.store_fetched(&key("a"), old().as_ref(), fetched).unwrap();
    assert_eq!(value(&machine.vault(), "a").as_deref(), Some("2"));
}
