//! `config`: secrets out of configuration files into the store, and back.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use serde_json::{Value, json};
use strongroom_testkit::{Sandbox, provider_or_skip};
use support::terminal::Terminal;
use support::{KeyutilsService, PROGRAM, Ran, alone, gnome_keyring, on, run};

const MARKER: &str = "marker-of-a-secret";

const CONFIG: &str = r#"{
  // The provider's key.
  "openai": { "apiKey": "marker-of-a-secret" }, // keep
  "smtp": { "pass": "another-marker-of-a-secret", "port": 25 },
}
"#;

/// What `openai.apiKey` is called.
const NAME: &str = "OPENAI_API_KEY";

const RULE: [&str; 2] = ["--rule", "smtp.pass=SMTP_PASSWORD"];

const FORMATS: [&str; 4] = ["json", "toml", "yaml", "env"];

/// A user with files, whose secrets lie in an encrypted file that a key file opens.
struct User {
    sandbox: Sandbox,
}

impl User {
    fn new() -> Self {
        let user = Self { sandbox: Sandbox::new() };
        let add = ["key", "add", "--new", "--key-file", &user.place("key")];
        alone(&user.sandbox, &[&["--backend", "file"][..], &add].concat(), b"").ends_with(0);
        user
    }

    fn place(&self, name: &str) -> String {
        self.sandbox.path().join(name).display().to_string()
    }

    /// Writes a file that only its owner can read.
    fn file(&self, name: &str, text: &str) -> String {
        write_private(&self.place(name), text);
        self.place(name)
    }

    fn point(&self, mut command: Command) -> Command {
        let environment =
            [("STRONGROOM_BACKEND", "file"), ("STRONGROOM_KEY_FILE", &self.place("key"))];
        command.envs(environment);
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        self.give(arguments, b"")
    }

    /// The program, which finds what lies in `bin` first.
    fn command(&self) -> Command {
        let mut command = self.point(self.sandbox.command(PROGRAM));
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.place("bin")));
        command
    }

    #[track_caller]
    fn give(&self, arguments: &[&str], input: &[u8]) -> Ran {
        run(self.command(), arguments, input)
    }

    #[track_caller]
    fn exposures(&self, verb: &str, file: &str, more: &[&str]) -> Value {
        let ran = self.config(verb, file, &[more, &["--json"]].concat()).ends_with(0);
        assert_eq!(ran.stderr, "", "the result says it");
        ran.json()["exposures"].clone()
    }

    #[track_caller]
    fn config(&self, verb: &str, file: &str, more: &[&str]) -> Ran {
        self.run(&[&["config", verb, file], more].concat())
    }

    fn terminal(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(self.point(self.sandbox.command("setsid")), arguments)
    }

    #[track_caller]
    fn get(&self, name: &str) -> String {
        self.run(&["get", name]).ends_with(0).out()
    }
}

fn write_private(path: &str, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap()
}

/// Name and place of each secret, as a pipe gets them.
fn places(status: &Ran) -> Vec<(String, String)> {
    let place = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        (fields[0].to_owned(), fields[2].to_owned())
    };
    status.out().lines().map(place).collect()
}

fn pair(name: &str, place: &str) -> (String, String) {
    (name.to_owned(), place.to_owned())
}

