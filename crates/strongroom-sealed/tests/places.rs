//! Places where a file can be read and no more can be done: read-only, full, or without shared memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_core::{ErrorKind, Result, Secret, SecretKey, SecretMetadata, secret_bytes};
use strongroom_sealed::{FileConfig, SealedFile};
use strongroom_testkit::child::{Child, assert_success, output, succeeds};
use strongroom_testkit::{children, provider_or_skip, skip};
use support::{Sandbox, child, now, put, refused, value, vault_of_child};

/// Runs a function of this program where it may mount.
#[track_caller]
fn with_mounts(function: &str) {
    let sandbox = Sandbox::new();
    let child = child(function, &sandbox);
    let mut unshare = Command::new("unshare");
    unshare.arg("--mount").arg(child.get_program()).args(child.get_args());
    unshare.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = output(&mut unshare);
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("unshare failed") || error.contains("no mounts here") {
        return skip(&format!("nothing can be mounted here: {error}"));
    }
    assert_success(&output);
}

fn mount(arguments: &[&str], path: &Path) {
    let output = Command::new("mount").args(arguments).arg(path).output().unwrap();
    assert!(output.status.success(), "no mounts here: {output:?}");
}

/// The directory of the child's vault, on a file system of its own.
fn own_file_system(config: &FileConfig, size: &str) -> PathBuf {
    let dir = config.path.parent().unwrap().to_owned();
    fs::create_dir(&dir).unwrap();
    mount(&["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "tmpfs"], &dir);
    dir
}

fn store(file: &SealedFile, name: &str) -> Result<()> {
    file.change(|change| change.put(&SecretKey::new(name), &Secret::new(name)))
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A second directory with a copy of the vault, as a killed process leaves it: its last change is in the log.
fn copy_with_log(config: &FileConfig, with_index: bool) -> FileConfig {
    let file = SealedFile::open(config).unwrap();
    store(&file, "logged").unwrap();
    let copy = config.path.parent().unwrap().join("copy");
    fs::DirBuilder::new().create(&copy).unwrap();
    fs::set_permissions(&copy, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let endings: &[&str] = if with_index { &["", "-wal", "-shm"] } else { &["", "-wal"] };
    for ending in endings {
        let bytes = fs::read(format!("{}{ending}", config.path.display())).unwrap();
        assert!(!bytes.is_empty(), "{ending}");
        let path = copy.join(format!("vault.sealed{ending}"));
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .unwrap()
            .write_all(&bytes)
            .unwrap();
    }
    FileConfig::new(copy.join("vault.sealed"), config.sources[0].clone())
}

children!(
    reads_a_read_only_file_system,
    reads_a_log_of_a_read_only_file_system,
    reads_what_is_written_elsewhere,
    reads_a_full_disk,
    fills_a_disk,
    counts_without_shared_memory,
    creates_without_locks,
    creates_without_a_log
);

#[test]
fn a_read_only_file_system_is_read() {
    with_mounts("reads_a_read_only_file_system");
}

fn reads_a_read_only_file_system() {
    let config = vault_of_child();
    let dir = own_file_system(&config, "2m");
    put(&SealedFile::create(&config, now()).unwrap(), "a", "1");
    mount(&["-o", "remount,ro"], &dir);
    let file = SealedFile::open(&config).unwrap();
    assert_eq!(value(&file, "a").as_deref(), Some("1"));
    assert_eq!((value(&file, "b"), file.list().unwrap().len()), (None, 1));
    assert_eq!((file.slots().unwrap().len(), file.generation().unwrap()), (1, 1));
    assert_eq!(file.data_version().unwrap(), file.data_version().unwrap());
    let error = refused(store(&file, "b"), ErrorKind::AccessDenied);
    assert!(error.problem().contains(dir.to_str().unwrap()), "{error}");
    assert_eq!(names(&dir), ["vault.sealed"]);
    mount(&["-o", "remount,rw"], &dir);
    store(&file, "b").unwrap();
    assert_eq!(value(&file, "b").as_deref(), Some("b"));
}

#[test]
fn the_log_of_a_read_only_file_system_is_read_too() {
    with_mounts("reads_a_log_of_a_read_only_file_system");
}

fn reads_a_log_of_a_read_only_file_system() {
    let config = vault_of_child();
    let dir = own_file_system(&config, "4m");
    put(&SealedFile::create(&config, now()).unwrap(), "a", "1");
    for with_index in [true, false] {
        let copy = copy_with_log(&config, with_index);
        mount(&["-o", "remount,ro"], &dir);
        let file = SealedFile::open(&copy).unwrap();
        assert_eq!(value(&file, "logged").as_deref(), Some("logged"));
        assert_eq!(value(&file, "a").as_deref(), Some("1"));
        refused(store(&file, "b"), ErrorKind::AccessDenied);
        drop(file);
        mount(&["-o", "remount,rw"], &dir);
        assert_eq!(value(&SealedFile::open(&copy).unwrap(), "logged").as_deref(), Some("logged"));
        fs::remove_dir_all(copy.path.parent().unwrap()).unwrap();
    }
}

#[test]
fn who_may_only_read_sees_what_others_write() {
    with_mounts("reads_what_is_written_elsewhere");
}

fn reads_what_is_written_elsewhere() {
    let config = vault_of_child();
    let dir = own_file_system(&config, "4m");
    put(&SealedFile::create(&config, now()).unwrap(), "a", "0");
    let view = dir.with_file_name("view");
    fs::create_dir(&view).unwrap();
    mount(&["--bind", dir.to_str().unwrap()], &view);
    mount(&["-o", "remount,bind,ro"], &view);
    let reader = FileConfig::new(view.join("vault.sealed"), config.sources[0].clone());
    let reader = SealedFile::open(&reader).unwrap();
    assert_eq!(value(&reader, "a").as_deref(), Some("0"));
    for number in 1..20 {
        // Open in turn for one change, whose log is then emptied, and for several.
        let writer = SealedFile::open(&config).unwrap();
        for part in 0..number % 3 + 1 {
            let text = format!("{number}.{part}");
            put(&writer, "a", &text);
            assert_eq!(value(&reader, "a"), Some(text));
        }
        let before = reader.data_version().unwrap();
        drop(writer);
        let latest = value(&reader, "a").unwrap();
        assert!(latest.starts_with(&format!("{number}.")), "{latest}");
        put(&SealedFile::open(&config).unwrap(), "b", &number.to_string());
        assert_ne!(reader.data_version().unwrap(), before);
    }
    refused(store(&reader, "b"), ErrorKind::AccessDenied);
    drop(reader);
    drop(SealedFile::open(&config).unwrap());
    assert_eq!(names(&dir), ["vault.sealed"]);
    let reader = FileConfig::new(view.join("vault.sealed"), config.sources[0].clone());
    let reader = SealedFile::open(&reader).unwrap();
    let write = |_, _, _| put(&SealedFile::open(&config).unwrap(), "a", "meanwhile");
    refused(reader.read_all(write), ErrorKind::Busy);
    assert_eq!(value(&reader, "a").as_deref(), Some("meanwhile"));
}

#[test]
fn a_full_disk_is_read() {
    with_mounts("reads_a_full_disk");
}

fn reads_a_full_disk() {
    let config = vault_of_child();
    let dir = own_file_system(&config, "1m");
    put(&SealedFile::create(&config, now()).unwrap(), "a", "1");
    let fill = || fs::write(dir.join("filler"), vec![0; 2 * 1024 * 1024]).unwrap_err();
    fill();
    let file = SealedFile::open(&config).unwrap();
    assert_eq!((value(&file, "a").as_deref(), value(&file, "b")), (Some("1"), None));
    assert_eq!((file.list().unwrap().len(), file.slots().unwrap().len()), (1, 1));
    refused(store(&file, "b"), ErrorKind::QuotaExceeded);
    fs::remove_file(dir.join("filler")).unwrap();
    store(&file, "b").unwrap();
    assert_eq!(value(&file, "b").as_deref(), Some("b"));
    let copy = copy_with_log(&config, false);
    drop(file);
    fill();
    let file = SealedFile::open(&copy).unwrap();
    assert_eq!(value(&file, "logged").as_deref(), Some("logged"));
}

#[test]
fn a_full_disk_is_named_and_what_was_stored_is_still_there() {
    with_mounts("fills_a_disk");
}

fn fills_a_disk() {
    let config = vault_of_child();
    let dir = own_file_system(&config, "512k");
    let file = SealedFile::create(&config, now()).unwrap();
    put(&file, "a", "1");
    let large = secret_bytes(vec![7; 1024 * 1024]);
    let (key, metadata) = (SecretKey::new("large"), SecretMetadata::default());
    let full = file.change(|change| change.put_bytes(&key, &large, &metadata));
    refused(full, ErrorKind::QuotaExceeded);
    assert_eq!((value(&file, "a").as_deref(), file.list().unwrap().len()), (Some("1"), 1));
    put(&file, "b", "2");
    drop(file);
    assert_eq!(value(&SealedFile::open(&config).unwrap(), "b").as_deref(), Some("2"));
    fs::write(dir.join("filler"), vec![0; 4 * 1024 * 1024]).unwrap_err();
    let other = FileConfig::new(dir.join("other"), config.sources[0].clone());
    refused(SealedFile::create(&other, now()), ErrorKind::QuotaExceeded);
    assert!(!dir.join("other").exists());
}

/// A library that makes shared memory, locks or logs of files impossible, as they are on some file systems.
const SHIM: &str = r#"
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    void *mmap(void *at, size_t size, int rights, int flags, int file, off_t offset) {
        static void *(*next)(void *, size_t, int, int, int, off_t);
        if (!next) next = dlsym(RTLD_NEXT, "mmap");
        if ((flags & MAP_TYPE) == MAP_SHARED && file >= 0) { errno = ENODEV; return MAP_FAILED; }
        return next(at, size, rights, flags, file, offset);
    }
    void *mmap64(void *at, size_t size, int rights, int flags, int file, off_t offset) {
        return mmap(at, size, rights, flags, file, offset);
    }
    int fcntl64(int file, int command, ...) {
        static int (*next)(int, int, void *);
        if (!next) next = dlsym(RTLD_NEXT, "fcntl64");
        va_list arguments;
        va_start(arguments, command);
        void *argument = va_arg(arguments, void *);
        va_end(arguments);
        if (command == F_SETLK && getenv("NO_LOCKS")) { errno = EOPNOTSUPP; return -1; }
        return next(file, command, argument);
    }
    int open64(const char *path, int flags, ...) {
        static int (*next)(const char *, int, int);
        if (!next) next = dlsym(RTLD_NEXT, "open64");
        va_list arguments;
        va_start(arguments, flags);
        int mode = va_arg(arguments, int);
        va_end(arguments);
        size_t length = strlen(path);
        int is_log = length > 4 && !strcmp(path + length - 4, "-wal");
        if (is_log && getenv("NO_LOG")) { errno = EMFILE; return -1; }
        return next(path, flags, mode);
    }
    int open(const char *path, int flags, ...) {
        va_list arguments;
        va_start(arguments, flags);
        int mode = va_arg(arguments, int);
        va_end(arguments);
        return open64(path, flags, mode);
    }
    int fcntl(int file, int command, ...) {
        va_list arguments;
        va_start(arguments, command);
        void *argument = va_arg(arguments, void *);
        va_end(arguments);
        return fcntl64(file, command, argument);
    }
"#;

fn without_shared_memory(sandbox: &Sandbox, function: &str) -> Option<Command> {
    if !provider_or_skip("cc") {
        return None;
    }
    let (source, library) = (sandbox.root().join("shim.c"), sandbox.root().join("shim.so"));
    fs::write(&source, SHIM).unwrap();
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    assert!(compile.status().unwrap().success());
    let mut child = child(function, sandbox);
    child.env("LD_PRELOAD", library);
    Some(child)
}

#[test]
fn without_shared_memory_processes_take_turns() {
    let sandbox = Sandbox::new();
    let writers: Vec<_> = (0..4)
        .filter_map(|number| {
            let mut child = without_shared_memory(&sandbox, "counts_without_shared_memory")?;
            child.env("SEALED_TEST_NAME", format!("writer-{number}"));
            Some(Child::start(child))
        })
        .collect();
    let count = writers.len();
    for writer in writers {
        writer.finish();
    }
    if count > 0 {
        let file = sandbox.open();
        assert_eq!(value(&file, "count").unwrap(), (count * TURNS).to_string());
        assert_eq!(file.list().unwrap().len(), 1 + count);
        drop(file);
        assert_eq!(names(&sandbox.dir()), ["vault.sealed"]);
    }
}

/// How often each process counts.
const TURNS: usize = 10;

fn counts_without_shared_memory() {
    let config = vault_of_child();
    let file = SealedFile::open_or_create(&config, now()).unwrap();
    store(&file, &std::env::var("SEALED_TEST_NAME").unwrap()).unwrap();
    for _ in 0..TURNS {
        file.change(|change| {
            let key = SecretKey::new("count");
            let count = change.get(&key)?.map_or(0, |count| {
                strongroom_core::ExposeSecret::expose_secret(&count.value).parse().unwrap()
            });
            change.put(&key, &Secret::new((count + 1).to_string()))
        })
        .unwrap();
        assert!(value(&file, "count").is_some() && value(&file, "missing").is_none());
    }
    assert_eq!(file.slots().unwrap().len(), 1);
    // Of several that rotate at once, some are told to try again.
    let mut rotations = (0..100).map(|_| file.rotate(&config.sources, |_| ()));
    let last = rotations.find(|rotated| !rotated.as_ref().is_err_and(is_busy));
    last.expect("one of so many gets its turn").unwrap();
}

fn is_busy(error: &strongroom_core::Error) -> bool {
    error.kind() == ErrorKind::Busy
}

#[test]
fn a_file_system_without_locks_is_named_and_nothing_is_made() {
    let sandbox = Sandbox::new();
    let Some(mut child) = without_shared_memory(&sandbox, "creates_without_locks") else { return };
    succeeds(child.env("NO_LOCKS", "1"));
    assert_eq!(names(&sandbox.dir()), [""; 0]);
    let sandbox = Sandbox::filled(&["a"]);
    let Some(mut child) = without_shared_memory(&sandbox, "creates_without_locks") else { return };
    succeeds(child.env("NO_LOCKS", "1"));
}

fn creates_without_locks() {
    let config = vault_of_child();
    let error = refused(SealedFile::open_or_create(&config, now()), ErrorKind::Io);
    assert!(error.problem().contains("its file system ("), "{error}");
    assert!(error.problem().contains("can't lock files"), "{error}");
}

#[test]
fn a_file_that_can_be_made_and_not_opened_is_not_made() {
    let sandbox = Sandbox::new();
    let Some(mut child) = without_shared_memory(&sandbox, "creates_without_a_log") else { return };
    succeeds(child.env("NO_LOG", "1"));
    assert_eq!(names(&sandbox.dir()), [""; 0]);
}

fn creates_without_a_log() {
    let config = vault_of_child();
    refused(SealedFile::create(&config, now()), ErrorKind::Io);
}
