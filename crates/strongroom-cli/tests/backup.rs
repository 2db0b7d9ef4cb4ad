//! `backup` and `restore`, and what `rage` makes of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use strongroom_testkit::provider_or_skip;
use support::{KeyutilsService, Ran, private_file, run};

const MARKER: &str = "marker-of-a-secret";

const RECIPIENT: &str = "age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc";
const OTHER_RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// Made for these tests and used nowhere else.
const IDENTITY: &str =
    "AGE-SECRET-KEY-1YRC9TDQXYRF8GH5C0M3P9EY7YM6FQMLAHJLY78JLEDJ55T3S9K6SES5CLA\n";

/// A vault, and a directory for backups with the key to them.
struct Scene {
    service: KeyutilsService,
    file: String,
    key: String,
}

impl Scene {
    fn new() -> Self {
        let service = KeyutilsService::new();
        let place = |name: &str| service.sandbox.path().join(name).display().to_string();
        let (file, key) = (place("backup.age"), place("key.txt"));
        private_file(&key, IDENTITY);
        Self { service, file, key }
    }

    /// With one secret in the vault, which is backed up.
    fn backed_up() -> Self {
        let scene = Self::new();
        scene.set("KEY", MARKER);
        scene.backup(&[]).ends_with(0);
        scene
    }

    #[track_caller]
    fn set(&self, name: &str, value: &str) {
        self.service.vault(&["set", name, "--provider", "p"], value.as_bytes()).ends_with(0);
    }

    fn get(&self, name: &str) -> Ran {
        self.service.vault(&["get", name], b"")
    }

    fn backup(&self, more: &[&str]) -> Ran {
        let backup = ["backup", &self.file, "--recipient", RECIPIENT];
        self.service.vault(&[&backup, more].concat(), b"")
    }

    fn restore(&self, more: &[&str]) -> Ran {
        let restore = ["restore", &self.file, "--identity", &self.key];
        self.service.vault(&[&restore, more].concat(), b"")
    }

    fn list(&self) -> Value {
        self.service.vault(&["list", "--json"], b"").json()["secrets"].take()
    }
}

fn rage(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let ran = run(Command::new("rage"), arguments, input).ends_with(0);
    ran.stdout
}

#[test]
fn a_backup_brings_back_values_and_all_that_is_known() {
    let scene = Scene::new();
    scene.set("KEY", MARKER);
    scene.service.set_expired("OVER", &["--scope", "s"]);
    let listed = scene.list();
    let made = scene.backup(&["--json"]).ends_with(0).json();
    assert_eq!((&made["secret_count"], &made["file"]), (&json!(2), &json!(scene.file)));
    let file = fs::metadata(&scene.file).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    scene.service.vault(&["purge", "--yes"], b"").ends_with(0);

    let planned = scene.restore(&["--dry-run"]).ends_with(0).out();
    assert!(planned.contains("KEY ") && planned.contains("OVER") && planned.contains("add"));
    assert_eq!(scene.list(), json!([]), "a dry run changes nothing");
    let restored = scene.restore(&["--json"]).ends_with(0).json();
    assert_eq!(restored["mode"], "merge");
    assert_eq!(restored["secrets"][0]["action"], "add");
    assert_eq!(scene.list(), listed);
    assert_eq!(scene.get("KEY").ends_with(0).out(), MARKER);
    scene.restore(&[]).ends_with(0).says("nothing to restore");
}

#[test]
fn rage_shows_what_is_in_a_backup() {
    if !provider_or_skip("rage") {
        return;
    }
    let scene = Scene::new();
    scene.set("K\u{e9}Y \"1\"", "line\nand \u{1f512} \\ \"");
    scene.backup(&[]).ends_with(0);
    let opened = rage(&["-d", "-i", &scene.key, &scene.file], b"");
    assert!(opened.is_ascii());
    let opened: Value = serde_json::from_slice(&opened).unwrap();
    assert_eq!(opened["strongroom"], "backup");
    assert_eq!(opened["service"], scene.service.name.as_str());
    let secret = &opened["secrets"][0];
    assert_eq!(secret["name"], "K\u{e9}Y \"1\"");
    assert_eq!(secret["value"], "line\nand \u{1f512} \\ \"");
    assert_eq!(secret["provider"], "p");
    assert!(secret["created_at"].is_string() && secret["updated_at"].is_string());
}

