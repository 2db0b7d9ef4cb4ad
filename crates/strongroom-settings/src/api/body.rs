//! Bodies: JSON in requests, and values in answers.
//!
//! A request contains a value as base64 in a sealed body. So no parser unescapes it into memory that is not wiped, and the
//! copies of the HTTP library and the kernel are unreadable. An answer is the value alone, in memory that is wiped after
//! sending. The copies of the library and the kernel are out of reach there.

use std::fmt;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};
use strongroom::input::without_final_newline;
use strongroom::store::{secret_bytes, secret_text};
use strongroom::{ExposeSecret as _, Secret, SecretKey, SecretString, Timestamp};

use crate::problem::Problem;

/// A secret's name and target.
#[derive(Deserialize)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) target: Option<String>,
}

/// A secret, with the version that the page has seen.
#[derive(Deserialize)]
pub(super) struct Seen {
    #[serde(flatten)]
    pub(super) key: Key,
    /// The time of its last write. `None` if the vault keeps no times.
    #[serde(rename = "seen")]
    pub(super) updated_at: Option<Time>,
}

/// A secret with its value, from the page's form.
#[derive(Deserialize)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) target: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) expires_at: Option<Time>,
    pub(super) value: Value,
    /// The time of the last write that the page has seen.
    pub(super) seen: Option<Time>,
}

/// A secret's old and new name.
#[derive(Deserialize)]
pub(super) struct Rename {
    pub(super) from: Seen,
    pub(super) to: Key,
}

/// A value, sent as base64.
pub(super) struct Value(pub(super) SecretString);

/// A time, sent as ISO 8601.
pub(super) struct Time(pub(super) Timestamp);

/// Parses a body.
///
/// # Errors
///
/// A problem without any part of the body in its message.
pub(super) fn read<'de, T: Deserialize<'de>>(body: &'de Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|_| Problem::bad_body())
}

/// Returns an answer with a secret as its body. The memory is wiped after sending.
pub(crate) fn secret_response(kind: &'static str, secret: SecretString) -> Response {
    let body = Body::from(Bytes::from_owner(Wiped(secret)));
    ([(CONTENT_TYPE, kind)], body).into_response()
}

struct Wiped(SecretString);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl Key {
    pub(super) fn into_key(self) -> SecretKey {
        match filled(self.target) {
            Some(target) => SecretKey::with_target(self.name, target),
            None => SecretKey::new(self.name),
        }
    }
}

impl Seen {
    /// Returns the key, and the time of the last write that the page has seen.
    pub(super) fn into_parts(self) -> (SecretKey, Option<Timestamp>) {
        (self.key.into_key(), self.updated_at.map(|time| time.0))
    }
}

impl Form {
    /// Returns the key, the time of the last write that the page has seen, and the secret to store.
    pub(super) fn into_parts(self) -> (SecretKey, Option<Timestamp>, Secret) {
        let mut secret = Secret::new(self.value.0);
        secret.metadata.provider = filled(self.provider);
        secret.metadata.scope = filled(self.scope);
        secret.metadata.expires_at = self.expires_at.map(|time| time.0);
        let key = Key { name: self.name, target: self.target };
        (key.into_key(), self.seen.map(|time| time.0), secret)
    }
}

/// Returns the text of a form's field, or `None` if it is empty.
fn filled(field: Option<String>) -> Option<String> {
    field.filter(|text| !text.is_empty())
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Base64)
    }
}

struct Base64;

impl Visitor<'_> for Base64 {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in base64")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        // The decoder's error contains bytes of the value.
        let bytes = STANDARD.decode(text).map_err(|_| E::custom("not base64"))?;
        let bytes = secret_bytes(bytes);
        // The same rule as in the other ways to give a value: a newline after a single line doesn't count.
        let kept = secret_bytes(without_final_newline(bytes.expose_secret()).to_vec());
        let text = secret_text(&kept).ok_or_else(|| E::custom("not text"))?;
        Ok(Value(text))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom("not a time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(value: &str) -> Result<Form, Problem> {
        let body = format!(r#"{{"name":"a","value":{value},"expires_at":"2030-01-01T00:00:00Z"}}"#);
        read(&Bytes::from(body))
    }

    #[test]
    fn a_value_comes_in_as_base64() {
        let form = form(r#""Z3LDvMOfZQ==""#).unwrap();
        assert_eq!(form.value.0.expose_secret(), "grüße");
        assert_eq!(form.expires_at.unwrap().0.to_string(), "2030-01-01T00:00:00Z");
    }

    #[test]
    fn the_newline_behind_one_line_is_no_part_of_the_value() {
        let value = |text: &str| form(&format!("\"{}\"", STANDARD.encode(text))).unwrap().value.0;
        assert_eq!(value("token\n").expose_secret(), "token");
        assert_eq!(value("one\r\ntwo\r\n").expose_secret(), "one\r\ntwo\r\n");
    }

    #[test]
    fn what_is_no_value_is_refused_without_a_word_of_it() {
        for value in [r#""marker!""#, r#""/w==""#, "7", "null", r#"{"a":"marker"}"#] {
            let problem = form(value).map(|_| ()).unwrap_err();
            assert!(!format!("{problem:?}").contains("marker"), "{problem:?}");
        }
    }
}
