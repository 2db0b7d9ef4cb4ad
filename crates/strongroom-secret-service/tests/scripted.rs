//! What no real provider does on demand: hangs, lost sessions, unlucky keys, crashes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use strongroom_core::{
    Deadlines, ErrorKind, ExposeSecret, KeyringStore, PromptPolicy, Store, WriteMode, secret_bytes,
};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::children;
use strongroom_testkit::scripted::{
    DhBehaviour, LockedReads, LockedWrites, PromptBehaviour, Script, ScriptedService,
};
use support::{BRIEF, PATIENT, config, get, prompting_store, scripted, secret, set, store};

fn kind<T: std::fmt::Debug>(result: strongroom_core::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn count(service: &ScriptedService, call: &str) -> usize {
    service.calls().iter().filter(|known| *known == call).count()
}

/// The sessions that were opened and kept: one with an unlucky key is closed at once.
fn sessions(service: &ScriptedService) -> usize {
    count(service, "Service.OpenSession") - count(service, "Session.Close")
}

fn hanging(call: &str) -> Script {
    Script { hang: BTreeSet::from([call.to_owned()]), ..Script::default() }
}

#[test]
fn every_step_that_hangs_times_out_and_names_the_process() {
    for call in [
        "Service.SearchItems",
        "Service.OpenSession",
        "Item.GetSecret",
        "Service.ReadAlias",
        "Get:Collection.Locked",
    ] {
        let (bus, service) = scripted(hanging(call));
        service.add_item("login", "l", &[("service", "app"), ("username", "there")], "v");
        let config = config(&bus).with_deadlines(Deadlines::both(BRIEF));
        let store = SecretServiceStore::new(config);
        let user =
            if call.contains("Collection") || call.contains("Alias") { "gone" } else { "there" };
        let error = store.get_password("app", user).expect_err(call);
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{call}: {error}");
        let pid = format!("process {}", std::process::id());
        assert!(error.to_string().contains(&pid), "{call}: {error}");
    }
}

#[test]
fn a_write_that_hangs_says_that_it_may_still_happen() {
    let (bus, _service) = scripted(hanging("Collection.CreateItem"));
    let store = SecretServiceStore::new(config(&bus).with_deadlines(Deadlines::both(BRIEF)));
    let error = store.set_password("app", "u", &secret("v")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.hint().contains("may still take effect"), "{}", error.hint());

    let (bus, _service) = scripted(hanging("Service.SearchItems"));
    let store = SecretServiceStore::new(config(&bus).with_deadlines(Deadlines::both(BRIEF)));
    let error = store.set_password("app", "u", &secret("v")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(!error.hint().contains("take effect"), "nothing was written yet: {}", error.hint());
}

#[test]
fn an_answer_that_is_late_but_in_time_is_taken() {
    let delay = BTreeMap::from([("Item.GetSecret".to_owned(), BRIEF)]);
    let (bus, service) = scripted(Script { delay, ..Script::default() });
    service.add_item("login", "l", &[("service", "app"), ("username", "u")], "late");
    assert_eq!(get(&store(&bus), "u").as_deref(), Some("late"));
}

#[test]
fn after_a_timeout_the_store_works_on() {
    let (bus, service) = scripted(hanging("Item.GetSecret"));
    let store = SecretServiceStore::new(config(&bus).with_deadlines(Deadlines::both(BRIEF)));
    set(&store, "u", "v");
    assert_eq!(kind(store.get_password("app", "u")), ErrorKind::TimedOut);
    service.set(|script| script.hang.clear());
    service.answer_hung();
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
}

#[test]
fn the_steps_of_an_operation_share_one_deadline() {
    let slow = BRIEF * 2 / 3;
    let delay = ["Service.SearchItems", "Service.OpenSession", "Item.GetSecret"]
        .map(|call| (call.to_owned(), slow));
    let (bus, service) = scripted(Script { delay: BTreeMap::from(delay), ..Script::default() });
    service.add_item("login", "l", &[("service", "app"), ("username", "u")], "v");
    let store = SecretServiceStore::new(config(&bus).with_deadlines(Deadlines::both(BRIEF)));
    assert_eq!(kind(store.get_password("app", "u")), ErrorKind::TimedOut);
}

#[test]
fn a_forgotten_session_is_opened_anew_once() {
    let (bus, service) = scripted(Script::default());
    let store = store(&bus);
    set(&store, "u", "v");
    service.forget_sessions();
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
    service.forget_sessions();
    set(&store, "u", "w");
    assert_eq!(get(&store, "u").as_deref(), Some("w"));
    assert_eq!(sessions(&service), 3);
}

#[test]
fn a_session_that_never_lasts_is_an_error_and_not_a_loop() {
    let (bus, service) = scripted(Script::default());
    let store = store(&bus);
    set(&store, "u", "v");
    service.set(|script| script.drop_session_after = Some(0));
    assert_eq!(kind(store.get_password("app", "u")), ErrorKind::Other);
    assert_eq!(count(&service, "Item.GetSecret"), 2);
}

#[test]
fn a_restarted_service_is_found_again_within_the_call() {
    let (bus, service) = scripted(Script::default());
    let store = store(&bus);
    set(&store, "u", "before");
    service.restart().unwrap();
    assert_eq!(get(&store, "u").as_deref(), Some("before"));
    service.restart().unwrap();
    set(&store, "u", "after");
    assert_eq!(get(&store, "u").as_deref(), Some("after"));
}

#[test]
fn what_was_sealed_for_one_daemon_is_not_sent_to_its_successor() {
    let (bus, service) = scripted(Script::default());
    let store = store(&bus);
    set(&store, "u", "before");
    service.restart().unwrap();
    service.clear_calls();
    set(&store, "u", "after");
    assert_eq!(count(&service, "Item.SetSecret"), 1, "{:?}", service.calls());
}

#[test]
fn a_daemon_that_ends_during_a_list_does_not_make_it_shorter() {
    let (bus, service) = scripted(hanging("Get:Item.Attributes"));
    let store = store(&bus);
    set(&store, "one", "v");
    set(&store, "two", "v");
    let listed = thread::scope(|scope| {
        let listing = scope.spawn(|| store.list("app"));
        assert!(service.wait_for_call("Get:Item.Attributes", 1, PATIENT));
        service.set(|script| script.hang.clear());
        service.restart().unwrap();
        listing.join().unwrap()
    });
    // It may be asked again before the successor is there.
    match listed {
        Ok(users) => assert_eq!(users.len(), 2),
        Err(error) => assert_eq!(error.kind(), ErrorKind::NoBackend, "{error}"),
    }
    assert_eq!(store.list("app").unwrap().len(), 2);
}

#[test]
fn no_service_is_no_backend_until_one_comes() {
    let (bus, service) = scripted(Script::default());
    let store = store(&bus);
    set(&store, "u", "v");
    service.leave();
    assert_eq!(kind(store.get_password("app", "u")), ErrorKind::NoBackend);
    assert_eq!(kind(store.probe()), ErrorKind::NoBackend);
    service.restart().unwrap();
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
}

#[test]
fn no_bus_is_no_backend_until_one_comes() {
    let config = strongroom_secret_service::Config::default()
        .with_bus_address("unix:path=/nonexistent/bus")
        .with_state_dir(tempfile::tempdir().unwrap());
    let error = SecretServiceStore::new(config).get_password("app", "u").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert!(error.to_string().contains("session bus"), "{error}");
}

#[test]
fn unlucky_keys_are_replaced() {
    let behaviours = [
        DhBehaviour::PublicKeyStripped,
        DhBehaviour::SharedSecretUnpadded { unlucky_sessions: 3 },
        DhBehaviour::ShortClientKeyRefused,
        DhBehaviour::GarbageSession(1),
    ];
    for dh in behaviours {
        let (bus, service) = scripted(Script { dh, ..Script::default() });
        service.add_item("login", "l", &[("service", "app"), ("username", "u")], "v");
        let store = store(&bus);
        assert_eq!(get(&store, "u").as_deref(), Some("v"), "{dh:?}");
        set(&store, "u", "w");
        assert_eq!(service.items()[0].secret, b"w", "{dh:?}");
    }
}

#[test]
fn a_provider_that_never_agrees_on_a_key_is_an_error() {
    let (bus, _service) = scripted(Script { dh: DhBehaviour::EmptyAnswer, ..Script::default() });
    let error =
        store(&bus).set_password("app", "u", &secret("v")).expect_err("an empty key is no key");
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(error.to_string().contains("encrypted session"), "{error}");
}

#[test]
fn locked_is_never_not_found() {
    for reads in [LockedReads::ListedAsLocked, LockedReads::EmptyResult, LockedReads::ErrorIsLocked]
    {
        let (bus, service) = scripted(Script { locked_reads: reads, ..Script::default() });
        let store = store(&bus);
        set(&store, "u", "v");
        service.set(|script| script.locked = true);
        assert_eq!(kind(store.get_password("app", "u")), ErrorKind::Locked, "{reads:?}");
        assert_eq!(kind(store.get_password("app", "other")), ErrorKind::Locked, "{reads:?}");
        assert_eq!(kind(store.delete_password("app", "u")), ErrorKind::Locked, "{reads:?}");
        assert_eq!(kind(store.list("app")), ErrorKind::Locked, "{reads:?}");
        assert_eq!(kind(store.probe()), ErrorKind::Locked, "{reads:?}");
        assert_eq!(kind(store.exists("app", "other")), ErrorKind::Locked, "{reads:?}");
    }
}

#[test]
fn a_locked_write_does_not_reach_a_provider_that_would_hang() {
    let script = Script { locked_writes: LockedWrites::Hang, locked: true, ..Script::default() };
    let (bus, service) = scripted(script);
    let written = store(&bus).set_password("app", "u", &secret("v"));
    assert_eq!(kind(written), ErrorKind::Locked);
    assert_eq!(count(&service, "Collection.CreateItem"), 0);
}

#[test]
fn a_replacing_write_uses_the_items_own_method() {
    let (bus, service) = scripted(Script { replace_hangs: true, ..Script::default() });
    let store = store(&bus);
    set(&store, "u", "v");
    set(&store, "u", "w");
    assert_eq!(get(&store, "u").as_deref(), Some("w"));
    assert_eq!(count(&service, "Item.SetSecret"), 1);
}

#[test]
fn a_prompt_that_somebody_answers_unlocks() {
    let (bus, service) = scripted(Script::default());
    let store = prompting_store(&bus, PATIENT);
    set(&store, "u", "v");
    service.set(|script| script.locked = true);
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
    assert_eq!(count(&service, "Prompt.Prompt"), 1);
}

#[test]
fn a_dismissed_prompt_is_dismissed_and_not_denied_or_absent() {
    let script = Script { locked: true, prompts: PromptBehaviour::Dismiss, ..Script::default() };
    let (bus, _service) = scripted(script);
    let error = prompting_store(&bus, PATIENT).get_password("app", "u").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Dismissed);
}

#[test]
fn a_prompt_that_nobody_answers_is_dismissed_and_leaves_the_next_client_free() {
    let script = Script { locked: true, prompts: PromptBehaviour::Never, ..Script::default() };
    let (bus, service) = scripted(script);
    let store = prompting_store(&bus, BRIEF);
    let error = store.get_password("app", "u").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("dismissed"), "{error}");
    assert_eq!(count(&service, "Prompt.Dismiss"), 1);
    service.set(|script| script.locked = false);
    assert_eq!(get(&store, "u"), None);
}

