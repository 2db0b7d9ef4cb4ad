//! What is told about stores in each state.

use strongroom_core::{Capabilities, Operation, Persistence, Reason};

use strongroom_core::advice::{Command, Neutral, Sentence, Voice};

use super::distribution::install;
use super::*;

const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n";

fn found(backend: Backend, state: Result<Probe, Error>) -> Inspection {
    let capabilities = Some(Capabilities::new(Persistence::Permanent));
    Inspection { backend, capabilities, state, env_prefix: "TRACKER".to_owned() }
}

fn with_capabilities(
    backend: Backend,
    capabilities: Capabilities,
    state: Result<Probe, Error>,
) -> Inspection {
    Inspection { capabilities: Some(capabilities), ..found(backend, state) }
}

fn error(kind: ErrorKind) -> Error {
    Error::new(kind, Operation::Probe).with_store("secret-service")
}

fn first(state: Result<Probe, Error>, system: &System<'_>) -> Finding {
    let findings = diagnose(&[found(Backend::SecretService, state)], system);
    findings.into_iter().next().unwrap()
}

fn commands(finding: &Finding) -> Vec<String> {
    let spoken = finding.fixes.iter().filter_map(|fix| fix.spoken_by(&Neutral));
    spoken.flat_map(|fix| fix.commands).collect()
}

fn has(finding: &Finding, command: &str) -> bool {
    commands(finding).iter().any(|it| it == command)
}

#[test]
fn each_reason_has_its_own_way_out() {
    let system = System { os_release: DEBIAN, ..System::default() };
    let told = |reason| {
        let hint = Sentence::from("Do this: ").shell("the store's command").text(".");
        let error = error(ErrorKind::NoBackend).with_reason(reason).with_advice(hint);
        first(Err(error), &system)
    };
    let no_bus = told(Reason::NoBus);
    assert!(has(&no_bus, "dbus-run-session -- bash"), "{no_bus:?}");

    let no_daemon = told(Reason::NoProvider);
    assert_eq!(commands(&no_daemon)[0], "sudo apt install gnome-keyring");
    assert!(!has(&no_daemon, "dbus-run-session -- bash"), "{no_daemon:?}");

    for reason in [Reason::StaleBusAddress, Reason::ForeignOwner, Reason::SessionNotEncrypted] {
        let own = told(reason);
        assert_eq!(commands(&own)[0], "the store's command", "{reason:?}");
        assert!(!commands(&own).iter().any(|command| command.contains("install")), "{own:?}");
    }
}

#[test]
fn variables_are_the_applications_and_no_other_store_is_named_where_secrets_are() {
    let no_bus = || error(ErrorKind::NoBackend).with_reason(Reason::NoBus);
    let told = |has_secrets| {
        let found = [
            found(Backend::SecretService, Err(no_bus())),
            found(Backend::File, Err(error(ErrorKind::KeyMissing))),
        ];
        let findings = diagnose(&found, &System { has_secrets, ..System::default() });
        let all: Vec<_> = findings.iter().flat_map(commands).collect();
        assert!(!all.concat().contains("STRONGROOM_"), "{all:?}");
        all.join("\n")
    };
    let nowhere = told(false);
    assert!(nowhere.contains("export TRACKER_BACKEND=keyutils"), "{nowhere}");
    if cfg!(unix) {
        assert!(nowhere.contains("export TRACKER_PASSPHRASE_FILE="), "{nowhere}");
    }
    assert!(!told(true).contains("TRACKER_BACKEND"));
}

#[test]
fn a_sentence_that_names_no_store_is_told_with_its_store() {
    let denied = first(Err(error(ErrorKind::AccessDenied)), &System::default());
    assert_eq!(denied.problem, "secret-service: the system refused access");
}

#[test]
fn a_collection_that_forgets_is_told_with_the_way_out() {
    let capabilities = Capabilities::new(Persistence::UntilLogout);
    let state = Ok(Probe::new("gnome-keyring-daemon (process 7)"));
    let found = [with_capabilities(Backend::SecretService, capabilities, state)];
    let findings = diagnose(&found, &System::default());
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].severity, findings[0].kind), (Severity::Note, None));
    assert!(findings[0].problem.contains("last until you log out"), "{findings:?}");
    assert!(has(&findings[0], "seahorse"));
}

