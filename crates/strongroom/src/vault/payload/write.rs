//! The writer of a vault's line.

use std::fmt::{self, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use strongroom_core::{
    ExposeSecret, Secret, SecretBytes, SecretKey, SecretMetadata, Timestamp, secret_bytes,
};
use zeroize::Zeroizing;

use super::header::{MARKER, VERSION};
use super::{Payload, Unknown};

impl Payload {
    /// Returns the vault as a line of printable ASCII. The same content gives the same line.
    pub(crate) fn to_line(&self) -> SecretBytes {
        line(self)
    }
}

/// A document that contains values.
pub(super) trait Document {
    fn write(&self, out: &mut impl Sink) -> fmt::Result;
}

impl Document for Payload {
    fn write(&self, out: &mut impl Sink) -> fmt::Result {
        vault(self, out)
    }
}

/// Returns the bytes of a document.
///
/// The document is written twice: first to learn its length, then into a buffer of that length, which does
/// not grow.
pub(super) fn line(document: &impl Document) -> SecretBytes {
    let mut length = Length(0);
    document.write(&mut length).expect("adding up lengths can't fail");
    let mut line = Line(Zeroizing::new(Vec::with_capacity(length.0)));
    document.write(&mut line).expect("writing to memory can't fail");
    debug_assert_eq!(line.0.len(), length.0, "the buffer grew, or has room left");
    secret_bytes(std::mem::take(&mut *line.0))
}

/// A target that a document is written to piece by piece.
pub(super) trait Sink: Write {
    /// Writes these bytes as base64, without another copy of them in memory.
    fn base64(&mut self, bytes: &[u8]);
}

/// The number of bytes that were written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0 += piece.len();
        Ok(())
    }
}

impl Sink for Length {
    fn base64(&mut self, bytes: &[u8]) {
        self.0 += base64_len(bytes);
    }
}

/// The bytes that were written.
struct Line(Zeroizing<Vec<u8>>);

impl Write for Line {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0.extend_from_slice(piece.as_bytes());
        Ok(())
    }
}

impl Sink for Line {
    fn base64(&mut self, bytes: &[u8]) {
        let start = self.0.len();
        // This stays within the capacity, because `Length` counts the same bytes.
        self.0.resize(start + base64_len(bytes), 0);
        let written = STANDARD.encode_slice(bytes, &mut self.0[start..]);
        debug_assert_eq!(written, Ok(base64_len(bytes)));
    }
}

fn base64_len(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(3) * 4
}

fn vault(payload: &Payload, out: &mut impl Sink) -> fmt::Result {
    let Payload { id, generation, secrets, unknown, unknown_of } = payload;
    write!(out, r#"{{"strongroom":"{MARKER}","version":{VERSION},"id":"{id}""#)?;
    write!(out, r#","generation":{generation},"secrets":["#)?;
    for (index, (key, entry)) in secrets.iter().enumerate() {
        out.write_str(if index == 0 { "{" } else { ",{" })?;
        secret(key, entry, out)?;
        if let Some(unknown) = unknown_of.get(key) {
            fields(unknown, out)?;
        }
        out.write_str("}")?;
    }
    out.write_str("]")?;
    fields(unknown, out)?;
    out.write_str("}")
}

fn secret(key: &SecretKey, secret: &Secret, out: &mut impl Sink) -> fmt::Result {
    name_and_target(key, out)?;
    out.write_str(r#","value":""#)?;
    out.base64(secret.value.expose_secret().as_bytes());
    out.write_str("\"")?;
    metadata(&secret.metadata, out)
}

pub(super) fn name_and_target(key: &SecretKey, out: &mut impl Sink) -> fmt::Result {
    out.write_str(r#""name":"#)?;
    string(key.name(), out)?;
    text("target", key.target(), out)
}

pub(super) fn metadata(metadata: &SecretMetadata, out: &mut impl Sink) -> fmt::Result {
    text("provider", metadata.provider.as_deref(), out)?;
    text("scope", metadata.scope.as_deref(), out)?;
    timestamp("expires_at", metadata.expires_at, out)?;
    timestamp("created_at", metadata.created_at, out)?;
    timestamp("updated_at", metadata.updated_at, out)
}

fn text(name: &str, value: Option<&str>, out: &mut impl Sink) -> fmt::Result {
    let Some(value) = value else {
        return Ok(());
    };
    write!(out, ",\"{name}\":")?;
    string(value, out)
}

fn timestamp(name: &str, value: Option<Timestamp>, out: &mut impl Sink) -> fmt::Result {
    value.map_or(Ok(()), |time| write!(out, ",\"{name}\":\"{time}\""))
}

/// Writes unknown fields as they were read.
pub(super) fn fields(unknown: &Unknown, out: &mut impl Sink) -> fmt::Result {
    for (name, json) in unknown {
        out.write_str(",")?;
        string(name, out)?;
        out.write_str(":")?;
        one_line(json, out)?;
    }
    Ok(())
}

/// Writes a text as a JSON string.
pub(super) fn string(text: &str, out: &mut impl Sink) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.write_str("\\")?;
        }
        printable(character, out)?;
    }
    out.write_str("\"")
}

/// Writes a JSON text in ASCII and without its line breaks and tabs. Those occur only between tokens, and
/// non-ASCII characters only within strings.
fn one_line(json: &str, out: &mut impl Sink) -> fmt::Result {
    let characters = json.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t'));
    characters.into_iter().try_for_each(|c| printable(c, out))
}

/// Writes a character of a JSON string, escaped unless it is printable ASCII.
fn printable(character: char, out: &mut impl Sink) -> fmt::Result {
    if matches!(character, ' '..='~') {
        return out.write_char(character);
    }
    let mut units = [0; 2];
    character.encode_utf16(&mut units).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}
