//! Locks that are contended, given up, lost and planted.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of it is test code")]

use std::sync::mpsc;
use std::thread;

use super::*;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("state/a.lock")
    }

    fn lock(&self) -> Arc<Lock> {
        Lock::new(Some(self.path()))
    }
}

#[track_caller]
fn taken(lock: &Arc<Lock>) -> Held {
    let (held, missing) = lock.take(LONG).unwrap();
    assert!(missing.is_none(), "{missing:?}");
    held
}

#[test]
fn a_second_one_waits_for_the_first() {
    let scene = Scene::new();
    let first = taken(&scene.lock());
    let (sender, receiver) = mpsc::channel();
    let lock = scene.lock();
    let second = thread::spawn(move || {
        sender.send(()).unwrap();
        drop(taken(&lock));
    });
    receiver.recv().unwrap();
    drop(first);
    second.join().unwrap();
}

#[test]
fn takers_that_give_up_leave_one_thread_and_it_keeps_no_lock() {
    let scene = Scene::new();
    let (first, lock) = (taken(&scene.lock()), scene.lock());
    let waiters = (0..5).map(|_| {
        assert!(
            matches!(lock.take(SHORT), Err(NotHeld::Busy(Some(pid))) if pid == std::process::id())
        );
        Arc::as_ptr(lock.turn().waiter.as_ref().unwrap())
    });
    let waiters: std::collections::BTreeSet<_> = waiters.collect();
    assert_eq!(waiters.len(), 1);
    drop(first);
    (0..5).for_each(|_| drop(taken(&lock)));
}

#[test]
fn threads_that_contend_all_get_it() {
    let scene = Scene::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| drop(taken(&Lock::shared(&scene.path())))));
        }
    });
}

#[test]
fn where_no_lock_can_be_had_the_turn_is_left() {
    let (held, missing) = Lock::new(None).take(LONG).unwrap();
    assert!(missing.is_some() && !held.is_exclusive() && held.is_intact());
}

#[test]
fn a_lock_whose_file_is_deleted_is_known_to_be_lost() {
    let scene = Scene::new();
    let held = taken(&scene.lock());
    assert!(held.is_intact());
    if cfg!(unix) {
        std::fs::remove_file(scene.path()).unwrap();
        assert!(!held.is_intact());
        drop(taken(&scene.lock()));
    }
}

#[cfg(unix)]
#[test]
fn what_others_may_have_planted_is_refused_and_not_changed() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let scene = Scene::new();
    drop(taken(&scene.lock()));
    let precious = scene.dir.path().join("precious");
    std::fs::write(&precious, "precious").unwrap();
    let remove = || std::fs::remove_file(scene.path()).unwrap();
    let refused = || match scene.lock().take(LONG) {
        Err(NotHeld::Refused(fault)) => fault.to_string(),
        other => panic!("{other:?}"),
    };

    remove();
    symlink(&precious, scene.path()).unwrap();
    assert!(refused().contains("a.lock is a symbolic link"));
    remove();
    std::fs::hard_link(&precious, scene.path()).unwrap();
    std::fs::set_permissions(&precious, PermissionsExt::from_mode(0o600)).unwrap();
    assert!(refused().contains("a.lock has 2 names"));
    remove();
    std::fs::create_dir(scene.path()).unwrap();
    assert!(refused().contains("a.lock is a directory"));
    std::fs::remove_dir(scene.path()).unwrap();
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(scene.path()).status();
    assert!(made.unwrap().success());
    assert!(refused().contains("a.lock is a pipe"));
    remove();
    let state = scene.path().parent().unwrap().to_owned();
    std::fs::set_permissions(&state, PermissionsExt::from_mode(0o777)).unwrap();
    assert!(refused().contains("state may be used by others: its mode is 0777"));
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
}
