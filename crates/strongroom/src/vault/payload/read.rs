//! The parser for a vault's line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::{mem, str};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use strongroom_core::{
    ExposeSecret, Secret, SecretBytes, SecretKey, SecretMetadata, SecretString, Timestamp,
};
use zeroize::Zeroizing;

use super::header::{MARKER, VERSION, VaultId};
use super::json::Json;
use super::key_entry::{self, KeyEntry};
use super::{Payload, Position, Stored, Unknown, Unreadable};

impl Stored {
    /// Reads an entry of any layout.
    ///
    /// # Errors
    ///
    /// As [`Payload::parse`].
    pub(crate) fn parse(line: &SecretBytes) -> Result<Self, Unreadable> {
        stored(line, || VaultId::NONE)
    }
}

impl Payload {
    /// Parses a line that [`Payload::to_line`] wrote, or version 0, which takes its identity from `fresh`.
    ///
    /// Names and targets are not validated: a name that [`SecretKey::validate`] refuses today is no reason to
    /// lose the other secrets.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], which becomes an [`Error`](strongroom_core::Error) of the kind `Corrupt`, or
    /// `Conflict` for another program's entry.
    pub(crate) fn parse(
        line: &SecretBytes,
        fresh: impl FnOnce() -> VaultId,
    ) -> Result<Self, Unreadable> {
        match stored(line, fresh)? {
            Stored::Inline(payload) => Ok(payload),
            Stored::Key(_) => Err(Unreadable::NotInline),
        }
    }

    /// Returns a copy of the vault.
    pub(crate) fn duplicate(&self) -> Result<Self, Unreadable> {
        Self::parse(&self.to_line(), || self.id)
    }
}

/// Parses a vault's entry.
///
/// # Errors
///
/// [`Unreadable`] if the entry is another program's, its version is unknown, or its content does not fit its
/// version.
pub(super) fn stored(
    line: &SecretBytes,
    fresh: impl FnOnce() -> VaultId,
) -> Result<Stored, Unreadable> {
    if !is_ours(line.expose_secret().trim_ascii_start()) {
        return Err(Unreadable::Foreign);
    }
    document(line, |json| entry(json, fresh))
}

/// Parses the JSON value in these bytes with `read`.
///
/// # Errors
///
/// [`Unreadable`] if the bytes are not JSON, or `read` refuses the value.
pub(super) fn document<T>(
    bytes: &SecretBytes,
    read: impl FnOnce(Json<'_>) -> Found<'_, T>,
) -> Result<T, Unreadable> {
    let bytes = bytes.expose_secret();
    let json = Json::parse(bytes).map_err(|error| Unreadable::syntax(&error))?;
    read(json).map_err(|wrong| match wrong {
        Wrong::Version(version) => Unreadable::Version(version),
        Wrong::Shape(what, json) => {
            // A `RawValue` borrows from `bytes`, so the distance of the addresses is the offset.
            let offset = json.text().as_ptr().addr() - bytes.as_ptr().addr();
            Unreadable::Damaged { what, at: Position::of(offset, bytes) }
        }
    })
}

/// Returns whether damaged bytes may have been a payload of this program: an object, or the rest of an object
/// with the marker.
fn is_ours(bytes: &[u8]) -> bool {
    let mark = b"\"strongroom\"";
    // An empty value counts as damage: some providers return it for a value that they lost.
    bytes.is_empty()
        || bytes.starts_with(b"{")
        || bytes.windows(mark.len()).any(|part| part == mark)
}

/// An error, with the part of the payload that caused it. It borrows that part and may contain a value, so it
/// must not be shown.
pub(super) enum Wrong<'a> {
    Version(u64),
    Shape(&'static str, Json<'a>),
}

pub(super) type Found<'a, T> = Result<T, Wrong<'a>>;

