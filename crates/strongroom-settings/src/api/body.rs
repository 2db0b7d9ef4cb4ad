//! Bodies: JSON that comes in, and values that go out.
//!
//! A value comes in as base64 in a body that was sealed, so that no parser unescapes it into memory that is not wiped,
//! and no copy of the HTTP library or the kernel can be read. It goes out as the whole body, from memory that is wiped
//! with it; those libraries' copies of that are out of reach.

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

/// A secret as the page has seen it.
#[derive(Deserialize)]
pub(super) struct Seen {
    #[serde(flatten)]
    pub(super) key: Key,
    /// When it was written last; `None` where that is not kept.
    #[serde(rename = "seen")]
    pub(super) updated_at: Option<Time>,
}

/// A secret with its value, as a form sends it.
#[derive(Deserialize)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) target: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) expires_at: Option<Time>,
    pub(super) value: Value,
    /// When the secret was written last that the page has seen.
    pub(super) seen: Option<Time>,
}

/// A secret's old and new name.
#[derive(Deserialize)]
pub(super) struct Rename {
    pub(super) from: Seen,
    pub(super) to: Key,
}

/// A value, which is base64 on its way.
pub(super) struct Value(pub(super) SecretString);

/// A moment, by ISO 8601.
pub(super) struct Time(pub(super) Timestamp);

/// Reads a body.
///
/// # Errors
///
/// A problem that tells nothing of the body.
pub(super) fn read<'de, T: Deserialize<'de>>(body: &'de Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|_| Problem::bad_body())
}

/// Makes an answer of a secret, which is wiped once it has been sent.
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
    /// The key, and when the secret was written last that the page has seen.
    pub(super) fn into_parts(self) -> (SecretKey, Option<Timestamp>) {
        (self.key.into_key(), self.updated_at.map(|time| time.0))
    }
}

impl Form {
    /// The key, when the secret was written last that the page has seen, and what to store.
    pub(super) fn into_parts(self) -> (SecretKey, Option<Timestamp>, Secret) {
        let mut secret = Secret::new(self.value.0);
        secret.metadata.provider = filled(self.provider);
        secret.metadata.scope = filled(self.scope);
        secret.metadata.expires_at = self.expires_at.map(|time| time.0);
        let key = Key { name: self.name, target: self.target };
        (key.into_key(), self.seen.map(|time| time.0), secret)
    }
}

/// An empty field of a form is none.
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
        // What it says on failure would tell of the value.
        let bytes = STANDARD.decode(text).map_err(|_| E::custom("not base64"))?;
        let bytes = secret_bytes(bytes);
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
