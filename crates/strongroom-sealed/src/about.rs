//! The `about` part of a record: name, target and metadata as JSON.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use strongroom_core::{SecretKey, SecretMetadata, Timestamp};
use zeroize::Zeroizing;

/// The name, target and metadata of a record, and the fields that a newer version of this program wrote.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct About {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(flatten)]
    unknown: Unknown,
}

/// Fields that this version does not know. They are kept.
pub(crate) type Unknown = BTreeMap<String, serde_json::Value>;

impl About {
    pub(crate) fn new(key: &SecretKey, metadata: &SecretMetadata, unknown: Unknown) -> Self {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            name: key.name().to_owned(),
            target: key.target().map(str::to_owned),
            provider: metadata.provider.clone(),
            scope: metadata.scope.clone(),
            expires_at: time(metadata.expires_at),
            created_at: time(metadata.created_at),
            updated_at: time(metadata.updated_at),
            unknown,
        }
    }

    /// Parses the JSON of a record; `None` if it is not such JSON.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Returns the JSON in a buffer of its exact length: a buffer that grows would leave unwiped copies.
    pub(crate) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let mut length = Length(0);
        self.write(&mut length);
        let mut json = Zeroizing::new(Vec::with_capacity(length.0));
        self.write(&mut *json);
        json
    }

    pub(crate) fn key(&self) -> SecretKey {
        match &self.target {
            Some(target) => SecretKey::with_target(&self.name, target),
            None => SecretKey::new(&self.name),
        }
    }

    /// Returns the metadata; `None` if a time is not valid RFC 3339.
    pub(crate) fn metadata(&self) -> Option<SecretMetadata> {
        let time = |text: &Option<String>| match text {
            Some(text) => text.parse().ok().map(Some),
            None => Some(None),
        };
        let mut metadata = SecretMetadata::default();
        metadata.provider.clone_from(&self.provider);
        metadata.scope.clone_from(&self.scope);
        metadata.expires_at = time(&self.expires_at)?;
        metadata.created_at = time(&self.created_at)?;
        metadata.updated_at = time(&self.updated_at)?;
        Some(metadata)
    }

    pub(crate) fn into_unknown(self) -> Unknown {
        self.unknown
    }

    fn write(&self, out: impl io::Write) {
        serde_json::to_writer(out, self).expect("texts go into memory");
    }
}

/// A writer that counts bytes.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0 += piece.len();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_wrote_is_kept() {
        let json = br#"{"name":"a","scope":"b","new":{"x":[1,"y"]},"newer":null}"#;
        let about = About::parse(json).unwrap();
        let metadata = about.metadata().unwrap();
        assert_eq!(metadata.scope.as_deref(), Some("b"));
        let again = About::new(&about.key(), &metadata, about.into_unknown());
        assert_eq!(again.to_json().as_slice(), json);
    }

    #[test]
    fn a_time_that_is_none_is_not_left_out() {
        let about = About::parse(br#"{"name":"a","created_at":"yesterday"}"#).unwrap();
        assert!(about.metadata().is_none());
        assert!(About::parse(br#"{"target":"a"}"#).is_none());
    }

    #[test]
    fn the_buffer_is_as_long_as_the_text() {
        let json = About { name: "n".repeat(200), ..About::default() }.to_json();
        assert_eq!(json.len(), json.capacity());
    }
}