#[test]
fn status_says_where_each_secret_is() {
    let user = User::new();
    let env = format!(
        "A_TOKEN={MARKER}\nB_TOKEN={MARKER}\nC_TOKEN={MARKER}\nD_TOKEN=strongroom:D_TOKEN\nE_TOKEN=strongroom:E_TOKEN\nPORT=80\n"
    );
    let file = user.file(".env", &env);
    for (name, value) in [("B_TOKEN", MARKER), ("C_TOKEN", "other"), ("D_TOKEN", "other")] {
        user.give(&["set", name], value.as_bytes()).ends_with(0);
    }
    let status = user.config("status", &file, &[]).ends_with(0);
    let expected = [
        pair("A_TOKEN", "file"),
        pair("B_TOKEN", "both"),
        pair("C_TOKEN", "differs"),
        pair("D_TOKEN", "store"),
        pair("E_TOKEN", "nowhere"),
    ];
    assert_eq!(places(&status), expected);
    assert_eq!(status.stderr, "", "nobody else can read it");
    let json = user.config("status", &file, &["--json"]).ends_with(0).json();
    assert_eq!(
        (&json["version"], &json["format"], &json["store"]["backend"]),
        (&json!(1), &json!("env"), &json!("file"))
    );
    let differs = &json["secrets"][2];
    assert_eq!((&differs["place"], &differs["line"]), (&json!("differs"), &json!(3)));
    assert!(
        differs["updated_at_in_file"].is_string() && differs["updated_at_in_store"].is_string()
    );
    assert!(!(status.said() + &json.to_string()).contains(MARKER));
    assert_eq!(read(&file), env);
}

#[test]
fn without_a_store_status_tells_what_the_file_has() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join(".env").display().to_string();
    write_private(&file, &format!("A_TOKEN={MARKER}\nB_TOKEN=strongroom:B_TOKEN\n"));
    let status = ["--backend", "secret-service", "config", "status", &file];
    let status = alone(&sandbox, &status, b"").ends_with(0).says("there is no store to ask");
    assert_eq!(places(&status), [pair("A_TOKEN", "file"), pair("B_TOKEN", "unknown")]);
}

#[test]
fn rules_name_secrets_beside_those_that_are_found_or_instead() {
    let user = User::new();
    let file = user.file("settings", CONFIG);
    let status = |more: &[&str]| {
        let status = user.config("status", &file, &[&["--format", "json"], more].concat());
        places(&status.ends_with(0))
    };
    let (found, named) = (pair(NAME, "file"), pair("SMTP_PASSWORD", "file"));
    assert_eq!(status(&[]), std::slice::from_ref(&found));
    assert_eq!(status(&RULE), [named.clone(), found]);
    assert_eq!(status(&[&RULE[..], &["--only-rules"]].concat()), [named]);
    user.config("status", &file, &[]).ends_with(2).says("--format");
    for more in
        [&["--only-rules"][..], &["--rule", "a"], &["--rule", "a..b=N"], &["--format", "ini"]]
    {
        user.config("status", &file, more).ends_with(2);
    }
}

#[test]
fn secure_moves_the_values_and_leaves_every_other_byte() {
    let user = User::new();
    let file = user.file("config.json", CONFIG);
    let marker = ["--marker", "credentialStorage=keychain"];
    let more = [&RULE[..], &marker].concat();

    user.config("secure", &file, &more).ends_with(2).says("--yes").says("--dry-run");
    let planned = user.config("secure", &file, &[&more[..], &["--dry-run"]].concat()).ends_with(0);
    for part in [
        "-3: openai.apiKey = …",
        "+3: openai.apiKey = \"strongroom:OPENAI_API_KEY\"",
        "+ credentialStorage",
    ] {
        assert!(planned.out().contains(part), "no {part} in: {}", planned.out());
    }
    assert!(!planned.said().contains(MARKER));
    assert_eq!(read(&file), CONFIG, "a dry run changes nothing");
    user.run(&["exists", NAME]).ends_with(3);

    let done = user.config("secure", &file, &[&more[..], &["--yes", "--json"]].concat());
    let done = done.ends_with(0).json();
    assert_eq!((&done["done"], &done["secrets"][0]["action"]), (&json!(true), &json!("store")));
    assert_eq!(done["marker"], json!({ "path": "credentialStorage", "value": "keychain" }));
    let moved = CONFIG
        .replace("another-marker-of-a-secret", "strongroom:SMTP_PASSWORD")
        .replace("marker-of-a-secret", "strongroom:OPENAI_API_KEY")
        .replace("25 },\n", "25 },\n  \"credentialStorage\": \"keychain\",\n");
    assert_eq!(read(&file), moved);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(
        (user.get(NAME), user.get("SMTP_PASSWORD")),
        (MARKER.to_owned(), format!("another-{MARKER}"))
    );

    user.config("secure", &file, &[&more[..], &["--yes"]].concat())
        .ends_with(0)
        .says("nothing to do");
    assert_eq!(read(&file), moved);
}

