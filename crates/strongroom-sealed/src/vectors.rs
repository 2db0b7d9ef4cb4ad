//! The test vectors of `docs/format.md`, checked in both directions.
//!
//! `STRONGROOM_WRITE_VECTORS=1 cargo test -p strongroom-sealed vectors_are_made` writes them, for a new format.

use std::fs;
use std::path::PathBuf;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use strongroom_core::{Secret, SecretKey, Timestamp};

use crate::aead::{self, Key};
use crate::keys::{self, Keys, Part};
use crate::passphrase::{Cost, Memory};
use crate::{FileConfig, KeySource, MIN_MEMORY_KIB, SealedFile, SealingKey};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn vectors() -> Value {
    serde_json::from_str(&fs::read_to_string(path("format-1.json")).unwrap()).unwrap()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    let pair = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn key(value: &Value) -> Key {
    aead::key_from(&bytes(value)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Seals bytes and returns key, nonce, context, plaintext and result.
fn sealed(key: &Key, nonce: u8, context: &[u8], plain: &[u8]) -> Value {
    let nonce = [nonce; aead::NONCE];
    json!({
        "key": hex(key.expose_secret()),
        "nonce": hex(nonce),
        "aad": hex(context),
        "plain": hex(plain),
        "sealed": hex(aead::seal_with(key, nonce, context, plain).unwrap()),
    })
}

/// Checks a vector in both directions, with the context that this crate binds it to.
#[track_caller]
fn check(vector: &Value, own_key: &Key, context: &[u8]) {
    let (nonce, plain) = (array(&vector["nonce"]), bytes(&vector["plain"]));
    assert_eq!(key(&vector["key"]).expose_secret(), own_key.expose_secret());
    assert_eq!(bytes(&vector["aad"]), context);
    let sealed = aead::seal_with(own_key, nonce, context, &plain).unwrap();
    assert_eq!(sealed, bytes(&vector["sealed"]));
    assert_eq!(aead::open(own_key, context, &sealed).unwrap().as_slice(), plain);
}

fn derive(cost: Cost, passphrase: &str, salt: &[u8]) -> Key {
    let memory = Memory::new(cost, None).unwrap();
    cost.derive_in(memory, &passphrase.into(), salt).unwrap()
}

#[test]
fn the_keys_are_derived_as_written_down() {
    let vectors = vectors();
    let keys = Keys::of(key(&vectors["vault_key"]), &array(&vectors["vault_id"]));
    let derived = &vectors["derived"];
    assert_eq!(hex(keys.id()), text(&derived["key_id"]));
    assert_eq!(hex(keys.state().expose_secret()), text(&derived["state"]));
    assert_eq!(hex(keys.records().expose_secret()), text(&derived["records"]));
    for row in vectors["rows"].as_array().unwrap() {
        let name = text(&row["name"]);
        let key = match row["target"].as_str() {
            Some(target) => SecretKey::with_target(name, target),
            None => SecretKey::new(name),
        };
        assert_eq!(hex(keys.row_key(&key)), text(&row["row_key"]));
        assert_eq!(hex(keys.row_mark(&keys.row_key(&key))), text(&row["row_mark"]));
    }
}

#[test]
fn slot_keys_are_derived_as_written_down() {
    for slot in vectors()["slot_keys"].as_array().unwrap() {
        let salt = bytes(&slot["salt"]);
        let material = match slot["passphrase"].as_str() {
            None => key(&slot["material"]),
            Some(passphrase) => {
                let number = |name: &str| u32::try_from(slot[name].as_u64().unwrap()).unwrap();
                let cost = Cost {
                    memory_kib: number("memory_kib"),
                    passes: number("passes"),
                    lanes: number("lanes"),
                };
                derive(cost, passphrase, &salt)
            }
        };
        assert_eq!(hex(material.expose_secret()), text(&slot["material"]));
        let slot_key = keys::slot_key(material.expose_secret(), &salt);
        assert_eq!(hex(slot_key.expose_secret()), text(&slot["slot_key"]));
    }
}

#[test]
fn records_are_sealed_as_written_down() {
    let vectors = vectors();
    let id = array(&vectors["vault_id"]);
    let keys = Keys::of(key(&vectors["vault_key"]), &id);
    let row = bytes(&vectors["rows"][0]["row_key"]);
    let (about, value) = (&vectors["about"], &vectors["value"]);
    check(about, keys.records(), &Part::About.context(&id, &row));
    let part = Part::Value { about: &bytes(&about["sealed"]) };
    check(value, keys.records(), &part.context(&id, &row));
}

#[test]
fn the_file_opens_by_its_key_and_its_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("files/format-1.sealed");
    strongroom_files::create_private_dir(file.parent().unwrap()).unwrap();
    strongroom_files::create_new(&file, &fs::read(path("format-1.sealed")).unwrap()).unwrap();
    let expected = &vectors()["file"];
    let key = SealingKey::from_text(&text(&expected["key"]).into()).unwrap();
    let passphrase = KeySource::passphrase(text(&expected["passphrase"]).into());
    for source in [KeySource::key(key), passphrase] {
        let file = SealedFile::open(&FileConfig::new(&file, source)).unwrap();
        assert_eq!(hex(file.id()), text(&expected["id"]));
        assert_eq!(file.generation().unwrap(), expected["generation"].as_u64().unwrap());
        assert_eq!(content(&file), expected["records"]);
    }
}

#[test]
fn the_vectors_are_made_as_written_down() {
    let cost = Cost { memory_kib: MIN_MEMORY_KIB, passes: 1, lanes: 1 };
    let mut made = made(cost);
    if std::env::var_os("STRONGROOM_WRITE_VECTORS").is_some() {
        made["file"] = write_file(cost);
        let json = serde_json::to_string_pretty(&made).unwrap() + "\n";
        fs::write(path("format-1.json"), json).unwrap();
    }
    let written = vectors();
    // A vault's id and key are random.
    made["file"] = written["file"].clone();
    assert_eq!(made, written);
}

/// Returns the vectors without the file.
fn made(cost: Cost) -> Value {
    let vault_id = [0x11; 16];
    let vault_key = Key::init_with_mut(|key| key.fill(0x22));
    let keys = Keys::of(vault_key, &vault_id);
    let rows = [SecretKey::with_target("API_KEY", "production"), SecretKey::new("grün")];
    let row = keys.row_key(&rows[0]);
    let about = br#"{"name":"API_KEY","target":"production","created_at":"2026-01-02T03:04:05Z"}"#;
    let about = sealed(keys.records(), 0x33, &Part::About.context(&vault_id, &row), about);
    let part = Part::Value { about: &bytes(&about["sealed"]) };
    let value = sealed(keys.records(), 0x44, &part.context(&vault_id, &row), b"s3cret");
    let rows = rows.map(|key| {
        let row = keys.row_key(&key);
        json!({
            "name": key.name(), "target": key.target(),
            "row_key": hex(row), "row_mark": hex(keys.row_mark(&row)),
        })
    });
    let material = derive(cost, "correct horse", &[0x66; 16]);
    let slot_key = |material: &[u8; 32], salt| hex(keys::slot_key(material, salt).expose_secret());
    let slot_keys = json!([
        { "salt": hex([0x55; 16]), "material": hex([0x77; 32]),
          "slot_key": slot_key(&[0x77; 32], &[0x55; 16]) },
        { "salt": hex([0x66; 16]), "passphrase": "correct horse",
          "memory_kib": cost.memory_kib, "passes": cost.passes, "lanes": cost.lanes,
          "material": hex(material.expose_secret()),
          "slot_key": slot_key(material.expose_secret(), &[0x66; 16]) },
    ]);
    json!({
        "vault_id": hex(vault_id), "vault_key": hex(keys.vault()),
        "derived": {
            "key_id": hex(keys.id()), "state": hex(keys.state().expose_secret()),
            "records": hex(keys.records().expose_secret()),
        },
        "rows": rows, "slot_keys": slot_keys, "about": about, "value": value,
    })
}

/// Writes a complete vault and returns its content.
fn write_file(cost: Cost) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("files/format-1.sealed");
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let (key, passphrase) = (SealingKey::generate().unwrap(), "correct horse");
    let config = FileConfig::new(&file, KeySource::key(key.clone()))
        .or(KeySource::passphrase_with_cost(passphrase.into(), cost).with_label("by heart"));
    let vault = SealedFile::create(&config, now).unwrap();
    let mut secret = Secret::with_provider("s3cret", "example").scope("read");
    secret.metadata.created_at = Some(now);
    vault.change(|change| change.put(&SecretKey::new("API_KEY"), &secret)).unwrap();
    let key_2 = SecretKey::with_target("API_KEY", "staging");
    vault.change(|change| change.put(&key_2, &Secret::new("grün"))).unwrap();
    let told = json!({
        "id": hex(vault.id()), "generation": 2, "records": content(&vault),
        "key": key.to_text().expose_secret(), "passphrase": passphrase,
    });
    drop(vault);
    fs::copy(&file, path("format-1.sealed")).unwrap();
    told
}

fn content(file: &SealedFile) -> Value {
    let mut keys: Vec<_> = file.list().unwrap().into_iter().map(|(key, _)| key).collect();
    keys.sort();
    let record = |key: &SecretKey| {
        let secret = file.get(key).unwrap().unwrap();
        json!({
            "name": key.name(), "target": key.target(), "value": secret.value.expose_secret(),
            "provider": secret.metadata.provider, "scope": secret.metadata.scope,
            "created_at": secret.metadata.created_at.map(|time| time.to_string()),
        })
    };
    keys.iter().map(record).collect()
}
