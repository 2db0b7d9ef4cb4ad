//! With feature `testing`, an application's tests meet a mock. Run it with
//! `cargo test -p strongroom --features testing --test testing`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::fs;

use strongroom::error::Operation;
use strongroom::store::{ChoiceReason, choose_unbound};
use strongroom::{Backend, Config, ErrorKind, SecretString, SecureStore, testing};
use strongroom_testkit::child::{self, Child};
use strongroom_testkit::{Sandbox, children};

/// The automatic choice, whatever the environment of the test run names.
fn automatic(service: &str) -> SecureStore {
    automatic_in(service).unwrap()
}

fn automatic_in(service: &str) -> strongroom::Result<SecureStore> {
    Config::new(service).environment(|_| None).open_store()
}

#[test]
fn the_automatic_choice_is_the_mock_of_this_process() {
    let secrets = automatic("automatic");
    assert_eq!(secrets.store().name(), "mock");
    assert_eq!(secrets.backend(), Backend::Memory);
    assert!(matches!(secrets.reason(), ChoiceReason::Testing));

    secrets.set_secret("token", &SecretString::from("v")).unwrap();
    assert!(automatic("automatic").get_secret("token").unwrap().is_some());
    let calls: Vec<_> = testing::mock("automatic").calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation).collect();
    let changing: Vec<_> = operations.into_iter().filter(|it| *it == Operation::Set).collect();
    assert_eq!(changing, [Operation::Set]);
}

#[test]
fn a_fault_of_the_mock_reaches_the_application() {
    let secrets = automatic("faulty");
    secrets.set_secret("token", &SecretString::from("v")).unwrap();
    testing::mock("faulty").fail(Operation::Delete, ErrorKind::Locked);
    let error = secrets.delete_secret("token").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().contains("locked"), "{error}");
    automatic("another").delete_secret("token").unwrap();
    testing::mock("faulty").heal(Operation::Delete);
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
        assert_eq!(choose_unbound(&config).unwrap().store().name(), "memory");
    }
}

/// A copy of this program is none of cargo's tests: it is what an application's own program would be.
#[test]
fn the_application_itself_is_never_on_the_mock() {
    let sandbox = Sandbox::new();
    let program = sandbox.path().join("app");
    fs::copy(child::program(), &program).unwrap();
    let mut command = sandbox.command(&program);
    child::enter(&mut command, "application");
    assert_eq!(Child::start(command).finish(), ["it is no mock"]);
}

children!(application);

fn application() {
    match automatic_in("application") {
        Ok(secrets) => assert!(!matches!(secrets.reason(), ChoiceReason::Testing)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::NoBackend),
    }
    child::say("it is no mock");
}
