//! What changes in a vault is told to those who subscribed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use futures_lite::StreamExt as _;
use futures_lite::future::block_on;
use strongroom::store::secret_service;
use strongroom::{Backend, Change, ChangeKind, Config, Secret, SecretKey, blocking};
use strongroom_testkit::{
    Bus, GnomeKeyring, PATIENCE, Sandbox, provider_or_skip, unused_name, wait_until,
};

/// Two handles to one vault, as two processes have them.
struct Two {
    ours: blocking::SecretManager,
    theirs: blocking::SecretManager,
    _sandbox: Sandbox,
}

impl Two {
    /// In an entry, and in an encrypted file.
    fn of_each_layout() -> Vec<Self> {
        let inline = Self::on(Config::new("").backend(Backend::Keyutils));
        #[cfg(feature = "sealed")]
        let sealed = {
            let key =
                strongroom::keys::KeySource::key(strongroom::keys::SealingKey::generate().unwrap());
            Self::on(Config::new("").backend(Backend::File).key(key))
        };
        #[cfg(feature = "sealed")]
        return vec![inline, sealed];
        #[cfg(not(feature = "sealed"))]
        vec![inline]
    }

    fn on(config: Config) -> Self {
        let (service, sandbox) = (unused_name("subscribe"), Sandbox::new());
        let below = |path| sandbox.home().join(path);
        let config = config.state_dir(below("state")).data_dir(below("data"));
        let builder = config.service(&service);
        let open = || builder.clone().open_blocking().unwrap();
        Self { ours: open(), theirs: open(), _sandbox: sandbox }
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        self.ours.purge().unwrap();
    }
}

fn key(name: &str) -> SecretKey {
    SecretKey::new(name)
}

fn told(change: Change) -> (String, ChangeKind) {
    (change.key.name().to_owned(), change.kind)
}

fn next(changes: &mut blocking::Changes) -> (String, ChangeKind) {
    told(changes.next().unwrap())
}

fn change(name: &str, kind: ChangeKind) -> (String, ChangeKind) {
    (name.to_owned(), kind)
}

#[test]
fn own_changes_and_those_of_others_are_told_by_name() {
    for Two { ours, theirs, .. } in &Two::of_each_layout() {
        ours.set_api_key("OLD", "1", None).unwrap();
        let mut changes = ours.subscribe().unwrap();
        for by in [ours, theirs] {
            by.set_api_key("A", "1", None).unwrap();
            assert_eq!(next(&mut changes), change("A", ChangeKind::Added));
            by.update_value("A", "2").unwrap();
            assert_eq!(next(&mut changes), change("A", ChangeKind::Updated));
            by.rename(key("A"), key("B")).unwrap();
            assert_eq!(next(&mut changes), change("A", ChangeKind::Removed));
            assert_eq!(next(&mut changes), change("B", ChangeKind::Added));
            by.update(key("B"), |old| Some(old.unwrap().scope("s"))).unwrap();
            assert_eq!(next(&mut changes), change("B", ChangeKind::Updated));
            by.delete(key("B")).unwrap();
            assert_eq!(next(&mut changes), change("B", ChangeKind::Removed));
        }
        theirs.purge().unwrap();
        assert_eq!(next(&mut changes), change("OLD", ChangeKind::Removed));
        assert_eq!(changes.try_next(), None);
    }
}

#[test]
fn what_others_did_between_the_last_read_and_subscribing_is_told() {
    for Two { ours, theirs, .. } in &Two::of_each_layout() {
        theirs.set_api_key("A", "1", None).unwrap();
        assert_eq!(next(&mut ours.subscribe().unwrap()), change("A", ChangeKind::Added));
    }
}

#[test]
fn every_subscriber_is_told_and_one_that_is_dropped_ends_nothing() {
    for Two { ours, theirs, .. } in &Two::of_each_layout() {
        let (mut one, two) = (ours.subscribe().unwrap(), ours.subscribe().unwrap());
        drop(two);
        theirs.set_api_key("A", "1", None).unwrap();
        assert_eq!(next(&mut one), change("A", ChangeKind::Added));
        let mut late = ours.subscribe().unwrap();
        ours.set_api_key("B", "1", None).unwrap();
        assert_eq!(next(&mut one), change("B", ChangeKind::Added));
        assert_eq!(next(&mut late), change("B", ChangeKind::Added));
    }
}

#[test]
fn what_changes_while_a_vault_is_locked_is_told_after_the_next_read() {
    for Two { ours, theirs, .. } in &Two::of_each_layout() {
        let mut changes = ours.subscribe().unwrap();
        ours.forget();
        theirs.set_api_key("A", "1", None).unwrap();
        theirs.set_api_key("B", "1", None).unwrap();
        assert!(ours.exists(key("A")).unwrap());
        assert_eq!(next(&mut changes), change("A", ChangeKind::Added));
        assert_eq!(next(&mut changes), change("B", ChangeKind::Added));
    }
}

#[test]
fn the_thread_ends_with_its_last_subscriber() {
    let sandbox = Sandbox::new();
    let secrets = in_memory(&sandbox).open_blocking().unwrap();
    for _ in 0..3 {
        let changes = secrets.subscribe().unwrap();
        wait_until("it watches", PATIENCE, || watchers() > 0);
        drop(changes);
        // Another test of this process may have one of its own, but not for ever.
        wait_until("nobody watches", PATIENCE, || watchers() == 0);
    }
}

#[test]
fn without_a_state_directory_own_changes_are_told() {
    let sandbox = Sandbox::new();
    let file = sandbox.home().join("file");
    std::fs::write(&file, "").unwrap();
    let secrets = in_memory(&sandbox).state_dir(file.join("sub")).open_blocking().unwrap();
    let mut changes = secrets.subscribe().unwrap();
    secrets.set_api_key("A", "1", None).unwrap();
    assert_eq!(next(&mut changes), change("A", ChangeKind::Added));
}

#[test]
fn an_async_stream_tells_the_same_and_outlives_its_manager() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    block_on(async {
        let open = || {
            let config = Config::new("").backend(Backend::SecretService);
            let config = config
                .store_settings(secret_service::Config::default().with_bus_address(bus.address()));
            let state_dir = bus.sandbox().home().join("state");
            config.state_dir(state_dir).service("app").open()
        };
        let (ours, theirs) = (open().await.unwrap(), open().await.unwrap());
        let mut changes = ours.subscribe().unwrap();
        drop(ours);
        theirs.set(&key("A"), &Secret::new("1")).await.unwrap();
        assert_eq!(changes.next().await.map(told), Some(change("A", ChangeKind::Added)));
    });
}

fn in_memory(sandbox: &Sandbox) -> Config {
    // The memory is one for all tests of this process.
    let service = sandbox.path().display().to_string();
    let builder = Config::new(service).backend(Backend::Memory);
    builder.state_dir(sandbox.home().join("state"))
}

fn gnome_keyring() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(|| {
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        (bus, keyring)
    })
}

/// How many threads of this process watch a vault.
fn watchers() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.filter(|name| name.starts_with("strongroom-watc")).count()
}
