//! The layout `entries`: what other programs see, and what an entry can't hold.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::env;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use strongroom::store::{MAX_NAME_BYTES, choose_unbound};
use strongroom::{
    Backend, Config, Error, ErrorKind, ExposeSecret, KeyringStore, Layout, PromptPolicy, Secret,
    SecretKey, SecretString, Timestamp, blocking,
};
use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::{Sandbox, children, provider_or_skip, secret_tool, unused_name};
use support::apart::{Machine, content, value};
use support::{gnome_keyring, on};

/// What the other process writes.
const USER: &str = "STRONGROOM_TEST_USER";

fn entries(config: Config, sandbox: &Sandbox) -> blocking::SecretManager {
    support::builder("app", config.layout(Layout::Entries), sandbox).open_blocking().unwrap()
}

fn entries_in_memory() -> blocking::SecretManager {
    let config = Config::new("").backend(Backend::Memory).layout(Layout::Entries);
    config.service(unused_name("app")).open_blocking().unwrap()
}

#[test]
fn secret_tool_and_we_read_and_write_the_same_entries() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    if !provider_or_skip("secret-tool") {
        return;
    }
    let secrets = entries(on(&bus), bus.sandbox());
    secrets.set_api_key("anthropic-api-key", "sk-1", None).unwrap();
    assert_eq!(secret_tool::lookup(&bus, "app", "anthropic-api-key").as_deref(), Some("sk-1"));
    secret_tool::store(&bus, "app", "anthropic-api-key", "sk-2");
    assert_eq!(value(&secrets, "anthropic-api-key").as_deref(), Some("sk-2"));
    secret_tool::store(&bus, "app", "alice@example.com", "theirs");
    assert_eq!(value(&secrets, "alice@example.com").as_deref(), Some("theirs"));
    let key = SecretKey::with_target("token", "staging");
    secrets.set(&key, &Secret::new("t")).unwrap();
    assert_eq!(secret_tool::lookup(&bus, "app", "token::staging").as_deref(), Some("t"));
    let keys: Vec<_> = secrets.list().unwrap().into_iter().map(|info| info.key).collect();
    assert_eq!(keys, ["alice@example.com".into(), "anthropic-api-key".into(), key]);
    assert!(secret_tool::clear(&bus, "app", "anthropic-api-key"));
    assert_eq!(value(&secrets, "anthropic-api-key"), None);
    let store = choose_unbound(&on(&bus)).unwrap();
    let users = store.store().list("app").unwrap();
    let users: Vec<_> = users.iter().map(|user| user.as_str()).collect();
    assert_eq!(users, ["alice@example.com", "token::staging"], "nothing lies beside them");
}

#[test]
fn the_keyring_crate_and_we_read_and_write_the_same_entries() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let secrets = entries(on(&bus), bus.sandbox());
    secrets.set_api_key("anthropic-api-key", "ours", None).unwrap();
    let mut command = bus.command(child::program());
    child::enter(command.env(USER, "anthropic-api-key"), "keyring_crate");
    let mut peer = Child::start(command);
    assert_eq!(peer.next(), "ours");
    peer.tell("theirs");
    assert_eq!(peer.next(), "written");
    assert_eq!(value(&secrets, "anthropic-api-key").as_deref(), Some("theirs"));
    secrets.update_value("anthropic-api-key", "ours again").unwrap();
    peer.tell("read");
    assert_eq!(peer.next(), "ours again");
}

children!(keyring_crate);

/// Reads and writes an entry by the `keyring` crate.
fn keyring_crate() {
    let entry = keyring::Entry::new("app", &env::var(USER).unwrap()).unwrap();
    say(&entry.get_password().unwrap());
    entry.set_password(&told().unwrap()).unwrap();
    say("written");
    told();
    say(&entry.get_password().unwrap());
}

#[test]
fn what_an_entry_can_not_hold_is_refused_before_anything_is_written() {
    let secrets = entries_in_memory();
    let key = SecretKey::new("A");
    let (ours, later) = (|| Secret::new("1"), Timestamp::now() + Duration::from_secs(60 * 60));
    let more = [ours().provider("p"), ours().scope("s"), ours().expires_at(later)];
    for secret in more {
        let mut refusals = vec![
            secrets.set(&key, &secret),
            secrets.create(&key, &secret),
            secrets.update(&key, |_| Some(secret.duplicate())),
        ];
        // The first of them could be stored.
        refusals.push(secrets.batch(|batch| {
            batch.set("0", ours()).set(&key, secret.duplicate());
        }));
        for refused in refusals {
            let refused: Error = refused.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Unsupported);
            assert!(refused.hint().contains("another layout"), "{}", refused.hint());
        }
    }
    assert!(secrets.list().unwrap().is_empty());
    let can = secrets.capabilities();
    assert!(!can.keeps_metadata && !can.is_atomic && !can.is_cached);
    let inline = Config::new(unused_name("app")).backend(Backend::Memory);
    let inline = inline.open_blocking().unwrap();
    assert!(inline.capabilities().keeps_metadata && inline.capabilities().is_atomic);
}

#[test]
fn a_name_that_would_be_anothers_is_refused_to_who_reads_it_too() {
    let secrets = entries_in_memory();
    secrets.set_api_key("a", "1", None).unwrap();
    let long = SecretKey::with_target("a".repeat(MAX_NAME_BYTES), "b");
    for key in ["vault".into(), "a::b".into(), SecretKey::with_target("a", ":b"), long] {
        let deleting = secrets.batch(|batch| {
            batch.delete(&key);
        });
        let refusals = [
            secrets.set(&key, &Secret::new("1")).unwrap_err(),
            secrets.get(&key).unwrap_err(),
            secrets.exists(&key).unwrap_err(),
            secrets.delete(&key).unwrap_err(),
            secrets.rename("a", &key).unwrap_err(),
            deleting.unwrap_err(),
        ];
        for refused in refusals {
            assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
        }
    }
    assert_eq!(content(&secrets), BTreeMap::from([("a".into(), "1".to_owned())]));
}