#[test]
fn a_slow_typist_has_the_prompts_time_and_not_the_calls() {
    let prompts = PromptBehaviour::CompleteAfter(BRIEF * 2);
    let (bus, service) = scripted(Script { prompts, ..Script::default() });
    set(&store(&bus), "u", "v");
    service.set(|script| script.locked = true);
    let mut deadlines = Deadlines::default();
    (deadlines.call, deadlines.prompt) = (BRIEF, PATIENT);
    let config = config(&bus).with_prompt(PromptPolicy::Always).with_deadlines(deadlines);
    assert_eq!(get(&SecretServiceStore::new(config), "u").as_deref(), Some("v"));
}

#[test]
fn writes_that_ask_the_user_wait_for_the_answer() {
    let (bus, service) = scripted(Script { prompt_on_write: true, ..Script::default() });
    let store = prompting_store(&bus, PATIENT);
    set(&store, "u", "v");
    assert!(store.delete_password("app", "u").unwrap());
    service.set(|script| script.prompts = PromptBehaviour::Dismiss);
    let refused = store.set_password("app", "u", &secret("v"));
    assert_eq!(kind(refused), ErrorKind::Dismissed);
    assert_eq!(get(&store, "u"), None, "nothing is left of a refused write");
}

#[test]
fn without_a_default_collection_one_is_created_where_prompts_are_allowed() {
    let (bus, service) = scripted(Script { no_default_collection: true, ..Script::default() });
    let silent = store(&bus);
    assert_eq!(kind(silent.get_password("app", "u")), ErrorKind::NoDefaultCollection);
    assert_eq!(kind(silent.probe()), ErrorKind::NoDefaultCollection);
    let refused = silent.set_password("app", "u", &secret("v"));
    assert_eq!(kind(refused), ErrorKind::NoDefaultCollection);
    assert_eq!(count(&service, "Service.CreateCollection"), 0);
    set(&prompting_store(&bus, PATIENT), "u", "v");
    assert_eq!(get(&silent, "u").as_deref(), Some("v"));
}