#[test]
fn what_a_secret_leaves_behind_can_be_chosen() {
    let user = User::new();
    for (leave, left) in [
        ("reference", "PORT=80\nA_TOKEN=strongroom:A_TOKEN\n"),
        ("empty", "PORT=80\nA_TOKEN=\n"),
        ("nothing", "PORT=80\n"),
    ] {
        let file = user.file(".env", &format!("PORT=80\nA_TOKEN={MARKER}\n"));
        user.config("secure", &file, &["--yes", "--leave", leave]).ends_with(0);
        assert_eq!(read(&file), left);
    }
}

#[test]
fn whoever_else_could_have_read_the_file_is_named_with_what_to_do() {
    let user = User::new();
    let file = user.file(".env", &format!("A_TOKEN={MARKER}\n"));
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    for (directory, warning, kind) in [
        (0o711, "others can read the file (mode 644)", "readable_by_others"),
        (0o700, "others could read the file (mode 644)", "maybe_readable_by_others"),
    ] {
        fs::set_permissions(user.sandbox.path(), Permissions::from_mode(directory)).unwrap();
        let warned = user.config("status", &file, &[]).ends_with(0).stderr;
        assert!(warned.contains(&format!("warning: {warning}")), "{warned}");
        assert!(warned.contains("eplace the secrets at their providers"), "{warned}");
        assert_eq!(user.exposures("status", &file, &[])[0]["code"], kind);
    }
}

#[test]
fn what_git_has_of_a_file_is_said_without_git() {
    if !provider_or_skip("git") {
        return;
    }
    let user = User::new();
    let file = user.file(".env", &format!("A_TOKEN={MARKER}\n"));
    let git = |arguments: &[&str]| {
        let mut git = user.sandbox.command("git");
        git.current_dir(user.sandbox.path());
        let author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        run(git, &[&author[..], arguments].concat(), b"").ends_with(0);
    };
    git(&["init", "-q", "."]);
    git(&["add", ".env"]);
    git(&["commit", "-q", "-m", "x"]);
    // A git that is found first would leave a trace.
    fs::create_dir(user.place("bin")).unwrap();
    let trace = user.file("bin/git", &format!("#!/bin/sh\n>'{}'\n", user.place("trace")));
    fs::set_permissions(trace, Permissions::from_mode(0o755)).unwrap();
    let arguments = ["--yes", "--dry-run"];
    assert_eq!(user.exposures("secure", &file, &arguments)[0]["code"], "tracked_by_git");
    git(&["rm", "-q", "--cached", ".env"]);
    git(&["commit", "-q", "-m", "forgotten"]);
    let history = &user.exposures("status", &file, &[])[0];
    assert_eq!(history["code"], "history_not_searched");
    let command = history["command"].as_str().unwrap();
    assert!(history["hint"].as_str().unwrap().contains(command), "{history}");
    assert!(!fs::exists(user.place("trace")).unwrap(), "no git was run");
    let mut shell = user.sandbox.command("sh");
    shell.current_dir("/");
    let found = run(shell, &["-c", command], b"").ends_with(0);
    assert_eq!(found.out().lines().count(), 2, "{command}: {}", found.out());
    // In the repository itself the command is short.
    let mut program = user.command();
    program.current_dir(user.sandbox.path());
    let said = run(program, &["config", "status", ".env"], b"").ends_with(0);
    said.says("`git log --all --oneline -- .env`");
}

