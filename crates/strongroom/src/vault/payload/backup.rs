//! The content of a backup inside its encryption: readable ASCII JSON, a line per secret.
//!
//! ```json
//! {"strongroom":"backup","version":1,"service":"…","created_at":"<RFC 3339>","generation":7,"secrets":[
//! {"name":"…","target":"…","value":"…","provider":"…","scope":"…",
//!  "expires_at":"<RFC 3339>","created_at":"…","updated_at":"…"}
//! ]}
//! ```
//!
//! Values are plain text, in which everything but printable ASCII is escaped. Fields that a secret doesn't
//! have are left out. Unknown fields of a secret are kept, from the vault into the backup and back. Unknown
//! fields of the backup itself are ignored.

use std::fmt;

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, SecretBytes, SecretString, Timestamp,
};

use super::json::Json;
use super::read::{Fields, Found, Wrong, document, secrets, text_value, whole_number};
use super::write::{self, Sink, fields, line, metadata, name_and_target, string};
use super::{Payload, Position, Unreadable, VaultId};

/// The format that this program writes.
const VERSION: u64 = 1;

/// The value of the field `strongroom`.
const MARKER: &str = "backup";

/// A decrypted backup.
pub(crate) struct Document {
    /// The service of the vault.
    pub(crate) service: String,
    /// The time of the backup.
    pub(crate) created_at: Timestamp,
    /// The vault's generation and secrets, without an id.
    pub(crate) payload: Payload,
}

impl Document {
    /// Parses a backup that [`write()`] wrote.
    ///
    /// # Errors
    ///
    /// `Corrupt` if it is no backup, with the position of the problem, or a backup of an unknown version.
    pub(crate) fn parse(json: &SecretBytes) -> Result<Self> {
        document(json, version_1).map_err(unreadable)
    }
}

/// Writes the backup of a vault.
pub(crate) fn write(payload: &Payload, service: &str, created_at: Timestamp) -> SecretBytes {
    line(&Source { payload, service, created_at })
}

/// The parts that a backup is written from.
struct Source<'a> {
    payload: &'a Payload,
    service: &'a str,
    created_at: Timestamp,
}