#[test]
fn a_wallet_that_only_says_it_is_locked_opens_with_its_prompt() {
    let (bus, service) = scripted(Script::default());
    let store = prompting_store(&bus, PATIENT);
    set(&store, "u", "v");
    service.set(|script| script.locked_property_lies = true);
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
}

#[test]
fn values_survive_a_provider_that_damages_bytes() {
    let (bus, _service) = scripted(Script { damage_high_bytes: true, ..Script::default() });
    let store = store(&bus);
    let bytes: Vec<u8> = (0..=255).collect();
    let value = strongroom_core::secret_bytes(bytes.clone());
    store.set_bytes("app", "binary", &value).unwrap();
    assert_eq!(store.get_bytes("app", "binary").unwrap().unwrap().expose_secret(), bytes);
    set(&store, "text", "grüße");
    assert_eq!(get(&store, "text").as_deref(), Some("grüße"));
}

#[test]
fn no_stored_line_holds_a_newline() {
    let (bus, service) = scripted(Script::default());
    set(&store(&bus), "u", "line\nline\r\n\tend");
    let stored = service.items()[0].secret.clone();
    assert!(stored.iter().all(|byte| (0x20..0x7f).contains(byte)), "{:?}", stored.len());
}

#[test]
fn many_threads_and_processes_open_one_session_at_a_time() {
    let delay = BTreeMap::from([("Service.OpenSession".to_owned(), Duration::from_millis(20))]);
    let script = Script { delay, crash_on_concurrent_open_session: true, ..Script::default() };
    let (bus, service) = scripted(script);
    // A process closes its session with its last store.
    let _kept = store(&bus);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| set(&store(&bus), "thread", "v"));
        }
    });
    assert_eq!(sessions(&service), 1, "one session per process");
    let children = [(); 4].map(|()| support::child(&bus, "writes"));
    for child in children {
        child.finish();
    }
    assert!(!service.crashed());
}