#[test]
fn copies_and_comments_are_said_before_and_after_the_secrets_move() {
    let user = User::new();
    let file = user.file(".env", &format!("A_TOKEN={MARKER}\n# was {MARKER}\n"));
    let copy = user.file(".env~", &format!("A_TOKEN={MARKER}\n"));
    let warning = format!("warning: {copy} contains the same secrets");
    let lines = "comments or keys contain what looks like a secret, and stay: line 2";
    user.config("status", &file, &[]).ends_with(0).says(&warning).says(lines);
    let exposures = user.exposures("secure", &file, &["--yes", "--dry-run"]);
    assert_eq!((&exposures[0]["code"], &exposures[0]["file"]), (&json!("copied_to"), &json!(copy)));
    assert_eq!(
        (&exposures[1]["code"], &exposures[1]["lines"]),
        (&json!("in_comments"), &json!([2]))
    );
    let secured = user.config("secure", &file, &["--yes"]).ends_with(0);
    for said in [&warning[..], lines] {
        let times = secured.stderr.matches(said).count();
        assert_eq!(times, 2, "before and after: {}", secured.stderr);
    }
    let left = user.config("status", &file, &[]).ends_with(0);
    let left = left.says(&warning).says(lines);
    assert_eq!(user.exposures("status", &file, &[]), exposures);
    assert!(!secured.said().contains(MARKER) && !left.said().contains(MARKER));
}

#[test]
fn a_broken_file_is_refused_with_line_and_column_and_stays() {
    let user = User::new();
    for (name, text, place) in [
        ("a.json", "{\n  \"token\": \"marker-of-a-secret\" \"b\": 1\n}\n", "line 2, column 32"),
        ("a.toml", "token = marker-of-a-secret\n", "line 1, column 9"),
        (".env", "TOKEN=marker-of-a-secret\nTOKEN=b\n", "line 2, column 1"),
    ] {
        let file = user.file(name, text);
        for arguments in [&["status", &file][..], &["secure", &file, "--yes"], &["import", &file]] {
            let refused = user.run(&[&["config", "-vvv"], arguments].concat()).ends_with(2);
            assert!(!refused.said().contains(MARKER), "{}", refused.said());
            refused.says(place).says("Nothing was changed");
        }
        assert_eq!(read(&file), text);
        let error = user.config("status", &file, &["--json"]).ends_with(2).error();
        assert_eq!(error["code"], "invalid");
    }
    user.config("status", &user.place("none.json"), &[]).ends_with(3);
    assert_eq!(user.run(&["list"]).ends_with(0).out(), "");
}

#[test]
fn different_values_are_shown_with_their_ages_and_stay_until_somebody_chooses() {
    for (verb, side, value, left) in [
        ("secure", "store", "theirs", "strongroom:A_TOKEN"),
        ("secure", "file", MARKER, "strongroom:A_TOKEN"),
        ("import", "store", "theirs", MARKER),
        ("import", "file", MARKER, MARKER),
    ] {
        let user = User::new();
        let file = user.file(".env", &format!("A_TOKEN={MARKER}\n"));
        user.give(&["set", "A_TOKEN"], b"theirs").ends_with(0);
        let yes: &[&str] = if verb == "secure" { &["--yes"] } else { &[] };
        let refused = user.config(verb, &file, yes).ends_with(1);
        let refused = refused.says("AGE IN STORE").says("just now").says("conflict");
        assert!(!refused.said().contains(MARKER));
        refused.says("--prefer file").says("--prefer store");
        let refused = user.config(verb, &file, &[yes, &["--json"]].concat()).ends_with(1);
        assert_eq!(refused.error()["code"], "conflict");
        assert_eq!(
            (&refused.json()["done"], user.get("A_TOKEN")),
            (&json!(false), "theirs".to_owned())
        );
        assert_eq!(read(&file), format!("A_TOKEN={MARKER}\n"));

        user.config(verb, &file, &[yes, &["--prefer", side]].concat()).ends_with(0);
        assert_eq!(
            (user.get("A_TOKEN"), read(&file)),
            (value.to_owned(), format!("A_TOKEN={left}\n"))
        );
    }
}