impl write::Document for Source<'_> {
    fn write(&self, out: &mut impl Sink) -> fmt::Result {
        let Self { payload, service, created_at } = self;
        write!(out, r#"{{"strongroom":"{MARKER}","version":{VERSION},"service":"#)?;
        string(service, out)?;
        write!(out, r#","created_at":"{created_at}","generation":{}"#, payload.generation)?;
        out.write_str(",\"secrets\":[")?;
        for (index, (key, secret)) in payload.secrets.iter().enumerate() {
            out.write_str(if index == 0 { "\n{" } else { ",\n{" })?;
            name_and_target(key, out)?;
            out.write_str(r#","value":"#)?;
            string(secret.value.expose_secret(), out)?;
            metadata(&secret.metadata, out)?;
            if let Some(unknown) = payload.unknown_of.get(key) {
                fields(unknown, out)?;
            }
            out.write_str("}")?;
        }
        out.write_str("\n]}\n")
    }
}

fn version_1(json: Json<'_>) -> Found<'_, Document> {
    let mut fields = Fields::of(json)?;
    let marker = fields.required("strongroom", "it is not a backup of this program")?;
    if marker.quoted() != Some(MARKER) {
        return Err(Wrong::Shape("it is not a backup of this program", marker));
    }
    match whole_number(fields.required("version", "it has no version")?)? {
        VERSION => {}
        other => return Err(Wrong::Version(other)),
    }
    let service = fields.required("service", "it names no service")?;
    let wrong_service = Wrong::Shape("the service is not text", service);
    let service = service.string().ok_or(wrong_service)?.as_str().to_owned();
    let created_at = fields.timestamp("created_at")?;
    let created_at = created_at.ok_or(Wrong::Shape("it does not say when it was made", json))?;
    let mut payload = Payload::new(VaultId::NONE);
    payload.generation = whole_number(fields.required("generation", "it has no generation")?)?;
    secrets(&mut fields, required_text, &mut payload)?;
    Ok(Document { service, created_at, payload })
}

fn required_text(json: Json<'_>) -> Found<'_, SecretString> {
    text_value(json).ok_or(Wrong::Shape("a secret's value is not text", json))
}

fn unreadable(unreadable: Unreadable) -> Error {
    let error = Error::new(ErrorKind::Corrupt, Operation::Restore);
    match unreadable {
        Unreadable::Version(version) => error
            .with_message(format!(
                "the backup has format version {version}, and this program knows versions up to \
                 {VERSION}"
            ))
            .with_hint("Another version of this program wrote it: update this one."),
        Unreadable::Foreign | Unreadable::NotInline => {
            error.with_message("what is encrypted there is no backup")
        }
        Unreadable::Damaged { what, at: Position { line, column } } => error
            .with_message(format!(
                "what is encrypted there is no backup: {what} (line {line}, column {column})"
            ))
            .with_hint("Nothing was changed. Try an older backup."),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strongroom_core::{Secret, SecretKey, secret_bytes};

    use super::*;

    fn key() -> impl Strategy<Value = SecretKey> {
        (any::<String>(), any::<Option<String>>()).prop_map(|(name, target)| match target {
            Some(target) => SecretKey::with_target(name, target),
            None => SecretKey::new(name),
        })
    }

    /// In nanoseconds.
    const SECOND: i128 = 1_000_000_000;

    fn secret() -> impl Strategy<Value = Secret> {
        let range = -1_000_000_000 * SECOND..4_000_000_000 * SECOND;
        let time = || proptest::option::of(range.clone());
        let texts = (any::<String>(), any::<Option<String>>(), any::<Option<String>>());
        (texts, time(), time(), time()).prop_map(|(texts, expires, created, updated)| {
            let time = |time: Option<i128>| time.and_then(Timestamp::from_nanosecond);
            let (value, provider, scope) = texts;
            let mut secret = Secret::new(value);
            secret.metadata.provider = provider;
            secret.metadata.scope = scope;
            secret.metadata.expires_at = time(expires);
            secret.metadata.created_at = time(created);
            secret.metadata.updated_at = time(updated);
            secret
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_is_printable_ascii(
            secrets in proptest::collection::vec((key(), secret()), 0..6),
            service in any::<String>(),
            generation in any::<u64>(),
        ) {
            let mut payload = Payload::new(VaultId::NONE);
            payload.generation = generation;
            for (key, secret) in secrets {
                payload.insert(key, secret);
            }
            let made = Timestamp::UNIX_EPOCH;
            let json = write(&payload, &service, made);
            let ascii = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
            prop_assert!(json.expose_secret().iter().all(ascii));
            prop_assert!(serde_json::from_slice::<serde_json::Value>(json.expose_secret()).is_ok());
            let read = Document::parse(&json).unwrap();
            prop_assert_eq!(&read.service, &service);
            prop_assert_eq!(read.created_at, made);
            prop_assert_eq!(read.payload.generation, generation);
            prop_assert!(read.payload.secrets.keys().eq(payload.secrets.keys()));
            for key in payload.secrets.keys() {
                prop_assert!(read.payload.is_same(&payload, key));
            }
        }

        #[test]
        fn no_damage_is_taken_for_a_backup_or_quoted(place in 0..200_usize, byte in any::<u8>()) {
            let mut damaged = SAMPLE.as_bytes().to_vec();
            let place = place % damaged.len();
            damaged[place] = byte;
            if let Err(error) = Document::parse(&secret_bytes(damaged)) {
                prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
                let shown = format!("{error} {error:?} {}", error.hint());
                prop_assert!(!shown.contains("marker"), "{}", shown);
            }
        }
    }

    const SAMPLE: &str = r#"{"strongroom":"backup","version":1,"service":"app","created_at":
        "2026-11-21T10:00:00Z","generation":7,"new":[1],"secrets":[{"name":"A","value":"marker",
        "colour":"red"}]}"#;

    fn refusal(json: &str) -> String {
        let refused = Document::parse(&secret_bytes(json.into())).err();
        refused.expect("it is refused").problem().to_owned()
    }

    #[test]
    fn a_secrets_unknown_fields_are_kept_and_the_backups_passed_over() {
        let read = Document::parse(&secret_bytes(SAMPLE.into())).unwrap();
        let again = write(&read.payload, "app", read.created_at);
        let again = String::from_utf8(again.expose_secret().to_vec()).unwrap();
        assert!(again.contains(r#""value":"marker","colour":"red"}"#), "{again}");
        assert!(!again.contains("new"), "{again}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let version = SAMPLE.replace("\"version\":1", "\"version\":2");
        let said = "the backup has format version 2, and this program knows versions up to 1";
        assert_eq!(refusal(&version), said);
        let damaged = "what is encrypted there is no backup: ";
        for (json, said) in [
            (
                SAMPLE.replace("\"backup\"", "\"vault\""),
                "it is not a backup of this program (line 1",
            ),
            (SAMPLE.replace("\"marker\"", "7"), "a secret's value is not text (line 2, column 88)"),
            (SAMPLE.replace(r#","service":"app""#, ""), "it names no service (line 1, column 1)"),
            (SAMPLE[..100].to_owned(), "it ends too early (line 2"),
            (
                SAMPLE.replace("}]", "},{\"name\":\"A\",\"value\":\"\"}]"),
                "two secrets have the same",
            ),
        ] {
            let refused = refusal(&json);
            assert!(refused.starts_with(&format!("{damaged}{said}")), "{refused}");
        }
    }
}
