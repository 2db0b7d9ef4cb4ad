//! What other users may have planted: in the state directory, in HOME, in place of keys. Each ends in an error that names it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_testkit::{Sandbox, root_or_skip};
use support::{KEYUTILS, KeyutilsService, PROGRAM, Ran, copy_of_program, private_file, run};

const PRECIOUS: &str = "a file of the user's";

/// Another user of the machine, and the user who is attacked; root can become both.
const ATTACKER: u32 = 64_996;
const OWNER: u32 = 64_997;

/// Reads the whole tree below a directory: paths, owners, modes and contents.
fn tree(dir: &Path) -> Vec<(PathBuf, u32, u32, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt as _;
    let mut all = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            left.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        }
        let content = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        all.push((path, metadata.uid(), metadata.mode(), content));
    }
    all.sort();
    all
}

fn make_fifo(path: &Path) {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, 0o600.into()).unwrap();
}

#[test]
fn a_link_in_place_of_a_state_file_is_refused_and_its_target_stays() {
    for ending in ["lock", "generation", "binding"] {
        let service = KeyutilsService::new();
        service.vault(&["set", "A"], b"value").ends_with(0);
        let precious = service.sandbox.path().join("precious");
        fs::write(&precious, PRECIOUS).unwrap();
        let state = service.sandbox.state_dir().join(format!("vault-{}.{ending}", service.name));
        fs::remove_file(&state).unwrap();
        symlink(&precious, &state).unwrap();
        let set = service.vault(&["set", "B"], b"value");
        // A generation that can't be written is not one that can't be locked.
        set.ends_with(if ending == "generation" { 1 } else { 4 });
        assert_eq!(fs::read_to_string(&precious).unwrap(), PRECIOUS, "{ending}");
        fs::remove_file(&state).unwrap();
        service.vault(&["set", "B"], b"value").ends_with(0);
    }
}

#[test]
fn no_command_waits_for_a_pipe_in_place_of_a_file() {
    for ending in ["lock", "generation", "binding"] {
        let service = KeyutilsService::new();
        service.vault(&["set", "A"], b"value").ends_with(0);
        let state = service.sandbox.state_dir().join(format!("vault-{}.{ending}", service.name));
        fs::remove_file(&state).unwrap();
        make_fifo(&state);
        for arguments in [&["list"][..], &["get", "A"], &["set", "B"], &["doctor"]] {
            let ran = service.vault(arguments, b"value");
            assert!(ran.took.as_secs() < 10, "{ending}, {arguments:?}");
        }
    }
    let sandbox = Sandbox::new();
    let pipe = sandbox.path().join("pipe");
    make_fifo(&pipe);
    let pipe = pipe.to_str().unwrap();
    for variable in ["STRONGROOM_PASSPHRASE_FILE", "STRONGROOM_KEY_FILE"] {
        let mut command = sandbox.command(PROGRAM);
        command.env(variable, pipe);
        let ran = run(command, &["--backend", "file", "set", "A"], b"value");
        ran.ends_with(2).says("is a pipe");
    }
    let from = |arguments: &[&str]| {
        let all = [&KEYUTILS[..], &["--service", "no-such-service"], arguments].concat();
        run(sandbox.command(PROGRAM), &all, b"value")
    };
    from(&["set", "A", "--from-file", pipe]).ends_with(1).says("is a pipe");
    from(&["restore", pipe]).ends_with(1).says("is a pipe");
    from(&["config", "status", "--format", "env", pipe]).ends_with(2).says("is a pipe");
}

#[test]
fn a_state_directory_that_others_can_write_is_refused() {
    let service = KeyutilsService::new();
    service.vault(&["set", "A"], b"value").ends_with(0);
    let state = service.sandbox.state_dir();
    let set_mode = |mode| fs::set_permissions(&state, Permissions::from_mode(mode)).unwrap();
    set_mode(0o777);
    let refused = service.vault(&["get", "A"], b"").ends_with(4).says("its mode is 0777");
    let command = format!("chmod 700 {}", state.display());
    refused.says(&command);
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    service.vault(&["get", "A"], b"").ends_with(0);
}

