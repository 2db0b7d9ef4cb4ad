//! Permissions, read-only directories, full disks.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;

use strongroom_core::{ErrorKind, KeyringStore, Secret, SecretKey, Store};
use strongroom_sealed::{Config, FileConfig, KeySource, SealedFile, SealedStore};
use strongroom_testkit::child::{assert_success, output, succeeds};
use strongroom_testkit::{children, skip};
use support::{Sandbox, child, now, put, refused, value, vault_of_child};

/// Who owns nothing: `nobody`.
const NOBODY: u32 = 65_534;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn root_or_skip() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skip("only root can become another user");
    }
    is_root
}

children!(opens_in_a_read_only_directory, opens_with_few_descriptors);

#[test]
fn all_files_are_made_for_the_user_alone() {
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    put(&file, "a", "1");
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&sandbox.dir()), 0o700);
    let files: Vec<_> = fs::read_dir(sandbox.dir()).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "the file, its log and the log's index: {files:?}");
    files.iter().for_each(|path| assert_eq!(mode(path), 0o600, "{}", path.display()));
}

#[test]
fn what_others_may_use_is_refused_with_the_command_that_mends_it() {
    let sandbox = Sandbox::filled(&["a"]);
    for (path, open, closed) in [(sandbox.path(), 0o640, 0o600), (sandbox.dir(), 0o755, 0o700)] {
        set_mode(&path, open);
        let error = refused(SealedFile::open(&sandbox.config()), ErrorKind::AccessDenied);
        let command = format!("`chmod {closed:o} {}`", path.display());
        assert!(error.hint().contains(&command), "{}", error.hint());
        set_mode(&path, closed);
        sandbox.open();
    }
}

#[test]
fn what_is_another_users_is_refused() {
    if !root_or_skip() {
        return;
    }
    for path in [Sandbox::path, Sandbox::dir] {
        let sandbox = Sandbox::filled(&["a"]);
        chown(path(&sandbox), Some(NOBODY), None).unwrap();
        let error = refused(SealedFile::open(&sandbox.config()), ErrorKind::AccessDenied);
        assert!(error.hint().contains("chown"), "{}", error.hint());
    }
}

#[test]
fn a_link_is_not_followed_but_its_directory_may_be_one() {
    let sandbox = Sandbox::filled(&["a"]);
    let (link, dir) = (sandbox.dir().join("link"), sandbox.dir().join("dir"));
    symlink(sandbox.path(), &link).unwrap();
    let config = |path: &Path| FileConfig::new(path, KeySource::key(sandbox.key.clone()));
    refused(SealedFile::open(&config(&link)), ErrorKind::AccessDenied);
    refused(SealedFile::create(&config(&link), now()), ErrorKind::AlreadyExists);
    symlink(sandbox.dir(), &dir).unwrap();
    let file = SealedFile::open(&config(&dir.join("vault.sealed"))).unwrap();
    assert_eq!(value(&file, "a").as_deref(), Some("a"));
    fs::create_dir(sandbox.dir().join("no-file")).unwrap();
    refused(SealedFile::open(&config(&sandbox.dir().join("no-file"))), ErrorKind::Invalid);
}

#[test]
fn reading_what_is_not_there_makes_nothing() {
    let sandbox = Sandbox::new();
    let config = Config::new(sandbox.dir(), KeySource::key(sandbox.key.clone()));
    let store = SealedStore::new(config);
    assert!(store.get_bytes("app", "a").unwrap().is_none());
    assert!(!store.delete_password("app", "a").unwrap() && !store.exists("app", "a").unwrap());
    assert!(store.list("app").unwrap().is_empty() && store.probe().is_ok());
    assert!(!sandbox.dir().exists());
    refused(SealedFile::open(&sandbox.config()), ErrorKind::NotFound);
    assert!(!sandbox.dir().exists());
}

#[test]
fn a_store_meets_the_file_that_took_the_place_of_another() {
    let sandbox = Sandbox::new();
    let store = SealedStore::new(Config::new(sandbox.dir(), KeySource::key(sandbox.key.clone())));
    let set = |value: &str| store.set_password("app", "a", &value.into());
    set("1").unwrap();
    let path = store.path_of(&strongroom_core::ServiceName::new("app").unwrap());
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{ending}", path.display())).unwrap();
    }
    assert!(store.get_password("app", "a").unwrap().is_none());
    set("2").unwrap();
    assert!(path.exists() && store.exists("app", "a").unwrap());
}

#[test]
fn a_read_only_directory_is_read_named_and_harms_nothing() {
    if !root_or_skip() {
        return;
    }
    let sandbox = Sandbox::filled(&["a"]);
    for path in [sandbox.path(), sandbox.dir()] {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    set_mode(sandbox.dir().parent().unwrap(), 0o755);
    set_mode(&sandbox.dir(), 0o500);
    let mut process = child("opens_in_a_read_only_directory", &sandbox);
    let output = output(process.uid(NOBODY).gid(NOBODY));
    set_mode(&sandbox.dir(), 0o700);
    assert_success(&output);
    let files = fs::read_dir(sandbox.dir()).unwrap().map(|file| file.unwrap().path());
    for path in files.chain([sandbox.dir()]) {
        chown(path, Some(0), Some(0)).unwrap();
    }
    assert_eq!(value(&sandbox.open(), "a").as_deref(), Some("a"));
}

fn opens_in_a_read_only_directory() {
    let config = vault_of_child();
    let file = SealedFile::open(&config).unwrap();
    assert_eq!(value(&file, "a").as_deref(), Some("a"));
    let changed = file.change(|change| change.put(&SecretKey::new("b"), &Secret::new("1")));
    let error = refused(changed, ErrorKind::AccessDenied);
    let directory = config.path.parent().unwrap().display();
    assert!(error.problem().contains(&format!("the directory {directory} can't")), "{error}");
    let beside = FileConfig::new(config.path.with_file_name("new"), config.sources[0].clone());
    refused(SealedFile::create(&beside, now()), ErrorKind::AccessDenied);
    set_mode(config.path.parent().unwrap(), 0o700);
    set_mode(&config.path, 0o400);
    let file = SealedFile::open(&config).unwrap();
    let changed = file.change(|change| change.put(&SecretKey::new("b"), &Secret::new("1")));
    let error = refused(changed, ErrorKind::AccessDenied);
    let words = format!("{} can't be written", config.path.display());
    assert_eq!(error.problem(), words);
    set_mode(&config.path, 0o600);
}

#[test]
fn a_limit_of_open_files_is_named_and_harms_nothing() {
    let sandbox = Sandbox::filled(&["a"]);
    for more in 0..3 {
        let mut process = child("opens_with_few_descriptors", &sandbox);
        succeeds(process.env("SEALED_TEST_FILES", more.to_string()));
    }
    assert_eq!(value(&sandbox.open(), "a").as_deref(), Some("a"));
}

fn opens_with_few_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let config = vault_of_child();
    let more: u64 = std::env::var("SEALED_TEST_FILES").unwrap().parse().unwrap();
    // The number that the next file to be opened gets.
    let next = fs::File::open("/dev/null").unwrap();
    let next = u64::try_from(std::os::fd::AsRawFd::as_raw_fd(&next)).unwrap();
    let limit = Rlimit { current: Some(next + more), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let error = refused(SealedFile::open(&config), ErrorKind::Io);
    assert!(error.hint().contains("how many files are open"), "{}", error.hint());
    let new = FileConfig::new(config.path.with_file_name("new"), config.sources[0].clone());
    refused(SealedFile::create(&new, now()), ErrorKind::Io);
    assert!(!new.path.exists(), "a file that could not be opened");
}
