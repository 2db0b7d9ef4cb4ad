//! Calls that hang, come late, fail, crash; and the service's life on the bus.

use std::thread;
use std::time::{Duration, Instant};

use zbus::OwnedObjectPath;

use super::super::{Script, ScriptedService};
use super::client::{A_WHILE, Fixture, LOGIN, ROOT};
use crate::wait::{PATIENCE, wait_until};

fn hanging(call: &str) -> Script {
    Script { hang: [call.into()].into(), ..Script::default() }
}

#[test]
fn a_hung_call_is_answered_late_and_holds_up_no_other() {
    let fixture = Fixture::start(hanging("Service.SearchItems"));
    let (service, item) = (&fixture.service, fixture.item());
    thread::scope(|scope| {
        let search = scope.spawn(|| fixture.client().search());
        assert!(service.wait_for_call("Service.SearchItems", 1, PATIENCE));
        let client = fixture.client();
        assert_eq!(client.get(&item, &client.plain_session()), Ok(b"value".to_vec()));
        assert!(!search.is_finished());
        service.answer_hung();
        let found = search.join().expect("no panic").expect("an answer");
        assert_eq!(found.0[0].as_str(), item);
    });
    let calls = ["Service.SearchItems", "Service.OpenSession", "Item.GetSecret"];
    assert_eq!(service.calls(), calls);
    service.clear_calls();
    assert!(!service.wait_for_call("Item.GetSecret", 1, Duration::from_millis(1)));
}

#[test]
fn leaving_ends_hung_calls_with_an_error() {
    let fixture = Fixture::start(hanging("Service.SearchItems"));
    thread::scope(|scope| {
        let search = scope.spawn(|| fixture.client().search());
        assert!(fixture.service.wait_for_call("Service.SearchItems", 1, PATIENCE));
        fixture.service.leave();
        let error = search.join().expect("no panic").expect_err("nobody answers");
        assert_eq!(error, "org.freedesktop.DBus.Error.NoReply");
    });
}

#[test]
fn a_delayed_call_is_answered_late() {
    let delay = [("Service.SearchItems".into(), A_WHILE)].into();
    let fixture = Fixture::start(Script { delay, ..Script::default() });
    let client = fixture.client();
    let started = Instant::now();
    client.search().expect("an answer");
    assert!(started.elapsed() >= A_WHILE);
}

#[test]
fn a_failing_call_fails_as_scripted_until_the_script_changes() {
    let failure = ("org.example.Broken".into(), "it is broken".into());
    let fail = [("Service.SearchItems".into(), failure)].into();
    let fixture = Fixture::start(Script { fail, ..Script::default() });
    let client = fixture.client();
    assert_eq!(client.search(), Err("org.example.Broken".into()));
    fixture.service.set(|script| script.fail.clear());
    assert_eq!(client.search(), Ok((vec![], vec![])));
}

#[test]
fn properties_are_calls_too() {
    let failure = ("org.example.Broken".into(), String::new());
    let fail = [("Get:Collection.Label".into(), failure)].into();
    let fixture = Fixture::start(Script { fail, ..Script::default() });
    let client = fixture.client();
    let label = ("org.freedesktop.Secret.Collection", "Label");
    let read: Result<zbus::OwnedVariant, _> = client.call(LOGIN, "Properties.Get", &label);
    assert_eq!(read.expect_err("scripted"), "org.example.Broken");
    assert!(!client.locked());
    assert_eq!(fixture.service.calls(), ["Get:Collection.Label", "Get:Collection.Locked"]);
}

#[test]
fn unknown_objects_and_methods_are_errors() {
    let fixture = Fixture::start(Script::default());
    let client = fixture.client();
    let missing = format!("{LOGIN}/999");
    let error = client.get(&missing, &client.plain_session()).expect_err("no such item");
    assert_eq!(error, "org.freedesktop.Secret.Error.NoSuchObject");
    let answer: Result<(), _> = client.call(ROOT, "Service.Frobnicate", &());
    assert_eq!(answer, Err("org.freedesktop.DBus.Error.UnknownMethod".into()));
}

#[test]
fn leaves_and_returns_with_its_items() {
    let fixture = Fixture::start(Script::default());
    let (client, item) = (fixture.client(), fixture.item());
    let session = client.plain_session();
    assert!(fixture.bus.name_owner_pid("org.freedesktop.secrets").is_some());
    fixture.service.leave();
    assert!(fixture.bus.name_owner_pid("org.freedesktop.secrets").is_none());
    fixture.service.restart().expect("the name is free");
    let lost = "org.freedesktop.Secret.Error.NoSession".to_owned();
    assert_eq!(client.get(&item, &session), Err(lost));
    assert_eq!(client.get(&item, &client.plain_session()), Ok(b"value".to_vec()));
}

#[test]
fn another_can_start_on_the_same_bus_once_it_has_left() {
    let Fixture { service, bus } = Fixture::start(Script::default());
    for _ in 0..5 {
        service.leave();
        let next = ScriptedService::start(bus.address(), Script::default());
        drop(next.expect("the name is free"));
        service.restart().expect("the name is free");
    }
    let taken = ScriptedService::start(bus.address(), Script::default());
    assert!(matches!(taken, Err(zbus::Error::NameTaken)));
}

#[test]
fn outlives_its_bus() {
    let fixture = Fixture::start(Script::default());
    fixture.bus.kill();
    fixture.service.leave();
    assert!(fixture.service.restart().is_err());
}

#[test]
fn crashes_on_concurrent_sessions_and_not_on_one_after_the_other() {
    let fixture = Fixture::start(Script {
        crash_on_concurrent_open_session: true,
        delay: [("Service.OpenSession".into(), A_WHILE)].into(),
        ..Script::default()
    });
    let (service, item) = (&fixture.service, fixture.item());
    fixture.client().plain_session();
    fixture.client().plain_session();
    assert!(!service.crashed());
    let open = || fixture.client().open("plain", "".into()).map(drop);
    let both = thread::scope(|scope| {
        let first = scope.spawn(open);
        (open(), first.join().expect("no panic"))
    });
    assert!(service.crashed() && both.0.is_err() && both.1.is_err());
    wait_until("the name is free", PATIENCE, || {
        fixture.bus.name_owner_pid("org.freedesktop.secrets").is_none()
    });
    service.restart().expect("the name is free");
    assert!(!service.crashed());
    let client = fixture.client();
    assert_eq!(client.get(&item, &client.plain_session()), Ok(b"value".to_vec()));
}

#[test]
fn replacing_hangs_where_there_is_something_to_replace() {
    let fixture = Fixture::start(Script { replace_hangs: true, ..Script::default() });
    let client = fixture.client();
    let session = client.plain_session();
    let (first, _) = client.create(&session, b"one", true).expect("nothing to replace");
    let (second, _) = client.create(&session, b"two", false).expect("a second item");
    let own = Vec::<OwnedObjectPath>::from([first, second]);
    assert_eq!(client.search().expect("an answer").0, own);
    thread::scope(|scope| {
        let replace = scope.spawn(|| client.create(&session, b"three", true));
        assert!(fixture.service.wait_for_call("Collection.CreateItem", 3, PATIENCE));
        assert_eq!(fixture.client().search().expect("an answer").0, own);
        assert!(!replace.is_finished());
        fixture.service.answer_hung();
        replace.join().expect("no panic").expect("an answer");
    });
    let secrets: Vec<_> = fixture.service.items().into_iter().map(|item| item.secret).collect();
    assert_eq!(secrets, [b"three".to_vec(), b"two".to_vec()]);
}
