//! Who can open a vault, and how its key is changed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, resume_unwind};

use strongroom_core::{ErrorKind, ExposeSecret, Secret, SecretKey};
use strongroom_sealed::{FileConfig, KeySource, Progress, SealedFile, SealingKey, SlotKind};
use strongroom_testkit::{child::output, children};
use support::{Sandbox, child, now, passphrase, put, refused, value, vault_of_child};

fn random_key() -> KeySource {
    KeySource::key(SealingKey::generate().unwrap())
}

fn open(sandbox: &Sandbox, source: &KeySource) -> Result<SealedFile, strongroom_core::Error> {
    SealedFile::open(&FileConfig::new(sandbox.path(), source.clone()))
}

children!(rotates);

#[test]
fn another_key_is_a_wrong_key_and_no_damage() {
    let sandbox = Sandbox::filled(&["a"]);
    let error = refused(open(&sandbox, &random_key()), ErrorKind::WrongKey);
    assert!(error.hint().contains("passphrase or key"), "{}", error.hint());
    refused(open(&sandbox, &passphrase("guess")), ErrorKind::WrongKey);
    let several = FileConfig::new(sandbox.path(), random_key())
        .or(KeySource::key_file("/nonexistent"))
        .or(KeySource::key(sandbox.key.clone()));
    assert_eq!(value(&SealedFile::open(&several).unwrap(), "a").as_deref(), Some("a"));
}

#[test]
fn a_passphrase_opens_and_can_be_changed_without_sealing_anything_anew() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    let first = file.add_slot(&passphrase("first").with_label("mine"), now()).unwrap();
    assert_eq!((first.kind, first.label.as_str()), (SlotKind::Passphrase, "mine"));
    assert_eq!((first.created_at, file.slots().unwrap().len()), (now(), 2));
    let opened = open(&sandbox, &passphrase("first")).unwrap();
    assert_eq!(value(&opened, "a").as_deref(), Some("a"));
    let sealed = sandbox.bytes().len();
    let second = file.replace_slot(&first.id, &passphrase("second"), now()).unwrap();
    refused(open(&sandbox, &passphrase("first")), ErrorKind::WrongKey);
    open(&sandbox, &passphrase("second")).unwrap();
    assert_eq!(value(&opened, "a").as_deref(), Some("a"), "who has it open keeps it open");
    assert!(sandbox.bytes().len() <= sealed + 64 * 1024);
    refused(file.replace_slot(&first.id, &random_key(), now()), ErrorKind::NotFound);
    file.remove_slot(&second.id).unwrap();
    refused(open(&sandbox, &passphrase("second")), ErrorKind::WrongKey);
    assert_eq!(file.generation().unwrap(), 1, "slots are no change of what is stored");
}

#[test]
fn a_passphrase_costs_what_it_should_unless_told_otherwise() {
    let sandbox = Sandbox::new();
    let source = KeySource::passphrase("correct horse".into());
    SealedFile::create(&FileConfig::new(sandbox.path(), source.clone()), now()).unwrap();
    open(&sandbox, &source).unwrap();
    let connection = rusqlite::Connection::open(sandbox.path()).unwrap();
    let cost = connection.query_row("SELECT memory_kib, passes FROM slot", [], |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?))
    });
    let (memory_kib, passes) = cost.unwrap();
    assert!(
        memory_kib >= strongroom_sealed::MIN_MEMORY_KIB && passes >= 3,
        "{memory_kib}, {passes}"
    );
}

#[test]
fn an_empty_passphrase_is_refused() {
    let sandbox = Sandbox::new();
    let config = FileConfig::new(sandbox.path(), KeySource::passphrase("".into()));
    refused(SealedFile::create(&config, now()), ErrorKind::Invalid);
    assert!(!sandbox.path().exists());
}

#[test]
fn the_last_slot_stays_and_an_unknown_one_is_not_found() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    let id = file.slots().unwrap().remove(0).id;
    refused(file.remove_slot(&id), ErrorKind::Invalid);
    refused(file.remove_slot(&"nonesuch".into()), ErrorKind::NotFound);
    assert_eq!(file.slots().unwrap().len(), 1);
    for _ in 1..strongroom_sealed::MAX_SLOTS {
        file.add_slot(&random_key(), now()).unwrap();
    }
    refused(file.add_slot(&random_key(), now()), ErrorKind::QuotaExceeded);
}

#[test]
fn a_removed_slot_is_in_no_file_any_more() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    let slot = file.add_slot(&random_key().with_label("n0t-h3r3"), now()).unwrap();
    let is_there = |sandbox: &Sandbox| sandbox.bytes().windows(8).any(|found| found == b"n0t-h3r3");
    assert!(is_there(&sandbox));
    file.remove_slot(&slot.id).unwrap();
    assert!(!is_there(&sandbox));
}