fn entry(json: Json<'_>, fresh: impl FnOnce() -> VaultId) -> Found<'_, Stored> {
    let mut fields = Fields::of(json)?;
    // Version 0 has no marker, and any name of a secret may be a field.
    let Some(marker) = fields.take("strongroom") else {
        return version_0(fields, fresh()).map(Stored::Inline);
    };
    if marker.quoted() != Some(MARKER) {
        return Err(Wrong::Shape("it is not a vault of this program", marker));
    }
    match whole_number(fields.required("version", "it has no version")?)? {
        VERSION => version_1(fields).map(Stored::Inline),
        key_entry::VERSION => version_2(fields).map(Stored::Key),
        other => Err(Wrong::Version(other)),
    }
}

fn version_1(mut fields: Fields<'_>) -> Found<'_, Payload> {
    let mut payload = Payload::new(vault_id(&mut fields)?);
    payload.generation = generation(&mut fields)?;
    secrets(&mut fields, base64_value, &mut payload)?;
    payload.unknown = fields.unknown();
    Ok(payload)
}

/// Takes the list of secrets, and reads the value of each secret with `value`.
pub(super) fn secrets<'a>(
    fields: &mut Fields<'a>,
    value: impl Fn(Json<'a>) -> Found<'a, SecretString>,
    payload: &mut Payload,
) -> Found<'a, ()> {
    let list = fields.required("secrets", "it has no list of secrets")?;
    let wrong_list = Wrong::Shape("the secrets are not a list", list);
    for json in list.list().ok_or(wrong_list)? {
        let (key, secret, unknown) = secret(json, &value)?;
        if payload.secrets.insert(key.clone(), secret).is_some() {
            return Err(Wrong::Shape("two secrets have the same name and target", json));
        }
        if !unknown.is_empty() {
            payload.unknown_of.insert(key, unknown);
        }
    }
    Ok(())
}

fn version_2(mut fields: Fields<'_>) -> Found<'_, KeyEntry> {
    let (id, generation) = (vault_id(&mut fields)?, generation(&mut fields)?);
    let layout = fields.required("layout", "it has no layout")?;
    if layout.quoted() != Some(key_entry::LAYOUT) {
        return Err(Wrong::Shape("the layout is not one that this program knows", layout));
    }
    let key = fields.required("key", "it has no key")?;
    let key = text_value(key).ok_or(Wrong::Shape("the key is not text", key))?;
    Ok(KeyEntry { id, generation, key })
}

fn vault_id<'a>(fields: &mut Fields<'a>) -> Found<'a, VaultId> {
    let id = fields.required("id", "it has no id")?;
    let wrong = Wrong::Shape("the id is not 32 hexadecimal digits", id);
    id.quoted().and_then(VaultId::from_hex).ok_or(wrong)
}

fn generation<'a>(fields: &mut Fields<'a>) -> Found<'a, u64> {
    whole_number(fields.required("generation", "it has no generation")?)
}

fn version_0(fields: Fields<'_>, id: VaultId) -> Found<'_, Payload> {
    let mut payload = Payload::new(id);
    for (name, json) in fields.by_name {
        let wrong = Wrong::Shape("it is neither a vault nor an object of names and texts", json);
        let secret = Secret::new(text_value(json).ok_or(wrong)?);
        payload.secrets.insert(SecretKey::new(name), secret);
    }
    Ok(payload)
}

fn secret<'a>(
    json: Json<'a>,
    value: impl Fn(Json<'a>) -> Found<'a, SecretString>,
) -> Found<'a, (SecretKey, Secret, Unknown)> {
    let mut fields = Fields::of(json)?;
    let name = fields.required("name", "a secret has no name")?;
    let name = name.string().ok_or(Wrong::Shape("a secret's name is not text", name))?;
    let key = match fields.text("target")? {
        Some(target) => SecretKey::with_target(name.as_str(), target),
        None => SecretKey::new(name.as_str()),
    };
    let text = fields.required("value", "a secret has no value")?;
    let mut secret = Secret::new(value(text)?);
    secret.metadata = metadata(&mut fields)?;
    Ok((key, secret, fields.unknown()))
}

