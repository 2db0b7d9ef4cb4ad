//! What a file is besides its text: owner, permissions, and links.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::Path;

use strongroom::ErrorKind;
use strongroom_config::{ConfigFile, Exposure, Prefer, Rules};
use support::{Home, VALUE, file, read, secure, set_mode};

fn text() -> String {
    format!("API_KEY={VALUE}\n")
}

const MOVED: &str = "API_KEY=strongroom:API_KEY\n";

fn looking(path: impl AsRef<Path>) -> ConfigFile {
    file(path.as_ref(), Rules::detecting())
}

#[test]
fn a_file_keeps_its_permissions() {
    for mode in [0o600, 0o644, 0o660, 0o400] {
        let home = Home::new();
        let path = home.write(".env", text());
        set_mode(&path, mode);
        secure(&looking(&path), &home.open());
        assert_eq!(
            (read(&path).as_str(), fs::metadata(&path).unwrap().mode() & 0o7777),
            (MOVED, mode)
        );
    }
}

#[test]
fn a_file_keeps_its_owner_and_group() {
    let home = Home::new();
    let path = home.write(".env", text());
    // Only root can give a file away; anybody else sees their own file stay theirs.
    let is_given_away = chown(&path, Some(1234), Some(2345)).is_ok();
    let before = fs::metadata(&path).unwrap();
    assert!(is_given_away == (before.uid() == 1234));
    secure(&looking(&path), &home.open());
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert_ne!(after.ino(), before.ino(), "the file was replaced");
}

#[test]
fn a_link_stays_one_and_its_target_changes() {
    let home = Home::new();
    fs::create_dir(home.path("dotfiles")).unwrap();
    let target = home.write("dotfiles/env", text());
    symlink("dotfiles/env", home.path("middle")).unwrap();
    symlink("middle", home.path(".env")).unwrap();
    secure(&looking(home.path(".env")), &home.open());
    assert!(home.path(".env").symlink_metadata().unwrap().is_symlink());
    assert!(target.symlink_metadata().unwrap().is_file());
    assert_eq!(read(&target), MOVED);
    assert_eq!(fs::read_dir(home.path("dotfiles")).unwrap().count(), 1);
}

#[test]
fn a_link_that_leads_nowhere_is_not_found() {
    let home = Home::new();
    symlink("nowhere", home.path(".env")).unwrap();
    assert_eq!(looking(home.path(".env")).status(None).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn what_a_dead_process_left_is_taken_away_and_what_a_living_one_writes_is_not() {
    let home = Home::new();
    let path = home.write(".env", text());
    let left = home.write("..env.strongroom-new", "half");
    let (file, secrets) = (looking(&path), home.open());
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    let writer = File::open(&left).unwrap();
    writer.lock().unwrap();
    assert_eq!(file.secure(&secrets, &plan, |_| {}).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!((read(&path), read(&left).as_str()), (text(), "half"));
    drop(writer);
    secure(&file, &secrets);
    assert_eq!(read(&path), MOVED);
    assert_eq!(home.files(), [".env"]);
}

#[test]
fn where_the_new_file_cannot_be_written_the_old_one_stays() {
    let home = Home::new();
    let path = home.write(".env", text());
    // Something that is no file is in its way, for root, too.
    fs::create_dir(home.path("..env.strongroom-new")).unwrap();
    let (file, secrets) = (looking(&path), home.open());
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    assert!(file.secure(&secrets, &plan, |_| {}).is_err());
    assert_eq!(read(&path), text());
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "the directory for temporary files lets nobody in")]
fn a_file_that_others_can_read_has_been_exposed() {
    let home = Home::new();
    let path = home.write(".env", text());
    let (file, secrets) = (looking(&path), home.open());
    set_mode(&home.path(""), 0o701);
    for mode in [0o600, 0o700, 0o622] {
        set_mode(&path, mode);
        assert_eq!(file.status(None).unwrap().exposures, [], "{mode:o}");
    }
    set_mode(&path, 0o644);
    let exposed = [Exposure::ReadableByOthers { mode: 0o644 }];
    assert_eq!(file.status(None).unwrap().exposures, exposed);
    let done = secure(&file, &secrets);
    assert_eq!(done.exposures, exposed);
    assert!(done.exposures[0].hint().contains("Replace the secrets"));
    assert_eq!(file.status(Some(&secrets)).unwrap().exposures, [], "it has no values any more");
}

#[test]
fn a_file_that_others_could_read_may_have_been_exposed() {
    let home = Home::new();
    let path = home.write(".env", text());
    for (directory, mode) in [(0o700, 0o644), (0o750, 0o604), (0o755, 0o640)] {
        set_mode(&home.path(""), directory);
        set_mode(&path, mode);
        let exposures = looking(&path).status(None).unwrap().exposures;
        assert_eq!(exposures, [Exposure::MaybeReadableByOthers { mode }]);
        assert!(exposures[0].to_string().contains("others could read"));
    }
}

#[test]
fn another_name_of_the_file_keeps_its_values() {
    let home = Home::new();
    let path = home.write(".env", text());
    fs::hard_link(&path, home.path("other")).unwrap();
    let done = secure(&looking(&path), &home.open());
    assert_eq!(done.exposures, [Exposure::HasOtherNames { names: 2 }]);
    assert_eq!(read(home.path("other")), text());
}
