//! The store under a vault and behind three functions, and all that can befall its server meanwhile.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::error::Error as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_store::HttpStore;
use strongroom::store::secret_bytes;
use strongroom::{
    Backend, Batch, Config, Deadlines, Error, ErrorKind, ExposeSecret as _, KeyringStore as _,
    Layout, Secret, SecretKey, SecretString, Store,
};
use strongroom_testkit::Sandbox;
use support::{Server, TOKEN, answering, store_at};

/// A deadline that a test waits for.
const SHORT: Duration = Duration::from_millis(200);

/// The most that a call may take on top of its deadline, on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

/// What an application has in hand without the store.
fn bare(sandbox: &Sandbox) -> Config {
    let config = Config::new("acme").environment(|_| None);
    config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir())
}

fn on(server: &Server, sandbox: &Sandbox) -> Config {
    bare(sandbox).store(Arc::new(server.store()))
}

fn secret(value: &str) -> SecretString {
    SecretString::from(value)
}

#[test]
fn a_vault_lies_on_the_server_and_other_handles_see_each_change() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let secrets = on(&server, &sandbox).open_blocking().unwrap();
    let other = on(&server, &sandbox).open_blocking().unwrap();
    assert_eq!(secrets.backend(), Backend::custom("acme-secrets"));
    assert_eq!(other.get_value("A").unwrap().map(|_| ()), None);
    secrets.set_api_key("A", "1", None).unwrap();
    assert_eq!(other.get_value("A").unwrap().unwrap().expose_secret(), "1");

    let [a, b, c] = ["A", "B", "C"].map(SecretKey::new);
    let fill = |batch: &mut Batch| {
        batch.set(&b, Secret::new("2")).set(&c, Secret::new("3")).delete(&a);
    };
    secrets.batch(fill).unwrap();
    let names: Vec<_> =
        other.list().unwrap().iter().map(|info| info.key.name().to_owned()).collect();
    assert_eq!(names, ["B", "C"]);
    assert_eq!(server.users("acme"), ["vault"], "one entry holds all of it");
}

#[test]
fn three_functions_keep_an_entry_for_each_secret() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let secrets = on(&server, &sandbox).open_store().unwrap();
    secrets.set_secret("token", &secret("v")).unwrap();
    assert_eq!(server.users("acme"), ["token"]);
    let again = on(&server, &sandbox).open_store().unwrap();
    assert_eq!(again.get_secret("token").unwrap().unwrap().expose_secret(), "v");
    assert_eq!(again.list().unwrap().len(), 1);
    again.delete_secret("token").unwrap();
    assert!(server.users("acme").is_empty());
}

#[test]
fn machines_that_share_the_server_lose_nothing_of_each_other_where_each_secret_is_an_entry() {
    let (server, machines) = (Server::start(), [(); 2].map(|()| Sandbox::new()));
    let open = |machine| on(&server, machine).layout(Layout::Entries).open_blocking().unwrap();
    let [here, there] = machines.each_ref().map(open);
    for (number, name) in ["A", "B", "C", "D"].into_iter().enumerate() {
        let (writer, reader) = if number % 2 == 0 { (&here, &there) } else { (&there, &here) };
        writer.set_api_key(name, "v", None).unwrap();
        assert_eq!(reader.get_value(name).unwrap().unwrap().expose_secret(), "v");
    }
    assert_eq!(server.users("acme"), ["A", "B", "C", "D"]);
    here.delete("A").unwrap();
    assert!(there.get_value("A").unwrap().is_none());
    assert_eq!(there.list().unwrap().len(), 3);
}

#[test]
fn a_program_without_the_store_finds_no_empty_vault() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    on(&server, &sandbox).open_blocking().unwrap().set_api_key("A", "1", None).unwrap();
    let error = bare(&sandbox).open_blocking().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert!(error.to_string().contains("kept in \"acme-secrets\""), "{error}");
}

#[test]
fn a_server_that_ends_is_said_so_and_is_no_missing_secret() {
    let (mut server, sandbox) = (Server::start(), Sandbox::new());
    let vault = on(&server, &sandbox).open_blocking().unwrap();
    vault.set_api_key("A", "1", None).unwrap();
    let store = on(&server, &Sandbox::new()).open_store().unwrap();
    server.stop();

    vault.forget();
    let errors = [
        vault.get_value("A").unwrap_err(),
        vault.set_api_key("A", "2", None).unwrap_err(),
        store.get_secret("A").unwrap_err(),
        store.set_secret("A", &secret("2")).unwrap_err(),
        store.delete_secret("A").unwrap_err(),
        store.exists("A").unwrap_err(),
        on(&server, &sandbox).open_blocking().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NoBackend, "{error:?}");
        let text = error.to_string();
        assert!(text.contains("(acme-secrets): the secret server can't be reached"), "{text}");
        assert!(error.hint().contains("address"), "{}", error.hint());
    }
}