#[test]
fn what_weakens_a_store_is_a_note() {
    let found = |backend, capabilities| {
        let state = Ok(Probe::new("a provider"));
        [with_capabilities(backend, capabilities, state)]
    };
    let lasting = Capabilities::new(Persistence::Permanent);
    let encrypted = found(Backend::SecretService, lasting.with_session_encrypted(Some(true)));
    let findings = diagnose(&encrypted, &System::default());
    assert!(findings[0].problem.contains("encrypted session"), "{findings:?}");

    let plain = found(Backend::SecretService, lasting.with_session_encrypted(Some(false)));
    let findings = diagnose(&plain, &System::default());
    assert!(findings.iter().any(|it| it.problem.contains("in the clear")), "{findings:?}");

    let kernel = Capabilities::new(Persistence::UntilReboot).with_containers();
    let kernel = found(Backend::Keyutils, kernel);
    let told = |in_use| diagnose(&kernel, &System { in_use, ..System::default() }).len();
    assert_eq!((told(None), told(Some(Backend::Keyutils))), (1, 2));
}

#[test]
fn each_state_that_is_wrong_has_a_kind_and_a_command() {
    let hint = Sentence::from("Let it go on with ").shell("kill -CONT 7").text(".");
    let hung = error(ErrorKind::TimedOut).with_advice(hint);
    let states =
        [hung, error(ErrorKind::Locked), error(ErrorKind::NoDefaultCollection)].map(|error| {
            let kind = error.kind();
            (kind, first(Err(error), &System::default()))
        });
    for (kind, finding) in &states {
        assert_eq!((finding.severity, finding.kind), (Severity::Problem, Some(*kind)));
        assert!(!commands(finding).is_empty(), "{finding:?}");
    }
    assert_eq!(commands(&states[0].1), ["kill -CONT 7"]);
}

#[test]
fn kwallet_works_and_has_its_caveat() {
    let kwallet = Probe::new("kwalletd5 (process 7), collection \"kdewallet\"");
    let capabilities = Capabilities::new(Persistence::Permanent).with_late_writes(true);
    let found = [
        with_capabilities(Backend::SecretService, capabilities, Ok(kwallet)),
        found(Backend::Keyutils, Ok(Probe::new("kernel keyring of user 0"))),
    ];
    let findings = diagnose(&found, &System::default());
    let severities: Vec<_> = findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Note, Severity::Fine, Severity::Fine]);
    assert!(findings[0].problem.contains("5 seconds"), "{findings:?}");
    assert!(findings.iter().all(|finding| finding.kind.is_none()));
}

#[test]
fn a_kernel_keyring_that_is_forbidden_is_a_note() {
    let error = Error::new(ErrorKind::NoBackend, Operation::Probe).with_store("keyutils");
    let findings = diagnose(&[found(Backend::Keyutils, Err(error))], &System::default());
    assert_eq!(findings[0].severity, Severity::Note);
    assert!(!findings[0].fixes.is_empty());
}

#[test]
fn a_logon_without_credentials_is_a_problem_with_another_way() {
    let error = Error::new(ErrorKind::NoLogonSession, Operation::Probe);
    let findings = diagnose(&[found(Backend::CredentialManager, Err(error))], &System::default());
    assert_eq!(findings[0].severity, Severity::Problem);
    assert_eq!(findings[0].kind, Some(ErrorKind::NoLogonSession));
    assert_eq!(commands(&findings[0]), ["$env:TRACKER_BACKEND = 'file'"]);

    let works = Ok(Probe::new("the Windows Credential Manager"));
    let findings = diagnose(&[found(Backend::CredentialManager, works)], &System::default());
    assert_eq!((findings[0].severity, findings[0].kind), (Severity::Fine, None));
}

#[test]
fn a_keychain_is_told_in_its_own_words() {
    let fine = Ok(Probe::new("the user's default keychain"));
    let locked =
        Err(Error::new(ErrorKind::Locked, Operation::Probe).with_store("keychain").with_advice(
            Sentence::from("Unlock it with ").shell("security unlock-keychain").text("."),
        ));
    let [fine, locked] = [fine, locked]
        .map(|state| diagnose(&[found(Backend::Keychain, state)], &System::default()));
    assert_eq!(fine[0].severity, Severity::Fine);
    assert!(fine[0].problem.contains("the user's default keychain"), "{fine:?}");
    assert_eq!((locked[0].severity, locked[0].kind), (Severity::Problem, Some(ErrorKind::Locked)));
    assert_eq!(commands(&locked[0]), ["security unlock-keychain"]);
}

