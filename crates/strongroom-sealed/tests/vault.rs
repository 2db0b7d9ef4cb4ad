//! What a vault's file does for its user.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use strongroom_core::{
    Error, ErrorKind, ExposeSecret, Operation, Secret, SecretKey, SecretMetadata, Timestamp,
    secret_bytes,
};
use strongroom_sealed::{FileConfig, KeySource, MAX_VALUE_BYTES, SealedFile, SealingKey};
use support::{Sandbox, now, put, refused, value};

#[test]
fn every_line_of_the_api() {
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    let key = SecretKey::with_target("API_KEY", "production");
    let mut secret = Secret::with_provider("s3cret", "p").scope("s").expires_at(now());
    secret.metadata.created_at = Some(now());
    assert!(file.is_empty().unwrap() && file.get(&key).unwrap().is_none());
    file.change(|change| {
        change.put(&key, &secret)?;
        change.put(&SecretKey::new("API_KEY"), &Secret::new("other"))?;
        assert_eq!(change.get(&key)?.unwrap().value.expose_secret(), "s3cret");
        assert_eq!(change.metadata(&key)?, Some(secret.metadata.clone()));
        assert_eq!((change.list()?.len(), change.generation()), (2, 1));
        Ok(())
    })
    .unwrap();
    let read = file.get(&key).unwrap().unwrap();
    assert_eq!((read.value.expose_secret(), &read.metadata), ("s3cret", &secret.metadata));
    assert_eq!(value(&file, "API_KEY").as_deref(), Some("other"));
    assert_eq!((file.len().unwrap(), file.generation().unwrap()), (2, 1));
    let mut listed = file.list().unwrap();
    listed.sort_by(|(one, _), (other, _)| one.cmp(other));
    let plain = (SecretKey::new("API_KEY"), SecretMetadata::default());
    assert_eq!(listed, [plain, (key.clone(), secret.metadata)]);
    assert!(file.change(|change| change.remove(&key)).unwrap());
    assert!(!file.contains(&key).unwrap());
    assert_eq!((file.len().unwrap(), file.generation().unwrap()), (1, 2));
    assert_eq!(file.id(), sandbox.open().id());
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    put(&file, "a", "1");
    let failed = file.change(|change| {
        change.put(&SecretKey::new("a"), &Secret::new("2"))?;
        change.put(&SecretKey::new("b"), &Secret::new("2"))?;
        Err::<(), _>(Error::new(ErrorKind::Conflict, Operation::Get))
    });
    assert_eq!(refused(failed, ErrorKind::Conflict).operation(), Operation::Get);
    assert_eq!(value(&file, "a").as_deref(), Some("1"));
    assert_eq!((value(&file, "b"), file.len().unwrap()), (None, 1));
    assert_eq!(file.generation().unwrap(), 1);
}

#[test]
fn a_change_that_changes_nothing_has_no_generation() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    assert!(!file.change(|change| change.remove(&SecretKey::new("b"))).unwrap());
    assert_eq!(file.generation().unwrap(), 1);
}

#[test]
fn another_handle_sees_a_change_and_can_tell_that_there_was_one() {
    let sandbox = Sandbox::filled(&["a"]);
    let (one, other) = (sandbox.open(), sandbox.open());
    let before = (one.data_version().unwrap(), other.data_version().unwrap());
    put(&one, "b", "1");
    assert_eq!(value(&other, "b").as_deref(), Some("1"));
    assert_eq!(one.data_version().unwrap(), before.0, "its own change is none of another");
    assert_ne!(other.data_version().unwrap(), before.1);
}

#[test]
fn values_are_bytes_and_a_text_is_asked_for() {
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    let (key, bytes) = (SecretKey::new("a"), secret_bytes(vec![0xff, 0]));
    let metadata = SecretMetadata::default();
    file.change(|change| change.put_bytes(&key, &bytes, &metadata)).unwrap();
    assert_eq!(file.get_bytes(&key).unwrap().unwrap().expose_secret(), [0xff, 0]);
    refused(file.get(&key), ErrorKind::Invalid);
    let large = secret_bytes(vec![7; MAX_VALUE_BYTES]);
    file.change(|change| change.put_bytes(&key, &large, &metadata)).unwrap();
    assert_eq!(file.get_bytes(&key).unwrap().unwrap().expose_secret(), large.expose_secret());
    let larger = secret_bytes(vec![7; MAX_VALUE_BYTES + 1]);
    refused(file.change(|change| change.put_bytes(&key, &larger, &metadata)), ErrorKind::TooLarge);
    refused(
        file.change(|change| change.put(&SecretKey::new(""), &Secret::new(""))),
        ErrorKind::Invalid,
    );
}

#[test]
fn everything_is_read_as_it_was_at_one_moment() {
    let sandbox = Sandbox::filled(&["a", "b", "c"]);
    let (one, other) = (sandbox.open(), sandbox.open());
    let mut seen = BTreeMap::new();
    one.read_all(|key, _, value| {
        put(&other, "c", "changed");
        put(&other, &format!("new-{}", seen.len()), "new");
        seen.insert(key.name().to_owned(), value.expose_secret().to_vec());
    })
    .unwrap();
    let expected = ["a", "b", "c"].map(|name| (name.to_owned(), name.as_bytes().to_vec()));
    assert_eq!(seen, BTreeMap::from(expected));
    assert_eq!((value(&one, "c").as_deref(), one.len().unwrap()), (Some("changed"), 6));
}

