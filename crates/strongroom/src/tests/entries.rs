//! The vault in entries of its secrets' own: what the store is asked.

use super::*;

/// What the store was asked since the last time.
fn asked(machine: &Machine, before: &mut usize) -> Vec<Operation> {
    let calls = machine.store.calls().split_off(*before);
    *before += calls.len();
    calls.into_iter().map(|call| call.operation).collect()
}

#[test]
fn a_read_asks_the_store_and_a_list_reads_no_value() {
    use Operation::{Delete, Exists, Get, List, Set};
    let machine = Machine::with(Layout::Entries);
    let (vault, mut seen) = (machine.vault(), 0);
    vault.open().unwrap();
    assert_eq!(asked(&machine, &mut seen), [List], "open");
    vault.set(&key("a"), Secret::new("1")).unwrap();
    assert_eq!(asked(&machine, &mut seen), [Set], "set");
    for _ in 0..2 {
        assert_eq!(value(&vault, "a").as_deref(), Some("1"));
        assert_eq!(asked(&machine, &mut seen), [Get], "get");
    }
    assert_eq!(vault.list().unwrap().len(), 1);
    assert_eq!(asked(&machine, &mut seen), [List], "list");
    assert!(vault.exists(key("a")).unwrap());
    assert_eq!(asked(&machine, &mut seen), [Exists], "exists");
    vault.create(&key("b"), Secret::new("2")).unwrap();
    assert_eq!(asked(&machine, &mut seen), [Exists, Set], "create");
    vault.rename(key("b"), key("c")).unwrap();
    assert_eq!(asked(&machine, &mut seen), [Exists, Exists, Get, Set, Get, Delete], "rename");
    assert!(vault.delete(key("c")).unwrap());
    assert_eq!(asked(&machine, &mut seen), [Exists, Delete], "delete");
}

#[test]
fn who_is_told_of_changes_reads_no_value() {
    let machine = Machine::with(Layout::Entries);
    let vault = Arc::new(machine.vault());
    vault.open().unwrap();
    let (mut watcher, mut seen) = (vault.watcher(), machine.store.calls().len());
    vault.set(&key("a"), Secret::new("1")).unwrap();
    assert!(watcher.look(vault.engine()).is_some());
    assert_eq!(asked(&machine, &mut seen), [Operation::Set, Operation::Probe, Operation::List]);
}

#[test]
fn a_rename_that_fails_leaves_the_old_entry() {
    let machine = Machine::with(Layout::Entries);
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    machine.store.fail_once(Operation::Set, ErrorKind::QuotaExceeded);
    let error = vault.rename(key("a"), key("b")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(value(&vault, "a").as_deref(), Some("1"));
    machine.store.fail_once(Operation::Delete, ErrorKind::TimedOut);
    vault.rename(key("a"), key("b")).unwrap_err();
    assert_eq!(value(&vault, "a").as_deref(), Some("1"));
    assert_eq!(value(&vault, "b").as_deref(), Some("1"), "nothing is lost where it stays");
}

#[test]
fn a_store_that_can_not_list_has_no_entries_to_offer() {
    let machine = Machine::with(Layout::Entries);
    machine.store.set_capabilities(Capabilities::new(Persistence::Permanent));
    assert_eq!(machine.vault().open().unwrap_err().kind(), ErrorKind::Unsupported);
}
