//! Restoring into vaults on a store that counts and fails.

use std::sync::atomic::Ordering;

use strongroom_core::{
    Capabilities, ErrorKind, KeyringStore, Operation, Persistence, Secret, SecretMetadata,
    Store as _, secret_bytes,
};

use super::RestoreAction::{Add, Keep, Remove, Replace, Unchanged};
use super::RestoreMode::{Merge, Replace as All};
use super::*;
use crate::tests::{Machine, Vault, at, key, value};

/// A backup of a machine on which all this was stored: name, value, second.
fn backup(secrets: &[(&str, &str, i64)]) -> Document {
    let vault = filled(&Machine::new(), secrets);
    Document::parse(&back_up(vault.engine()).unwrap().json).unwrap()
}

fn filled(machine: &Machine, secrets: &[(&str, &str, i64)]) -> Vault {
    // The time of a vault never goes back.
    let mut secrets = secrets.to_vec();
    secrets.sort_by_key(|(_, _, second)| *second);
    let vault = machine.vault();
    for (name, value, second) in secrets {
        machine.seconds.store(second, Ordering::Relaxed);
        vault.set(&key(name), Secret::new(value)).unwrap();
    }
    vault
}

fn actions(plan: &RestorePlan) -> Vec<(&str, RestoreAction)> {
    plan.steps.iter().map(|step| (step.key.name(), step.action)).collect()
}

fn metadata(vault: &Vault, name: &str) -> SecretMetadata {
    let secrets = vault.list().unwrap();
    secrets.into_iter().find(|secret| secret.key == key(name)).unwrap().metadata
}

const OURS: &[(&str, &str, i64)] = &[
    ("newer", "ours", 30),
    ("older", "ours", 10),
    ("only ours", "ours", 15),
    ("same", "both", 20),
];

const THEIRS: &[(&str, &str, i64)] = &[
    ("newer", "theirs", 20),
    ("older", "theirs", 20),
    ("only theirs", "theirs", 25),
    ("same", "both", 20),
];