#[test]
fn the_install_command_fits_the_distribution_and_the_user() {
    let command =
        |os_release| install(&System { os_release, ..System::default() }, "dbus gnome-keyring");
    for (os_release, expected) in [
        (DEBIAN, "sudo apt install dbus gnome-keyring"),
        ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "sudo apt install dbus gnome-keyring"),
        (
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"",
            "sudo dnf install dbus-daemon gnome-keyring",
        ),
        ("ID=manjaro\nID_LIKE=arch", "sudo pacman -S dbus gnome-keyring"),
        ("ID=\"opensuse-leap\"", "sudo zypper install dbus-1 gnome-keyring"),
        ("ID=alpine", "doas apk add dbus gnome-keyring"),
    ] {
        assert_eq!(command(os_release), expected);
    }
    assert!(command("ID=nixos").contains("services.gnome.gnome-keyring.enable = true"));
    assert!(command("").contains("package manager"));
    let root = System { os_release: DEBIAN, is_root: true, ..System::default() };
    assert_eq!(install(&root, "seahorse"), "apt install seahorse");
}

#[test]
fn that_the_encrypted_file_needs_a_key_is_told_where_it_matters() {
    let told = |keyring: Result<Probe, Error>, in_use| {
        let file = found(Backend::File, Err(error(ErrorKind::KeyMissing)));
        let found = [file, found(Backend::SecretService, keyring)];
        let findings = diagnose(&found, &System { in_use, ..System::default() });
        findings.iter().any(|finding| finding.backend == Some(Backend::File))
    };
    let fine = || Ok(Probe::new("gnome-keyring-daemon (process 7)"));
    assert!(!told(fine(), Some(Backend::SecretService)));
    assert!(told(fine(), Some(Backend::File)), "the secrets are there");
    let away = Err(error(ErrorKind::NoBackend));
    assert!(told(away, Some(Backend::SecretService)), "it may be the way out");
}

#[test]
fn of_an_own_store_is_told_what_it_says_and_of_no_other_while_secrets_are_in_it() {
    let own = Backend::custom("acme");
    let no_bus = || error(ErrorKind::NoBackend).with_reason(Reason::NoBus);
    let told = |state, in_use| {
        let found = [found(own, state), found(Backend::SecretService, Err(no_bus()))];
        diagnose(&found, &System { in_use: Some(in_use), ..System::default() })
    };
    let fine = told(Ok(Probe::new("a server")), own);
    assert_eq!((fine.len(), fine[0].severity), (1, Severity::Fine));
    assert!(fine[0].problem.contains("acme (a server) can keep secrets"), "{fine:?}");
    let away =
        Error::new(ErrorKind::Io, Operation::Probe).with_message("it is away").with_hint("Wait.");
    let away = told(Err(away), own);
    assert_eq!((away.len(), away[0].severity), (1, Severity::Problem));
    assert_eq!(
        (away[0].problem.as_str(), &away[0].fixes[..]),
        ("it is away", &[Fix::new("Wait.", [])][..])
    );
    let elsewhere = told(Ok(Probe::new("a server")), Backend::SecretService);
    assert_eq!(elsewhere.len(), 2, "{elsewhere:?}");
}

#[test]
fn a_fix_whose_commands_a_program_does_not_have_is_left_out() {
    struct Tracker;
    impl Voice for Tracker {
        fn command(&self, command: &Command) -> Option<String> {
            Some(format!("tracker {}", command.arguments()))
        }
    }
    let fix = Fix::new("See which:", [Command::new("list --expiring 0d").into()]);
    assert_eq!(fix.spoken_by(&Neutral), None);
    assert_eq!(fix.spoken_by(&Tracker).unwrap().commands, ["tracker list --expiring 0d"]);

    let corrupt = error(ErrorKind::Corrupt)
        .with_hint("Keep a copy.")
        .with_command("repair", "shows what is left of it");
    let [neutral, tracker] = [&Neutral as &dyn Voice, &Tracker]
        .map(|voice| Fix::from(&corrupt).spoken_by(voice).unwrap());
    assert_eq!((neutral.text.as_str(), neutral.commands.len()), ("Keep a copy.", 0));
    assert_eq!(tracker.text, "Keep a copy. `tracker repair` shows what is left of it.");
    assert_eq!(tracker.commands, ["tracker repair"]);
}
