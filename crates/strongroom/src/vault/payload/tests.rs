//! Round trips, upgrades, refusals, and what none of them may show.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use strongroom_core::{
    Error, ErrorKind, ExposeSecret, Secret, SecretBytes, SecretKey, SecretMetadata, Timestamp,
    secret_bytes,
};

use super::{Payload, Position, Unreadable, VaultId};

mod refusals;
mod seeds;

const FRESH: VaultId = VaultId(0xf5e5);

const ID: &str = "000102030405060708090a0b0c0d0e0f";

fn parse(line: impl AsRef<[u8]>) -> Result<Payload, Unreadable> {
    Payload::parse(&secret_bytes(line.as_ref().to_vec()), || FRESH)
}

fn read(line: impl AsRef<[u8]>) -> Payload {
    parse(line).expect("the payload is valid")
}

fn text(line: &SecretBytes) -> &str {
    std::str::from_utf8(line.expose_secret()).expect("a line is ASCII")
}

/// A vault of version 1 with these elements in its list, and these fields after it.
fn vault(secrets: &str, more: &str) -> String {
    format!(
        r#"{{"strongroom":"vault","version":1,"id":"{ID}","generation":7,"secrets":[{secrets}]{more}}}"#
    )
}

/// What can be compared of a vault: values and metadata by key.
fn content(payload: &Payload) -> BTreeMap<SecretKey, (String, SecretMetadata)> {
    let open = |secret: &Secret| (secret.value.expose_secret().to_owned(), secret.metadata.clone());
    payload.secrets().iter().map(|(key, secret)| (key.clone(), open(secret))).collect()
}

fn timestamps() -> impl Strategy<Value = Timestamp> {
    let range = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
    range.prop_map(|nanosecond| {
        Timestamp::from_nanosecond(nanosecond).expect("it is within the range")
    })
}

/// Characters from everywhere, and often those that JSON, ASCII or a line can't take as they are.
fn texts() -> impl Strategy<Value = String> {
    let awkward =
        prop::sample::select("\"\\/\0\u{8}\t\n\u{c}\r\u{7f}é😀".chars().collect::<Vec<_>>());
    let characters = prop_oneof![any::<char>(), awkward, prop::char::range('a', 'c')];
    prop::collection::vec(characters, 0..12).prop_map(String::from_iter)
}

prop_compose! {
    fn secrets()(
        value in prop_oneof![texts(), any::<String>()],
        provider in prop::option::of(texts()),
        scope in prop::option::of(texts()),
        times in prop::array::uniform3(prop::option::of(timestamps())),
    ) -> Secret {
        let mut secret = Secret::new(value);
        secret.metadata.provider = provider;
        secret.metadata.scope = scope;
        let [expires_at, created_at, updated_at] = times;
        secret.metadata.expires_at = expires_at;
        secret.metadata.created_at = created_at;
        secret.metadata.updated_at = updated_at;
        secret
    }
}