#[test]
fn a_store_that_forgets_takes_no_files_secrets_unless_it_was_said() {
    let service = KeyutilsService::new();
    let file = service.sandbox.path().join(".env").display().to_string();
    let text = format!("A_TOKEN={MARKER}\n");
    write_private(&file, &text);
    let secure = ["config", "secure", &file, "--yes"];
    let refused = service.vault(&secure, b"").ends_with(1);
    refused.says("keyutils forgets").says("--backend file").says("--session-store");
    assert_eq!(read(&file), text);
    service.vault(&["exists", "A_TOKEN"], b"").ends_with(3);
    service.vault(&[&secure[..], &["--session-store"]].concat(), b"").ends_with(0);
    assert_eq!(service.vault(&["get", "A_TOKEN"], b"").ends_with(0).out(), MARKER);
}

#[test]
fn a_keyring_takes_a_files_secrets() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    let file = bus.sandbox().path().join("config.json").display().to_string();
    write_private(&file, CONFIG);
    on(&bus, &["config", "secure", &file, "--yes"], b"").ends_with(0);
    assert_eq!(on(&bus, &["get", NAME], b"").ends_with(0).out(), MARKER);
    assert_eq!(read(&file), CONFIG.replace("\"marker-of-a-secret", "\"strongroom:OPENAI_API_KEY"));
    let status = on(&bus, &["config", "status", &file], b"").ends_with(0);
    assert_eq!(places(&status), [pair(NAME, "store")]);
}

/// All that an export has of the secrets of a service, and their values.
fn vault(user: &User, service: &str) -> Vec<(Value, String)> {
    let listed = user.run(&["list", "--json", "--service", service]).ends_with(0).json();
    let secret = |known: &Value| {
        let name = known["name"].as_str().unwrap();
        let target = known["target"].as_str().map(|target| ["--target", target]);
        let get = ["get", name, "--service", service];
        let value = user.run(&[&get[..], target.as_ref().map_or(&[][..], |it| it)].concat());
        let kept =
            ["name", "target", "provider", "scope", "expires_at"].map(|it| known[it].clone());
        (json!(kept), value.ends_with(0).out())
    };
    listed["secrets"].as_array().unwrap().iter().map(secret).collect()
}

#[test]
fn what_is_exported_and_moved_or_copied_back_is_the_same_vault() {
    let user = User::new();
    user.give(
        &["set", "KEY", "--provider", "openai", "--scope", "read", "--expires", "90d"],
        MARKER.as_bytes(),
    )
    .ends_with(0);
    user.give(&["set", "ODD"], "two words, \"quotes\" #ü🔒".as_bytes()).ends_with(0);
    let (whole, mut plain) = (vault(&user, "strongroom"), vault(&user, "strongroom"));
    // A dotenv file holds names and values alone.
    plain[0].0 = json!(["KEY", null, null, null, null]);
    for format in FORMATS {
        let file = user.place(&format!("export.{format}"));
        user.config("export", &file, &["--plaintext"]).ends_with(0);
        let is_env = format == "env";
        let exported = read(&file);
        for (verb, more) in [("import", &[][..]), ("secure", &["--yes"])] {
            let service = format!("{verb}-{format}");
            let into = ["--service", service.as_str()];
            let add = ["key", "add", "--key-file", &user.place("key")];
            user.run(&[&add[..], &into].concat()).ends_with(0);
            user.config(verb, &file, &[more, &into].concat()).ends_with(0);
            assert_eq!(&vault(&user, &service), if is_env { &plain } else { &whole }, "{service}");
            assert_eq!(read(&file) == exported, verb == "import");
        }
        assert!(!read(&file).contains(MARKER), "{format}");
    }
}