#[test]
fn a_key_file_is_made_for_the_user_alone_and_refused_otherwise() {
    let sandbox = Sandbox::filled(&["a"]);
    let (path, key) = (sandbox.dir().join("key"), SealingKey::generate().unwrap());
    key.create_file(&path).unwrap();
    refused(key.create_file(&path), ErrorKind::AlreadyExists);
    let source = KeySource::key_file(&path);
    let slot = sandbox.open().add_slot(&source, now()).unwrap();
    assert_eq!(slot.kind, SlotKind::KeyFile);
    open(&sandbox, &source).unwrap();
    open(&sandbox, &KeySource::credential(&path)).unwrap();
    open(&sandbox, &KeySource::key(key)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = refused(open(&sandbox, &source), ErrorKind::AccessDenied);
        assert!(error.hint().contains("chmod 600"), "{}", error.hint());
        open(&sandbox, &KeySource::credential(&path)).unwrap();
    }
    fs::write(&path, "strongroom-key-1:m4rk3r\n").unwrap();
    let error = refused(open(&sandbox, &KeySource::credential(&path)), ErrorKind::Invalid);
    assert!(!format!("{error} {error:?} {}", error.hint()).contains("m4rk3r"));
    fs::remove_file(&path).unwrap();
    let error = refused(open(&sandbox, &source), ErrorKind::KeyMissing);
    assert!(error.problem().contains("key"), "{error}");
    refused(open(&sandbox, &KeySource::key_file(sandbox.dir())), ErrorKind::Invalid);
}

#[test]
fn no_source_shows_what_it_holds() {
    let key = SealingKey::generate().unwrap();
    let text = key.to_text();
    let digits = &text.expose_secret()[17..];
    let shown = format!("{:?} {:?}", KeySource::key(key.clone()), passphrase("m4rk3r"));
    assert!(!shown.contains("m4rk3r") && !shown.contains(digits), "{shown}");
    assert!(!format!("{key:?}").contains(digits));
}

#[test]
fn a_rotation_needs_every_slot_and_changes_the_key_of_everything() {
    let names: Vec<_> = (0..40).map(|number| format!("name-{number}")).collect();
    let sandbox = Sandbox::filled(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let (file, own) = (sandbox.open(), KeySource::key(sandbox.key.clone()));
    let other = sandbox.open();
    let second = passphrase("second");
    let slot = file.add_slot(&second, now()).unwrap();
    let error = refused(file.rotate(std::slice::from_ref(&own), |_| ()), ErrorKind::KeyMissing);
    assert!(error.problem().contains(slot.id.as_str()), "{error}");
    let column = |column: &str| -> Vec<Vec<u8>> {
        let connection = rusqlite::Connection::open(sandbox.path()).unwrap();
        let sql = format!("SELECT {column} FROM record ORDER BY number");
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let before = ["row_key", "key_id", "about", "value"].map(&column);
    let mut steps = Vec::new();
    file.rotate(&[own, second.clone()], |Progress { done, total, .. }| steps.push((done, total)))
        .unwrap();
    assert_eq!(steps, [(0, 40), (40, 40)]);
    for (before, after) in before.iter().zip(["row_key", "key_id", "about", "value"].map(&column)) {
        assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    }
    for file in [&file, &other, &open(&sandbox, &second).unwrap(), &sandbox.open()] {
        assert!(!file.is_rotating().unwrap());
        assert_eq!((file.list().unwrap().len(), file.generation().unwrap()), (40, 40));
        names.iter().for_each(|name| assert_eq!(value(file, name).as_ref(), Some(name)));
        assert_eq!(value(file, "missing"), None);
    }
}

#[test]
fn who_came_in_by_a_slot_that_is_gone_can_rotate() {
    for replace in [true, false] {
        let sandbox = Sandbox::filled(&["a"]);
        let (source, next) = (random_key(), random_key());
        let own = sandbox.open().add_slot(&source, now()).unwrap();
        let file = open(&sandbox, &source).unwrap();
        if replace {
            file.replace_slot(&own.id, &next, now()).unwrap();
        } else {
            file.remove_slot(&own.id).unwrap();
        }
        file.rotate(&[KeySource::key(sandbox.key.clone()), next], |_| ()).unwrap();
        assert_eq!(value(&file, "a").as_deref(), Some("a"));
    }
}

#[test]
fn who_lost_its_slot_in_a_rotation_is_told() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    let source = random_key();
    let slot = file.add_slot(&source, now()).unwrap();
    let lost = open(&sandbox, &source).unwrap();
    file.remove_slot(&slot.id).unwrap();
    file.rotate(&[KeySource::key(sandbox.key.clone())], |_| ()).unwrap();
    refused(lost.get(&SecretKey::new("a")), ErrorKind::WrongKey);
    assert_eq!(value(&file, "a").as_deref(), Some("a"));
}

/// How many records the rotations below go through: several steps.
const MANY: usize = 12_000;

fn many() -> Sandbox {
    let sandbox = Sandbox::new();
    let fill = |change: &mut strongroom_sealed::Change<'_>| {
        (0..MANY).try_for_each(|number| {
            change.put(&SecretKey::new(format!("name-{number}")), &Secret::new("value"))
        })
    };
    sandbox.create().change(fill).unwrap();
    sandbox
}

