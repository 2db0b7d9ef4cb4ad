//! The choice on Linux with the real stores: what an absent bus and a mute one lead to.

#![cfg(all(
    target_os = "linux",
    feature = "keyutils",
    feature = "secret-service",
    not(feature = "testing")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use strongroom::store::secret_service;
use strongroom::store::{ChoiceReason, choose_unbound};
use strongroom::{Backend, Config, Deadlines, ErrorKind, Fallback, PromptPolicy};

/// Config that reach this bus and nothing of the user's own.
fn on_bus(socket: &Path) -> Config {
    Config::new("")
        .environment(|_| None)
        .store_settings(
            secret_service::Config::default()
                .with_bus_address(format!("unix:path={}", socket.display())),
        )
        .state_dir(env!("CARGO_TARGET_TMPDIR"))
        .prompt(PromptPolicy::Never)
        .deadlines(Deadlines::both(Duration::from_millis(500)))
}

/// A place for a socket, short enough for one.
fn socket(name: &str) -> PathBuf {
    env::temp_dir().join(format!("strongroom-{}-{name}", std::process::id()))
}

#[test]
fn without_a_bus_the_session_fallback_takes_over_or_tells_both_reasons() {
    let config = on_bus(&socket("absent")).fallback(Fallback::Session);
    match config.service("tracker").open_store() {
        Ok(secrets) => {
            assert_eq!(secrets.backend(), Backend::Keyutils);
            assert!(matches!(secrets.reason(), ChoiceReason::Fallback(_)));
            assert!(!secrets.is_persistent());
        }
        // Containers often forbid the kernel's keyring.
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NoBackend);
            let shown = error.to_string();
            assert!(shown.contains("(secret-service)") && shown.contains("(keyutils)"));
        }
    }
}

#[test]
fn without_a_bus_and_without_a_fallback_it_is_an_error() {
    let config = on_bus(&socket("absent")).fallback(Fallback::Error);
    let error = choose_unbound(&config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert_eq!(error.store(), Some("secret-service"));
    let hint = error.hint();
    let others = "STRONGROOM_BACKEND chooses another backend: keyutils, file.";
    assert!(hint.contains(others), "{hint}");
}

#[test]
fn a_bus_that_does_not_answer_is_told_by_its_store_and_not_by_the_guard() {
    let path = socket("mute");
    let listener = UnixListener::bind(&path).unwrap();
    let opened = on_bus(&path).service("tracker").open_store();
    let named = on_bus(&path).backend(Backend::SecretService);
    let named = named.service("tracker").open_store().unwrap();
    let read = named.get_secret("token");
    std::fs::remove_file(&path).unwrap();

    for error in [opened.unwrap_err(), read.unwrap_err()] {
        told_by_the_store(&error);
    }
    drop(listener);
}

fn told_by_the_store(error: &strongroom::Error) {
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let shown = error.to_string();
    for words_of_the_guard in ["still running", "earlier call"] {
        assert!(!shown.contains(words_of_the_guard), "{shown}");
    }
}

#[test]
fn an_async_callers_subscriber_hears_the_warnings() {
    let directory = tempfile::tempdir().unwrap();
    let config = on_bus(&socket("absent")).state_dir(directory.path());
    let config = config.dangerous().plaintext_file(directory.path().join("secrets"));
    let (told, lines) = mpsc::channel();
    let writer = move || Lines(told.clone());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
    let opening = config.service("tracker").open();
    tracing::subscriber::with_default(subscriber, || {
        futures_lite::future::block_on(opening).unwrap();
    });
    let told = String::from_utf8(lines.try_iter().flatten().collect()).unwrap();
    assert!(told.contains("WARN") && told.contains("without encryption"), "{told}");
}

/// Sends on what is written.
struct Lines(mpsc::Sender<Vec<u8>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The test may have ended.
        let _ = self.0.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