#[test]
fn merged_the_later_of_two_stays_and_nothing_goes() {
    let machine = Machine::new();
    let (vault, backup) = (filled(&machine, OURS), backup(THEIRS));
    let plan = plan_restore(vault.engine(), &backup, Merge).unwrap();
    let planned = [("newer", Keep), ("older", Replace), ("only theirs", Add), ("same", Unchanged)];
    assert_eq!(actions(&plan), planned);
    assert_eq!((plan.steps[0].in_vault, plan.steps[0].in_backup), (Some(at(30)), Some(at(20))));
    restore(&vault.shared, &backup, &plan).unwrap();
    for (name, expected) in [
        ("newer", "ours"),
        ("older", "theirs"),
        ("only ours", "ours"),
        ("only theirs", "theirs"),
        ("same", "both"),
    ] {
        assert_eq!(value(&machine.vault(), name).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn replaced_the_vault_holds_what_the_backup_holds() {
    let machine = Machine::new();
    let (vault, backup) = (filled(&machine, OURS), backup(THEIRS));
    let plan = plan_restore(vault.engine(), &backup, All).unwrap();
    let planned = [
        ("newer", Replace),
        ("older", Replace),
        ("only ours", Remove),
        ("only theirs", Add),
        ("same", Unchanged),
    ];
    assert_eq!(actions(&plan), planned);
    restore(&vault.shared, &backup, &plan).unwrap();
    let again = Document::parse(&back_up(machine.vault().engine()).unwrap().json).unwrap();
    let keys = again.payload.secrets().keys();
    assert!(keys.eq(backup.payload.secrets().keys()));
    for key in backup.payload.secrets().keys() {
        assert!(again.payload.is_same(&backup.payload, key), "{key}");
    }
    assert!(!plan_restore(vault.engine(), &backup, All).unwrap().changes_anything());
}

#[test]
fn what_is_restored_keeps_its_times_and_the_rest() {
    let there = Machine::new();
    there.seconds.store(100, Ordering::Relaxed);
    let secret = Secret::with_provider("1", "p").scope("s").expires_at(at(150));
    there.vault().set(&key("a"), secret).unwrap();
    there.seconds.store(200, Ordering::Relaxed);
    let vault = there.vault();
    vault.update_value(key("a"), "2").unwrap();
    let backup = Document::parse(&back_up(vault.engine()).unwrap().json).unwrap();
    assert_eq!(backup.created_at, at(200));

    let here = Machine::new();
    let vault = here.vault();
    here.seconds.store(9_000, Ordering::Relaxed);
    restore(&vault.shared, &backup, &plan_restore(vault.engine(), &backup, Merge).unwrap())
        .unwrap();
    let restored = metadata(&here.vault(), "a");
    assert_eq!((restored.created_at, restored.updated_at), (Some(at(100)), Some(at(200))));
    assert_eq!(restored, metadata(&there.vault(), "a"), "an expired secret is in it");
    let expiring = here.vault().expiring(std::time::Duration::ZERO).unwrap();
    assert_eq!(expiring.len(), 1);
}

#[test]
fn where_no_time_is_known_the_vaults_secret_stays() {
    let machine = Machine::new();
    let entry = secret_bytes(br#"{"a": "ours"}"#.to_vec());
    machine.store.set_bytes("app", "vault", &entry).unwrap();
    let vault = machine.vault();
    let plan = plan_restore(vault.engine(), &backup(&[("a", "theirs", 10)]), Merge).unwrap();
    assert_eq!(actions(&plan), [("a", Keep)]);
    let equal = filled(&Machine::new(), &[("a", "ours", 10)]);
    let plan = plan_restore(equal.engine(), &backup(&[("a", "theirs", 10)]), Merge).unwrap();
    assert_eq!(actions(&plan), [("a", Keep)]);
    let copied = filled(&Machine::new(), &[("a", "theirs", 20)]);
    let plan = plan_restore(copied.engine(), &backup(&[("a", "theirs", 10)]), Merge).unwrap();
    assert_eq!(actions(&plan), [("a", Unchanged)], "other times alone are no difference");
}

#[test]
fn a_restore_is_all_or_nothing_and_one_write() {
    let machine = Machine::new();
    let (vault, backup) = (filled(&machine, OURS), backup(THEIRS));
    let plan = plan_restore(vault.engine(), &backup, All).unwrap();
    let before = back_up(vault.engine()).unwrap().json;
    machine.store.fail(Operation::Set, ErrorKind::Io);
    assert_eq!(restore(&vault.shared, &backup, &plan).unwrap_err().kind(), ErrorKind::Io);
    machine.store.heal(Operation::Set);
    let unlimited = machine.store.capabilities();
    // One that forgets takes no sealed file either.
    let small = Capabilities::new(Persistence::UntilReboot).with_max_secret_len(400);
    machine.store.set_capabilities(small);
    let refused = restore(&vault.shared, &backup, &plan).unwrap_err();
    assert_eq!((refused.kind(), refused.operation()), (ErrorKind::TooLarge, Operation::Restore));
    assert_eq!(
        back_up(machine.vault().engine()).unwrap().json.expose_secret(),
        before.expose_secret()
    );

    machine.store.set_capabilities(unlimited);
    let writes = |machine: &Machine| {
        machine.store.calls().iter().filter(|call| call.operation == Operation::Set).count()
    };
    let earlier = writes(&machine);
    restore(&vault.shared, &backup, &plan).unwrap();
    assert_eq!(writes(&machine), earlier + 1);
    let plan = plan_restore(vault.engine(), &backup, All).unwrap();
    restore(&vault.shared, &backup, &plan).unwrap();
    assert_eq!(writes(&machine), earlier + 1, "nothing to do is no write");
}

#[test]
fn a_plan_that_the_vault_has_outlived_is_not_carried_out() {
    let machine = Machine::new();
    let (vault, backup) = (filled(&machine, OURS), backup(THEIRS));
    for mode in [Merge, All] {
        let plan = plan_restore(vault.engine(), &backup, mode).unwrap();
        machine.seconds.fetch_add(100, Ordering::Relaxed);
        machine.vault().set(&key("older"), Secret::new("meanwhile")).unwrap();
        let refused = restore(&vault.shared, &backup, &plan).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
        assert_eq!(value(&vault, "older").as_deref(), Some("meanwhile"));
        assert_eq!(value(&vault, "only theirs"), None);
    }
    let plan = plan_restore(vault.engine(), &backup, Merge).unwrap();
    machine.vault().set(&key("unrelated"), Secret::new("meanwhile")).unwrap();
    restore(&vault.shared, &backup, &plan).unwrap();
    assert_eq!(value(&vault, "unrelated").as_deref(), Some("meanwhile"));
}