#[test]
fn others_read_and_write_while_a_rotation_is_under_way() {
    let sandbox = many();
    let (file, other) = (sandbox.open(), sandbox.open());
    let mut seen = 0;
    let source = KeySource::key(sandbox.key.clone());
    file.rotate(&[source], |_| {
        assert!(other.is_rotating().unwrap());
        for name in ["name-0", "name-7000", "name-11999"] {
            assert_eq!(
                other.get(&SecretKey::new(name)).unwrap().unwrap().value.expose_secret(),
                "value"
            );
        }
        assert_eq!((value(&other, "missing"), other.list().unwrap().len()), (None, MANY + seen));
        put(&other, &format!("new-{seen}"), "new");
        put(&other, "name-8000", &format!("changed at {seen}"));
        seen += 1;
    })
    .unwrap();
    assert!(seen >= 3, "{seen} steps");
    assert_eq!(value(&file, "name-8000").unwrap(), format!("changed at {}", seen - 1));
    assert_eq!(file.list().unwrap().len(), MANY + seen);
    refused(open(&sandbox, &random_key()), ErrorKind::WrongKey);
}

#[test]
fn rotations_that_overlap_lose_nothing() {
    let sandbox = many();
    let (file, other) = (sandbox.open(), sandbox.open());
    let own = KeySource::key(sandbox.key.clone());
    let mut calls = 0;
    file.rotate(std::slice::from_ref(&own), |_| {
        calls += 1;
        if calls == 2 {
            // Somebody else ends this rotation after its first step, begins another, and is stopped.
            other.rotate(&[], |_| ()).unwrap();
            let stopped = std::panic::catch_unwind(AssertUnwindSafe(|| {
                other.rotate(std::slice::from_ref(&own), |_| resume_unwind(Box::new(())))
            }));
            assert!(stopped.is_err() && other.is_rotating().unwrap());
        }
    })
    .unwrap();
    assert!(!file.is_rotating().unwrap());
    let mut read = 0;
    sandbox.open().read_all(|_, _, _| read += 1).unwrap();
    assert_eq!(read, MANY);
}

#[test]
fn a_rotation_that_was_killed_goes_on_where_it_was() {
    let sandbox = many();
    for steps in [0, 1, 1] {
        let mut process = child("rotates", &sandbox);
        let status = output(process.env("SEALED_TEST_STEPS", steps.to_string())).status;
        assert!(!status.success(), "the process ends in the middle");
        let file = sandbox.open();
        assert!(file.is_rotating().unwrap());
        assert_eq!(file.list().unwrap().len(), MANY);
        assert_eq!(value(&file, "name-11999").as_deref(), Some("value"));
        assert_eq!(value(&file, "missing"), None);
    }
    let keys = |sandbox: &Sandbox| -> BTreeMap<Vec<u8>, i64> {
        let connection = rusqlite::Connection::open(sandbox.path()).unwrap();
        let sql = "SELECT key_id, count(*) FROM record GROUP BY key_id";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let before = keys(&sandbox);
    assert_eq!(before.len(), 2, "records of both keys: {before:?}");
    let file = sandbox.open();
    file.rotate(&[], |_| ()).unwrap();
    let after = keys(&sandbox);
    assert_eq!(after.into_values().collect::<Vec<_>>(), [MANY as i64]);
    assert!(!file.is_rotating().unwrap());
    assert_eq!(sandbox.open().list().unwrap().len(), MANY);
}

fn rotates() {
    let config = vault_of_child();
    let mut steps: usize = std::env::var("SEALED_TEST_STEPS").unwrap().parse().unwrap();
    let file = SealedFile::open(&config).unwrap();
    let _done = file.rotate(&config.sources, |_| match steps {
        0 => std::process::abort(),
        _ => steps -= 1,
    });
}
