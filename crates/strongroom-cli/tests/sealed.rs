//! The encrypted file: on a machine without a bus, with a passphrase or key files.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]
#![allow(clippy::print_stderr, reason = "a test that skips itself says so")]

mod support;

use std::fs;
#[cfg(target_os = "linux")]
use std::os::unix::fs::{PermissionsExt as _, chown};
#[cfg(target_os = "linux")]
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_testkit::Sandbox;
#[cfg(target_os = "linux")]
use strongroom_testkit::{provider_or_skip, root_or_skip, secret_tool, skip};
use support::{PROGRAM, Ran, private_file, run};
#[cfg(target_os = "linux")]
use support::{gnome_keyring, on};

const VALUE: &str = "marker-of-a-value";
const PASSPHRASE: &str = "correct horse battery";

/// A user without a bus, whose secrets lie in an encrypted file.
struct User {
    sandbox: Sandbox,
}

impl User {
    fn new() -> Self {
        Self { sandbox: Sandbox::new() }
    }

    /// One whose file a key file opens.
    fn with_key() -> Self {
        let user = Self::new();
        let key = user.place("main.key");
        user.run(&[], &["key", "add", "--new", "--label", "main", "--key-file", &key]).ends_with(0);
        user
    }

    fn place(&self, name: &str) -> String {
        self.sandbox.path().join(name).display().to_string()
    }

    fn command(&self, env: &[(&str, &str)]) -> Command {
        let mut command = self.sandbox.command(PROGRAM);
        command.env("STRONGROOM_BACKEND", "file").envs(env.iter().copied());
        command
    }

    #[track_caller]
    fn run(&self, env: &[(&str, &str)], arguments: &[&str]) -> Ran {
        run(self.command(env), arguments, b"")
    }

    /// With the key file of this name.
    #[track_caller]
    fn keyed(&self, key: &str, arguments: &[&str], input: &[u8]) -> Ran {
        run(self.command(&[("STRONGROOM_KEY_FILE", &self.place(key))]), arguments, input)
    }

    /// The id of the slot with this label.
    #[track_caller]
    fn slot(&self, label: &str) -> String {
        self.slot_by("main.key", label)
    }

