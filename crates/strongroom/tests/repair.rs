//! A vault that does not open has a way out that loses nothing.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use strongroom::repair::{VaultContent, VaultRepair};
use strongroom::store::choose_unbound;
use strongroom::store::secret_service;
use strongroom::{
    Backend, Config, Error, ErrorKind, ExposeSecret, KeyringStore, Secret, SecretKey, SecretString,
    Timestamp, blocking,
};
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip, secret_tool, unused_name};

const DAMAGED: &str =
    r#"{"strongroom":"vault","version":1,"secrets":[{"name":"API_KEY","value":"bWFya2Vy"},{"na"#;

/// Returns whether an error advises a command of the program that begins so.
fn advises(error: &Error, command: &str) -> bool {
    error.commands().iter().any(|advised| advised.arguments().starts_with(command))
}

/// A vault in the kernel's keyring.
struct Stored {
    service: String,
    sandbox: Sandbox,
}

impl Stored {
    fn new(payload: &str) -> Self {
        let stored = Self { service: unused_name("repair"), sandbox: Sandbox::new() };
        stored.write(payload);
        stored
    }

    fn write(&self, payload: &str) {
        let store = choose_unbound(&Config::new("").backend(Backend::Keyutils)).unwrap();
        let payload = SecretString::from(payload);
        store.store().set_password(&self.service, "vault", &payload).unwrap();
    }

    fn builder(&self) -> Config {
        let builder = Config::new(&self.service).backend(Backend::Keyutils);
        builder.state_dir(self.sandbox.home().join("state")).clock(|| Timestamp::UNIX_EPOCH)
    }

    fn repair(&self) -> VaultRepair {
        self.builder().repair().unwrap()
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let store = choose_unbound(&Config::new("").backend(Backend::Keyutils)).unwrap();
        store.store().delete_password(&self.service, "vault").unwrap();
    }
}

#[test]
fn a_damaged_vault_is_shown_copied_and_only_then_given_up() {
    let stored = Stored::new(DAMAGED);
    let error = stored.builder().open_blocking().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(advises(&error, "repair "), "{:?}", error.commands());

    let repair = stored.repair();
    let items = repair.examine().unwrap();
    assert_eq!((items.len(), items[0].len, &items[0].candidate), (1, DAMAGED.len(), &None));
    let VaultContent::Unreadable { problem, names, .. } = &items[0].content else {
        panic!("{items:?}")
    };
    assert!(problem.contains("ends too early"), "{problem}");
    assert_eq!(names, &["API_KEY"]);

    let [copy] = &repair.reset().unwrap()[..] else { panic!("one copy") };
    assert_eq!(fs::read_to_string(copy).unwrap(), DAMAGED);
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(copy.to_str().unwrap().ends_with(".damaged-19700101T000000Z"), "{copy:?}");
    let secrets = stored.builder().open_blocking().unwrap();
    assert!(secrets.list().unwrap().is_empty());
    secrets.set_api_key("API_KEY", "1", None).unwrap();

    stored.write(DAMAGED);
    let second = stored.repair().reset().unwrap();
    assert!(second[0] != *copy && copy.exists(), "no copy replaces another");
}

#[test]
fn a_newer_vault_is_told_by_its_version_and_its_names() {
    let newer = r#"{"strongroom":"vault","version":99,"secrets":[{"name":"A","value":"MQ=="}]}"#;
    let stored = Stored::new(newer);
    let items = stored.repair().examine().unwrap();
    let VaultContent::Unreadable { problem, names, .. } = &items[0].content else {
        panic!("{items:?}")
    };
    assert!(problem.contains("version 99"), "{problem}");
    assert_eq!(names, &["A"]);
}

