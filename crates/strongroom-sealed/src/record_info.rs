//! The `about` part of a record: name, target and metadata as JSON.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use strongroom_core::{SecretKey, SecretMetadata, Timestamp};
use zeroize::Zeroizing;

/// The name, target and metadata of a record, and the fields that a newer version of this program wrote.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct RecordInfo {
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

impl RecordInfo {
    pub(crate) fn new(key: &SecretKey, metadata: &SecretMetadata, unknown: Unknown) -> Self {
        Self {
            name: key.name().to_owned(),
            target: key.target().map(str::to_owned),
            provider: metadata.provider.clone(),
            scope: metadata.scope.clone(),
            expires_at: metadata.expires_at.map(|time| time.to_string()),
            created_at: metadata.created_at.map(|time| time.to_string()),
            updated_at: metadata.updated_at.map(|time| time.to_string()),
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
        let mut metadata = SecretMetadata::default();
        metadata.provider.clone_from(&self.provider);
        metadata.scope.clone_from(&self.scope);
        metadata.expires_at = parsed(self.expires_at.as_deref())?;
        metadata.created_at = parsed(self.created_at.as_deref())?;
        metadata.updated_at = parsed(self.updated_at.as_deref())?;
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

/// Parses an optional time; `None` if it is not valid.
fn parsed(time: Option<&str>) -> Option<Option<Timestamp>> {
    time.map_or(Some(None), |time| time.parse().ok().map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_wrote_is_kept() {
        let json = br#"{"name":"a","scope":"b","new":{"x":[1,"y"]},"newer":null}"#;
        let about = RecordInfo::parse(json).unwrap();
        let metadata = about.metadata().unwrap();
        assert_eq!(metadata.scope.as_deref(), Some("b"));
        let again = RecordInfo::new(&about.key(), &metadata, about.into_unknown());
        assert_eq!(again.to_json().as_slice(), json);
    }

    #[test]
    fn a_time_that_is_none_is_not_left_out() {
        let about = RecordInfo::parse(br#"{"name":"a","created_at":"yesterday"}"#).unwrap();
        assert!(about.metadata().is_none());
        assert!(RecordInfo::parse(br#"{"target":"a"}"#).is_none());
    }

    #[test]
    fn the_buffer_is_as_long_as_the_text() {
        let json = RecordInfo { name: "n".repeat(200), ..RecordInfo::default() }.to_json();
        assert_eq!(json.len(), json.capacity());
    }
}
