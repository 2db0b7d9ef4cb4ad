//! Every rule of the choice, on a stage with mocks in the place of the platform's stores.

use std::error::Error as _;
use std::ffi::OsString;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strongroom_core::{
    Capabilities, Deadlines, KeyringStore, MockKeyringStore, Persistence, SecretString, ServiceName,
};

use super::*;
use crate::binding::BindingFile;
use crate::container::Container;
use crate::state_dir::StateDir;

/// A platform whose default is the Secret Service and whose stores are mocks.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    mocks: Vec<(Backend, MockKeyringStore)>,
    opened: Mutex<Vec<Backend>>,
    stand_in: Option<MockKeyringStore>,
    container: Option<Container>,
}

impl Stage {
    pub(crate) fn with(mut self, backend: Backend, mock: &MockKeyringStore) -> Self {
        self.mocks.push((backend, mock.clone()));
        self
    }

    fn opened(&self) -> Vec<Backend> {
        let opened = self.opened.lock();
        opened.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Platform for Stage {
    fn default_backend(&self) -> Option<Backend> {
        Some(Backend::SecretService)
    }

    fn stand_in(&self, _: &str) -> Option<Arc<dyn Store>> {
        let mock = self.stand_in.clone()?;
        Some(Arc::new(mock))
    }

    fn container(&self) -> Option<Container> {
        self.container.clone()
    }

    fn open(&self, backend: Backend, _options: &Config) -> Result<Arc<dyn Store>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push(backend);
        let known = self.mocks.iter().find(|(known, _)| *known == backend);
        let (_, mock) = known.ok_or_else(|| {
            Error::new(ErrorKind::NoBackend, Operation::Choose).with_message("not on this stage")
        })?;
        Ok(Arc::new(mock.clone()))
    }
}

/// A desktop's store and the kernel's keyring, both in order.
fn desktop() -> (Stage, MockKeyringStore, MockKeyringStore) {
    let (service, kernel) = (MockKeyringStore::new(), MockKeyringStore::new());
    service.set_capabilities(Capabilities::new(Persistence::Permanent).with_list());
    kernel.set_capabilities(Capabilities::new(Persistence::UntilReboot));
    let stage = Stage::default()
        .with(Backend::SecretService, &service)
        .with(Backend::Keyutils, &kernel)
        .with(Backend::Memory, &MockKeyringStore::new());
    (stage, service, kernel)
}

/// Config with this environment, and a short wait.
fn config(variable: &'static str, value: &'static str) -> Config {
    Config::new("app")
        .deadlines(Deadlines::both(Duration::from_millis(500)))
        .environment(move |name| (name == variable).then(|| OsString::from(value)))
}

fn plain() -> Config {
    config("STRONGROOM_BACKEND", "")
}

#[test]
fn the_caller_wins_over_the_environment_and_nobody_is_contacted() {
    let (stage, service, _) = desktop();
    service.fail(Operation::Probe, ErrorKind::NoBackend);
    let config = config("STRONGROOM_BACKEND", "memory").backend(Backend::SecretService);
    let chosen = choose_on(&stage, &config).unwrap();
    assert_eq!(chosen.backend(), Backend::SecretService);
    assert!(matches!(chosen.reason(), ChoiceReason::Explicit));
    assert!(service.calls().is_empty());
    assert_eq!(stage.opened(), [Backend::SecretService]);
}

#[test]
fn the_environment_wins_over_the_default() {
    let (stage, ..) = desktop();
    let config = config("TRACKER_BACKEND", "memory").env_prefix("TRACKER");
    let chosen = choose_on(&stage, &config).unwrap();
    assert_eq!(chosen.backend(), Backend::Memory);
    assert_eq!(chosen.reason().to_string(), "named by TRACKER_BACKEND");
    assert_eq!(stage.opened(), [Backend::Memory]);
}

#[test]
fn another_prefix_and_an_empty_value_do_not_count() {
    for config in [
        config("STRONGROOM_BACKEND", ""),
        config("OTHER_BACKEND", "memory"),
        config("STRONGROOM_BACKEND", "memory").env_prefix("TRACKER"),
    ] {
        let chosen = choose_on(&desktop().0, &config).unwrap();
        assert_eq!(chosen.backend(), Backend::SecretService);
        assert!(matches!(chosen.reason(), ChoiceReason::PlatformDefault));
    }
}

#[test]
fn an_unknown_name_in_the_environment_is_invalid_and_opens_nothing() {
    let (stage, ..) = desktop();
    let config = config("STRONGROOM_BACKEND", "keyring\n");
    let error = choose_on(&stage, &config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let shown = error.to_string();
    for text in ["STRONGROOM_BACKEND", r#""keyring\n""#, "secret-service"] {
        assert!(shown.contains(text), "{shown}");
    }
    assert!(error.hint().contains("STRONGROOM_BACKEND"));
    assert!(stage.opened().is_empty());
}

#[test]
fn what_was_named_never_falls_back() {
    let (stage, ..) = desktop();
    let explicit = plain().backend(Backend::Keychain);
    let error = choose_on(&stage, &explicit).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);

    let error = choose_on(&stage, &config("STRONGROOM_BACKEND", "file")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    let hint = error.hint();
    assert!(hint.contains("STRONGROOM_BACKEND names it"), "{hint}");
    assert_eq!(stage.opened(), [Backend::Keychain, Backend::File]);
}

#[test]
fn a_default_that_may_hold_the_secrets_is_kept() {
    for kind in [
        ErrorKind::AccessDenied,
        ErrorKind::Io,
        ErrorKind::Locked,
        ErrorKind::NoDefaultCollection,
        ErrorKind::Other,
    ] {
        let (stage, service, _) = desktop();
        service.fail(Operation::Probe, kind);
        let chosen = choose_on(&stage, &plain()).unwrap();
        assert_eq!(chosen.backend(), Backend::SecretService, "{kind:?}");
        assert_eq!(stage.opened(), [Backend::SecretService]);
    }
}

#[test]
fn a_default_that_hangs_is_told_at_once_and_nothing_takes_its_place() {
    let (stage, service, _) = desktop();
    service.hang(Operation::Probe);
    let error = choose_on(&stage, &plain()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(stage.opened(), [Backend::SecretService]);
    service.heal(Operation::Probe);
    assert!(choose_on(&stage, &plain()).is_ok());
}

#[test]
fn a_session_fallback_says_why() {
    let (stage, service, kernel) = desktop();
    service.fail(Operation::Probe, ErrorKind::NoBackend);
    let config = plain().fallback(Fallback::Session);
    let chosen = choose_on(&stage, &config).unwrap();
    assert_eq!(chosen.backend(), Backend::Keyutils);
    let ChoiceReason::Fallback(cause) = chosen.reason() else {
        panic!("{chosen:?}");
    };
    assert_eq!(cause.kind(), ErrorKind::NoBackend);
    assert_eq!(kernel.calls().len(), 1, "it was probed");
}

#[test]
fn the_sealed_fallback_takes_a_key_or_somebody_to_ask() {
    let (stage, service, _) = desktop();
    let file = MockKeyringStore::new();
    let stage = stage.with(Backend::File, &file);
    service.fail(Operation::Probe, ErrorKind::NoBackend);
    let config = plain().fallback(Fallback::Sealed);
    assert_eq!(choose_on(&stage, &config).unwrap().backend(), Backend::File);

    file.fail(Operation::Probe, ErrorKind::KeyMissing);
    let error = choose_on(&stage, &config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert!(error.hint().contains("STRONGROOM_PASSPHRASE_FILE"), "{}", error.hint());
    #[cfg(feature = "sealed")]
    assert_eq!(
        choose_on(&stage, &config.passphrase(|_| Ok(None))).unwrap().backend(),
        Backend::File
    );
}

#[test]
fn a_plaintext_file_takes_the_place_of_the_default_alone_and_warns_each_time() {
    let (stage, service, _) = desktop();
    let stage = stage.with(Backend::PlaintextFile, &MockKeyringStore::new());
    let config = plain().dangerous().plaintext_file("/nowhere");
    assert_eq!(choose_on(&stage, &config).unwrap().backend(), Backend::SecretService);

    service.fail(Operation::Probe, ErrorKind::NoBackend);
    for _ in 0..2 {
        let told = warnings(|| {
            assert_eq!(choose_on(&stage, &config).unwrap().backend(), Backend::PlaintextFile);
        });
        assert!(told.contains("without encryption"), "{told}");
    }
    let other = config.fallback(Fallback::Session);
    assert_eq!(choose_on(&stage, &other).unwrap().backend(), Backend::PlaintextFile, "it stands");
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_container_the_kernels_keyring_is_taken_by_name_alone() {
    let (mut stage, service, kernel) = desktop();
    stage.container = Some(crate::container::tests::container());
    service.fail(Operation::Probe, ErrorKind::NoBackend);
    let error = choose_on(&stage, &plain().env_prefix("TRACKER")).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::NoBackend, Some(Reason::Container)));
    assert!(error.to_string().contains("KUBERNETES_SERVICE_HOST"), "{error}");
    assert!(error.hint().contains("`export TRACKER_BACKEND=keyutils`"), "{}", error.hint());
    assert!(kernel.calls().is_empty(), "it was not even looked at");

    for config in [
        plain().fallback(Fallback::Session),
        plain().backend(Backend::Keyutils),
        config("STRONGROOM_BACKEND", "keyutils"),
    ] {
        assert_eq!(choose_on(&stage, &config).unwrap().backend(), Backend::Keyutils);
    }
}

#[test]
fn in_a_container_no_vault_is_looked_for_in_the_kernels_keyring() {
    let (mut stage, _, kernel) = desktop();
    let service = ServiceName::new("app").unwrap();
    let value = SecretString::from("another container's");
    kernel.set_password("app", "vault", &value).unwrap();
    let state = tempfile::tempdir().unwrap();
    let file = BindingFile::new(&StateDir::at(state.path()).unwrap(), &service);
    let found = |stage: &Stage| choose_for_on(stage, &service, &file, &plain()).unwrap().backend();
    assert_eq!(found(&stage), Backend::Keyutils);
    stage.container = Some(crate::container::tests::container());
    assert_eq!(found(&stage), Backend::SecretService);
}

#[test]
fn nothing_takes_the_place_of_a_default_that_is_there_and_must_not_be_used() {
    for reason in [Reason::ForeignOwner, Reason::SessionNotEncrypted] {
        for fallback in [Fallback::Session, Fallback::Sealed, Fallback::Error] {
            let (stage, service, kernel) = desktop();
            service.fail_because(Operation::Probe, ErrorKind::NoBackend, reason);
            let error = choose_on(&stage, &plain().fallback(fallback)).unwrap_err();
            assert_eq!((error.kind(), error.reason()), (ErrorKind::NoBackend, Some(reason)));
            assert!(error.hint().contains("STRONGROOM_BACKEND"), "{}", error.hint());
            assert!(kernel.calls().is_empty());
        }
    }
}

#[test]
fn a_default_that_turns_out_to_forget_warns() {
    let (stage, service, _) = desktop();
    service.set_capabilities(Capabilities::new(Persistence::UntilLogout));
    let told = warnings(|| drop(choose_on(&stage, &plain()).unwrap()));
    assert!(told.contains("until you log out"), "{told}");
}

#[test]
fn a_default_that_is_not_in_the_build_falls_back_too() {
    let stage = Stage::default().with(Backend::Keyutils, &MockKeyringStore::new());
    let chosen = choose_on(&stage, &plain().fallback(Fallback::Session)).unwrap();
    assert_eq!(chosen.backend(), Backend::Keyutils);
}

#[test]
fn without_a_fallback_the_error_says_what_else_there_is() {
    let (stage, service, kernel) = desktop();
    service.fail(Operation::Probe, ErrorKind::NoBackend);
    let config = plain().fallback(Fallback::Error).env_prefix("TRACKER");
    let error = choose_on(&stage, &config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert_eq!(error.operation(), Operation::Choose);
    assert!(error.to_string().contains("no usable credential store"), "{error}");
    let hint = error.hint();
    assert!(hint.contains("TRACKER_BACKEND"), "{hint}");
    let other = if cfg!(target_os = "linux") { "keyutils" } else { "file" };
    assert!(hint.contains(other) && !hint.contains("memory"), "{hint}");
    assert!(kernel.calls().is_empty());
}

#[test]
fn if_nothing_can_be_used_both_reasons_are_told() {
    let (stage, service, kernel) = desktop();
    service.fail(Operation::Probe, ErrorKind::NoBackend);
    kernel.fail(Operation::Probe, ErrorKind::AccessDenied);
    let config = plain().fallback(Fallback::Session);
    let error = choose_on(&stage, &config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    let causes: Vec<_> = std::iter::successors(error.source(), |cause| (*cause).source())
        .map(ToString::to_string)
        .collect();
    assert_eq!(causes.len(), 2, "{causes:?}");
    for (cause, text) in causes.iter().zip(["no usable credential store", "refused access"]) {
        assert!(cause.contains(text), "{causes:?}");
    }
}

#[test]
fn a_stand_in_takes_the_automatic_choice_alone() {
    let (mut stage, ..) = desktop();
    stage.stand_in = Some(MockKeyringStore::new());
    let chosen = choose_on(&stage, &plain()).unwrap();
    assert!(matches!(chosen.reason(), ChoiceReason::Testing));
    assert!(stage.opened().is_empty());

    let explicit = plain().backend(Backend::SecretService);
    choose_on(&stage, &explicit).unwrap();
    choose_on(&stage, &config("STRONGROOM_BACKEND", "keyutils")).unwrap();
    assert_eq!(stage.opened(), [Backend::SecretService, Backend::Keyutils]);
}

#[test]
fn the_chosen_store_keeps_its_deadline() {
    let (stage, service, _) = desktop();
    let chosen = choose_on(&stage, &plain()).unwrap();
    service.hang(Operation::List);
    let error = chosen.store().list("app").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("within 1s"), "{error}");
    service.heal(Operation::List);
}

#[test]
fn the_fallback_warns_once_and_the_default_does_not() {
    let (stage, service, _) = desktop();
    let config = plain().fallback(Fallback::Session);
    assert!(warnings(|| drop(choose_on(&stage, &config).unwrap())).is_empty());

    service.fail(Operation::Probe, ErrorKind::NoBackend);
    let told = warnings(|| drop(choose_on(&stage, &config).unwrap()));
    assert_eq!(told.lines().count(), 1, "{told}");
    for text in ["WARN", "until reboot", "keyutils", "no usable credential store"] {
        assert!(told.contains(text), "{told}");
    }

    let forbidden = config.fallback(Fallback::Error);
    assert!(warnings(|| drop(choose_on(&stage, &forbidden).unwrap_err())).is_empty());
}

/// What was said at the level of a warning or above.
fn warnings(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            lines.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let lines = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&lines).into_owned()
}
