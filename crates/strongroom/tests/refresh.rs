//! Of all that want a stale secret refreshed, one fetches it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures_lite::future::{block_on, poll_once};
use strongroom::error::Operation;
use strongroom::{
    Backend, Config, Deadlines, Error, ErrorKind, ExposeSecret, Layout, Secret, SecretKey,
    Timestamp, blocking,
};
use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::{Sandbox, children, unused_name};

const STALE: &str = "stale";
const FRESH: &str = "fresh";

fn token() -> SecretKey {
    SecretKey::new("TOKEN")
}

fn is_stale(secret: &Secret) -> bool {
    secret.value.expose_secret() == STALE
}

fn in_memory(sandbox: &Sandbox) -> Config {
    // The memory is one for all tests of this process.
    let service = sandbox.path().display().to_string();
    let builder = Config::new(service).backend(Backend::Memory);
    builder.state_dir(sandbox.home().join("state"))
}

/// A manager of this process alone, with a stale token.
fn stale(sandbox: &Sandbox) -> blocking::SecretManager {
    let secrets = in_memory(sandbox).open_blocking().unwrap();
    secrets.set_api_key("TOKEN", STALE, Some("provider")).unwrap();
    secrets
}

fn fetched(_: Option<Secret>) -> strongroom::Result<Secret> {
    Ok(Secret::new(FRESH))
}

fn stored(secrets: &blocking::SecretManager) -> Option<String> {
    let value = secrets.get_value("TOKEN").unwrap();
    value.map(|value| value.expose_secret().to_owned())
}

#[test]
fn what_is_stale_missing_or_expired_is_fetched_and_what_is_fresh_is_not() {
    let sandbox = Sandbox::new();
    let secrets = in_memory(&sandbox).open_blocking().unwrap();
    let olds = Cell::new(Vec::new());
    let refresh = || {
        let fetch = |old: Option<Secret>| {
            let old = old.map(|old| old.value.expose_secret().to_owned());
            olds.set([olds.take(), vec![old]].concat());
            fetched(None)
        };
        secrets.refresh(token(), is_stale, fetch).unwrap()
    };
    refresh();
    refresh();
    secrets.set(token(), &Secret::new(STALE)).unwrap();
    let refreshed = refresh();
    assert!(refreshed.metadata.updated_at.is_some(), "it comes back as it is stored");
    let expired = Secret::new("expired").expires_at(Timestamp::UNIX_EPOCH);
    secrets.set(token(), &expired).unwrap();
    refresh();
    let [stale, expired] = [STALE, "expired"].map(|value| Some(value.to_owned()));
    assert_eq!(olds.take(), [None, stale, expired]);
    assert_eq!(stored(&secrets).as_deref(), Some(FRESH));
}

#[test]
fn many_tasks_fetch_once() {
    let sandbox = Sandbox::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let fetches = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let secrets = in_memory(&sandbox).open().await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (secrets, fetches) = (secrets.clone(), Arc::clone(&fetches));
                tokio::spawn(async move {
                    let fetch = async |_| {
                        fetches.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                        fetched(None)
                    };
                    secrets.refresh(&token(), is_stale, fetch).await.unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().value.expose_secret(), FRESH);
        }
    });
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
}

#[test]
fn others_are_not_held_up_and_what_they_store_stands() {
    let sandbox = Sandbox::new();
    let secrets = stale(&sandbox);
    let stored_meanwhile = |old: Option<Secret>| {
        secrets.set_api_key("OTHER", "1", None)?;
        secrets.set_api_key("TOKEN", "a new login", None)?;
        fetched(old)
    };
    let theirs = secrets.refresh(token(), is_stale, stored_meanwhile).unwrap();
    assert_eq!(theirs.value.expose_secret(), "a new login");
    assert_eq!(stored(&secrets).as_deref(), Some("a new login"));
    assert!(secrets.get_value("OTHER").unwrap().is_some());
}

#[test]
fn a_secret_that_was_deleted_meanwhile_does_not_come_back() {
    let sandbox = Sandbox::new();
    let secrets = stale(&sandbox);
    let deleted_meanwhile = |old: Option<Secret>| {
        secrets.delete(token())?;
        fetched(old)
    };
    let refused = secrets.refresh(token(), is_stale, deleted_meanwhile).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(stored(&secrets), None);
}

