//! Files of every kind, opened as every source.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of it is test code")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;

const LIMIT: u64 = 100;
const ALL: [Source; 5] =
    [Source::Own, Source::Private, Source::Given, Source::System, Source::Neighbour];

struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, name).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path
    }
}

/// The sources as which a file is read.
fn readable_as(path: &Path) -> Vec<Source> {
    ALL.into_iter().filter(|source| read(path, *source, LIMIT).is_ok()).collect()
}

#[track_caller]
fn refusal(path: &Path, source: Source) -> Refusal {
    let error = read(path, source, LIMIT).unwrap_err();
    Refusal::of(&error).cloned().unwrap_or_else(|| panic!("{error:?}"))
}

#[test]
fn a_private_file_is_read_by_all_sources_and_an_open_one_by_some() {
    let scene = Scene::new();
    assert_eq!(readable_as(&scene.file("private", 0o600)), ALL);
    let open = scene.file("open", 0o640);
    assert_eq!(readable_as(&open), [Source::Own, Source::Given, Source::System, Source::Neighbour]);
    let shared = scene.file("shared", 0o660);
    assert_eq!(readable_as(&shared), [Source::Given, Source::System, Source::Neighbour]);
    assert_eq!(refusal(&open, Source::Private), Refusal::Mode { mode: 0o640, allowed: 0o600 });
    assert_eq!(*read(&open, Source::Given, LIMIT).unwrap(), b"open");
}

#[test]
fn links_are_followed_where_the_user_named_them() {
    let scene = Scene::new();
    scene.file("private", 0o600);
    let (link, chain) = (scene.path("link"), scene.path("chain"));
    symlink("private", &link).unwrap();
    symlink(&link, &chain).unwrap();
    assert_eq!(readable_as(&chain), [Source::Private, Source::Given, Source::System]);
    assert_eq!(refusal(&link, Source::Own), Refusal::Link);
    assert_eq!(refusal(&link, Source::Neighbour), Refusal::Link);
    let circle = scene.path("circle");
    symlink("circle", &circle).unwrap();
    assert_eq!(readable_as(&circle), []);
}

#[test]
fn another_users_link_leads_to_no_private_file() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root can give a link away");
    }
    let scene = Scene::new();
    scene.file("private", 0o600);
    let link = scene.path("link");
    symlink("private", &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
    assert_eq!(refusal(&link, Source::Private), Refusal::Link);
}

#[test]
fn another_users_file_is_not_private() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root can give a file away");
    }
    let scene = Scene::new();
    let path = scene.file("private", 0o600);
    std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
    assert_eq!(readable_as(&path), [Source::Given, Source::System, Source::Neighbour]);
    assert_eq!(refusal(&path, Source::Own), Refusal::Owner { owner: 65_534, user: 0 });
    assert!(refusal(&path, Source::Own).to_string().contains("nobody (uid 65534)"));
}

#[test]
fn nothing_waits_for_the_writer_of_a_pipe_and_no_device_is_read() {
    let scene = Scene::new();
    let pipe = scene.path("pipe");
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status();
    assert!(made.unwrap().success());
    let link = scene.path("link");
    symlink(&pipe, &link).unwrap();
    for source in ALL {
        assert_eq!(refusal(&pipe, source), Refusal::Special, "{source:?}");
        assert!(read(&link, source, LIMIT).is_err(), "{source:?}");
        assert!(read(Path::new("/dev/zero"), source, LIMIT).is_err(), "{source:?}");
        assert_eq!(refusal(scene.dir.path(), source), Refusal::Directory, "{source:?}");
    }
    let socket = scene.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(readable_as(&socket), []);
    assert_eq!(*read(Path::new("/dev/null"), Source::Given, LIMIT).unwrap(), b"");
}

#[test]
fn a_descriptor_of_this_process_may_be_a_pipe() {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;
    let (reader, mut writer) = io::pipe().unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
    let written = std::thread::spawn(move || writer.write_all(b"value").unwrap());
    assert_eq!(*read(&path, Source::Given, LIMIT).unwrap(), b"value");
    written.join().unwrap();
    assert_eq!(refusal(&path, Source::Private), Refusal::Special);
}

#[test]
fn a_file_is_read_whole_up_to_its_limit() {
    let scene = Scene::new();
    for length in [0, 1, 99, 100, 101, 5000] {
        let path = scene.path("file");
        fs::write(&path, vec![b'x'; length]).unwrap();
        let read = read(&path, Source::Given, LIMIT);
        match length {
            0..=100 => assert_eq!(read.unwrap().len(), length),
            _ => assert!(matches!(
                Refusal::of(&read.unwrap_err()),
                Some(Refusal::TooLarge { limit: LIMIT })
            )),
        }
    }
    // Its length is told as 0.
    assert!(!read(Path::new("/proc/self/status"), Source::System, 1 << 16).unwrap().is_empty());
    fs::write(scene.path("latin1"), b"\xe9").unwrap();
    let error = read_text(&scene.path("latin1"), Source::Given, LIMIT).unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::NotText));
}

#[test]
fn what_may_be_replaced_is_a_file_or_the_target_of_an_own_link() {
    let scene = Scene::new();
    let file = scene.file("file", 0o600);
    let link = scene.path("link");
    symlink("file", &link).unwrap();
    assert_eq!(crate::replaceable(&scene.path("absent")).unwrap(), None);
    assert_eq!(crate::replaceable(&file).unwrap(), Some(file.clone()));
    assert_eq!(crate::replaceable(&link).unwrap(), Some(file.canonicalize().unwrap()));
    assert!(crate::replaceable(scene.dir.path()).is_err());
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
        let error = crate::replaceable(&link).unwrap_err();
        assert_eq!(Refusal::of(&error), Some(&Refusal::Link));
    }
}