    /// The same, listed with another key at hand.
    #[track_caller]
    fn slot_by(&self, key: &str, label: &str) -> String {
        let listed = self.keyed(key, &["key", "list"], b"").ends_with(0).out();
        let line = listed.lines().find(|line| line.split('\t').nth(3) == Some(label));
        line.unwrap().split('\t').next().unwrap().to_owned()
    }
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_passphrase_in_a_file_opens_it_in_another_process_and_nothing_shows() {
    let user = User::new();
    let passphrase = user.place("passphrase");
    private_file(&passphrase, format!("{PASSPHRASE}\n"));
    let env = [("STRONGROOM_PASSPHRASE_FILE", passphrase.as_str())];
    let set = ["set", "NAME_MARKER", "--provider", "provider-marker", "--scope", "scope-marker"];
    run(user.command(&env), &set, VALUE.as_bytes()).ends_with(0);
    assert_eq!(user.run(&env, &["get", "NAME_MARKER"]).ends_with(0).out(), VALUE);
    let listed = user.run(&env, &["list", "--json"]).ends_with(0).json();
    assert_eq!(
        (&listed["store"]["backend"], &listed["store"]["layout"]),
        (&"file".into(), &"sealed".into())
    );
    let found = files(&user.sandbox.home());
    assert!(found.iter().any(|path| path.extension().is_some_and(|it| it == "sealed")));
    for path in found {
        let bytes = fs::read(&path).unwrap();
        for marker in [VALUE, "NAME_MARKER", "provider-marker", "scope-marker", PASSPHRASE] {
            let holds = bytes.windows(marker.len()).any(|part| part == marker.as_bytes());
            assert!(!holds, "{marker} stands in {}", path.display());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_passphrase_comes_from_a_descriptor_and_a_wrong_one_opens_nothing() {
    let user = User::new();
    let shell = |script: &str| {
        let mut shell = user.sandbox.command("sh");
        shell.args(["-c", script, PROGRAM]).env("STRONGROOM_BACKEND", "file");
        shell
    };
    let set = format!("printf {VALUE} | \"$0\" set KEY --passphrase-fd 3 3<<.\n{PASSPHRASE}\n.\n");
    run(shell(&set), &[], b"").ends_with(0);
    let get = "\"$0\" get KEY --passphrase-fd 0";
    assert_eq!(run(shell(get), &[], PASSPHRASE.as_bytes()).ends_with(0).out(), VALUE);
    let wrong = run(shell(get), &[], b"wrong").ends_with(8);
    assert!(!wrong.said().contains(VALUE));
    run(shell(get), &[], b"").ends_with(2).says("no passphrase came from");
    run(shell("\"$0\" get KEY --passphrase-fd 77"), &[], b"").ends_with(1).says("descriptor 77");
}

#[cfg(target_os = "linux")]
#[test]
fn a_key_at_hand_decides_for_the_encrypted_file_where_there_is_no_keyring() {
    let user = User::new();
    let passphrase = user.place("passphrase");
    private_file(&passphrase, PASSPHRASE);
    let command = || {
        let mut command = user.sandbox.command(PROGRAM);
        command.env("STRONGROOM_PASSPHRASE_FILE", &passphrase);
        command
    };
    run(command(), &["set", "KEY"], VALUE.as_bytes()).ends_with(0);
    let listed = run(command(), &["list", "--json"], b"").ends_with(0).json();
    assert_eq!(
        (&listed["store"]["backend"], &listed["store"]["layout"]),
        (&"file".into(), &"sealed".into())
    );
}

#[test]
fn without_a_key_it_says_how_to_name_one_and_makes_nothing() {
    let user = User::new();
    for arguments in [&["set", "KEY"][..], &["entry", "set", "app", "KEY"]] {
        let refused = run(user.command(&[]), arguments, VALUE.as_bytes()).ends_with(8);
        refused.says("STRONGROOM_PASSPHRASE_FILE").says("STRONGROOM_KEY_FILE");
    }
    assert_eq!(user.run(&[], &["list"]).ends_with(0).out(), "");
    let sealed = files(user.sandbox.path());
    assert!(!sealed.iter().any(|path| path.extension().is_some_and(|it| it == "sealed")));
    let user = User::with_key();
    user.run(&[], &["list", "--no-prompt"]).ends_with(8).says("STRONGROOM_PASSPHRASE_FILE");
    user.run(&[], &["doctor"]).ends_with(8).says("STRONGROOM_PASSPHRASE_FILE");
    user.run(&[], &["backends"]).ends_with(0).says("needs a key");
    user.keyed("main.key", &["doctor"], b"").ends_with(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_credential_of_systemd_is_a_key() {
    use std::os::unix::fs::symlink;

    let user = User::with_key();
    let directory = user.sandbox.path().join("credentials");
    fs::create_dir(&directory).unwrap();
    symlink(user.place("main.key"), directory.join("another")).unwrap();
    let env = [("CREDENTIALS_DIRECTORY", directory.to_str().unwrap())];
    user.run(&env, &["list"]).ends_with(8);
    let credential = directory.join("strongroom-key");
    fs::copy(user.place("main.key"), &credential).unwrap();
    // Who may read it is systemd's affair.
    fs::set_permissions(&credential, fs::Permissions::from_mode(0o440)).unwrap();
    run(user.command(&env), &["set", "KEY"], VALUE.as_bytes()).ends_with(0);
    assert_eq!(user.keyed("main.key", &["get", "KEY"], b"").ends_with(0).out(), VALUE);
}

#[test]
fn single_entries_lie_in_the_file_of_their_service() {
    let user = User::with_key();
    let key = |arguments: &[&str], input: &[u8]| user.keyed("main.key", arguments, input);
    key(&["entry", "set", "app", "u"], b"\x00\xff").ends_with(0);
    assert_eq!(key(&["entry", "get", "app", "u"], b"").ends_with(0).stdout, b"\x00\xff");
    assert_eq!(key(&["entry", "list", "app"], b"").ends_with(0).out(), "u\n");
    user.run(&[], &["entry", "get", "app", "u"]).ends_with(8);
    key(&["entry", "delete", "app", "u"], b"").ends_with(0);
    key(&["entry", "exists", "app", "u"], b"").ends_with(3);
}

#[test]
fn setup_says_where_it_is_and_what_opens_it() {
    let user = User::with_key();
    let stored = user.keyed("main.key", &["setup", "KEY"], VALUE.as_bytes()).ends_with(0);
    for text in ["sealed files in", "the passphrase or a key", "until you delete it"] {
        assert!(stored.out().contains(text), "{}", stored.out());
    }
    let stored = user.keyed("main.key", &["setup", "KEY", "--json"], VALUE.as_bytes());
    assert_eq!(stored.json()["store"]["layout"], "sealed");
}

#[test]
fn keys_are_added_listed_and_removed_but_for_the_last() {
    let user = User::with_key();
    user.keyed("main.key", &["set", "KEY"], VALUE.as_bytes()).ends_with(0);
    let spare = user.place("spare.key");
    let add = ["key", "add", "--new", "--label", "spare", "--key-file", &spare];
    user.run(&[], &add).ends_with(8);
    assert!(!Path::new(&spare).exists(), "a key that opens nothing");
    user.keyed("main.key", &add, b"").ends_with(0);
    user.keyed("main.key", &add, b"").ends_with(1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = fs::metadata(&spare).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(user.keyed("spare.key", &["get", "KEY"], b"").ends_with(0).out(), VALUE);

    let id = user.slot("spare");
    user.keyed("main.key", &["key", "remove", &id], b"").ends_with(0);
    user.keyed("spare.key", &["get", "KEY"], b"").ends_with(8);
    user.keyed("main.key", &["key", "remove", &id], b"").ends_with(3).says(&id);
    let last = user.slot("main");
    user.keyed("main.key", &["key", "remove", &last], b"").ends_with(2).says("only key");
    assert_eq!(user.keyed("main.key", &["get", "KEY"], b"").ends_with(0).out(), VALUE);
}

#[test]
fn the_last_key_that_opens_a_file_is_not_removed_by_mistake() {
    let user = User::with_key();
    user.keyed("main.key", &["set", "KEY"], VALUE.as_bytes()).ends_with(0);
    let (spare, recovery) = (user.place("spare.key"), user.place("recovery.txt"));
    private_file(&recovery, PASSPHRASE);
    let add = ["key", "add", "--new", "--label", "spare", "--key-file", &spare];
    user.keyed("main.key", &add, b"").ends_with(0);
    let add = ["key", "add", "--label", "recovery", "--passphrase-file", &recovery];
    user.keyed("main.key", &add, b"").ends_with(0);

    let own = user.slot("main");
    let remove = ["key", "remove", &own];
    let refused = user.keyed("main.key", &remove, b"").ends_with(8);
    refused
        .says("no other key at hand opens it")
        .says(&format!("key remove {own} --key-file PATH"));
    let wrong = user.place("wrong.key");
    fs::copy(user.place("main.key"), &wrong).unwrap();
    let with_wrong = [&remove[..], &["--key-file", &wrong]].concat();
    user.keyed("main.key", &with_wrong, b"").ends_with(8).says("no other key at hand");
    assert_eq!(user.keyed("main.key", &["get", "KEY"], b"").ends_with(0).out(), VALUE);

    // What was named opens the file without the removed one.
    let with_other = [&remove[..], &["--passphrase-file", &recovery]].concat();
    user.keyed("main.key", &with_other, b"").ends_with(0);
    user.keyed("main.key", &["get", "KEY"], b"").ends_with(8);
    assert_eq!(user.keyed("spare.key", &["get", "KEY"], b"").ends_with(0).out(), VALUE);

    let id = user.slot_by("spare.key", "spare");
    user.keyed("spare.key", &["key", "remove", &id, "--force"], b"").ends_with(0);
    let env = [("STRONGROOM_PASSPHRASE_FILE", recovery.as_str())];
    assert_eq!(user.run(&env, &["get", "KEY"]).ends_with(0).out(), VALUE);
    let last = user.slot_by("spare.key", "recovery");
    user.run(&env, &["key", "remove", &last, "--force"]).ends_with(2).says("only key");
}

#[test]
fn what_opens_a_file_is_listed_without_a_key_and_a_wrong_key_is_told_so() {
    let user = User::with_key();
    user.keyed("main.key", &["set", "KEY"], VALUE.as_bytes()).ends_with(0);
    let listed = user.keyed("main.key", &["key", "list"], b"").ends_with(0).out();
    let wrong = user.place("wrong.key");
    private_file(&wrong, format!("strongroom-key-1:{}\n", "0".repeat(64)));
    let file = user.sandbox.data_dir().join("file").join("strongroom.sealed");
    for arguments in
        [&["get", "KEY"][..], &["list"], &["set", "KEY"], &["delete", "KEY"], &["key", "rotate"]]
    {
        let refused = user.keyed("wrong.key", arguments, VALUE.as_bytes()).ends_with(8);
        let refused = refused.says("cannot open the vault (file)").says(file.to_str().unwrap());
        let refused = refused
            .says("none of the keys at hand opens it")
            .says(" key list` shows what opens it");
        assert!(!refused.said().contains("\"vault\""), "{}", refused.said());
    }
    // The command of the hint works in the state that gives it, and with no key at all.
    assert_eq!(user.keyed("wrong.key", &["key", "list"], b"").ends_with(0).out(), listed);
    assert_eq!(user.run(&[], &["key", "list", "--no-prompt"]).ends_with(0).out(), listed);
    let json = user.run(&[], &["key", "list", "--json"]).ends_with(0).json();
    assert_eq!(
        (&json["keys"][0]["label"], &json["keys"][0]["changed"]),
        (&"main".into(), &false.into())
    );
    User::new().run(&[], &["key", "list"]).ends_with(3).says("no encrypted file yet");
}

#[test]
fn a_rotation_wants_every_key_and_leaves_every_one_good() {
    let user = User::with_key();
    user.keyed("main.key", &["set", "KEY"], VALUE.as_bytes()).ends_with(0);
    let spare = user.place("spare.key");
    let add = ["key", "add", "--new", "--label", "spare", "--key-file", &spare];
    user.keyed("main.key", &add, b"").ends_with(0);
    let id = user.slot("spare");
    user.keyed("main.key", &["key", "rotate"], b"").ends_with(8).says(&id);
    let rotate = ["key", "rotate", "--key-file", &spare, "--json"];
    assert_eq!(user.keyed("main.key", &rotate, b"").ends_with(0).json()["sealed_count"], 1);
    for key in ["main.key", "spare.key"] {
        assert_eq!(user.keyed(key, &["get", "KEY"], b"").ends_with(0).out(), VALUE);
    }
}

/// Changes a byte of a value that fills pages of its own: nothing else has no zeros.
fn damage_long_value(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let is_sealed = |page: &&mut [u8]| page.iter().filter(|byte| **byte == 0).count() < 64;
    bytes.chunks_mut(4096).find(is_sealed).unwrap()[2_000] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_a_damaged_file_still_has_is_salvaged() {
    let user = User::with_key();
    let key = |arguments: &[&str], input: &[u8]| user.keyed("main.key", arguments, input);
    for name in ["A", "B"] {
        key(&["set", name], VALUE.as_bytes()).ends_with(0);
    }
    key(&["repair", "--salvage"], b"").ends_with(2).says("nothing to salvage");
    key(&["set", "LONG"], &[b'x'; 20_000]).ends_with(0);
    let file = user.sandbox.data_dir().join("file").join("strongroom.sealed");
    damage_long_value(&file);
    assert_eq!(key(&["get", "LONG"], b"").exit, 8);
    let examined = key(&["repair"], b"").ends_with(8);
    let said = examined.out();
    assert!(said.contains("1 of 3 records are damaged") && said.contains("--salvage"), "{said}");
    assert_eq!(key(&["repair", "--json"], b"").json()["items"][0]["readable_count"], 2);

    let salvaged = key(&["repair", "--salvage"], b"").ends_with(0);
    assert!(salvaged.out().contains("Saved 2 secrets"), "{}", salvaged.out());
    for name in ["A", "B"] {
        assert_eq!(key(&["get", name], b"").ends_with(0).out(), VALUE);
    }
    key(&["exists", "LONG"], b"").ends_with(3);
    key(&["repair"], b"").ends_with(0);
    let aside = files(file.parent().unwrap());
    let is_aside = |path: &&PathBuf| path.to_str().unwrap().contains(".sealed.20");
    assert!(aside.iter().any(|path| is_aside(&path)), "{aside:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn backends_and_doctor_go_by_where_the_secrets_are() {
    let user = User::with_key();
    user.keyed("main.key", &["set", "A"], VALUE.as_bytes()).ends_with(0);
    let alone = |arguments: &[&str]| run(user.sandbox.command(PROGRAM), arguments, b"");
    let backends = alone(&["backends", "--json"]).ends_with(0).json();
    assert_eq!(
        (&backends["chosen"], &backends["chosen_because"]),
        (&"file".into(), &"where the secrets of this service are".into())
    );
    // The key is not at hand, which is what is wrong; that there is no keyring is not.
    alone(&["doctor"]).ends_with(8);
    alone(&["doctor", "--backend", "keyutils"]).says("the kernel keyring");
}

/// Needs root, to become somebody whom permissions bind.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_be_looked_at_is_no_empty_vault() {
    if !root_or_skip() {
        return;
    }
    let open_to_all = fs::Permissions::from_mode(0o755);
    let home = tempfile::Builder::new().permissions(open_to_all).tempdir().unwrap();
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let (program, passphrase) =
        (support::copy_of_program(home.path()), home.path().join("passphrase"));
    private_file(&passphrase, PASSPHRASE);
    chown(&passphrase, Some(NOBODY), Some(NOBODY)).unwrap();
    let user = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.env_clear().env("HOME", home.path()).uid(NOBODY).gid(NOBODY);
        command.env("STRONGROOM_PASSPHRASE_FILE", &passphrase);
        run(command, arguments, VALUE.as_bytes())
    };
    user(&["--backend", "file", "set", "A"]).ends_with(0);
    let directory = home.path().join(".local/share/strongroom/file");
    let hide = |mode| fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
    hide(0o000);
    fs::remove_dir_all(home.path().join(".local/state")).unwrap();
    for arguments in [
        &["get", "A"][..],
        &["list"],
        &["exists", "A"],
        &["set", "B"],
        &["delete", "A"],
        &["run", "--", "true"],
        &["repair"],
        &["key", "list"],
        &["backup", "all.age", "--passphrase-file", passphrase.to_str().unwrap()],
    ] {
        for backend in [&[][..], &["--backend", "file"]] {
            user(&[backend, arguments].concat()).ends_with(4).says(".local/share/strongroom/file");
        }
    }
    hide(0o700);
    assert_eq!(user(&["get", "A"]).ends_with(0).out(), VALUE);
}

/// A user without a name.
#[cfg(target_os = "linux")]
const NOBODY: u32 = 64_997;

#[test]
fn a_file_whose_key_is_lost_can_be_purged() {
    let user = User::with_key();
    user.keyed("main.key", &["set", "A"], VALUE.as_bytes()).ends_with(0);
    fs::remove_file(user.place("main.key")).unwrap();
    user.run(&[], &["get", "A"]).ends_with(8);
    let purged = user.run(&[], &["purge", "--yes", "--json"]).ends_with(0).json();
    assert_eq!(
        (&purged["deleted_count"], &purged["entries"]),
        (&1.into(), &serde_json::Value::Null)
    );
    user.run(&[], &["purge", "--yes", "-v"]).ends_with(0).says("has no entries");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_home_and_a_full_disk_are_read() {
    let script = r#"
        mount -t tmpfs -o size=3m,mode=0700 tmpfs "$HOME" || exit 77
        set -e
        export STRONGROOM_BACKEND=file STRONGROOM_KEY_FILE="$HOME/key"
        "$0" key add --new --key-file "$HOME/key"
        printf marker-of-a-value | "$0" set KEY
        reads() {
            test "$("$0" get KEY)" = marker-of-a-value
            "$0" list | grep -q KEY
            "$0" exists KEY
            "$0" key list | grep -q key-file
            "$0" run -- sh -c 'test "$KEY" = marker-of-a-value'
            "$0" backup "$1.age" --recipient age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa
        }
        dd if=/dev/zero of="$HOME/filler" bs=4k 2>/dev/null || true
        reads "$1-full"
        ! printf x | "$0" set OTHER
        rm "$HOME/filler"
        mount -o remount,ro "$HOME"
        reads "$1-read-only"
        ! printf x | "$0" set OTHER
        mount -o remount,rw "$HOME"
        printf x | "$0" set OTHER
    "#;
    let sandbox = Sandbox::new();
    let mut shell = sandbox.command("unshare");
    let elsewhere = sandbox.path().join("backup").display().to_string();
    fs::create_dir_all(sandbox.home()).unwrap();
    shell.args(["--mount", "sh", "-c", script, PROGRAM, &elsewhere]);
    let ran = run(shell, &[], b"");
    if ran.exit == 77 || ran.said().contains("unshare failed") {
        return skip("nothing can be mounted here");
    }
    let home = sandbox.data_dir().join("file").display().to_string();
    let ran = ran.ends_with(0).says(&format!("the disk is full: nothing can be written in {home}"));
    ran.says(&format!("the directory {home} can't be written"));
}

#[cfg(target_os = "linux")]
#[test]
fn another_key_opens_a_keyrings_vault_whose_entry_is_gone() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    on(&bus, &["set", "KEY"], VALUE.as_bytes()).ends_with(0);
    on(&bus, &["key", "list"], b"").ends_with(1).says("no key slots");
    on(&bus, &["set", "LARGE"], &[b'x'; 70_000]).ends_with(0);
    assert_eq!(on(&bus, &["list", "--json"], b"").json()["store"]["layout"], "sealed");
    let elsewhere = Sandbox::new();
    let spare = elsewhere.path().join("spare.key");
    let spare = spare.to_str().unwrap();
    on(&bus, &["key", "add", "--new", "--key-file", spare], b"").ends_with(0);
    on(&bus, &["key", "rotate", "--key-file", spare], b"").ends_with(0);
    assert_eq!(on(&bus, &["get", "KEY"], b"").ends_with(0).out(), VALUE);

    let listed = on(&bus, &["key", "list"], b"").ends_with(0).out();
    let entry = listed.lines().find(|line| line.contains("\tkey\t")).unwrap();
    let of_entry = ["key", "remove", &entry[..8], "--key-file", spare];
    on(&bus, &of_entry, b"").ends_with(2).says("the key in the vault's entry");
    assert!(secret_tool::clear(&bus, "strongroom", "vault"));
    on(&bus, &["get", "KEY"], b"").ends_with(8).says("entry is gone");
    assert_eq!(on(&bus, &["key", "list"], b"").ends_with(0).out(), listed);
    let with = |key: &str, arguments: &[&str]| {
        let mut command = bus.command(PROGRAM);
        command.env("STRONGROOM_KEY_FILE", key);
        run(command, arguments, b"")
    };
    assert_eq!(with(spare, &["get", "KEY"]).ends_with(0).out(), VALUE);
    with("/nowhere", &["get", "KEY"]).ends_with(8).says("entry is gone");

    // The way back to a vault with an entry.
    let place = |name: &str| elsewhere.path().join(name).display().to_string();
    let (backup, passphrase) = (place("all.age"), place("passphrase"));
    private_file(&passphrase, PASSPHRASE);
    let from = ["--passphrase-file", passphrase.as_str()];
    with(spare, &[&["backup", &backup][..], &from].concat()).ends_with(0);
    on(&bus, &["repair", "--reset"], b"").ends_with(0).says("Put aside");
    on(&bus, &["exists", "KEY"], b"").ends_with(3);
    on(&bus, &[&["restore", &backup][..], &from].concat(), b"").ends_with(0);
    assert_eq!(on(&bus, &["get", "KEY"], b"").ends_with(0).out(), VALUE);
}
