//! Drives the service with libsecret's own client and with bare calls.

mod client;
mod locked;
mod prompts;
mod sessions;
mod traffic;

use std::collections::BTreeMap;

use client::Fixture;

use super::{DhBehaviour, Script};
use crate::{provider_or_skip, secret_tool};

/// A fixture for `secret-tool`, or nothing where that isn't installed.
fn with_secret_tool(script: Script) -> Option<Fixture> {
    let installed = provider_or_skip("secret-tool") && provider_or_skip("dbus-daemon");
    installed.then(|| Fixture::start(script))
}

#[test]
fn secret_tool_stores_looks_up_and_clears() {
    let Some(fixture) = with_secret_tool(Script::default()) else {
        return;
    };
    let (bus, service) = (&fixture.bus, &fixture.service);
    secret_tool::store(bus, "app", "me", "first");
    secret_tool::store(bus, "app", "me", "zweites, mit Umläut");
    secret_tool::store(bus, "app", "you", "other");
    assert_eq!(secret_tool::lookup(bus, "app", "me").as_deref(), Some("zweites, mit Umläut"));

    let items = service.items();
    assert_eq!(items.len(), 2, "storing again replaces");
    assert_eq!(items[0].secret, "zweites, mit Umläut".as_bytes());
    assert_eq!(items[0].label, "keyring:me@app");
    assert_eq!(items[0].collection, "/org/freedesktop/secrets/collection/login");
    let named =
        BTreeMap::from([("service".into(), "app".into()), ("username".into(), "me".into())]);
    let attributes = items[0].attributes.clone().into_iter();
    let attributes: BTreeMap<String, String> =
        attributes.filter(|(name, _)| name != "xdg:schema").collect();
    assert_eq!(attributes, named);

    assert!(secret_tool::clear(bus, "app", "me"));
    assert_eq!(secret_tool::lookup(bus, "app", "me"), None);
    assert_eq!(service.items().len(), 1);
}

#[test]
fn secret_tool_sees_what_a_test_added() {
    let Some(fixture) = with_secret_tool(Script::default()) else {
        return;
    };
    let attributes = [("service", "app"), ("username", "me")];
    fixture.service.add_item("login", "an item", &attributes, "value");
    assert_eq!(secret_tool::lookup(&fixture.bus, "app", "me").as_deref(), Some("value"));
}

#[test]
fn secret_tool_unlocks_through_a_prompt() {
    let Some(fixture) = with_secret_tool(Script::default()) else {
        return;
    };
    secret_tool::store(&fixture.bus, "app", "me", "value");
    fixture.service.set(|script| script.locked = true);
    assert_eq!(secret_tool::lookup(&fixture.bus, "app", "me").as_deref(), Some("value"));
    assert!(!fixture.service.script().locked);
}

#[test]
fn secret_tool_makes_the_default_collection() {
    let script = Script { no_default_collection: true, ..Script::default() };
    let Some(fixture) = with_secret_tool(script) else {
        return;
    };
    secret_tool::store(&fixture.bus, "app", "me", "value");
    assert_eq!(secret_tool::lookup(&fixture.bus, "app", "me").as_deref(), Some("value"));
    assert!(fixture.service.calls().iter().any(|call| call == "Service.CreateCollection"));
}

#[test]
fn secret_tool_agrees_with_a_stripped_key_and_not_with_an_unpadded_secret() {
    let dh = DhBehaviour::PublicKeyStripped;
    let Some(fixture) = with_secret_tool(Script { dh, ..Script::default() }) else {
        return;
    };
    let (bus, service) = (&fixture.bus, &fixture.service);
    secret_tool::store(bus, "app", "me", "value");
    assert_eq!(secret_tool::lookup(bus, "app", "me").as_deref(), Some("value"));
    service.set(|script| script.dh = DhBehaviour::SharedSecretUnpadded { unlucky_sessions: 1 });
    assert_ne!(secret_tool::lookup(bus, "app", "me").as_deref(), Some("value"));
    assert_eq!(secret_tool::lookup(bus, "app", "me").as_deref(), Some("value"));
}