#[test]
fn a_server_that_hangs_ends_by_the_deadline_and_works_again_afterwards() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let store = Arc::new(store_at(&server.url, SHORT));
    let config = bare(&sandbox).deadlines(Deadlines::both(SHORT)).store(store.clone());
    let secrets = config.open_store().unwrap();
    secrets.set_secret("a", &secret("1")).unwrap();
    server.hang();
    let started = Instant::now();
    let errors = [
        secrets.get_secret("a").unwrap_err(),
        secrets.set_secret("a", &secret("2")).unwrap_err(),
        secrets.list().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains("didn't answer in time"), "the store says it: {error}");
    }
    let written = store.set_password("acme", "a", &secret("2")).unwrap_err();
    assert!(written.to_string().contains("may still take effect"), "{written}");
    assert!(started.elapsed() < SHORT * 4 + SLACK);
    server.heal();
    assert_eq!(secrets.get_secret("a").unwrap().unwrap().expose_secret(), "1");
}

#[test]
fn a_store_without_a_deadline_of_its_own_is_held_to_that_of_the_configuration() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let store = Arc::new(store_at(&server.url, Duration::from_secs(600)));
    let secrets =
        bare(&sandbox).deadlines(Deadlines::both(SHORT)).store(store).open_store().unwrap();
    server.hang();
    let started = Instant::now();
    assert_eq!(secrets.get_secret("a").unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(started.elapsed() < SHORT + SLACK);
}

#[test]
fn each_answer_of_the_server_has_its_kind() {
    let server = Server::start();
    let store = server.store();
    let value = secret_bytes(b"v".to_vec());
    store.set_bytes("s", "u", &value).unwrap();
    for (status, kind) in [
        (401, ErrorKind::AccessDenied),
        (403, ErrorKind::AccessDenied),
        (413, ErrorKind::TooLarge),
        (423, ErrorKind::Locked),
        (429, ErrorKind::Io),
        (302, ErrorKind::Io),
        (500, ErrorKind::Io),
        (503, ErrorKind::NoBackend),
        (507, ErrorKind::QuotaExceeded),
    ] {
        server.answer(status);
        assert_eq!(store.set_bytes("s", "u", &value).unwrap_err().kind(), kind, "{status}");
        // What only a write can be told is no answer to the others.
        let kind = if matches!(status, 413 | 507) { ErrorKind::Io } else { kind };
        let errors = [
            store.get_bytes("s", "u").map(|_| ()).unwrap_err(),
            store.delete_password("s", "u").map(|_| ()).unwrap_err(),
            store.exists("s", "u").map(|_| ()).unwrap_err(),
            store.list("s").map(|_| ()).unwrap_err(),
            store.probe().map(|_| ()).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), kind, "{status}: {error:?}");
            assert_eq!(error.store(), Some(HttpStore::NAME));
        }
    }
    server.heal();
    assert_eq!(store.get_bytes("s", "u").unwrap().unwrap().expose_secret(), b"v");
}

#[test]
fn a_wrong_token_is_refused_and_shown_nowhere() {
    let server = Server::start();
    let token = secret("s3cret-t0ken");
    let store = HttpStore::new(&server.url, &token, Deadlines::default()).unwrap();
    let error = store.get_bytes("s", "u").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    let shown = format!("{store:?} {error:?} {error} {}", error.hint());
    assert!(!shown.contains("s3cret-t0ken") && !shown.contains(TOKEN), "{shown}");
}

#[test]
fn what_is_no_whole_answer_of_the_secret_server_is_an_error() {
    for (answer, kind) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ErrorKind::NoBackend),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", ErrorKind::NoBackend),
        ("HTTP/1.1 200 OK\r\nAcme-Secrets: 1\r\nContent-Length: 9\r\n\r\npart", ErrorKind::Io),
        ("HTTP/1.1 200 OK\r\nAcme-Secrets: 1\r\n\r\nuntil the end", ErrorKind::Corrupt),
        ("HTTP/1.1 200 OK\r\nAcme-Secrets: 1\r\nContent-Length: 65537\r\n\r\n", ErrorKind::Corrupt),
        ("", ErrorKind::Io),
        ("SSH-2.0-OpenSSH\r\n", ErrorKind::Io),
    ] {
        let store = store_at(&answering(answer), Duration::from_secs(5));
        let error = store.get_bytes("s", "u").unwrap_err();
        assert_eq!(error.kind(), kind, "{answer:?}: {error:?}");
    }
}

#[test]
fn a_write_whose_answer_is_lost_says_that_it_may_have_taken_effect() {
    let store = store_at(&answering(""), Duration::from_secs(5));
    let error = store.set_bytes("s", "u", &secret_bytes(b"m4rk3r".to_vec())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("may have taken effect"), "{error}");
    assert!(!chain(&error).contains("m4rk3r"), "{error:?}");
}

#[test]
fn a_name_that_no_entry_can_have_is_left_out_of_a_list() {
    const LIST: &str =
        "HTTP/1.1 200 OK\r\nAcme-Secrets: 1\r\nContent-Length: 16\r\n\r\n[\"\",\"a\",\"b\",\"a\"]";
    let users = store_at(&answering(LIST), Duration::from_secs(5)).list("s").unwrap();
    let users: Vec<_> = users.iter().map(strongroom::store::UserName::as_str).collect();
    assert_eq!(users, ["a", "b"]);
}

#[test]
fn an_address_where_nobody_listens_is_no_backend() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = store_at(&url, Duration::from_secs(5)).probe().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
}

fn chain(error: &Error) -> String {
    let mut text = format!("{error:?} {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        text += &format!(" {source:?} {source}");
        cause = source.source();
    }
    text
}
