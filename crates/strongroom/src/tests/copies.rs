//! Reads while a write is under way, after one that failed, and from within a change.

use super::*;
use crate::guard::Guard;

/// A vault with two secrets on a store whose calls end soon, and another process's handle on it.
struct Scene {
    machine: Machine,
    ours: Arc<Vault>,
}

impl Scene {
    fn new() -> Self {
        let machine = Machine::new();
        let guard = Guard::new(Arc::new(machine.store.clone()))
            .with_deadlines(Deadlines::both(Duration::from_millis(50)));
        let ours = Arc::new(machine.vault_on(Arc::new(guard)));
        for name in ["a", "b"] {
            ours.set(&key(name), Secret::new("1")).unwrap();
        }
        Self { machine, ours }
    }

    #[cfg(unix)]
    fn reads(&self) -> usize {
        let calls = self.machine.store.calls();
        calls.iter().filter(|call| call.operation == Operation::Get).count()
    }

    /// Begins to set a secret to 2, and waits until the store has been asked for it.
    fn hanging_set(&self) -> thread::JoinHandle<strongroom_core::Result<()>> {
        let sets = || self.machine.store.calls().len();
        let before = sets();
        self.machine.store.hang(Operation::Set);
        let ours = Arc::clone(&self.ours);
        let set = thread::spawn(move || ours.set(&key("a"), Secret::new("2")));
        while sets() == before {
            thread::yield_now();
        }
        set
    }
}

// On Windows it is not known after a failed write that no other process has written.
#[cfg(unix)]
#[test]
fn while_a_write_hangs_and_after_it_readers_get_the_last_committed_copy() {
    let scene = Scene::new();
    let reads = scene.reads();
    let set = scene.hanging_set();
    for _ in 0..3 {
        assert_eq!(value(&scene.ours, "a").as_deref(), Some("1"));
        assert_eq!(scene.ours.list().unwrap().len(), 2);
        assert!(scene.ours.get_from_memory(&key("b")).is_some(), "no thread is needed");
    }
    assert_eq!(set.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
    for _ in 0..3 {
        assert_eq!(value(&scene.ours, "b").as_deref(), Some("1"));
    }
    assert_eq!(scene.reads(), reads, "no reader waited for the store");

    // The write takes effect after all.
    scene.machine.store.heal(Operation::Set);
    while value(&scene.ours, "a").as_deref() != Some("2") {
        thread::yield_now();
    }
}

// On Windows it is not known after a failed write that no other process has written.
#[cfg(unix)]
#[test]
fn after_a_write_that_failed_readers_are_served_while_the_store_can_not_be_asked() {
    let scene = Scene::new();
    scene.machine.store.fail(Operation::Set, ErrorKind::Locked);
    let error = scene.ours.set(&key("a"), Secret::new("2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    scene.machine.store.fail(Operation::Get, ErrorKind::Locked);
    assert_eq!(value(&scene.ours, "a").as_deref(), Some("1"));
    // What makes no sense is told.
    scene.machine.store.fail(Operation::Get, ErrorKind::Corrupt);
    assert_eq!(scene.ours.get(key("a")).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[cfg(unix)]
#[test]
fn once_another_process_has_written_the_copy_from_before_is_served_no_more() {
    let scene = Scene::new();
    scene.machine.store.fail_once(Operation::Set, ErrorKind::Locked);
    scene.ours.set(&key("a"), Secret::new("2")).unwrap_err();
    scene.machine.vault().set(&key("a"), Secret::new("3")).unwrap();
    scene.machine.store.fail(Operation::Get, ErrorKind::Locked);
    assert_eq!(scene.ours.get(key("a")).unwrap_err().kind(), ErrorKind::Locked);
    scene.machine.store.heal(Operation::Get);
    assert_eq!(value(&scene.ours, "a").as_deref(), Some("3"));
}

#[test]
fn a_copy_that_was_to_be_forgotten_during_a_write_is() {
    let scene = Scene::new();
    let set = scene.hanging_set();
    scene.ours.forget();
    scene.machine.store.heal(Operation::Set);
    set.join().unwrap().unwrap();
    assert!(scene.ours.engine().read_copy(|_| ()).is_none());
    assert_eq!(value(&scene.ours, "a").as_deref(), Some("2"));
}

#[test]
fn a_change_may_read_the_vault_and_is_busy_to_itself() {
    for machine in Machine::of_each_layout() {
        let vault = machine.impatient_vault();
        vault.set(&key("a"), Secret::new("1")).unwrap();
        vault.set(&key("b"), Secret::new("2")).unwrap();
        let mut seen = None;
        vault
            .update(key("a"), |old| {
                let busy = vault.set(&key("c"), Secret::new("3")).unwrap_err();
                seen = Some((value(&vault, "b"), vault.list().unwrap().len(), busy.kind()));
                old
            })
            .unwrap();
        assert_eq!(seen, Some((Some("2".to_owned()), 2, ErrorKind::Busy)), "{:?}", machine.layout);
        assert_eq!(vault.list().unwrap().len(), 2);
    }
}

#[test]
fn no_reader_waits_for_a_slow_change() {
    for machine in Machine::of_each_layout() {
        let vault = Arc::new(machine.vault());
        vault.set(&key("a"), Secret::new("1")).unwrap();
        let (begun, wait_until_begun) = std::sync::mpsc::channel();
        let (end, wait_for_end) = std::sync::mpsc::channel::<()>();
        let changing = Arc::clone(&vault);
        let change = thread::spawn(move || {
            changing.update(key("a"), |_| {
                begun.send(()).unwrap();
                wait_for_end.recv().unwrap();
                Some(Secret::new("2"))
            })
        });
        wait_until_begun.recv().unwrap();
        assert_eq!(value(&vault, "a").as_deref(), Some("1"));
        end.send(()).unwrap();
        change.join().unwrap().unwrap();
        assert_eq!(value(&vault, "a").as_deref(), Some("2"));
    }
}