#[test]
fn what_rage_encrypts_is_restored() {
    if !provider_or_skip("rage") {
        return;
    }
    let scene = Scene::new();
    let document = json!({
        "strongroom": "backup", "version": 1, "service": scene.service.name, "generation": 3,
        "created_at": "2026-11-21T10:00:00Z", "by": "hand",
        "secrets": [{ "name": "KEY", "value": MARKER, "updated_at": "2026-11-20T10:00:00Z" }],
    });
    for armor in [&["-a"][..], &[]] {
        let encrypt = [&["-r", OTHER_RECIPIENT, "-r", RECIPIENT], armor].concat();
        fs::write(&scene.file, rage(&encrypt, document.to_string().as_bytes())).unwrap();
        scene.restore(&[]).ends_with(0);
        assert_eq!(scene.get("KEY").ends_with(0).out(), MARKER);
        assert_eq!(scene.list()[0]["updated_at"], "2026-11-20T10:00:00Z");
        scene.service.vault(&["delete", "KEY"], b"").ends_with(0);
    }
    for (damage, said) in [
        (("\"version\":1", "\"version\":2"), "the backup has format version 2"),
        (("\"generation\":3", "\"generation\":"), "it is not JSON (line 1, column"),
        (("\"value\":\"", "\"value\":7,\"v\":\""), "a secret's value is not text (line 1"),
    ] {
        let damaged = document.to_string().replace(damage.0, damage.1);
        fs::write(&scene.file, rage(&["-r", RECIPIENT], damaged.as_bytes())).unwrap();
        let refused = scene.restore(&["-vvv"]).ends_with(8).says(said);
        assert!(!refused.said().contains(MARKER), "{}", refused.said());
    }
    assert_eq!(scene.list(), json!([]));
}

#[test]
fn a_backup_without_protection_is_refused_and_both_ways_are_told() {
    let scene = Scene::new();
    let refused = scene.service.vault(&["backup", &scene.file], b"").ends_with(2);
    refused.says("--passphrase").says("--recipient age1").says("rage-keygen");
    let both = ["backup", &scene.file, "--passphrase", "--recipient", RECIPIENT];
    scene.service.vault(&both, b"").ends_with(2);
    let nobody = ["backup", &scene.file, "--passphrase"];
    scene.service.vault(&nobody, b"").ends_with(2).says("--passphrase-file");
    let key = ["backup", &scene.file, "--recipient", IDENTITY.trim()];
    let refused = scene.service.vault(&key, b"").ends_with(2).says("rage-keygen -y");
    assert!(!refused.said().contains(IDENTITY.trim()));
    assert!(!fs::exists(&scene.file).unwrap());
}

#[test]
fn a_file_that_is_there_is_replaced_by_force_only() {
    let scene = Scene::backed_up();
    let first = fs::read(&scene.file).unwrap();
    scene.backup(&[]).ends_with(1).says("--force");
    assert_eq!(fs::read(&scene.file).unwrap(), first);
    let link = scene.service.sandbox.path().join("link.age");
    std::os::unix::fs::symlink(&scene.file, &link).unwrap();
    let link = link.display().to_string();
    let through = ["backup", &link, "--recipient", RECIPIENT, "--force"];
    scene.service.vault(&through, b"").ends_with(0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_ne!(fs::read(&scene.file).unwrap(), first);
    scene.restore(&[]).ends_with(0);
    let directory = scene.service.sandbox.path().display().to_string();
    for (place, exit) in [(directory.as_str(), 2), ("/dev/null", 2), ("/no/such/directory/x", 1)] {
        let refused = ["backup", place, "--recipient", RECIPIENT, "--force"];
        scene.service.vault(&refused, b"").ends_with(exit);
    }
    let left = fs::read_dir(&directory).unwrap().flatten();
    let left: Vec<_> = left.map(|it| it.file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.starts_with(".strongroom-")), "{left:?}");
}