#[test]
fn who_waits_for_a_writer_waits_until_the_deadline_and_readers_do_not_wait() {
    let sandbox = Sandbox::filled(&["a"]);
    let deadline = Duration::from_millis(200);
    let (one, other) =
        (sandbox.open(), SealedFile::open(&sandbox.config().with_deadline(deadline)).unwrap());
    one.change(|change| {
        change.put(&SecretKey::new("a"), &Secret::new("2"))?;
        assert_eq!(value(&other, "a").as_deref(), Some("a"), "a reader sees what was before");
        let start = Instant::now();
        let late = other.change(|change| change.put(&SecretKey::new("b"), &Secret::new("1")));
        refused(late, ErrorKind::Busy);
        assert!((deadline..deadline * 10).contains(&start.elapsed()));
        Ok(())
    })
    .unwrap();
    assert_eq!(value(&other, "a").as_deref(), Some("2"));
}

#[test]
fn a_vault_is_not_made_over_another_nor_without_a_source() {
    let sandbox = Sandbox::filled(&["a"]);
    refused(SealedFile::create(&sandbox.config(), now()), ErrorKind::AlreadyExists);
    let other = KeySource::key(SealingKey::generate().unwrap());
    let config = FileConfig::new(sandbox.path(), other);
    refused(SealedFile::open_or_create(&config, now()), ErrorKind::WrongKey);
    let mut none = FileConfig::new(sandbox.dir().join("new"), config.sources[0].clone());
    none.sources.clear();
    refused(SealedFile::create(&none, now()), ErrorKind::Invalid);
    none.path = sandbox.path();
    refused(SealedFile::open(&none), ErrorKind::KeyMissing);
    assert_eq!(value(&sandbox.open(), "a").as_deref(), Some("a"));
}

#[test]
fn nothing_of_a_secret_is_in_any_file() {
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    let key = SecretKey::with_target("n4m3-m4rk3r", "t4rg3t-m4rk3r");
    let mut secret = Secret::with_provider("v4lu3-m4rk3r", "pr0v1d3r-m4rk3r")
        .scope("sc0p3-m4rk3r")
        .expires_at("2031-03-04T05:06:07Z".parse::<Timestamp>().unwrap());
    secret.metadata.updated_at = Some("2029-03-04T05:06:07Z".parse::<Timestamp>().unwrap());
    let search = |when: &str| {
        let bytes = sandbox.bytes();
        for marker in ["m4rk3r", "2031-03", "2029-03"] {
            let found = bytes.windows(marker.len()).any(|window| window == marker.as_bytes());
            assert!(!found, "{marker} {when}");
        }
    };
    file.change(|change| change.put(&key, &secret)).unwrap();
    search("while the log is there");
    let key_of_vault = KeySource::key(sandbox.key.clone());
    file.rotate(&[key_of_vault], |_| search("during a rotation")).unwrap();
    file.change(|change| change.remove(&key)).unwrap();
    drop(file);
    search("when it is closed");
}

#[test]
fn a_hundred_thousand_secrets_are_stored_listed_and_read() {
    const COUNT: u64 = 100_000;
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    let name = |number: u64| SecretKey::new(format!("name-{number}"));
    file.change(|change| {
        (0..COUNT).try_for_each(|number| change.put(&name(number), &Secret::new("value")))
    })
    .unwrap();
    drop(file);
    let file = sandbox.open();
    assert_eq!(file.len().unwrap(), COUNT);
    assert_eq!(file.list().unwrap().len() as u64, COUNT);
    assert!(file.get(&name(COUNT)).unwrap().is_none());
    drop(file);
    // A get opens one record: all others may be damaged.
    sandbox.sql(
        "UPDATE record SET about = zeroblob(99), value = zeroblob(99)
         WHERE number <> 54322",
    );
    let file = sandbox.open();
    assert_eq!(value(&file, "name-54321").as_deref(), Some("value"));
    assert!(file.contains(&name(1)).unwrap(), "contains opens none");
    refused(file.get(&name(1)), ErrorKind::Corrupt);
    let error = refused(file.list(), ErrorKind::Corrupt);
    assert!(error.problem().contains("99999 of 100000 records are damaged"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_vault_holds_what_was_put_last(
        edits in proptest::collection::vec(
            (
                ("[a-c]{1,2}", proptest::option::of("[a-b]{1,2}")),
                proptest::option::of((any::<Vec<u8>>(), proptest::option::of(".*"))),
                any::<bool>(),
            ),
            0..24,
        )
    ) {
        let sandbox = Sandbox::new();
        let mut file = sandbox.create();
        let mut model = BTreeMap::new();
        for ((name, target), edit, reopen) in edits {
            let key = match target {
                Some(target) => SecretKey::with_target(name, target),
                None => SecretKey::new(name),
            };
            match edit {
                Some((bytes, scope)) => {
                    let mut metadata = SecretMetadata::default();
                    metadata.scope = scope;
                    let value = secret_bytes(bytes.clone());
                    file.change(|change| change.put_bytes(&key, &value, &metadata)).unwrap();
                    model.insert(key, (bytes, metadata));
                }
                None => {
                    let removed = file.change(|change| change.remove(&key)).unwrap();
                    prop_assert_eq!(removed, model.remove(&key).is_some());
                }
            }
            if reopen {
                drop(file);
                file = sandbox.open();
            }
        }
        prop_assert_eq!(file.len().unwrap(), model.len() as u64);
        let listed: BTreeMap<_, _> = file.list().unwrap().into_iter().collect();
        prop_assert_eq!(listed.len(), model.len());
        for (key, (bytes, metadata)) in model {
            prop_assert_eq!(&listed[&key], &metadata);
            let read = file.get_bytes(&key).unwrap().unwrap();
            prop_assert_eq!(read.expose_secret(), bytes.as_slice());
        }
    }
}
