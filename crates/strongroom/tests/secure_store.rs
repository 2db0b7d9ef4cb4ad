//! The three functions of an application, and what it is told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsString;

#[cfg(target_os = "linux")]
use strongroom::store::secret_service;
use strongroom::store::{ChoiceReason, Persistence, choose_unbound, secret_bytes};
use strongroom::{
    Backend, Config, ErrorKind, ExposeSecret, KeyringStore, SecretString, SecureStore,
};

/// The memory is one for all tests of this process: each takes a service of its own.
fn in_memory(service: &str) -> SecureStore {
    Config::new(service).backend(Backend::Memory).open_store().unwrap()
}

fn secret(value: &str) -> SecretString {
    SecretString::from(value)
}

#[test]
fn a_secret_is_set_replaced_read_and_deleted() {
    let secrets = in_memory("replaced");
    assert!(secrets.get_secret("token").unwrap().is_none());
    for value in ["first", "zweite Ümläute", ""] {
        secrets.set_secret("token", &secret(value)).unwrap();
        let read = secrets.require_secret("token").unwrap();
        assert_eq!(read.expose_secret(), value);
    }
    secrets.delete_secret("token").unwrap();
    assert!(secrets.get_secret("token").unwrap().is_none());
    secrets.delete_secret("token").unwrap();
}

#[test]
fn clones_are_the_same_store_and_its_entries_carry_the_service() {
    let secrets = in_memory("tracker");
    secrets.clone().set_secret("token", &secret("v")).unwrap();
    assert!(secrets.get_secret("token").unwrap().is_some());
    assert_eq!(secrets.service().as_str(), "tracker");
    assert!(secrets.store().exists("tracker", "token").unwrap());
    assert!(secrets.store().list("other").unwrap().is_empty());
}

#[test]
fn a_missing_secret_names_itself_and_what_to_do() {
    let error = in_memory("tracker").require_secret("api-key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let shown = error.to_string();
    assert!(shown.contains(r#""api-key" of service "tracker""#), "{shown}");
    assert_eq!(error.hint(), "Store it first.", "no command reaches the memory of a program");

    let secrets = Config::new("tracker")
        .backend(Backend::Memory)
        .setup_hint("run `tracker setup`")
        .open_store()
        .unwrap();
    let error = secrets.require_secret("api-key").unwrap_err();
    assert_eq!(error.hint(), "run `tracker setup`");
    assert!(error.to_string().ends_with("no such secret. run `tracker setup`"), "{error}");
}

#[test]
fn bytes_of_another_program_are_an_error_and_not_missing() {
    let secrets = in_memory("bytes");
    let bytes = secret_bytes(vec![0xff, 0xfe]);
    secrets.store().set_bytes("bytes", "token", &bytes).unwrap();
    let error = secrets.require_secret("token").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn names_that_cannot_be_used_are_invalid() {
    let secrets = in_memory("others");
    for name in ["", "a\0b", &"x".repeat(256)] {
        let kinds = [
            Config::new(name).backend(Backend::Memory).open_store().unwrap_err().kind(),
            secrets.set_secret(name, &secret("v")).unwrap_err().kind(),
            secrets.get_secret(name).unwrap_err().kind(),
            secrets.require_secret(name).unwrap_err().kind(),
            secrets.delete_secret(name).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::Invalid; 5]);
    }
}

#[test]
fn it_says_what_it_is() {
    let secrets = in_memory("others");
    assert_eq!(secrets.backend(), Backend::Memory);
    assert!(matches!(secrets.reason(), ChoiceReason::Explicit));
    assert_eq!(secrets.capabilities().persistence, Persistence::Session);
    assert!(!secrets.is_persistent());
}

#[test]
fn options_and_environment_reach_the_choice() {
    let named = |variable: &'static str, value: &'static str| {
        Config::new("").environment(move |name| (name == variable).then(|| OsString::from(value)))
    };
    let secrets = named("TRACKER_BACKEND", "memory")
        .service("tracker")
        .env_prefix("TRACKER")
        .open_store()
        .unwrap();
    assert_eq!(secrets.reason().to_string(), "named by TRACKER_BACKEND");

    let error =
        named("STRONGROOM_BACKEND", "nonsense").service("tracker").open_store().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn nothing_shows_a_value() {
    let secrets = in_memory("others");
    secrets.set_secret("token", &secret("marker-value")).unwrap();
    let config = Config::new("").backend(Backend::Memory);
    let shown = format!(
        "{secrets:?} {:?} {:?} {:?}",
        secrets.store(),
        choose_unbound(&config).unwrap(),
        config.service("tracker"),
    );
    assert!(shown.contains("tracker") && !shown.contains("marker-value"), "{shown}");
}

#[test]
fn handles_go_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<SecureStore>();
    check::<Config>();
    check::<strongroom::store::Chosen>();
    check::<strongroom::store::Guard>();
}

#[test]
fn the_memory_of_the_process_is_always_there_to_inspect() {
    let here = Config::new("");
    #[cfg(target_os = "linux")]
    let here = here.store_settings(
        secret_service::Config::default().with_bus_address("unix:path=/nonexistent/strongroom"),
    );
    for found in here.inspect() {
        let opened = found.capabilities.is_some();
        assert_eq!(opened, found.backend.is_supported_here());
        if found.backend == Backend::Memory {
            assert!(found.state.is_ok());
        }
    }
}

#[test]
fn the_vaults_entry_is_no_secret_of_an_application() {
    let secrets = in_memory("with-a-vault");
    let vault = Config::new("with-a-vault").backend(Backend::Memory);
    let vault = vault.open_blocking().unwrap();
    vault.set_api_key("A", "value", None).unwrap();
    for refused in [
        secrets.set_secret("vault", &secret("x")),
        secrets.delete_secret("vault"),
        secrets.get_secret("vault").map(drop),
        secrets.require_secret("vault").map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
    vault.forget();
    assert!(vault.get_value("A").unwrap().is_some());
}

#[test]
fn another_programs_entry_where_a_vault_would_be_is_told_and_stays() {
    let store = in_memory("vaulted").store().clone();
    let token = secret_bytes(b"hvs.token".to_vec());
    store.set_bytes("vaulted", "vault", &token).unwrap();
    let builder = || Config::new("vaulted").backend(Backend::Memory);
    let error = builder().open_blocking().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("another program's"), "{error}");
    assert!(!error.hint().contains("repair"), "{}", error.hint());
    assert!(builder().repair().unwrap().reset().is_err());
    let kept = store.get_bytes("vaulted", "vault").unwrap().unwrap();
    assert!(kept.expose_secret() == b"hvs.token");
}

#[test]
fn the_memory_is_one_for_a_process() {
    in_memory("opened-twice").set_secret("token", &secret("v")).unwrap();
    let again = in_memory("opened-twice").require_secret("token").unwrap();
    assert_eq!(again.expose_secret(), "v");
}
