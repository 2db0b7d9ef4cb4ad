//! What the page is told of a configuration file: who could have read it, and what remains.
#![cfg(all(target_os = "linux", feature = "config"))]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use strongroom::{Backend, Config};
use strongroom_config::{ConfigFile, Rules};
use strongroom_settings::{ConfigMigration, Migration as _};
use strongroom_testkit::Sandbox;

const VALUE: &str = "marker-of-a-secret";

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn exposures_are_told_before_a_move_and_what_remains_after_it() {
    let sandbox = Sandbox::new();
    let directory = sandbox.path();
    let (file, copy) = (directory.join(".env"), directory.join(".env~"));
    write(&file, &format!("API_KEY={VALUE}\n# {VALUE}\n"));
    write(&copy, &format!("API_KEY={VALUE}\n"));
    fs::create_dir(directory.join(".git")).unwrap();
    write(&directory.join(".git/HEAD"), "ref: refs/heads/main\n");
    let secrets = Config::new("app").backend(Backend::Memory).open_blocking().unwrap();
    let file = ConfigFile::new(file, Rules::detecting()).unwrap().taking_forgetful_stores();
    let migration = ConfigMigration::new(file, secrets);
    let warnings = migration.plan().unwrap().unwrap().warnings;
    let done = migration.secure().unwrap();
    let copy = format!("{} contains the same secrets", copy.display());
    for (part, remains) in
        [(&copy[..], true), ("log --all --oneline -- .env`", false), ("line 2", true)]
    {
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{warnings:?}");
        assert_eq!(done.contains(part), remains, "{done}");
    }
    assert!(done.starts_with("1 secret was moved into memory. "), "{done}");
    assert!(!done.contains(VALUE) && !warnings.concat().contains(VALUE));
}
