//! Several threads on one handle: they read at the same time, and each sees what was committed before.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use strongroom_core::{ErrorKind, ExposeSecret, Secret, SecretKey, SecretMetadata, secret_bytes};
use strongroom_sealed::{KeySource, SealedFile};
use support::{Sandbox, now, put, refused, value};

/// The time after which a thread that has no answer is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// Runs `work` in a thread of its own while the caller keeps a connection busy.
fn meanwhile<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let thread = scope.spawn(move || drop(sender.send(work())));
        match receiver.recv_timeout(STUCK) {
            Ok(done) => done,
            // A panic would wait for the thread, and so for ever.
            Err(RecvTimeoutError::Timeout) => std::process::abort(),
            Err(RecvTimeoutError::Disconnected) => panic!("{:?}", thread.join()),
        }
    })
}

/// Runs `work` while a connection of the handle is busy with a read.
fn while_reading(file: &SealedFile, work: impl FnOnce() + Send) {
    let mut work = Some(work);
    file.read_all(|_, _, _| {
        if let Some(work) = work.take() {
            meanwhile(work);
        }
    })
    .unwrap();
    assert!(work.is_none(), "the vault has a secret to read");
}

#[test]
fn a_read_does_not_wait_for_a_change() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    file.change(|change| {
        change.put(&SecretKey::new("a"), &Secret::new("new"))?;
        let seen = meanwhile(|| (value(&file, "a"), file.len().unwrap()));
        assert_eq!(seen, (Some("a".to_owned()), 1), "the change is not committed");
        Ok(())
    })
    .unwrap();
    assert_eq!(value(&file, "a").as_deref(), Some("new"));
}

#[test]
fn reads_do_not_wait_for_each_other() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    while_reading(&file, || {
        while_reading(&file, || {
            while_reading(&file, || {
                assert_eq!(value(&file, "a").as_deref(), Some("a"));
                assert_eq!((value(&file, "b"), file.list().unwrap().len()), (None, 1));
            });
        });
    });
}

#[test]
fn each_connection_sees_what_was_committed_before() {
    let sandbox = Sandbox::filled(&["a"]);
    let (file, other) = (sandbox.open(), sandbox.open());
    for number in 0..10 {
        let text = number.to_string();
        while_reading(&file, || {
            put(&other, "a", &text);
            assert_eq!(value(&file, "a").as_ref(), Some(&text), "another handle's");
        });
        assert_eq!(value(&file, "a"), Some(text));
        put(&file, "b", &number.to_string());
        while_reading(&file, || assert_eq!(value(&file, "b"), Some(number.to_string()), "its own"));
    }
}

#[test]
fn each_connection_notices_a_missing_row() {
    let sandbox = Sandbox::filled(&["a", "b", "c"]);
    let file = sandbox.open();
    while_reading(&file, || {
        assert_eq!((value(&file, "b"), value(&file, "d")), (Some("b".into()), None))
    });
    sandbox.sql("DELETE FROM record WHERE number = 2");
    let absent = SecretKey::new("d");
    let mut found = Vec::new();
    let all = file.read_all(|_, _, _| {
        found.push(meanwhile(|| (file.get(&absent), file.contains(&absent), file.list())));
    });
    refused(all, ErrorKind::Corrupt);
    assert_eq!(found.len(), 2);
    for (got, contained, listed) in found {
        refused(got, ErrorKind::Corrupt);
        refused(contained, ErrorKind::Corrupt);
        refused(listed, ErrorKind::Corrupt);
    }
}

// On Windows files that are open can't be replaced.
#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_is_refused_on_each_connection() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    while_reading(&file, || assert!(value(&file, "a").is_some()));
    std::fs::rename(sandbox.path(), sandbox.dir().join("aside")).unwrap();
    std::fs::write(sandbox.path(), "another file").unwrap();
    let all = file.read_all(|_, _, _| ());
    refused(all, ErrorKind::Conflict);
    std::fs::remove_file(sandbox.path()).unwrap();
    std::fs::rename(sandbox.dir().join("aside"), sandbox.path()).unwrap();
    while_reading(&file, || {
        std::fs::remove_file(sandbox.path()).unwrap();
        refused(file.get(&SecretKey::new("a")), ErrorKind::Conflict);
    });
}

#[test]
fn reads_go_on_while_keys_and_slots_change() {
    let sandbox = Sandbox::filled(&["a", "b"]);
    let (file, other) = (sandbox.open(), sandbox.open());
    let own = KeySource::key(sandbox.key.clone());
    while_others_read(&file, 3, || {
        for _ in 0..5 {
            let opened = file.slots().unwrap().pop().unwrap();
            file.replace_slot(&opened.id, &own, now()).unwrap();
            file.rotate(std::slice::from_ref(&own), |_| ()).unwrap();
            refused(other.get(&SecretKey::new("a")), ErrorKind::WrongKey);
        }
        for handle in [&sandbox.open(), &file].into_iter().cycle().take(10) {
            handle.rotate(std::slice::from_ref(&own), |_| ()).unwrap();
        }
    });
    assert_eq!(file.list().unwrap().len(), 2);
}

/// Runs `work` while so many threads read the secret `a`, and one that does not exist.
fn while_others_read(file: &SealedFile, threads: usize, work: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Also set if `work` panics: the scope waits for its threads.
        let _over = SetOnDrop(&is_over);
        for _ in 0..threads {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    assert_eq!(value(file, "a").as_deref(), Some("a"));
                    assert_eq!(value(file, "missing"), None);
                }
            });
        }
        work();
    });
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_log_that_grew_during_a_read_is_emptied_by_the_next_change() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    let log = sandbox.dir().join("vault.sealed-wal");
    let other = sandbox.open();
    let large = secret_bytes(vec![7; 5 * 1024 * 1024]);
    let write = || {
        for name in ["b", "c"] {
            let (key, metadata) = (SecretKey::new(name), SecretMetadata::default());
            file.change(|change| change.put_bytes(&key, &large, &metadata)).unwrap();
        }
    };
    while_reading(&other, write);
    assert!(log.metadata().unwrap().len() > large.expose_secret().len() as u64, "it is in use");
    put(&file, "a", "1");
    assert_eq!(log.metadata().unwrap().len(), 0);
    assert_eq!((value(&file, "a").as_deref(), file.len().unwrap()), (Some("1"), 3));
}

#[cfg(target_os = "linux")]
#[test]
fn a_handle_has_few_descriptors_and_closes_all() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    while_others_read(&file, 6, || {
        put(&file, "b", "1");
        while_reading(&file, || while_reading(&file, || ()));
    });
    let open = descriptors(&sandbox);
    assert!((5..=9).contains(&open), "{open} are open");
    drop(file);
    assert_eq!(descriptors(&sandbox), 0);
    assert_eq!(std::fs::read_dir(sandbox.dir()).unwrap().count(), 1, "the log is written back");
}

/// Returns the number of this process's descriptors of files in the directory.
#[cfg(target_os = "linux")]
fn descriptors(sandbox: &Sandbox) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
    let dir = sandbox.dir();
    open.filter(|path| std::fs::read_link(path).is_ok_and(|file| file.starts_with(&dir))).count()
}