children!(creates, writes);

fn writes() {
    let store = support::store_of_child();
    for _ in 0..5 {
        set(&store, "child", "v");
    }
}

#[test]
fn processes_that_create_the_same_entry_do_not_make_two() {
    let delay = BTreeMap::from([("Collection.CreateItem".to_owned(), Duration::from_millis(5))]);
    let (bus, service) = scripted(Script { delay, ..Script::default() });
    let children = [(); 4].map(|()| support::child(&bus, "creates"));
    for child in children {
        child.finish();
    }
    assert_eq!(service.items().len(), RACES);
}

/// How many entries the processes of the test above race for.
const RACES: usize = 10;

fn creates() {
    let store = support::store_of_child();
    for race in 0..RACES {
        let user = format!("raced {race}");
        let mode = if race % 2 == 0 { WriteMode::CreateNew } else { WriteMode::Overwrite };
        match store.write_bytes("app", &user, &secret_bytes(b"v".to_vec()), mode) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
        }
    }
}

#[test]
fn ambiguous_entries_are_told_and_can_be_repaired() {
    let (bus, service) = scripted(Script::default());
    let names = [("service", "app"), ("username", "u")];
    let first = service.add_item("login", "first", &names, "1");
    let second = service.add_item("login", "second", &names, "2");
    let store = store(&bus);
    assert_eq!(kind(store.get_password("app", "u")), ErrorKind::Ambiguous);
    assert_eq!(kind(store.delete_password("app", "u")), ErrorKind::Ambiguous);
    let write = store.set_password("app", "u", &secret("3"));
    assert_eq!(kind(write), ErrorKind::Ambiguous);
    assert!(store.exists("app", "u").unwrap());
    assert_eq!(store.list("app").unwrap().len(), 1);

    let entry = strongroom_core::EntryName::new("app", "u").unwrap();
    let mut labels: Vec<_> =
        store.candidates(&entry).unwrap().into_iter().map(|found| found.label).collect();
    labels.sort();
    assert_eq!(labels, ["first", "second"]);
    assert_eq!(kind(store.keep_candidate(&entry, &"/nonsense".into())), ErrorKind::NotFound);
    assert_eq!(service.items().len(), 2);
    let read =
        |id: &str| store.read_candidate(&entry, &id.into()).unwrap().expose_secret().to_vec();
    let changed = strongroom_core::secret_bytes(b"changed".to_vec());
    store.write_candidate(&entry, &second.as_str().into(), &changed).unwrap();
    assert_eq!((read(&first), read(&second)), (b"1".to_vec(), b"changed".to_vec()));
    assert_eq!(store.keep_candidate(&entry, &second.as_str().into()).unwrap(), 1);
    assert_eq!(get(&store, "u").as_deref(), Some("changed"));
    assert!(service.items().iter().all(|item| item.path != first));
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let (bus, service) = scripted(Script::default());
    let denied = ("org.freedesktop.DBus.Error.AccessDenied".to_owned(), "no".to_owned());
    service.set(|script| drop(script.fail.insert("Collection.CreateItem".into(), denied)));
    let store = store(&bus);
    let write = store.set_password("app", "u", &secret("v"));
    assert_eq!(kind(write), ErrorKind::AccessDenied);
    service.set(|script| script.fail.clear());
    assert_eq!(get(&store, "u"), None);
    assert!(service.items().is_empty());
}

#[test]
fn the_time_of_a_hung_provider_is_the_deadline() {
    let (bus, _service) = scripted(hanging("Service.SearchItems"));
    let store = SecretServiceStore::new(config(&bus).with_deadlines(Deadlines::both(BRIEF)));
    let start = Instant::now();
    assert_eq!(kind(store.get_password("app", "u")), ErrorKind::TimedOut);
    assert!(start.elapsed() >= BRIEF);
    assert!(start.elapsed() < PATIENT / 2, "it took {:?}", start.elapsed());
}