/// A home of one user, in which the program runs as another.
struct Home {
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl Home {
    fn of(user: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let program = copy_of_program(dir.path());
        let home = dir.path().join("home");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(user), Some(user)).unwrap();
        fs::set_permissions(&home, Permissions::from_mode(0o755)).unwrap();
        Self { dir, program }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn run_as(&self, user: u32, arguments: &[&str]) -> Ran {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HOME", self.path()).uid(user).gid(user).current_dir("/");
        run(command, arguments, b"value")
    }
}

#[test]
fn a_home_of_another_user_is_refused_and_stays_as_it_is() {
    if !root_or_skip() {
        return;
    }
    let home = Home::of(ATTACKER);
    let before = tree(&home.path());
    for user in [0, OWNER] {
        for arguments in [
            &["--backend", "keyutils", "set", "A"][..],
            &["--backend", "keyutils", "get", "A"],
            &["--backend", "file", "list"],
            &["set", "A"],
            &["entry", "list", "service"],
        ] {
            let ran = home.run_as(user, arguments);
            if arguments[0] != "entry" {
                let ran = ran.ends_with(4).says("is another user's");
                ran.says(&format!("uid {ATTACKER}")).says("HOME");
            }
        }
        assert_eq!(tree(&home.path()), before, "as {user}");
    }
    // The owner, and root's own directory as anybody's home, work.
    home.run_as(ATTACKER, &["--backend", "keyutils", "set", "A"]).ends_with(0);
}

#[test]
fn what_another_user_made_below_home_is_refused() {
    if !root_or_skip() {
        return;
    }
    for part in [".local", ".local/state", ".local/state/strongroom"] {
        let home = Home::of(OWNER);
        let planted = home.path().join(part);
        fs::create_dir_all(&planted).unwrap();
        for directory in planted.ancestors().take_while(|it| it.starts_with(home.path())) {
            chown(directory, Some(OWNER), Some(OWNER)).unwrap();
        }
        chown(&planted, Some(ATTACKER), Some(ATTACKER)).unwrap();
        fs::set_permissions(&planted, Permissions::from_mode(0o777)).unwrap();
        let refused = home.run_as(OWNER, &["--backend", "keyutils", "get", "A"]);
        refused.ends_with(4).says(&format!("belongs to uid {ATTACKER}")).says(part);
    }
}

#[test]
fn a_lock_that_root_made_is_named_with_the_command_that_mends_it() {
    if !root_or_skip() {
        return;
    }
    let home = Home::of(OWNER);
    home.run_as(OWNER, &["--backend", "keyutils", "set", "A"]).ends_with(0);
    let lock = home.path().join(".local/state/strongroom/vault-strongroom.lock");
    chown(&lock, Some(0), Some(0)).unwrap();
    let refused = home.run_as(OWNER, &["--backend", "keyutils", "set", "B"]);
    let command = format!("chown {OWNER} {}", lock.display());
    refused.ends_with(4).says("belongs to root (uid 0)").says(&format!("sudo {command}"));
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    home.run_as(OWNER, &["--backend", "keyutils", "set", "B"]).ends_with(0);
}

#[test]
fn an_export_by_force_replaces_no_file_through_another_users_link() {
    if !root_or_skip() {
        return;
    }
    let service = KeyutilsService::new();
    service.vault(&["set", "A"], b"value").ends_with(0);
    let (precious, place) =
        (service.sandbox.path().join("precious"), service.sandbox.path().join("export.json"));
    fs::write(&precious, PRECIOUS).unwrap();
    symlink(&precious, &place).unwrap();
    lchown(&place, Some(ATTACKER), None).unwrap();
    let export = ["config", "export", place.to_str().unwrap(), "--plaintext", "--force"];
    service.vault(&export, b"").ends_with(2).says("symbolic link");
    assert_eq!(fs::read_to_string(&precious).unwrap(), PRECIOUS);
}

#[test]
fn a_passphrase_that_others_can_read_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("passphrase");
    private_file(&file, "correct horse battery\n");
    let set = || {
        let mut command = sandbox.command(PROGRAM);
        command.env("STRONGROOM_PASSPHRASE_FILE", &file);
        run(command, &["--backend", "file", "set", "A"], b"value")
    };
    for mode in [0o644, 0o640, 0o604, 0o602] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        set().ends_with(4).says(&format!("chmod 600 {}", file.display()));
    }
    fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
    set().ends_with(0);
}