#[test]
fn what_can_not_be_copied_is_not_given_up() {
    let stored = Stored::new(DAMAGED);
    let file = stored.sandbox.home().join("file");
    fs::write(&file, "").unwrap();
    let repair = stored.builder().state_dir(file.join("sub")).repair().unwrap();
    assert_eq!(repair.reset().unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(stored.repair().examine().unwrap()[0].len, DAMAGED.len());
}

#[test]
fn what_is_in_order_is_left_alone() {
    let stored = Stored::new("{}");
    let secrets = stored.builder().open_blocking().unwrap();
    secrets.set_api_key("A", "1", None).unwrap();
    let repair = stored.repair();
    let items = repair.examine().unwrap();
    let keys = vec![SecretKey::new("A")];
    assert_eq!(items[0].content, VaultContent::Readable { generation: 1, keys });
    let refused = [repair.reset().unwrap_err(), repair.merge().unwrap_err()];
    assert!(refused.iter().all(|error| error.kind() == ErrorKind::Invalid), "{refused:?}");
    assert!(secrets.exists("A").unwrap());

    secrets.purge().unwrap();
    assert!(repair.examine().unwrap().is_empty());
    assert_eq!(repair.reset().unwrap_err().kind(), ErrorKind::Invalid);
}

/// A vault in gnome-keyring, and a second item that answers to its name.
struct Two {
    bus: Bus,
    _keyring: GnomeKeyring,
}

impl Two {
    /// The second item holds the vault as it was before it got the secret `LATER`.
    fn new() -> Option<Self> {
        if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("secret-tool") {
            return None;
        }
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        let two = Self { bus, _keyring: keyring };
        let secrets = two.open().unwrap();
        secrets.set_api_key("BOTH", "old", None).unwrap();
        secrets.set("GONE", &Secret::new("1").scope("s")).unwrap();
        let old = secret_tool::lookup(&two.bus, "app", "vault").unwrap();
        secrets.set_api_key("BOTH", "new", None).unwrap();
        secrets.set_api_key("LATER", "2", None).unwrap();
        secrets.delete("GONE").unwrap();
        two.add(&old);
        Some(two)
    }

    fn builder(&self) -> Config {
        let config = Config::new("").backend(Backend::SecretService);
        let config = config
            .store_settings(secret_service::Config::default().with_bus_address(self.bus.address()));
        let state_dir = self.bus.sandbox().home().join("state");
        config.state_dir(state_dir).service("app")
    }

    fn open(&self) -> Result<blocking::SecretManager, Error> {
        self.builder().open_blocking()
    }

    fn add(&self, payload: &str) {
        let mut command = self.bus.command("secret-tool");
        let attributes = ["service", "app", "username", "vault", "copy", &unused_name("copy")];
        command.args(["store", "--label=another"]).args(attributes).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn two_vaults_become_one_that_lacks_nothing() {
    let Some(two) = Two::new() else { return };
    let error = two.open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert!(advises(&error, "repair "), "{:?}", error.commands());

    let repair = two.builder().repair().unwrap();
    let items = repair.examine().unwrap();
    let mut generations: Vec<_> = items
        .iter()
        .map(|item| match &item.content {
            VaultContent::Readable { generation, keys } => (*generation, keys.len()),
            _ => panic!("{item:?}"),
        })
        .collect();
    generations.sort_unstable();
    assert_eq!(generations, [(2, 2), (5, 2)]);
    assert_eq!(repair.reset().unwrap_err().kind(), ErrorKind::Ambiguous);

    let merged = repair.merge().unwrap();
    assert_eq!((merged.generation, merged.deleted), (6, 1));
    assert_eq!(merged.added, [SecretKey::new("GONE")], "rather one too many than one too few");
    let secrets = two.open().unwrap();
    let value = |name: &str| secrets.get_value(name).unwrap().unwrap().expose_secret().to_owned();
    assert_eq!(["BOTH", "LATER", "GONE"].map(value), ["new", "2", "1"]);
    let gone = secrets.get("GONE").unwrap().unwrap();
    assert_eq!(gone.metadata.scope.as_deref(), Some("s"));
}

#[test]
fn what_can_not_be_read_is_not_merged_away() {
    let Some(two) = Two::new() else { return };
    two.add(DAMAGED);
    let repair = two.builder().repair().unwrap();
    let refused = repair.merge().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    assert!(advises(&refused, "entry repair app vault"), "{:?}", refused.commands());
    assert_eq!(repair.examine().unwrap().len(), 3);
}
