//! With feature `testing`, an application's tests meet a mock. Run it with
//! `cargo test -p strongroom --features testing --test testing`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsString;

use strongroom::{
    Backend, ChoiceReason, Config, ErrorKind, Operation, SecretString, SecureStore, choose, testing,
};

/// The automatic choice, whatever the environment of the test run names.
fn automatic(service: &str) -> SecureStore {
    let config = Config::new("").environment(|_| None);
    config.service(service).open_store().unwrap()
}

#[test]
fn the_automatic_choice_is_the_mock_of_this_process() {
    let secrets = automatic("automatic");
    assert_eq!(secrets.store().name(), "mock");
    assert_eq!(secrets.backend(), Backend::Memory);
    assert!(matches!(secrets.reason(), ChoiceReason::Testing));

    secrets.set_secret("token", &SecretString::from("v")).unwrap();
    assert!(automatic("automatic").get_secret("token").unwrap().is_some());
    let of_this_test = |call: &strongroom::Call| call.service.as_deref() == Some("automatic");
    let calls: Vec<_> = testing::mock().calls().into_iter().filter(of_this_test).collect();
    let operations: Vec<_> = calls.iter().map(|call| call.operation).collect();
    assert_eq!(operations, [Operation::Set, Operation::Get]);
}

#[test]
fn a_fault_of_the_mock_reaches_the_application() {
    let secrets = automatic("faulty");
    testing::mock().fail(Operation::Delete, ErrorKind::Locked);
    let error = secrets.delete_secret("token").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    testing::mock().heal(Operation::Delete);
    secrets.delete_secret("token").unwrap();
}

#[test]
fn a_vault_meets_the_mock_and_leaves_no_file_in_the_users_home() {
    let config = Config::new("").environment(|_| None);
    let open = || config.clone().service("vault").open_blocking().unwrap();
    open().set_api_key("API_KEY", "sk-1", None).unwrap();
    assert!(open().get_value("API_KEY").unwrap().is_some(), "all handles share the mock");
    let home = std::env::home_dir().unwrap();
    assert!(!home.join(".local/state/strongroom/vault-vault.lock").exists());
}

#[test]
fn what_was_named_is_what_is_used() {
    let explicit = Config::new("").backend(Backend::Memory);
    let named = Config::new("").environment(|_| Some(OsString::from("memory")));
    for config in [explicit, named] {
        assert_eq!(choose(&config).unwrap().store().name(), "memory");
    }
}
