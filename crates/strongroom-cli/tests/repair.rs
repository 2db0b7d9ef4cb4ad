//! `repair`: the way out of a vault that does not open.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use strongroom_testkit::unused_name;
use support::{KeyutilsService, on, scripted};

const DAMAGED: &[u8] =
    br#"{"strongroom":"vault","version":1,"secrets":[{"name":"API_KEY","value":"bWFya2Vy"},{"na"#;

#[test]
fn a_damaged_vault_is_shown_without_values_and_given_up_only_when_told() {
    let service = KeyutilsService::new();
    service.damage(DAMAGED);
    service.vault(&["get", "API_KEY"], b"").ends_with(8).says("strongroom repair");
    for _ in 0..2 {
        let shown = service.vault(&["repair"], b"").ends_with(8);
        for text in ["ends too early", "87 bytes", "API_KEY", "strongroom repair --reset"] {
            assert!(shown.out().contains(text), "{}", shown.out());
        }
        assert!(!shown.said().contains("bWFya2Vy") && !shown.said().contains("marker"));
    }
    let json = service.vault(&["repair", "--json"], b"").ends_with(8).json();
    assert_eq!(
        (&json["items"][0]["names"][0], &json["items"][0]["bytes"]),
        (&"API_KEY".into(), &87.into())
    );
    service.vault(&["repair", "--merge"], b"").ends_with(2).says("nothing to merge");
    assert_eq!(service.get("vault"), DAMAGED);

    let reset = service.vault(&["repair", "--reset"], b"").ends_with(0).says("delete it");
    let copy = reset.out();
    let copy = copy.lines().next().unwrap().strip_prefix("Put aside: ").unwrap();
    assert_eq!(fs::read(copy).unwrap(), DAMAGED);
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    service.vault(&["set", "API_KEY"], b"value").ends_with(0);
    service.vault(&["repair"], b"").ends_with(0).says("in order: generation 1, 1 secret,");
    service.vault(&["repair", "--reset"], b"").ends_with(2).says("can be read");
}

#[test]
fn a_vault_that_can_not_be_read_is_purged_as_any_other() {
    let service = KeyutilsService::new();
    service.damage(DAMAGED);
    service.vault(&["purge", "--yes"], b"").ends_with(0);
    service.vault(&["repair"], b"").ends_with(0).says("nothing to repair");
}

#[test]
fn where_there_is_nothing_there_is_nothing_to_repair() {
    let service = KeyutilsService::new();
    service.vault(&["repair"], b"").ends_with(0).says("nothing to repair");
    service.vault(&["repair", "--merge", "--reset"], b"").ends_with(2);
}

#[test]
fn two_vaults_of_one_name_are_shown_and_merged() {
    let (bus, service) = scripted(Default::default());
    let app = |arguments: &[&str], input: &[u8]| {
        on(&bus, &[arguments, &["--service", "app"]].concat(), input)
    };
    app(&["set", "OLD"], b"1").ends_with(0);
    let old = on(&bus, &["entry", "get", "app", "vault"], b"").ends_with(0).out();
    app(&["rename", "OLD", "NEW"], b"").ends_with(0);
    let copy = unused_name("copy");
    let attributes = [("service", "app"), ("username", "vault"), ("copy", copy.as_str())];
    service.add_item("login", "another", &attributes, old);

    app(&["get", "NEW"], b"").ends_with(1).says("strongroom repair --service app");
    let shown = app(&["repair"], b"").ends_with(1);
    for text in
        ["is there 2 times", "GENERATION", "another", "strongroom repair --merge --service app"]
    {
        assert!(shown.out().contains(text), "{}", shown.out());
    }
    app(&["repair", "--reset"], b"").ends_with(1);
    app(&["repair", "--merge"], b"").ends_with(0).says("Merged 2 items").says("OLD");
    for name in ["OLD", "NEW"] {
        assert_eq!(app(&["get", name], b"").ends_with(0).out(), "1");
    }
}
