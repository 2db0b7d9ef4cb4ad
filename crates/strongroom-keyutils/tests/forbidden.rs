//! Where a container forbids the system calls, or the kernel is too old, the error says so.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "a seccomp filter")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::mem::offset_of;
use std::thread;

use strongroom_core::{Error, ErrorKind, KeyringStore as _, Store as _};
use support::{Store, left_in_thread_keyring};

/// `KEYCTL_MOVE` of `linux/keyctl.h`; it and those after it came with Linux 5.3.
const MOVE: u32 = 30;

#[test]
fn forbidden_calls_are_a_missing_backend() {
    for errno in [libc::EPERM, libc::ENOSYS] {
        thread::spawn(move || {
            forbid(0, errno);
            let store = Store::new();
            for error in every_error(&store) {
                assert_eq!(error.kind(), ErrorKind::NoBackend, "{error:?}");
                assert!(error.hint().contains("seccomp"), "{}", error.hint());
            }
        })
        .join()
        .unwrap();
    }
}

#[test]
fn where_keys_can_be_read_and_not_added_the_probe_says_so() {
    thread::spawn(|| {
        forbid_add_key(libc::ENOSYS);
        let store = Store::new();
        for error in [store.probe().unwrap_err(), store.set("u", "v").unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::NoBackend, "{error:?}");
            assert!(error.hint().contains("seccomp"), "{}", error.hint());
        }
        assert!(!store.has("u"));
    })
    .join()
    .unwrap();
}

#[test]
fn a_probe_adds_no_key() {
    let store = Store::new();
    store.probe().unwrap();
    assert!(store.users().is_empty());
    assert_eq!(left_in_thread_keyring(), 0);
}

#[test]
fn a_kernel_that_cannot_move_keys_is_a_missing_backend() {
    thread::spawn(|| {
        forbid(MOVE, libc::EOPNOTSUPP);
        let store = Store::new();
        for error in [store.probe().unwrap_err(), store.set("u", "v").unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::NoBackend, "{error:?}");
            assert!(error.hint().contains("5.3"), "{}", error.hint());
        }
        assert!(!store.has("u"));
        assert_eq!(left_in_thread_keyring(), 0);
    })
    .join()
    .unwrap();
}

fn every_error(store: &Store) -> Vec<Error> {
    vec![
        store.probe().unwrap_err(),
        store.get_bytes("s", "u").unwrap_err(),
        store.set("u", "v").unwrap_err(),
        store.create("u", "v").unwrap_err(),
        store.delete_password("s", "u").unwrap_err(),
        store.exists("s", "u").unwrap_err(),
        store.list("s").unwrap_err(),
    ]
}

/// Makes the keyctl operations from this one on fail in this thread, and `add_key` too if that is
/// all of them.
fn forbid(first_operation: u32, errno: i32) {
    install(first_operation, first_operation == 0, errno);
}

/// Makes `add_key` alone fail in this thread.
fn forbid_add_key(errno: i32) {
    install(u32::MAX, true, errno);
}

fn install(first_operation: u32, refuses_add_key: bool, errno: i32) {
    let field = |offset: usize| u32::try_from(offset).unwrap();
    let number = field(offset_of!(libc::seccomp_data, nr));
    // The low half of the first argument.
    let low = if cfg!(target_endian = "little") { 0 } else { 4 };
    let operation = field(offset_of!(libc::seccomp_data, args) + low);
    let refuse = libc::SECCOMP_RET_ERRNO | u32::try_from(errno).unwrap();
    let add_key = if refuses_add_key { refuse } else { libc::SECCOMP_RET_ALLOW };
    let syscall = |number: libc::c_long| u32::try_from(number).unwrap();
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, number, 0, 0),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, syscall(libc::SYS_add_key), 4, 0),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, syscall(libc::SYS_keyctl), 0, 4),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, operation, 0, 0),
        statement(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, first_operation, 0, 2),
        statement(libc::BPF_RET | libc::BPF_K, refuse, 0, 0),
        statement(libc::BPF_RET | libc::BPF_K, add_key, 0, 0),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: 8, filter: filter.as_mut_ptr() };
    // SAFETY: the program points to a filter of that length; both outlive the call. The filter is
    // this thread's alone.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
    };
    assert!(installed, "{}", std::io::Error::last_os_error());
}

fn statement(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).unwrap(), jt, jf, k }
}