fn keys() -> impl Strategy<Value = SecretKey> {
    (texts(), prop::option::of(texts())).prop_map(|(name, target)| match target {
        Some(target) => SecretKey::with_target(name, target),
        None => SecretKey::new(name),
    })
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        Just(1.5.into()),
        texts().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let object = prop::collection::btree_map(texts(), inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Into::into),
            object.prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Unknown fields as another program would write them: not in ASCII, not in one line.
fn unknown_fields() -> impl Strategy<Value = BTreeMap<String, serde_json::Value>> {
    let names = texts().prop_map(|name| format!("x{name}"));
    prop::collection::btree_map(names, json(), 0..4)
}

fn spelled(unknown: &BTreeMap<String, serde_json::Value>) -> String {
    let spell = |(name, value)| format!(",\n{}:\t{value:#}", serde_json::Value::from(name));
    unknown.iter().map(|(name, value)| spell((name.as_str(), value))).collect()
}

proptest! {
    #[test]
    fn whatever_goes_in_comes_back(
        random: [u8; 16],
        generation: u64,
        list in prop::collection::vec((keys(), secrets()), 0..6),
    ) {
        let mut payload = Payload::new(VaultId::new(random));
        payload.generation = generation;
        for (key, secret) in list {
            payload.insert(key, secret);
        }
        let back = read(payload.to_line().expose_secret());
        prop_assert_eq!((back.id, back.generation), (payload.id, generation));
        prop_assert_eq!(content(&back), content(&payload));
    }

    #[test]
    fn a_line_is_printable_ascii(
        list in prop::collection::vec((keys(), secrets()), 0..4),
        unknown in unknown_fields(),
    ) {
        let mut payload = read(vault("", &spelled(&unknown)));
        for (key, secret) in list {
            payload.insert(key, secret);
        }
        let line = payload.to_line();
        prop_assert!(line.expose_secret().iter().all(|byte| matches!(byte, b' '..=b'~')));
    }

    #[test]
    fn unknown_fields_are_kept(of_vault in unknown_fields(), of_secret in unknown_fields()) {
        let secret = format!(r#"{{"name":"a","value":"dg=="{}}}"#, spelled(&of_secret));
        let line = read(vault(&secret, &spelled(&of_vault))).to_line();
        let back: serde_json::Value = serde_json::from_str(text(&line)).expect("it is JSON");
        for (name, value) in &of_vault {
            prop_assert_eq!(&back[name.as_str()].to_string(), &value.to_string());
        }
        for (name, value) in &of_secret {
            prop_assert_eq!(&back["secrets"][0][name.as_str()].to_string(), &value.to_string());
        }
    }

    #[test]
    fn what_was_read_is_written_the_same_ever_after(
        of_vault in unknown_fields(),
        of_secret in unknown_fields(),
        list in prop::collection::vec((keys(), secrets()), 0..4),
    ) {
        let secret = format!(r#"{{"name":"a","value":"dg=="{}}}"#, spelled(&of_secret));
        let mut payload = read(vault(&secret, &spelled(&of_vault)));
        for (key, secret) in list {
            payload.insert(key, secret);
        }
        let line = payload.to_line();
        let again = read(line.expose_secret()).to_line();
        prop_assert_eq!(text(&again), text(&line));
    }

    #[test]
    fn version_0_is_read_whatever_its_names_and_values(
        secrets in prop::collection::btree_map(texts(), texts(), 0..6),
    ) {
        for spelling in [serde_json::to_string(&secrets), serde_json::to_string_pretty(&secrets)] {
            let payload = read(spelling.expect("texts are JSON"));
            let values = content(&payload).into_iter().map(|(key, (value, metadata))| {
                assert_eq!((key.target(), metadata), (None, SecretMetadata::default()));
                (key.name().to_owned(), value)
            });
            prop_assert_eq!(values.collect::<BTreeMap<_, _>>(), secrets.clone());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = parse(bytes);
    }

    #[test]
    fn anything_like_json_is_read_or_refused(text in r#"[{}\[\]",:0-9a-f\\u\x00é ]{0,40}"#) {
        let _ = parse(text);
    }

    #[test]
    fn any_json_in_place_of_any_field_is_read_or_refused(value in json(), field in 0..11_usize) {
        const FIELDS: [&str; 11] = [
            "strongroom", "version", "id", "generation", "secrets", "name", "target", "value",
            "provider", "expires_at", "created_at",
        ];
        let line = vault(r#"{"name":"a","value":"dg=="}"#, "");
        let mut whole: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        let part = if field < 5 { &mut whole } else { &mut whole["secrets"][0] };
        part[FIELDS[field]] = value;
        let _ = parse(whole.to_string());
    }
}

#[test]
fn the_format_is_as_documented() {
    let mut payload = Payload::new(VaultId::new(std::array::from_fn(|byte| byte as u8)));
    payload.generation = 7;
    let time: Timestamp = "2026-12-31T00:00:00.5Z".parse().expect("it is RFC 3339");
    let mut secret = Secret::with_provider("sk-1", "openai").scope("é\n").expires_at(time);
    secret.metadata.created_at = Some(Timestamp::UNIX_EPOCH);
    secret.metadata.updated_at = Some(Timestamp::UNIX_EPOCH);
    payload.insert(SecretKey::with_target("B", "prod\u{7f}"), secret);
    payload.insert("A\"😀".into(), Secret::new(""));
    let expected = vault(
        &[
            r#"{"name":"A\"\ud83d\ude00","value":""},"#,
            r#"{"name":"B","target":"prod\u007f","value":"c2stMQ==","#,
            r#""provider":"openai","scope":"\u00e9\u000a","#,
            r#""expires_at":"2026-12-31T00:00:00.5Z","#,
            r#""created_at":"1970-01-01T00:00:00Z","updated_at":"1970-01-01T00:00:00Z"}"#,
        ]
        .concat(),
        "",
    );
    assert_eq!(text(&payload.to_line()), expected);
}

#[test]
fn unknown_fields_are_kept_to_the_letter_and_in_order() {
    let written = r#","m":1e400,"z":[1.50, {"é":"\/\u0041","a":1,"a":2}]"#;
    let secret = r#"{"name":"n","value":"dg==","y":-0,"x":{ }}"#;
    let line = read(vault(secret, written)).to_line();
    let secret = r#"{"name":"n","value":"dg==","x":{ },"y":-0}"#;
    let kept = r#","m":1e400,"z":[1.50, {"\u00e9":"\/\u0041","a":1,"a":2}]"#;
    assert_eq!(text(&line), vault(secret, kept));
}

#[test]
fn a_secret_that_is_replaced_keeps_its_unknown_fields_and_one_that_is_removed_does_not() {
    let mut payload = read(vault(r#"{"name":"n","value":"dg==","new":1}"#, ""));
    payload.insert("n".into(), Secret::new("w"));
    assert!(text(&payload.to_line()).contains(r#""value":"dw==","new":1"#));
    assert!(payload.take(&"n".into()).is_some());
    payload.insert("n".into(), Secret::new("w"));
    assert!(!text(&payload.to_line()).contains("new"));
}

#[test]
fn metadata_that_is_null_is_absent() {
    let nulls = r#""target":null,"provider":null,"scope":null,"expires_at":null"#;
    let payload = read(vault(&format!(r#"{{"name":"n","value":"dg==",{nulls}}}"#), ""));
    let metadata = &payload.secrets()[&SecretKey::new("n")].metadata;
    assert_eq!(metadata, &SecretMetadata::default());
}

#[test]
fn version_0_becomes_version_1() {
    let payload = read("{\n  \"B\": \"b\\n\\ud83d\\ude00\",\n  \"A\": \"a\"\n}\n");
    assert_eq!((payload.id, payload.generation), (FRESH, 0));
    let values = ["a", "b\n😀"].map(|value| STANDARD.encode(value));
    let secrets =
        format!(r#"{{"name":"A","value":"{}"}},{{"name":"B","value":"{}"}}"#, values[0], values[1]);
    let expected = vault(&secrets, "").replace(ID, &FRESH.to_string());
    assert_eq!(text(&payload.to_line()), expected.replace("\"generation\":7", "\"generation\":0"));
    assert!(read("{}").secrets().is_empty());
}

#[test]
fn only_version_0_asks_for_a_fresh_identity() {
    let line = secret_bytes(vault("", "").into_bytes());
    let payload = Payload::parse(&line, || unreachable!("it has one")).expect("it is valid");
    assert_eq!(payload.id.to_string(), ID);
}

#[test]
fn deep_nesting_is_kept_without_recursion() {
    let deep = format!(r#","x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(text(&read(vault("", &deep)).to_line()), vault("", &deep));
}
