//! What happens at an application's start, and how little at the next one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use strongroom::{Backend, Config, ErrorKind, Secret, SecretKey};
use strongroom_config::{FirstRun, Rules};
use support::{Home, VALUE, file, read, stored};

fn home_with(text: &str) -> (Home, std::path::PathBuf) {
    let home = Home::new();
    let path = home.write(".env", text);
    (home, path)
}

#[test]
fn the_first_run_moves_and_the_next_ones_do_nothing() {
    let (home, path) = home_with(&format!("API_KEY={VALUE}\n"));
    let file = file(&path, Rules::detecting());
    let FirstRun::Secured(done) = file.first_run(home.builder()).unwrap() else { panic!() };
    assert_eq!(done.secrets, [SecretKey::new("API_KEY")]);
    assert_eq!(done.backend, Backend::File);
    assert_eq!(read(&path), "API_KEY=strongroom:API_KEY\n");
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::Unchanged));
    assert_eq!(stored(&home.open(), "API_KEY").as_deref(), Some(VALUE));
}

#[test]
fn once_nothing_is_left_to_do_the_store_is_not_opened() {
    let (home, path) = home_with(&format!("API_KEY={VALUE}\n"));
    let file = file(&path, Rules::detecting());
    file.first_run(home.builder()).unwrap();
    fs::remove_file(home.path("key")).unwrap();
    fs::remove_dir_all(home.path("data")).unwrap();
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::Unchanged));
}

#[test]
fn a_secret_that_comes_later_moves_later() {
    let (home, path) = home_with("PORT=80\n");
    let file = file(&path, Rules::detecting());
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::Nothing));
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::Unchanged));
    fs::write(&path, format!("PORT=80\nAPI_KEY={VALUE}\n")).unwrap();
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::Secured(_)));
    assert_eq!(read(&path), "PORT=80\nAPI_KEY=strongroom:API_KEY\n");
}

#[test]
fn other_rules_look_again() {
    let (home, path) = home_with(&format!("API_KEY={VALUE}\n"));
    let nothing = file(&path, Rules::new());
    assert!(matches!(nothing.first_run(home.builder()).unwrap(), FirstRun::Nothing));
    let looking = file(&path, Rules::detecting());
    assert!(matches!(looking.first_run(home.builder()).unwrap(), FirstRun::Secured(_)));
}

#[test]
fn without_a_file_there_is_nothing_to_do() {
    let home = Home::new();
    let file = file(home.path("a.json"), Rules::detecting());
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::Nothing));
}

#[test]
fn without_a_store_that_lasts_the_file_stays_and_the_next_start_tries_again() {
    let text = format!("API_KEY={VALUE}\n");
    let (home, path) = home_with(&text);
    let file = file(&path, Rules::detecting());
    let memory = || Config::new("app").backend(Backend::Memory).state_dir(home.path("state"));
    let FirstRun::NoStore(error) = file.first_run(memory()).unwrap() else { panic!() };
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let key = fs::read(home.path("key")).unwrap();
    fs::remove_file(home.path("key")).unwrap();
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::NoStore(_)));
    assert_eq!(read(&path), text);
    home.write("key", key);
    assert!(matches!(file.first_run(home.builder()).unwrap(), FirstRun::Secured(_)));
}

#[test]
fn two_different_values_are_for_the_user_to_choose_between() {
    let text = format!("API_KEY={VALUE}\n");
    let (home, path) = home_with(&text);
    home.open().set("API_KEY", &Secret::new("other")).unwrap();
    let file = file(&path, Rules::detecting());
    for _ in 0..2 {
        let FirstRun::Conflict(plan) = file.first_run(home.builder()).unwrap() else { panic!() };
        assert_eq!(plan.conflicts().count(), 1);
    }
    assert_eq!((read(&path), stored(&home.open(), "API_KEY")), (text, Some("other".into())));
}

#[test]
fn a_broken_file_is_an_error_and_stays() {
    let (home, path) = home_with("API_KEY='x\n");
    let error = file(&path, Rules::detecting()).first_run(home.builder()).unwrap_err();
    assert!(error.to_string().contains("line 1, column 9"), "{error}");
    assert_eq!(read(&path), "API_KEY='x\n");
}