#[test]
fn a_backup_goes_through_pipes() {
    let scene = Scene::new();
    scene.set("KEY", MARKER);
    let piped = scene.service.vault(&["backup", "-", "--recipient", RECIPIENT], b"").ends_with(0);
    assert!(piped.out().starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    scene.service.vault(&["delete", "KEY"], b"").ends_with(0);
    let restore = ["restore", "-", "--identity", &scene.key];
    scene.service.vault(&restore, &piped.stdout).ends_with(0);
    assert_eq!(scene.get("KEY").ends_with(0).out(), MARKER);
}

#[test]
fn a_backup_that_takes_much_work_is_tried_if_that_is_allowed_and_not_before() {
    let scene = Scene::new();
    let passphrase = scene.service.sandbox.path().join("passphrase").display().to_string();
    private_file(&passphrase, "p");
    let (salt, key) = ("A".repeat(22), "A".repeat(43));
    let of_work = |log2: u8| {
        let header = format!("age-encryption.org/v1\n-> scrypt {salt} {log2}\n{key}\n--- {key}\n");
        fs::write(&scene.file, [header.as_bytes(), &[0; 64]].concat()).unwrap();
    };
    let restore = ["restore", &scene.file, "--passphrase-file", &passphrase];
    of_work(21);
    let refused = scene.service.vault(&restore, b"").ends_with(1);
    refused.says("2 GiB of memory").says("`--max-work-factor 21`");
    of_work(19);
    let tried = scene.service.vault(&restore, b"").ends_with(8);
    tried.says("takes 2 times the work of a usual backup, and 512 MiB").says("passphrase is wrong");
    let forbidden = [&restore[..], &["--max-work-factor", "18"]].concat();
    scene.service.vault(&forbidden, b"").ends_with(1).says("`--max-work-factor 19`");
    let beyond = [&restore[..], &["--max-work-factor", "23"]].concat();
    scene.service.vault(&beyond, b"").ends_with(2);
}

#[test]
fn what_does_not_open_changes_nothing() {
    let scene = Scene::backed_up();
    scene.set("KEY", "later");
    let file = fs::read(&scene.file).unwrap();
    let restore =
        |more: &[&str]| scene.service.vault(&[&["restore", &scene.file], more].concat(), b"");
    restore(&[]).ends_with(2).says("--identity");
    let passphrase = scene.service.sandbox.path().join("passphrase").display().to_string();
    private_file(&passphrase, "p");
    restore(&["--passphrase-file", &passphrase]).ends_with(2).says("--identity");
    restore(&["--identity", &passphrase]).ends_with(2).says("line 1");
    restore(&["--identity", "/no/such/file"]).ends_with(1);

    let cut_off = &file[..file.len() / 2];
    let mut flipped = file.clone();
    let place = file.len() * 3 / 4;
    flipped[place] = if flipped[place] == b'A' { b'B' } else { b'A' };
    for damaged in [cut_off, &flipped, b"", b"not a backup", &[0; 5000]] {
        fs::write(&scene.file, damaged).unwrap();
        let refused = scene.restore(&["--json"]).ends_with(8);
        assert_eq!(refused.error()["code"], "corrupt");
    }
    let others = ["backup", &scene.file, "--recipient", OTHER_RECIPIENT, "--force"];
    scene.service.vault(&others, b"").ends_with(0);
    let refused = scene.restore(&["--json"]).ends_with(8);
    assert_eq!(refused.error()["code"], "wrong_key");
    assert_eq!(scene.get("KEY").ends_with(0).out(), "later");
}

#[test]
fn another_service_gets_a_backup_on_purpose_only() {
    let (scene, other) = (Scene::backed_up(), KeyutilsService::new());
    let restore = ["restore", &scene.file, "--identity", &scene.key];
    let refused = other.vault(&restore, b"").ends_with(1);
    refused.says(&format!("--service {}", scene.service.name)).says("--any-service");
    other.vault(&["exists", "KEY"], b"").ends_with(3);
    other.vault(&[&restore[..], &["--any-service"]].concat(), b"").ends_with(0);
    assert_eq!(other.vault(&["get", "KEY"], b"").ends_with(0).out(), MARKER);
}

#[test]
fn a_vault_is_replaced_where_somebody_said_so() {
    let scene = Scene::backed_up();
    scene.set("LATER", "new");
    scene.set("KEY", "new");
    let merged = scene.restore(&["--json"]).ends_with(0).json();
    assert_eq!(merged["secrets"].as_array().unwrap().len(), 1);
    assert_eq!(merged["secrets"][0]["action"], "keep");
    scene.restore(&["--replace"]).ends_with(2).says("--yes");
    let planned = scene.restore(&["--replace", "--dry-run"]).ends_with(0).out();
    assert!(planned.contains("replace") && planned.contains("remove"), "{planned}");
    assert_eq!(scene.get("KEY").ends_with(0).out(), "new");
    scene.restore(&["--replace", "--yes"]).ends_with(0);
    assert_eq!(scene.get("KEY").ends_with(0).out(), MARKER);
    scene.get("LATER").ends_with(3);
}

#[test]
fn a_backup_that_is_killed_leaves_all_of_the_file_or_nothing() {
    let scene = Scene::new();
    scene.set("KEY", MARKER);
    for step in 0..40 {
        let mut command = scene.service.program();
        command.args(["backup", &scene.file, "--recipient", RECIPIENT]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        #[expect(clippy::disallowed_methods, reason = "it is killed at any moment")]
        thread::sleep(Duration::from_millis(step / 2));
        child.kill().ok();
        child.wait().unwrap();
        if fs::exists(&scene.file).unwrap() {
            scene.restore(&["--dry-run"]).ends_with(0);
            fs::remove_file(&scene.file).unwrap();
        }
    }
}
