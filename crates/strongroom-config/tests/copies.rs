//! Where else a file's secrets stand: in copies beside it, and in its comments.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use strongroom_config::{ConfigFile, Exposure, Prefer, Rules};
use strongroom_testkit::PATIENCE;
use support::{Home, VALUE, fifo, file, read, secure, set_mode};

fn looking(path: impl AsRef<Path>) -> ConfigFile {
    file(path.as_ref(), Rules::detecting())
}

fn exposures(path: impl AsRef<Path>) -> Vec<Exposure> {
    looking(path).status(None).unwrap().exposures
}

fn copied_to(path: impl Into<PathBuf>) -> Exposure {
    Exposure::CopiedTo { path: path.into().canonicalize().unwrap() }
}

fn not_searched(path: impl Into<PathBuf>) -> Exposure {
    Exposure::CopiesNotSearched { path: path.into().canonicalize().unwrap() }
}

#[test]
fn a_copy_is_named_if_it_holds_a_value() {
    let text = format!("API_KEY={VALUE}\n");
    for name in [
        ".env~",
        ".env.bak",
        ".env.orig",
        ".env.old",
        ".env.save",
        ".env.swp",
        ".env.swo",
        "#.env#",
        ".env.~1~",
        ".env (copy)",
        ".env copy",
        ".env - Copy",
        "Copy of .env",
        ".env.20240131",
        ".env_backup",
        ".env.local",
        ".ENV.BAK",
        ".env\u{e9}\n",
        "env.txt",
    ] {
        let home = Home::new();
        let path = home.write(".env", &text);
        home.write(name, "API_KEY=another-value-of-it\n");
        assert_eq!(exposures(&path), [], "{name}");
        let copy = home.write(name, &text);
        assert_eq!(exposures(&path), [copied_to(copy)], "{name}");
    }
}

#[test]
fn a_copy_may_keep_the_ending_of_its_name() {
    let text = format!("{{\"token\": \"{VALUE}\"}}\n");
    for name in [
        "config (copy).json",
        "config copy.json",
        "config - Copy.json",
        "config.bak.json",
        "config_old.json",
        "config.bak",
        ".config.json.swp",
        ".config.json.un~",
        "config.json.1",
        "Config.JSON.orig",
    ] {
        let home = Home::new();
        let path = home.write("config.json", &text);
        let copy = home.write(name, &text);
        assert_eq!(exposures(&path), [copied_to(copy)], "{name}");
    }
}