#[test]
fn a_program_that_is_started_inherits_nothing_that_opens_the_vault() {
    let sandbox = Sandbox::new();
    let passphrase = sandbox.path().join("passphrase");
    private_file(&passphrase, "correct horse battery\n");
    let shell = |script: &str| {
        let mut command = sandbox.command("sh");
        command.env("P", PROGRAM).env("PASS", &passphrase);
        run(command, &["-c", script], b"")
    };
    shell("printf value-of-a | $P --backend file --passphrase-fd 3 set A 3<$PASS").ends_with(0);
    for (name, script) in [
        (
            "a descriptor",
            "$P --backend file --passphrase-fd 3 run -- sh -c 'cat /proc/self/fd/3; cat <&3; :' 3<$PASS",
        ),
        (
            "a large descriptor",
            "exec 9<$PASS; $P --backend file --passphrase-fd 9 run -- sh -c 'cat /proc/self/fd/9; :'",
        ),
        (
            "standard input",
            "$P --backend file --passphrase-fd 0 run -- sh -c 'cat /proc/self/fd/0; cat; :' <$PASS",
        ),
        (
            "a variable",
            "export STRONGROOM_PASSPHRASE_FILE=$PASS; $P --backend file run -- sh -c 'cat \"$STRONGROOM_PASSPHRASE_FILE\"; :'",
        ),
        (
            "a descriptor in a variable",
            "export STRONGROOM_PASSPHRASE_FILE=/dev/fd/4; $P --backend file run -- sh -c 'cat /proc/self/fd/4; :' 4<$PASS",
        ),
        (
            "standard input in a variable",
            "export STRONGROOM_PASSPHRASE_FILE=/dev/stdin; $P --backend file run -- sh -c 'cat /proc/self/fd/0; :' <$PASS",
        ),
    ] {
        let ran = shell(&script.replace("sh -c '", "sh -c 'echo \"A is $A\"; "));
        let ran = ran.ends_with(0).says("A is value-of-a");
        assert!(!ran.said().contains("correct horse"), "{name}: {}", ran.said());
    }
    // What opens no vault is passed on.
    let other = sandbox.path().join("other");
    fs::write(&other, "from another descriptor").unwrap();
    let script = format!(
        "$P --backend file --passphrase-fd 3 run -- sh -c 'cat <&5' 3<$PASS 5<{0}",
        other.display()
    );
    shell(&script).ends_with(0).says("from another descriptor");
}

#[test]
fn a_services_credentials_are_withheld_where_the_vaults_key_is_among_them() {
    let sandbox = Sandbox::new();
    let credentials = sandbox.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    let program = |key: bool, arguments: &[&str]| {
        let mut command = sandbox.command(PROGRAM);
        command.env("CREDENTIALS_DIRECTORY", &credentials);
        let backend = if key { "file" } else { "memory" };
        run(command, &[&["--backend", backend][..], arguments].concat(), b"value")
    };
    let seen = "echo \"credentials in: $CREDENTIALS_DIRECTORY.\"";
    program(false, &["run", "--", "sh", "-c", seen]).ends_with(0).says("credentials in: /");
    let key = credentials.join("strongroom-key");
    private_file(&key, format!("strongroom-key-1:{}\n", "0a".repeat(32)));
    program(true, &["set", "A"]).ends_with(0);
    program(true, &["run", "--", "sh", "-c", seen]).ends_with(0).says("credentials in: .");
}