fn metadata<'a>(fields: &mut Fields<'a>) -> Found<'a, SecretMetadata> {
    let mut metadata = SecretMetadata::default();
    metadata.provider = fields.text("provider")?;
    metadata.scope = fields.text("scope")?;
    metadata.expires_at = fields.timestamp("expires_at")?;
    metadata.created_at = fields.timestamp("created_at")?;
    metadata.updated_at = fields.timestamp("updated_at")?;
    Ok(metadata)
}

/// Decodes a value of version 1.
fn base64_value(json: Json<'_>) -> Found<'_, SecretString> {
    let encoded = json.quoted().ok_or(Wrong::Shape("a secret's value is not a string", json))?;
    let padding = encoded.len() - encoded.trim_end_matches('=').len();
    // The exact length: a buffer with spare capacity would be copied when it becomes a secret, and the old
    // memory would stay unwiped.
    let length = (encoded.len() / 4 * 3).saturating_sub(padding);
    let mut bytes = Zeroizing::new(vec![0; length]);
    if STANDARD.decode_slice(encoded, &mut bytes) != Ok(length) {
        return Err(Wrong::Shape("a secret's value is not base64", json));
    }
    secret_string(bytes).ok_or(Wrong::Shape("a secret's value is not text", json))
}

/// Returns a value that is stored as plain text.
pub(super) fn text_value(json: Json<'_>) -> Option<SecretString> {
    Some(SecretString::from(Box::<str>::from(json.string()?.as_str())))
}

/// Turns the bytes into a secret without a copy. The vector must have no spare capacity.
fn secret_string(mut bytes: Zeroizing<Vec<u8>>) -> Option<SecretString> {
    str::from_utf8(&bytes).ok()?;
    String::from_utf8(mem::take(&mut *bytes)).ok().map(SecretString::from)
}

pub(super) fn whole_number(json: Json<'_>) -> Found<'_, u64> {
    json.number().ok_or(Wrong::Shape("a number is not a whole one, or too large", json))
}

/// The fields of an object that were not taken yet.
pub(super) struct Fields<'a> {
    object: Json<'a>,
    by_name: BTreeMap<String, Json<'a>>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(object: Json<'a>) -> Found<'a, Self> {
        let mut by_name = BTreeMap::new();
        let wrong = Wrong::Shape("there is something else than an object", object);
        for (name, value) in object.object().ok_or(wrong)? {
            let text = name.string().ok_or(Wrong::Shape("a field's name is not text", name))?;
            match by_name.entry(text.as_str().to_owned()) {
                // There is no way to tell which of two fields is meant.
                Entry::Occupied(_) => return Err(Wrong::Shape("a field stands twice", name)),
                Entry::Vacant(vacant) => vacant.insert(value),
            };
        }
        Ok(Self { object, by_name })
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        self.by_name.remove(name)
    }

    pub(super) fn required(&mut self, name: &str, missing: &'static str) -> Found<'a, Json<'a>> {
        self.take(name).ok_or(Wrong::Shape(missing, self.object))
    }

    /// Takes an optional field that is a string. A field that is `null` counts as absent.
    fn text(&mut self, name: &str) -> Found<'a, Option<String>> {
        let Some(json) = self.take(name).filter(|json| !json.is_null()) else {
            return Ok(None);
        };
        let text = json.string().ok_or(Wrong::Shape("a secret's metadata is not text", json))?;
        Ok(Some(text.as_str().to_owned()))
    }

    /// Takes an optional field that is a point in time. A field that is `null` counts as absent.
    pub(super) fn timestamp(&mut self, name: &str) -> Found<'a, Option<Timestamp>> {
        let Some(json) = self.take(name).filter(|json| !json.is_null()) else {
            return Ok(None);
        };
        let timestamp = json.string().and_then(|text| text.parse().ok());
        timestamp.map(Some).ok_or(Wrong::Shape("a time is not as in RFC 3339", json))
    }

    /// Returns the fields that were not taken.
    fn unknown(self) -> Unknown {
        let fields = self.by_name.into_iter();
        fields.map(|(name, json)| (name, Zeroizing::new(json.text().to_owned()))).collect()
    }
}
