//! How values cross the bus, and what the store tells of it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use strongroom_core::{Error, ErrorKind, KeyringStore, Persistence, Reason, Store, Warning};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::scripted::{DhBehaviour, Script, ScriptedService};
use strongroom_testkit::{Bus, provider_or_skip};
use support::{get, gnome_keyring, lenient_store, scripted, secret, set, store};

/// What providers answer when something is passing, broken or forbidden.
const NOT_ABOUT_ALGORITHMS: [&str; 6] = [
    "org.freedesktop.DBus.Error.Failed",
    "org.freedesktop.DBus.Error.InvalidArgs",
    "org.freedesktop.DBus.Error.NoMemory",
    "org.freedesktop.DBus.Error.LimitsExceeded",
    "org.freedesktop.DBus.Error.AccessDenied",
    "org.freedesktop.Secret.Error.NotSupported",
];

fn plain() -> (Bus, ScriptedService) {
    scripted(Script { dh: DhBehaviour::Refused, ..Script::default() })
}

fn written(store: &SecretServiceStore) -> Error {
    store.set_password("app", "u", &secret("marker")).unwrap_err()
}

/// No session was opened and no value went to the service.
#[track_caller]
fn was_spared(service: &ScriptedService) {
    assert!(service.items().is_empty());
    let calls = service.calls();
    for call in ["Collection.CreateItem", "Item.SetSecret", "Item.GetSecret"] {
        assert!(!calls.iter().any(|known| known == call), "{calls:?}");
    }
}

#[test]
fn without_encryption_nothing_is_sent_unless_the_caller_allows_it() {
    let (bus, service) = plain();
    let store = store(&bus);
    for error in [written(&store), store.probe().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::NoBackend);
        assert_eq!(error.reason(), Some(Reason::SessionNotEncrypted));
        assert!(error.to_string().contains("in the clear"), "{error}");
    }
    was_spared(&service);

    let lenient = lenient_store(&bus);
    set(&lenient, "u", "v");
    assert_eq!(get(&lenient, "u").as_deref(), Some("v"));
}

#[test]
fn a_session_that_one_store_allowed_serves_no_other() {
    let (bus, service) = plain();
    let (lenient, strict) = (lenient_store(&bus), store(&bus));
    lenient.probe().unwrap();
    assert_eq!(written(&strict).reason(), Some(Reason::SessionNotEncrypted));
    was_spared(&service);
}

#[test]
fn only_the_word_for_it_counts_as_not_supported() {
    for name in NOT_ABOUT_ALGORITHMS {
        let dh = DhBehaviour::FailsWith(name);
        let (bus, service) = scripted(Script { dh, ..Script::default() });
        let error = written(&lenient_store(&bus));
        assert_eq!(error.reason(), None, "{name}: {error}");
        was_spared(&service);
        service.set(|script| script.dh = DhBehaviour::Proper);
        let store = store(&bus);
        set(&store, "u", "v");
        assert_eq!(store.capabilities().session_encrypted, Some(true), "{name}");
    }
}

#[test]
fn a_session_is_told_once_it_is_known() {
    let (bus, _service) = plain();
    let lenient = lenient_store(&bus);
    assert_eq!(lenient.capabilities().session_encrypted, None);
    lenient.probe().unwrap();
    assert_eq!(lenient.capabilities().session_encrypted, Some(false));
    assert!(lenient.capabilities().warnings().contains(&Warning::SessionNotEncrypted));

    let (bus, service) = scripted(Script::default());
    service.add_item("login", "l", &[("service", "app"), ("username", "u")], "v");
    let store = store(&bus);
    get(&store, "u");
    assert_eq!(store.capabilities().session_encrypted, Some(true));
    assert!(store.capabilities().warnings().is_empty());
}

#[test]
fn the_collection_that_ends_with_the_session_is_told() {
    for collection in ["session", "elsewhere"] {
        let (bus, service) = scripted(Script::default());
        service.set_alias("session", collection);
        let store = store(&bus);
        set(&store, "u", "v");
        assert_eq!(store.capabilities().persistence, Persistence::Permanent);

        service.set_alias("default", collection);
        store.probe().unwrap();
        assert_eq!(store.capabilities().persistence, Persistence::UntilLogout, "{collection}");
        set(&store, "new", "v");
        let lasting = Warning::NotPersistent(Persistence::UntilLogout);
        assert_eq!(store.capabilities().warnings(), [lasting]);
    }
}

#[test]
fn an_entry_in_the_session_collection_is_told_where_it_is_read() {
    let (bus, service) = scripted(Script::default());
    service.add_item("session", "l", &[("service", "app"), ("username", "u")], "v");
    let reader = store(&bus);
    get(&reader, "u");
    assert_eq!(reader.capabilities().persistence, Persistence::UntilLogout);
    let writer = store(&bus);
    set(&writer, "u", "w");
    assert_eq!(writer.capabilities().persistence, Persistence::UntilLogout);
}

#[test]
fn gnome_keyrings_session_collection_is_told() {
    if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("dbus-send") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    let permanent = store(&bus);
    permanent.probe().unwrap();
    assert_eq!(permanent.capabilities().persistence, Persistence::Permanent);
    let made_default = bus
        .command("dbus-send")
        .args(["--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"])
        .args(["org.freedesktop.Secret.Service.SetAlias", "string:default"])
        .arg("objpath:/org/freedesktop/secrets/collection/session")
        .output()
        .unwrap();
    assert!(made_default.status.success(), "{made_default:?}");
    let store = store(&bus);
    store.probe().unwrap();
    assert_eq!(store.capabilities().persistence, Persistence::UntilLogout);
}
