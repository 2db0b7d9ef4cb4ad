//! The real KWallet: damaged bytes, unlucky keys, a lock that lies, writes that come late.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::os::unix::fs::MetadataExt;

use strongroom_core::{Deadlines, ErrorKind, ExposeSecret, KeyringStore, Store};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::{Bus, KWallet, PATIENCE, provider_or_skip, secret_tool, wait_until};
use support::{BRIEF, PASSWORD, bus, config, get, keeping_store, secret, set, store};

fn started() -> Option<(Bus, KWallet)> {
    provider_or_skip("kwalletd5").then(|| {
        let bus = bus();
        let wallet = KWallet::start(&bus, PASSWORD);
        (bus, wallet)
    })
}

#[test]
fn an_open_wallet_that_says_locked_is_open() {
    let Some((bus, wallet)) = started() else {
        return;
    };
    assert_eq!(wallet.is_locked(), Some(true), "KWallet says so until the first use");
    let store = store(&bus);
    store.probe().unwrap();
    assert_eq!(get(&store, "never stored"), None);
    set(&store, "u", "v");
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
}

#[test]
fn a_closed_wallet_is_locked_at_once() {
    if !provider_or_skip("kwalletd5") {
        return;
    }
    let bus = bus();
    let _wallet = KWallet::start_locked(&bus, PASSWORD);
    let store = store(&bus);
    let errors = [
        store.get_password("app", "u").unwrap_err(),
        store.set_password("app", "u", &secret("v")).unwrap_err(),
        store.list("app").unwrap_err(),
        store.probe().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    }
}

#[test]
fn a_wallet_that_is_closed_later_is_locked_and_not_empty() {
    let Some((bus, wallet)) = started() else {
        return;
    };
    let store = store(&bus);
    set(&store, "u", "v");
    wallet.lock();
    assert_eq!(store.get_password("app", "u").unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(store.get_password("app", "none").unwrap_err().kind(), ErrorKind::Locked);
}

#[test]
fn lines_that_are_kept_come_back_as_they_were() {
    let Some((bus, _wallet)) = started() else {
        return;
    };
    let lines = "-----BEGIN KEY-----\r\n\tMII=\n\ngrüße\n";
    set(&keeping_store(&bus), "lines", lines);
    assert_eq!(get(&store(&bus), "lines").as_deref(), Some(lines));
}

#[test]
fn bytes_and_text_come_back_as_they_were() {
    let Some((bus, _wallet)) = started() else {
        return;
    };
    let store = store(&bus);
    let bytes: Vec<u8> = (0..=255).collect();
    let value = strongroom_core::secret_bytes(bytes.clone());
    store.set_bytes("app", "binary", &value).unwrap();
    assert_eq!(store.get_bytes("app", "binary").unwrap().unwrap().expose_secret(), bytes);
    set(&store, "text", "grüße 🔐");
    assert_eq!(get(&store, "text").as_deref(), Some("grüße 🔐"));
    // secret-tool tries one key pair, and one in 128 fails with KWallet 5.
    let mut text = None;
    wait_until("secret-tool agrees on a key", PATIENCE, || {
        text = secret_tool::lookup(&bus, "app", "text");
        text.is_some()
    });
    assert_eq!(text.as_deref(), Some("grüße 🔐"));
}

#[test]
fn a_value_that_reached_the_file_survives_a_kill_and_a_lost_one_is_never_an_empty_secret() {
    let Some((bus, mut wallet)) = started() else {
        return;
    };
    let store = store(&bus);
    // The first new file may be one that KWallet owed from its start; the second is not.
    for _ in 0..2 {
        let written = std::fs::metadata(wallet.wallet_file()).unwrap().ino();
        set(&store, "early", "kept");
        wait_until("KWallet writes its file", PATIENCE, || {
            std::fs::metadata(wallet.wallet_file()).is_ok_and(|now| now.ino() != written)
        });
    }
    set(&store, "late", "lost");
    wallet.kill();
    wallet.restart(Some(PASSWORD));
    assert_eq!(get(&store, "early").as_deref(), Some("kept"));
    match store.get_password("app", "late") {
        Ok(Some(value)) => assert_eq!(value.expose_secret(), "lost"),
        Ok(None) => {}
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(error.to_string().contains("KWallet lost the value"), "{error}");
            set(&store, "late", "again");
            assert_eq!(get(&store, "late").as_deref(), Some("again"));
        }
    }
}

#[test]
fn a_held_store_works_on_at_once_after_a_restart() {
    let Some((bus, mut wallet)) = started() else {
        return;
    };
    let store = store(&bus);
    set(&store, "u", "v");
    wallet.kill();
    wallet.restart(Some(PASSWORD));
    set(&store, "u", "w");
    assert_eq!(get(&store, "u").as_deref(), Some("w"));
}

#[test]
fn a_stopped_daemon_is_named() {
    let Some((bus, wallet)) = started() else {
        return;
    };
    let store = SecretServiceStore::new(config(&bus).with_deadlines(Deadlines::both(BRIEF)));
    wallet.stop();
    let error = store.get_password("app", "u").unwrap_err();
    wallet.cont();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("kwalletd5"), "{error}");
}

/// Each get opens a session of its own, and about one session in a hundred is unlucky.
#[test]
fn a_thousand_cold_gets_return_the_value() {
    let Some((bus, _wallet)) = started() else {
        return;
    };
    set(&store(&bus), "u", "the value");
    for round in 0..1000 {
        let cold = store(&bus);
        assert_eq!(get(&cold, "u").as_deref(), Some("the value"), "get {round}");
    }
}