/// An application's own error.
#[derive(Debug)]
enum AppError {
    Offline,
    Store(#[allow(dead_code, reason = "a failing test shows it")] Error),
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

#[test]
fn a_fetch_that_fails_changes_nothing_and_the_next_one_fetches() {
    let sandbox = Sandbox::new();
    let secrets = stale(&sandbox);
    let generation = secrets.generation().unwrap();
    let failed = secrets.refresh(token(), is_stale, |_| Err(AppError::Offline));
    assert!(matches!(failed, Err(AppError::Offline)));
    assert_eq!(stored(&secrets).as_deref(), Some(STALE));
    assert_eq!(secrets.generation().unwrap(), generation);
    secrets.refresh(token(), is_stale, fetched).unwrap();
    assert_eq!(stored(&secrets).as_deref(), Some(FRESH));
}

#[test]
fn a_fetch_that_is_dropped_frees_the_next_one() {
    let sandbox = Sandbox::new();
    let secrets = block_on(in_memory(&sandbox).open()).unwrap();
    let (started, starts) = mpsc::channel();
    let hang = async |_: Option<Secret>| {
        started.send(()).unwrap();
        std::future::pending::<strongroom::Result<Secret>>().await
    };
    let key = token();
    let mut hanging = Box::pin(secrets.refresh(&key, is_stale, hang));
    while starts.try_recv().is_err() {
        assert!(block_on(poll_once(hanging.as_mut())).is_none());
        std::thread::yield_now();
    }
    drop(hanging);
    block_on(secrets.refresh(&key, is_stale, async |_| fetched(None))).unwrap();
}

#[test]
fn a_key_that_can_not_be_used_is_refused_before_anything_is_fetched() {
    let sandbox = Sandbox::new();
    let secrets = stale(&sandbox);
    let fetch = |_| -> strongroom::Result<Secret> { panic!("it was fetched") };
    let refused = secrets.refresh("", is_stale, fetch).unwrap_err();
    assert_eq!((refused.kind(), refused.operation()), (ErrorKind::Invalid, Operation::Set));
}

/// Tells a process that it is to refresh, and in which service.
const SERVICE: &str = "STRONGROOM_TEST_REFRESH";
/// What the library itself looks at.
const KEY_FILE: &str = "STRONGROOM_KEY_FILE";

children!(refresher);

/// Refreshes the token, and fetches a new one when its input ends.
fn refresher() {
    // The environment names the backend.
    let secrets = Config::new(std::env::var(SERVICE).unwrap()).open_blocking().unwrap();
    say("started");
    let fetch = |_: Option<Secret>| {
        say("fetching");
        assert_eq!(told(), None);
        fetched(None)
    };
    let token = secrets.refresh(token(), is_stale, fetch).unwrap();
    say(&format!("got {}", token.value.expose_secret()));
}

/// A service with a stale token, and a home of its own.
struct Shared {
    service: String,
    sandbox: Sandbox,
    secrets: blocking::SecretManager,
}

impl Shared {
    /// In the kernel's keyring, in an entry of its own there, and in an encrypted file.
    fn of_each_layout() -> Vec<Self> {
        let all = [
            (Backend::Keyutils, Layout::Inline),
            (Backend::Keyutils, Layout::Entries),
            (Backend::File, Layout::Sealed),
        ];
        all.into_iter().filter(|(backend, _)| backend.is_supported_here()).map(Self::on).collect()
    }

    fn on((backend, layout): (Backend, Layout)) -> Self {
        let (service, sandbox) = (unused_name("refresh"), Sandbox::new());
        let limits = Deadlines::new().refresh(Duration::from_millis(200));
        let config = Config::new("").backend(backend).layout(layout);
        let config = config.deadlines(limits);
        let config = config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir());
        #[cfg(feature = "sealed")]
        let config = {
            strongroom::keys::SealingKey::generate()
                .unwrap()
                .create_file(key_file(&sandbox))
                .unwrap();
            config.key(strongroom::keys::KeySource::key_file(key_file(&sandbox)))
        };
        let secrets = config.service(&service).open_blocking().unwrap();
        secrets.set_api_key("TOKEN", STALE, None).unwrap();
        Self { service, sandbox, secrets }
    }

    fn refresher(&self) -> Child {
        let mut command = self.sandbox.command(child::program());
        command.env("STRONGROOM_BACKEND", self.secrets.backend().name());
        command.env(KEY_FILE, key_file(&self.sandbox)).env(SERVICE, &self.service);
        child::enter(&mut command, "refresher");
        Child::start(command)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.secrets.purge().unwrap();
    }
}

fn key_file(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.path().join("key")
}

/// Waits until a child says this.
#[track_caller]
fn wait_for(child: &Child, text: &str) {
    while child.next() != text {}
}

#[test]
fn of_ten_processes_one_fetches() {
    Shared::of_each_layout().iter().for_each(one_fetches);
}

fn one_fetches(shared: &Shared) {
    let mut children: Vec<_> = (0..10).map(|_| shared.refresher()).collect();
    children.iter().for_each(|child| wait_for(child, "started"));
    children.iter_mut().for_each(Child::end_input);
    let said: Vec<_> = children.into_iter().flat_map(Child::finish).collect();
    let count = |text: &str| said.iter().filter(|line| *line == text).count();
    assert_eq!((count("fetching"), count("got fresh")), (1, 10), "{said:?}");
    if shared.secrets.capabilities().counts_generations {
        assert_eq!(shared.secrets.generation().unwrap(), 2);
    }
}

#[test]
fn one_that_is_killed_while_it_fetches_frees_the_next() {
    Shared::of_each_layout().iter().for_each(a_killed_one_frees_the_next);
}

fn a_killed_one_frees_the_next(shared: &Shared) {
    let mut killed = shared.refresher();
    wait_for(&killed, "fetching");
    let busy = shared.secrets.refresh(token(), is_stale, fetched).unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    assert!(busy.to_string().contains("is refreshing"), "{busy}");
    // Windows lets nobody read what stands in a locked file; Wine does.
    let by = format!("process {} is", killed.id());
    assert!(cfg!(windows) || busy.to_string().contains(&by), "{busy}");

    let next = shared.refresher();
    wait_for(&next, "started");
    killed.kill();
    wait_for(&next, "fetching");
    assert_eq!(next.finish().iter().filter(|line| *line == "got fresh").count(), 1);
}