#[test]
fn of_us_and_another_program_that_create_an_entry_one_succeeds() {
    let machine = Machine::new();
    let (secrets, store) = (machine.open(Layout::Entries), machine.store());
    let (names, both_ready) = (|| (0..50).map(|number| format!("NAME_{number}")), Barrier::new(2));
    let (ours, theirs): (Vec<bool>, Vec<bool>) = thread::scope(|scope| {
        let ours = scope.spawn(|| {
            let create = |name| secrets.create(name, &Secret::new("ours"));
            names()
                .map(|name| {
                    both_ready.wait();
                    create(name).is_ok()
                })
                .collect()
        });
        let value = SecretString::from("theirs");
        let create = |name: String| store.store().create_password(&machine.service, &name, &value);
        let theirs = names()
            .map(|name| {
                both_ready.wait();
                create(name).is_ok()
            })
            .collect();
        (ours.join().unwrap(), theirs)
    });
    for ((ours, theirs), name) in ours.into_iter().zip(theirs).zip(names()) {
        assert!(ours != theirs, "{name}: one of two");
        let winner = if ours { "ours" } else { "theirs" };
        assert_eq!(value(&secrets, name).as_deref(), Some(winner));
    }
}

#[test]
fn a_batch_that_fails_in_between_keeps_what_it_stored_and_deletes_nothing() {
    let secrets = entries(Config::new("").backend(Backend::Keyutils), &Sandbox::new());
    let _purged = support::Purged(&secrets);
    secrets.set_api_key("OLD", "1", None).unwrap();
    let too_large = "x".repeat(1 << 20);
    let failed = secrets.batch(|batch| {
        batch.delete("OLD").set("A", Secret::new("2"));
        batch.set("B", Secret::new(too_large));
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::TooLarge);
    let kept = [("A".into(), "2".to_owned()), ("OLD".into(), "1".to_owned())];
    assert_eq!(content(&secrets), BTreeMap::from(kept));
}

#[test]
fn a_value_that_is_not_text_is_an_error_and_its_name_is_listed() {
    let machine = Machine::new();
    let secrets = machine.open(Layout::Entries);
    let bytes = strongroom::store::secret_bytes(vec![0xff, 0xfe]);
    let store = machine.store();
    store.store().create_bytes(&machine.service, "BYTES", &bytes).unwrap();
    assert_eq!(secrets.list().unwrap().len(), 1);
    assert_eq!(secrets.get_value("BYTES").unwrap_err().kind(), ErrorKind::Invalid);
    secrets.rename("BYTES", "RENAMED").unwrap();
    let moved = store.store().get_bytes(&machine.service, "RENAMED").unwrap().unwrap();
    assert_eq!(moved.expose_secret(), bytes.expose_secret());
}

#[test]
fn a_locked_keyring_is_locked_and_not_without_entries() {
    let Some((bus, keyring)) = gnome_keyring() else { return };
    let secrets = entries(on(&bus), bus.sandbox());
    secrets.set_api_key("A", "1", None).unwrap();
    keyring.lock();
    let never = on(&bus).prompt(PromptPolicy::Never).layout(Layout::Entries);
    let opening = support::builder("app", never, bus.sandbox());
    let locked = opening.open_blocking().and_then(|secrets| secrets.list()).unwrap_err();
    assert_eq!(locked.kind(), ErrorKind::Locked);
}

#[cfg(feature = "backup")]
#[test]
fn a_backup_of_entries_is_restored_into_entries() {
    use strongroom::backup::{Backup, Protection, RestoreMode, Unlock};

    let passphrase = || SecretString::from("correct horse");
    let (protection, unlock) = (
        Protection::passphrase(passphrase()).unwrap(),
        Unlock::new().with_passphrase(passphrase()),
    );
    let back_up = |secrets: &blocking::SecretManager| {
        let file = secrets.backup(&protection).unwrap();
        Backup::open_blocking(file.text, &unlock).unwrap().for_any_service()
    };
    let in_memory = |layout| {
        let service = unused_name("app");
        let builder = Config::new(service).backend(Backend::Memory).layout(layout);
        builder.open_blocking().unwrap()
    };
    let (ours, theirs) = (in_memory(Layout::Entries), in_memory(Layout::Entries));
    ours.set_api_key("A", "1", None).unwrap();
    ours.set(SecretKey::with_target("B", "t"), &Secret::new("2")).unwrap();
    theirs.set_api_key("C", "3", None).unwrap();
    let backup = back_up(&ours);
    let plan = theirs.plan_restore(&backup, RestoreMode::Replace).unwrap();
    theirs.restore(&backup, &plan).unwrap();
    assert_eq!(content(&theirs), content(&ours));

    let inline = in_memory(Layout::Inline);
    inline.set_api_key("A", "other", None).unwrap();
    inline.set_api_key("Z", "4", Some("provider")).unwrap();
    let backup = back_up(&inline);
    let plan = theirs.plan_restore(&backup, RestoreMode::Replace).unwrap();
    let refused = theirs.restore(&backup, &plan).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(content(&theirs), content(&ours), "nothing was changed");
}
