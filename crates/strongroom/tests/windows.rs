//! On Windows the automatic choice is the Credential Manager, and a vault may outgrow it.

#![cfg(all(feature = "credential-manager", feature = "sealed", not(feature = "testing"), windows))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process;

use strongroom::store::{ChoiceReason, Persistence, VAULT_ENTRY, choose_unbound};
use strongroom::{
    Backend, Config, ErrorKind, ExposeSecret, KeyringStore as _, Layout, Secret, SecretKey,
};

#[test]
fn it_is_the_platforms_default_and_can_be_used() {
    let config = Config::new("").environment(|_| None);
    let chosen = choose_unbound(&config).unwrap();
    assert_eq!(chosen.backend(), Backend::CredentialManager);
    assert!(matches!(chosen.reason(), ChoiceReason::PlatformDefault));

    let found = config.inspect();
    let found = found.iter().find(|it| it.backend == Backend::CredentialManager).unwrap();
    let capabilities = found.capabilities.unwrap();
    assert_eq!(capabilities.persistence, Persistence::Permanent);
    assert_eq!(capabilities.max_secret_len, Some(2_560));
    assert!(found.state.is_ok(), "{:?}", found.state);
}

#[test]
fn a_vault_that_outgrows_it_is_sealed_and_loses_nothing() {
    const SECRETS: usize = 200;
    let service = format!("windows-{}", process::id());
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let builder = Config::new(&service).backend(Backend::CredentialManager);
        let builder = builder.state_dir(dir.path().join("state"));
        builder.data_dir(dir.path().join("data")).open_blocking().unwrap()
    };
    let value = |number: usize| format!("{number} {}", "x".repeat(40));
    let vault = open();
    for number in 0..SECRETS {
        vault.set(number.to_string(), &Secret::new(value(number))).unwrap();
        if number == 0 {
            assert_eq!(vault.layout(), Layout::Inline);
        }
    }
    let vault = open();
    assert_eq!((vault.layout(), vault.list().unwrap().len()), (Layout::Sealed, SECRETS));
    for number in 0..SECRETS {
        let read = vault.get_value(number.to_string()).unwrap().unwrap();
        assert_eq!(read.expose_secret(), value(number));
    }

    let config = Config::new("").backend(Backend::CredentialManager);
    let store = choose_unbound(&config).unwrap().store().clone();
    let users = store.list(&service).unwrap();
    assert!(store.delete_password(&service, VAULT_ENTRY).unwrap());
    assert_eq!(users.len(), 1, "it stays one entry");
}

#[test]
fn a_value_that_no_entry_takes_is_refused_alone() {
    let service = format!("windows-entries-{}", process::id());
    let dir = tempfile::tempdir().unwrap();
    let builder = Config::new(&service).backend(Backend::CredentialManager);
    let builder = builder.state_dir(dir.path().join("state")).layout(Layout::Entries);
    let vault = builder.open_blocking().unwrap();
    let key = SecretKey::with_target("API_KEY", "production");
    vault.set(&key, &Secret::new("x".repeat(1_200))).unwrap();
    for number in 0..20 {
        vault.set(number.to_string(), &Secret::new("x".repeat(1_200))).unwrap();
    }
    let refused = vault.set("LARGE", &Secret::new("x".repeat(2_561))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLarge);
    assert!(vault.get(&key).unwrap().is_some() && vault.list().unwrap().len() == 21);
    assert_eq!((vault.layout(), vault.purge().unwrap()), (Layout::Entries, 21));
}
