//! The largest value, how long entries last, and what other programs show of them.

#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use strongroom_core::{
    EntryName, ErrorKind, KeyringStore, Persistence, SecretString, Store, WriteMode, secret_bytes,
};
use strongroom_credential_manager::{Config, MAX_SECRET_BYTES, Persist};
use support::Service;

#[test]
fn a_value_of_2560_bytes_is_kept_and_one_of_2561_is_too_large() {
    let service = Service::new();
    assert_eq!(MAX_SECRET_BYTES, 2_560);
    let largest = vec![0xff; 2_560];
    for mode in [WriteMode::CreateNew, WriteMode::Overwrite] {
        service.write("u", &largest, mode).unwrap();
        assert!(service.get("u") == Some(largest.clone()));
        let error = service.write("u", vec![b'x'; 2_561], mode).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
        assert!(error.problem().contains("2561") && error.problem().contains("2560"), "{error}");
        assert!(service.get("u") == Some(largest.clone()));
    }
    let entry = EntryName::new(&service.name, "u").unwrap();
    let value = secret_bytes(vec![b'x'; 2_561]);
    let error = service.write_entry(&entry, &value, WriteMode::Overwrite).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "the store itself refuses it, too: {error:?}");
    // Bytes count, not characters.
    let text = SecretString::from("é".repeat(1_281));
    let refused = service.set_password(&service.name, "u", &text);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn entries_stay_on_this_computer_unless_they_are_to_roam_or_to_go() {
    for (persist, lasts, told) in [
        (None, Persistence::Permanent, "Local"),
        (Some(Persist::Enterprise), Persistence::Permanent, "Enterprise"),
        (Some(Persist::Session), Persistence::Session, "Session"),
    ] {
        let config = Config::default();
        let config = persist.map_or(config.clone(), |persist| config.with_persist(persist));
        let service = Service::with_config(config);
        service.probe().unwrap();
        assert_eq!(service.capabilities().persistence, lasts);
        service.set("a.b", "v");
        assert_eq!(service.in_others_hands("a.b").attributes()["persistence"], told);
    }
}

#[test]
fn other_programs_show_user_and_service() {
    let service = Service::new();
    for user in ["me@example.org", "ü.ber", &format!(".{}", "x".repeat(150))] {
        service.set(user, "s3cret");
        let escaped = user.replace('ü', "%C3%BC");
        let shown = service.in_others_hands(&escaped).attributes();
        assert_eq!(shown["username"], user);
        assert!(shown["comment"].starts_with("Strongroom"), "{shown:?}");
        for part in [user, &service.name] {
            assert!(shown["comment"].contains(part), "{shown:?}");
        }
    }
}