#[test]
fn a_value_is_seen_in_binary_and_encoded_copies() {
    let value = "p\u{e4}ss-w\"ord/1";
    let utf16 = |to: fn(u16) -> [u8; 2]| format!("T={value}").encode_utf16().flat_map(to).collect();
    let copies: [Vec<u8>; 6] = [
        [b"b0VIM 9.0\0\xff\0\x80tp\0", value.as_bytes(), b"\0OTHER=1\0"].concat(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        "{\"TOKEN\":\"p\u{e4}ss-w\\\"ord/1\"}".into(),
        "{\"TOKEN\":\"p\u{e4}ss-w\\\"ord\\/1\"}".into(),
        [vec![b'x'; 3 << 20], value.into()].concat(),
    ];
    for (number, copy) in copies.into_iter().enumerate() {
        let home = Home::new();
        let path = home.write(".env", format!("TOKEN='{value}'\n"));
        let copy = home.write(".env.swp", copy);
        assert_eq!(exposures(&path), [copied_to(copy)], "{number}");
    }
}

#[test]
fn a_key_of_several_lines_is_seen_where_lines_lie_apart() {
    let home = Home::new();
    let lines = ["A".repeat(64), "b1C2".repeat(16), "d3E4".repeat(10)];
    let key =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", lines.join("\n"));
    let path = home.write(".env", format!("KEY='{key}'\n"));
    let swap = home.write(".env.swp", key.lines().rev().collect::<Vec<_>>().join("\0"));
    assert_eq!(exposures(&path), [copied_to(swap)]);
    home.write(".env.swp", format!("-----BEGIN PRIVATE KEY-----\n{}\n", lines[0]));
    assert_eq!(exposures(&path), []);
}

#[test]
fn what_has_another_name_or_is_the_file_itself_is_no_copy() {
    let home = Home::new();
    let text = format!("API_KEY={VALUE}\n");
    let path = home.write("settings.toml", format!("token = \"{VALUE}\"\n"));
    home.write("other", &text);
    assert_eq!(exposures(path), []);
}

#[test]
fn a_copy_stays_named_after_the_secrets_have_moved() {
    let home = Home::new();
    let path = home.write(".env", format!("API_KEY={VALUE}\n"));
    let copy = home.write(".env~", read(&path));
    let (file, secrets) = (looking(&path), home.open());
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    assert_eq!(plan.exposures, [copied_to(&copy)]);
    // One more, made in between by an editor, is no reason to stop.
    let swap = home.write(".env.swp", read(&path));
    let done = file.secure(&secrets, &plan, |_| {}).unwrap();
    assert_eq!(done.exposures, [copied_to(&swap), copied_to(&copy)]);
    assert!(done.exposures.iter().all(Exposure::remains));
    assert_eq!(read(&path), "API_KEY=strongroom:API_KEY\n");
    let status = file.status(Some(&secrets)).unwrap();
    assert_eq!(status.exposures, [copied_to(&swap), copied_to(&copy)]);
    fs::remove_file(copy).unwrap();
    fs::remove_file(swap).unwrap();
    assert_eq!(file.status(Some(&secrets)).unwrap().exposures, []);
}

#[test]
fn a_copy_in_the_store_by_another_value_is_named_too() {
    let home = Home::new();
    let path = home.write(".env", format!("API_KEY={VALUE}\n"));
    let (file, secrets) = (looking(&path), home.open());
    secure(&file, &secrets);
    home.write(".env", "API_KEY=a-newer-value\n");
    let old = home.write(".env.bak", format!("API_KEY={VALUE}\n"));
    let status = file.status(Some(&secrets)).unwrap();
    assert_eq!(status.exposures, [copied_to(old)], "the store has its value");
}

#[test]
fn copies_lie_beside_a_link_and_beside_what_it_leads_to() {
    let home = Home::new();
    for directory in ["link", "real"] {
        fs::create_dir(home.path(directory)).unwrap();
    }
    let text = format!("API_KEY={VALUE}\n");
    home.write("real/env", &text);
    symlink("../real/env", home.path("link/.env")).unwrap();
    let copies = [home.write("link/.env~", &text), home.write("real/env~", &text)];
    assert_eq!(exposures(home.path("link/.env")), copies.map(copied_to));
}

#[test]
fn a_copy_that_cannot_be_searched_is_named_as_that() {
    let home = Home::new();
    let path = home.write(".env", format!("API_KEY={VALUE}\n"));
    let huge = home.path(".env.1");
    File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    let compressed = home.write(".env.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    let mut expected = vec![not_searched(huge), not_searched(compressed)];
    let others = home.write(".env.zz", "A=1\n");
    // Only root can give a file away.
    if chown(&others, Some(1234), None).is_ok() {
        expected.push(not_searched(others));
    }
    assert_eq!(exposures(&path), expected);
}

#[test]
fn a_file_that_another_user_owns_has_copies_of_that_user() {
    let home = Home::new();
    let path = home.write(".env", format!("API_KEY={VALUE}\n"));
    let copy = home.write(".env~", read(&path));
    for path in [&path, &copy] {
        if chown(path, Some(1234), None).is_err() {
            return;
        }
    }
    assert_eq!(exposures(&path), [copied_to(copy)]);
}

#[test]
fn nothing_is_followed_or_waited_for() {
    let home = Home::new();
    let text = format!("API_KEY={VALUE}\n");
    let path = home.write(".env", &text);
    fs::create_dir(home.path("elsewhere")).unwrap();
    let outside = home.write("elsewhere/other", &text);
    symlink(outside, home.path(".env.link")).unwrap();
    symlink("user@host.1234:5678", home.path(".#.env")).unwrap();
    symlink("/dev/zero", home.path(".env.zero")).unwrap();
    fs::create_dir(home.path(".env.d")).unwrap();
    home.write(".env.d/.env", &text);
    fifo(&home.path(".env.fifo"));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(exposures(&path)).unwrap());
    assert_eq!(receiver.recv_timeout(PATIENCE).expect("nothing is waited for"), []);
}

#[test]
fn more_copies_than_are_searched_are_said() {
    let home = Home::new();
    let path = home.write(".env", format!("API_KEY={VALUE}\n"));
    for number in 0..64 {
        home.write(&format!(".env.{number:03}"), "A=1\n");
    }
    assert_eq!(exposures(&path), []);
    home.write(".env.zzz", read(&path));
    assert_eq!(exposures(&path), [not_searched(home.path(""))]);
}

#[test]
fn more_values_than_are_looked_for_are_said() {
    let home = Home::new();
    let lines = |range: std::ops::Range<usize>| {
        range.map(|n| format!("A{n}_TOKEN={VALUE}-{n}\n")).collect::<String>()
    };
    let path = home.write(".env", lines(0..2000));
    let copy = home.write(".env~", lines(0..1));
    assert_eq!(exposures(&path), [copied_to(copy), not_searched(home.path(""))]);
}

fn lines_of(name: &str, text: &str) -> Vec<usize> {
    let home = Home::new();
    let path = home.write(name, text);
    let (file, secrets) = (looking(&path), home.open());
    let before = file.status(None).unwrap().exposures;
    secure(&file, &secrets);
    let after = file.status(Some(&secrets)).unwrap().exposures;
    assert_eq!(after, before, "comments stay: {name}");
    match &before[..] {
        [] => Vec::new(),
        [exposure @ Exposure::InComments { lines }] => {
            assert!(exposure.remains());
            lines.clone()
        }
        others => panic!("{others:?}"),
    }
}

const KEY: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH";

#[test]
fn a_secret_in_a_comment_is_named_with_its_line() {
    for (name, text, lines) in [
        (
            ".env",
            format!("A=1\n# OLD_API_KEY={KEY}\nB=2 # was ghp_{}\n", "a1".repeat(18)),
            vec![2, 3],
        ),
        (".env", format!("A_TOKEN={VALUE}\n# the token is {VALUE}.\n"), vec![2]),
        (".env", "#DB_PASSWORD=hunter2\n# export X_TOKEN='a1b2c3'\n".to_owned(), vec![1, 2]),
        (".env", "\u{feff}# -----BEGIN RSA PRIVATE KEY-----\r\nA=1\r\n".to_owned(), vec![1]),
        (
            "a.json",
            format!(
                "{{ // {KEY}\n  \"a\": 1, /* x\n {KEY} */ \"b\": [] // \"token\": \"a1b2c3\",\n}}\n"
            ),
            vec![1, 3],
        ),
        (
            "a.toml",
            format!("[a]\nb = 1 # {KEY}\n# token = \"a1b2c3\"\nc = '''\n# d'''\n"),
            vec![2, 3],
        ),
        (
            "a.yaml",
            format!("a: 1\n# password: a1b2c3\nb:\n  # {KEY}\n  - x\nc: | # {KEY}\n  # text\n"),
            vec![2, 4, 6],
        ),
        ("keys.json", format!("{{\"{KEY}\": {{\"user\": 1}}}}\n"), vec![1]),
    ] {
        assert_eq!(lines_of(name, &text), lines, "{name}: {text}");
    }
}

#[test]
fn a_comment_about_secrets_is_none() {
    for (name, text) in [
        (
            ".env",
            "# The API_KEY= goes here.\n# API_KEY=\n# API_KEY=changeme\n# TOKEN=${TOKEN}\nA=1\n",
        ),
        (".env", "# token: see https://example.com/a1\n# TOKEN=https://example.com/a1\nA=1\n"),
        (
            ".env",
            "# e.g. sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n# B_TOKEN=strongroom:B2_TOKEN\n",
        ),
        (
            "a.yaml",
            "# password: required\n# the password: abc123 or so\na: 1 # token2=x1\nb: '# TOKEN=a1b2c3'\n",
        ),
        ("a.json", "{\"a\": \"// token: a1b2c3\"}\n"),
    ] {
        assert_eq!(lines_of(name, text), [0; 0], "{name}: {text}");
    }
}

#[test]
fn a_message_does_nothing_to_a_terminal_and_holds_no_value() {
    let home = Home::new();
    let path = home.write(".env", format!("API_KEY={VALUE}\n# {VALUE}\n"));
    set_mode(&path, 0o644);
    fs::hard_link(&path, home.path("other")).unwrap();
    home.write(".env\u{1b}]0;x\u{7}", read(&path));
    home.write(".env\n.gz", b"\x1f\x8b");
    let exposures = exposures(&path);
    assert!(exposures.len() >= 5, "{exposures:?}");
    for exposure in exposures {
        let said = format!("{exposure} {} {exposure:?} {}", exposure.hint(), exposure.code());
        assert!(!said.contains(VALUE) && !said.contains(char::is_control), "{said:?}");
    }
}
