//! A key slot that somebody changed who has no key is noticed when the file is opened, and not when it is needed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use rusqlite::Connection;
use strongroom_sealed::{FileConfig, KeySource, SealedFile, SealingKey, Slot, SlotChange, SlotId};
use support::{PlantedSlot, Sandbox, now, passphrase, plant_slots, put, value};

/// A vault with the secret `a`, its own slot, and a recovery passphrase.
fn vault() -> (Sandbox, Slot) {
    let sandbox = Sandbox::filled(&["a"]);
    let recovery = passphrase("recovery").with_label("recovery");
    let slot = sandbox.open().add_slot(&recovery, now()).unwrap();
    (sandbox, slot)
}

fn changed(file: &SealedFile) -> Vec<SlotId> {
    let slots = file.slots().unwrap().into_iter();
    slots.filter(|slot| slot.is_changed).map(|slot| slot.id).collect()
}

/// Turns a slot into one that looks the same and opens nothing.
fn spoil(sandbox: &Sandbox, slot: &Slot) {
    let connection = Connection::open(sandbox.path()).unwrap();
    let created_at = slot.created_at.to_string();
    let Slot { id, label, .. } = slot;
    PlantedSlot { id: id.as_str(), label, created_at: &created_at, memory_kib: 65_536, passes: 1 }
        .write(&connection);
}

#[test]
fn what_was_written_with_the_key_is_as_it_was_written() {
    let (sandbox, slot) = vault();
    let file = sandbox.open();
    assert_eq!(file.slot_changes().unwrap(), []);
    file.replace_slot(&slot.id, &passphrase("other"), now()).unwrap();
    assert_eq!((file.slot_changes().unwrap(), changed(&file).len()), (vec![], 0));
    file.rotate(&[KeySource::key(sandbox.key.clone()), passphrase("other")], |_| ()).unwrap();
    assert_eq!(sandbox.open().slot_changes().unwrap(), []);
}

#[test]
fn a_slot_that_was_spoiled_is_named_and_the_secrets_can_be_read() {
    let (sandbox, slot) = vault();
    spoil(&sandbox, &slot);
    let file = sandbox.open();
    assert_eq!(file.slot_changes().unwrap(), [SlotChange::Changed(slot.id.clone())]);
    assert_eq!(changed(&file), std::slice::from_ref(&slot.id));
    assert_eq!(value(&file, "a").as_deref(), Some("a"));
    // Who changes another slot does not vouch for this one.
    file.add_slot(&KeySource::key(SealingKey::generate().unwrap()), now()).unwrap();
    put(&file, "b", "1");
    assert_eq!(changed(&sandbox.open()), std::slice::from_ref(&slot.id));
    file.replace_slot(&slot.id, &passphrase("recovery"), now()).unwrap();
    assert_eq!(sandbox.open().slot_changes().unwrap(), []);
}

#[test]
fn slots_that_were_added_removed_or_damaged_are_named() {
    let (sandbox, _) = vault();
    plant_slots(&sandbox, 1, 65_536, 1);
    let planted = SlotChange::Added("00000000".into());
    assert_eq!(sandbox.open().slot_changes().unwrap(), [planted]);
    let (sandbox, other) = vault();
    sandbox.sql(&format!("DELETE FROM slot WHERE id = '{}'", other.id));
    assert_eq!(sandbox.open().slot_changes().unwrap(), [SlotChange::Removed(other.id)]);
    let (sandbox, other) = vault();
    sandbox.sql(&format!("UPDATE slot SET label = 'x' WHERE id = '{}'", other.id));
    assert_eq!(sandbox.open().slot_changes().unwrap(), [SlotChange::Changed(other.id)]);
}

#[test]
fn a_list_that_was_taken_away_or_changed_vouches_for_nothing() {
    for sql in [
        "DROP TABLE slot_list",
        "DELETE FROM slot_list",
        "UPDATE slot_list SET sealed = zeroblob(200)",
        "UPDATE slot_list SET sealed = zeroblob(2000000)",
    ] {
        let (sandbox, _) = vault();
        sandbox.sql(sql);
        let file = sandbox.open();
        assert_eq!(file.slot_changes().unwrap().len(), 2, "{sql}");
        assert_eq!(value(&file, "a").as_deref(), Some("a"));
    }
}

#[test]
fn a_list_of_another_time_or_vault_does_not_pass() {
    let list = |sandbox: &Sandbox| -> Vec<u8> {
        let connection = Connection::open(sandbox.path()).unwrap();
        connection.query_row("SELECT sealed FROM slot_list", [], |row| row.get(0)).unwrap()
    };
    let (sandbox, slot) = vault();
    let (before, (other, _)) = (list(&sandbox), vault());
    sandbox.open().remove_slot(&slot.id).unwrap();
    let changes = |sealed: Vec<u8>| {
        let connection = Connection::open(sandbox.path()).unwrap();
        connection.execute("UPDATE slot_list SET sealed = ?1", [sealed]).unwrap();
        sandbox.open().slot_changes().unwrap().len()
    };
    assert_eq!(changes(before), 1, "the removed slot is missed");
    assert_eq!(changes(list(&other)), 1, "the list opens by its own vault's key alone");
}

#[test]
fn a_file_without_a_list_gets_one_with_the_first_change_of_its_slots() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.dir()).unwrap();
    let vector = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/format-1.sealed");
    fs::copy(vector, sandbox.path()).unwrap();
    #[cfg(unix)]
    for (path, mode) in [(sandbox.dir(), 0o700), (sandbox.path(), 0o600)] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(path, mode).unwrap();
    }
    let config = FileConfig::new(sandbox.path(), KeySource::passphrase("correct horse".into()));
    let file = SealedFile::open(&config).unwrap();
    assert_eq!(file.slot_changes().unwrap(), []);
    let open = SealedFile::open(&config).unwrap();
    let slot = file.add_slot(&KeySource::key(sandbox.key.clone()), now()).unwrap();
    assert_eq!(file.slot_changes().unwrap(), []);
    assert_eq!(open.slot_changes().unwrap(), [], "who has it open meets the new table");
    spoil(&sandbox, &slot);
    assert_eq!(SealedFile::open(&config).unwrap().slot_changes().unwrap().len(), 1);
}