#[test]
fn an_import_says_what_it_leaves_out() {
    let user = User::new();
    user.give(&["set", "A"], b"value").ends_with(0);
    let file = user.file("app.env", "A=strongroom:A\nAPI_KEY=sk-live-1234567890abcdef\n");
    let imported = user.config("import", &file, &[]).ends_with(0);
    imported.says("\"A\" is left out: the file holds a reference");
    let json = user.config("import", &file, &["--json"]).ends_with(0).json();
    assert_eq!(json["references"], json!([{ "name": "A", "target": null }]));
    assert_eq!(user.get("A"), "value");
}

#[test]
fn an_export_of_many_megabytes_is_read_back() {
    let user = User::new();
    let line = |number: u32| format!("KEY_{number}=value-{number}-{}\n", "x".repeat(40_000));
    let text: String = (0..110).map(line).collect();
    let file = user.file("export.env", &format!("# strongroom-export-1\n{text}"));
    user.config("import", &file, &[]).ends_with(0);
    let json = user.place("export.json");
    user.config("export", &json, &["--plaintext"]).ends_with(0);
    assert!(read(&json).len() > 4 << 20);
    let again = user.config("import", &json, &["--json"]).ends_with(0).json();
    let same = |secret: &Value| secret["action"] == "same";
    assert!(again["secrets"].as_array().unwrap().iter().all(same));
}

#[test]
fn an_export_is_for_its_owner_alone_and_says_what_it_is() {
    let user = User::new();
    user.give(&["set", "KEY"], MARKER.as_bytes()).ends_with(0);
    for format in FORMATS {
        let file = user.place(&format!("export.{format}"));
        let made = user.config("export", &file, &["--plaintext", "--json"]).ends_with(0).json();
        assert_eq!(made["secrets"], json!([{ "name": "KEY", "target": null }]));
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        let text = read(&file);
        assert!(text.contains(MARKER) && text.contains("strongroom-export-1"), "{format}");
        assert_eq!(text.contains("# Secrets in plain text."), format != "json");
        let piped = user.config("export", "-", &["--plaintext", "--format", format]).ends_with(0);
        assert_eq!((piped.out(), piped.stderr), (text, String::new()));
    }
}

#[test]
fn an_export_into_a_git_repository_is_warned_of() {
    let user = User::new();
    user.give(&["set", "KEY"], MARKER.as_bytes()).ends_with(0);
    fs::create_dir_all(user.place("work/.git/objects")).unwrap();
    fs::create_dir(user.place("work/a")).unwrap();
    for (name, is_in) in [("outside.json", false), ("work/a/inside.json", true)] {
        let (file, more) = (user.place(name), ["--plaintext", "--force"]);
        let warned = user.config("export", &file, &more).ends_with(0).stderr;
        assert_eq!(warned.contains("lies in the git repository"), is_in, "{warned}");
        let json = user.config("export", &file, &[&more[..], &["--json"]].concat()).json();
        let repository = is_in.then(|| user.place("work"));
        assert_eq!(json["git_repository"], json!(repository));
    }
}

#[test]
fn an_export_that_nobody_agreed_to_or_that_would_destroy_a_file_is_refused() {
    let user = User::new();
    user.give(&["set", "KEY", "--target", "t"], MARKER.as_bytes()).ends_with(0);
    let (file, plaintext) = (user.place("export.json"), "--plaintext");
    user.config("export", &file, &[]).ends_with(2).says("--plaintext").says("strongroom backup");
    user.config("export", "-", &[]).ends_with(2);
    for (place, more, exit, said) in [
        (file.as_str(), &["--format", "ini"][..], 2, "possible values: json, toml, yaml, env"),
        (&user.place("export.ini"), &[], 2, "--format"),
        (&file, &["--only", "NONE"], 3, "there is no secret \"NONE\""),
        (&user.place(".env"), &[], 2, "Choose json, toml or yaml"),
        (&user.place("no/directory.json"), &[], 1, "cannot write"),
    ] {
        user.config("export", place, &[&[plaintext], more].concat()).ends_with(exit).says(said);
        assert!(!fs::exists(place).unwrap(), "{place}");
    }
    user.file("export.json", "theirs");
    user.config("export", &file, &[plaintext]).ends_with(1).says("--force");
    assert_eq!(read(&file), "theirs");
    user.config("export", &file, &[plaintext, "--force"]).ends_with(0);
    assert!(read(&file).contains(MARKER));
}

