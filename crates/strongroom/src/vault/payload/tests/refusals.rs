//! Each refusal by name and place, and that none shows what it refuses.

use std::error::Error as StdError;

use super::*;

const MARKER: &str = "MaRk3r-never-shown";

fn damage(line: impl AsRef<[u8]>) -> (&'static str, Position) {
    match parse(line) {
        Err(Unreadable::Damaged { what, at }) => (what, at),
        other => panic!("it must be damaged, and is {other:?}"),
    }
}

fn secret_damage(secret: &str) -> &'static str {
    let (what, at) = damage(vault(secret, ""));
    assert!(at.column > vault("", "").len() - 3, "it points before the list: {at:?}");
    what
}

#[test]
fn what_is_not_json_is_damaged() {
    assert_eq!(damage("").0, "it ends too early");
    assert_eq!(damage("{sk-password").0, "it is not JSON");
    assert_eq!(damage([b'{', b'"', 0xff, b'"', b'}']).0, "it is not JSON");
    assert_eq!(damage(vault("", "").replacen('{', "x", 1)).0, "it is not JSON");
    assert_eq!(damage(vault("", "") + "x").0, "it is not JSON");
    let place = Position { line: 2, column: 3 };
    assert_eq!(damage("{\n\"a?").1, place);
}

#[test]
fn what_was_never_a_vault_is_another_programs() {
    for other in
        ["hvs.token", "sk-password", "1", "null", "\"sk-password\"", "[]", "a\0b", "\u{7f}"]
    {
        match parse(other) {
            Err(foreign @ Unreadable::Foreign) => {
                assert_eq!(Error::from(foreign).kind(), ErrorKind::Conflict);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_not_a_vault_is_damaged() {
    let neither = "it is neither a vault nor an object of names and texts";
    assert_eq!(damage(r#"{"A":"a","B":1}"#), (neither, Position { line: 1, column: 14 }));
    assert_eq!(damage("{\n\"A\":\"\\ud800\"}"), (neither, Position { line: 2, column: 5 }));
    let lost_marker = vault("", "").replace("strongroom", "strongrooM");
    assert_eq!(damage(lost_marker).0, neither);
    for marker in ["\"vaulT\"", "1", "null"] {
        let line = vault("", "").replace("\"vault\"", marker);
        assert_eq!(damage(line).0, "it is not a vault of this program");
    }
}

#[test]
fn another_version_is_refused_by_name_before_anything_else_is_looked_at() {
    for version in [0, 3, u64::MAX] {
        let line = format!(r#"{{"secrets":false,"version":{version},"strongroom":"vault"}}"#);
        assert_eq!(parse(line).err(), Some(Unreadable::Version(version)));
    }
}

#[test]
fn a_missing_or_misshapen_field_is_damaged() {
    let whole = vault("", "");
    for (field, what) in [
        (r#""version":1,"#, "it has no version"),
        (&format!(r#""id":"{ID}","#), "it has no id"),
        (r#""generation":7,"#, "it has no generation"),
        (r#","secrets":[]"#, "it has no list of secrets"),
    ] {
        assert_eq!(damage(whole.replace(field, "")).0, what);
    }
    for version in ["1.0", "-1", "1e0", "\"1\"", "null", "18446744073709551616"] {
        let line = whole.replace("\"version\":1", &format!("\"version\":{version}"));
        assert_eq!(damage(line).0, "a number is not a whole one, or too large");
    }
    for id in [&ID[1..], &ID.replace('a', "A"), &ID.replace('a', "g"), &ID.replace("0a", "+a")] {
        let line = whole.replace(ID, id);
        assert_eq!(damage(line).0, "the id is not 32 hexadecimal digits");
    }
    let line = whole.replace("[]", "{}");
    assert_eq!(damage(line).0, "the secrets are not a list");
}

#[test]
fn a_secret_that_is_none_is_damaged() {
    for (secret, what) in [
        ("1", "there is something else than an object"),
        (r#"{"value":"dg=="}"#, "a secret has no name"),
        (r#"{"name":null,"value":"dg=="}"#, "a secret's name is not text"),
        (r#"{"name":"\udc00","value":"dg=="}"#, "a secret's name is not text"),
        (r#"{"name":"\ud800\u0041","value":"dg=="}"#, "a secret's name is not text"),
        (r#"{"name":"\ud800??dc00","value":"dg=="}"#, "a secret's name is not text"),
        (r#"{"name":"a"}"#, "a secret has no value"),
        (r#"{"name":"a","value":null}"#, "a secret's value is not a string"),
        (r#"{"name":"a","value":"dg="}"#, "a secret's value is not base64"),
        (r#"{"name":"a","value":"dg"}"#, "a secret's value is not base64"),
        (r#"{"name":"a","value":"dh=="}"#, "a secret's value is not base64"),
        (r#"{"name":"a","value":"===="}"#, "a secret's value is not base64"),
        (r#"{"name":"a","value":"="}"#, "a secret's value is not base64"),
        (r#"{"name":"a","value":"d\u0067=="}"#, "a secret's value is not base64"),
        (r#"{"name":"a","value":"/w=="}"#, "a secret's value is not text"),
        (r#"{"name":"a","value":"dg==","scope":1}"#, "a secret's metadata is not text"),
        (r#"{"name":"a","value":"dg==","expires_at":"soon"}"#, "a time is not as in RFC 3339"),
        (r#"{"name":"a","value":"dg==","updated_at":0}"#, "a time is not as in RFC 3339"),
    ] {
        assert_eq!(secret_damage(secret), what, "{secret}");
    }
}

#[test]
fn nothing_stands_twice() {
    let twice = "a field stands twice";
    assert_eq!(damage(vault("", r#","version":1"#)).0, twice);
    assert_eq!(damage(vault("", r#","x":1,"\u0078":1"#)).0, twice);
    assert_eq!(damage(r#"{"A":"a","A":"b"}"#).0, twice);
    assert_eq!(secret_damage(r#"{"name":"a","value":"","value":""}"#), twice);
    let secrets = r#"{"name":"a","value":"dg=="},{"name":"\u0061","target":null,"value":""}"#;
    assert_eq!(secret_damage(secrets), "two secrets have the same name and target");
    let secrets = r#"{"name":"a","value":"dg=="},{"name":"a","target":"t","value":""}"#;
    assert_eq!(read(vault(secrets, "")).secrets().len(), 2);
}

#[test]
fn as_an_error_it_is_corrupt_and_says_what_to_do() {
    let version = Error::from(Unreadable::Version(9));
    assert_eq!(version.kind(), ErrorKind::Corrupt);
    assert!(version.to_string().contains("version 9"), "{version}");
    assert!(version.hint().contains("update"), "{}", version.hint());
    let damaged = Error::from(parse("{").expect_err("it is cut short"));
    assert_eq!(damaged.kind(), ErrorKind::Corrupt);
    assert!(damaged.to_string().contains("it ends too early (line 1, column 1)"), "{damaged}");
}

/// Everything that can be shown of what a payload was read as.
fn shown(result: &Result<Payload, Unreadable>) -> String {
    match result {
        Ok(payload) => format!("{payload:?} {payload:#?}"),
        Err(unreadable) => {
            let error = Error::from(*unreadable);
            let source = error.source().map(ToString::to_string);
            format!("{unreadable} {unreadable:?} {error} {error:?} {} {source:?}", error.hint())
        }
    }
}

/// Whether a piece of the marker is in this text, as it is or as base64.
fn leaks(text: &str) -> bool {
    let encoded = STANDARD.encode(MARKER);
    let pieces = [MARKER, &encoded].map(|marker| {
        let ends = 6..=marker.trim_end_matches('=').len();
        ends.map(|end| marker[end - 6..end].to_owned()).collect::<Vec<_>>()
    });
    pieces.iter().flatten().any(|piece| text.contains(piece))
}

fn lines_with_the_marker() -> [Vec<u8>; 5] {
    let mut payload = Payload::new(FRESH);
    payload.insert("A".into(), Secret::with_provider(MARKER, MARKER).scope(MARKER));
    payload.insert(SecretKey::with_target("B", MARKER), Secret::new(MARKER));
    let unknown = format!(r#","x":"{MARKER}","{MARKER}":[{{"{MARKER}":0}}]"#);
    let misplaced = format!(r#"{{"name":"a","value":"{MARKER}","expires_at":"{MARKER}"}}"#);
    [
        payload.to_line().expose_secret().to_vec(),
        vault(&misplaced, &unknown).into_bytes(),
        vault(r#"{"name":"a","value":"dg=="}"#, &unknown).into_bytes(),
        format!(r#"{{"A":"{MARKER}","B":"{MARKER}"}}"#).into_bytes(),
        format!(r#""{MARKER}""#).into_bytes(),
    ]
}

#[test]
fn the_search_for_leaks_finds_them() {
    assert!(leaks(&format!("found {MARKER:?}")) && leaks(&STANDARD.encode(MARKER)));
    assert!(!leaks("the vault is damaged: it is not JSON (line 1, column 1)"));
}

#[test]
fn no_payload_cut_short_shows_a_value() {
    for line in lines_with_the_marker() {
        for end in 0..=line.len() {
            let shown = shown(&parse(&line[..end]));
            assert!(!leaks(&shown), "cut at {end}: {shown}");
        }
        for end in 0..line.len() {
            assert!(parse(&line[..end]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn no_payload_with_a_changed_byte_shows_a_value() {
    for mut line in lines_with_the_marker() {
        for place in 0..line.len() {
            let byte = line[place];
            for other in [byte ^ 1, byte ^ 0x20, byte ^ 0x80, b'"', b'\\', b'}', b'0', b'\n'] {
                line[place] = other;
                let shown = shown(&parse(&line));
                assert!(!leaks(&shown), "byte {place} as {other}: {shown}");
            }
            line[place] = byte;
        }
    }
}