#[test]
fn an_export_takes_what_is_named_and_leaves_out_what_has_expired() {
    let service = KeyutilsService::new();
    service.set_expired("OVER", &[]);
    for (name, target) in [("KEY", "a"), ("KEY", "b"), ("TOKEN", "a")] {
        service.vault(&["set", name, "--target", target], MARKER.as_bytes()).ends_with(0);
    }
    let export = |more: &[&str]| {
        service.vault(&[&["config", "export", "-", "--plaintext"], more].concat(), b"")
    };
    let all = export(&[]).ends_with(0).says("warning: \"OVER\" has expired, and is left out.");
    assert_eq!(all.json()["secrets"].as_array().unwrap().len(), 3);
    let keys = export(&["--only", "KEY"]).ends_with(0).json();
    let keys = keys["secrets"].as_array().unwrap();
    assert!(keys.len() == 2 && keys.iter().all(|key| key["name"] == "KEY"));
    export(&["--only", "KEY,OVER"]).ends_with(6);
}

#[test]
fn a_terminal_shows_the_change_without_values_and_asks() {
    let user = User::new();
    let file = user.file("config.json", CONFIG);
    for (answer, exit) in [("n", 4), ("", 4), ("y", 0)] {
        let mut terminal = user.terminal(&["config", "secure", &file]);
        terminal.wait_for("Move 1 secret into file (y/n)? ");
        assert_eq!(read(&file), CONFIG);
        terminal.type_line(answer);
        let (shown, ended) = terminal.finish();
        assert_eq!(ended, exit, "{shown}");
        for part in [
            "OPENAI_API_KEY  openai.apiKey  store",
            "-3: openai.apiKey = …",
            "+3: openai.apiKey = \"strongroom:OPENAI_API_KEY\"",
        ] {
            assert_eq!(shown.matches(part).count(), 1, "{part} in: {shown}");
        }
        let progress = [
            "Storing \"OPENAI_API_KEY\"",
            "Reading \"OPENAI_API_KEY\" back",
            "Writing the file",
            "Moved 1 secret of",
        ];
        assert!(progress.iter().all(|part| shown.contains(part) == (exit == 0)), "{shown}");
        assert!(!shown.contains(MARKER), "{shown}");
    }
    assert!(!read(&file).contains("\"marker-of-a-secret"));
    let (shown, exit) = user.terminal(&["config", "status", &file]).finish();
    assert!(
        exit == 0 && shown.contains("WHERE") && shown.contains("holds no secret's value"),
        "{shown}"
    );
}

#[test]
fn a_terminal_asks_before_it_writes_in_the_clear() {
    let user = User::new();
    user.give(&["set", "KEY"], MARKER.as_bytes()).ends_with(0);
    let file = user.place("export.toml");
    for (answer, exit) in [("n", 4), ("yes", 0)] {
        let mut terminal = user.terminal(&["config", "export", &file]);
        terminal.wait_for("in the clear to");
        assert!(!fs::exists(&file).unwrap());
        terminal.type_line(answer);
        let (shown, ended) = terminal.finish();
        assert_eq!(ended, exit, "{shown}");
        assert!(shown.contains("\"KEY\"") && !shown.contains(MARKER), "{shown}");
        assert_eq!(fs::exists(&file).unwrap(), exit == 0);
    }
}
