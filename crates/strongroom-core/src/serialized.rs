//! The `serde` forms of types that hold no secret value.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, SecretKey, Timestamp};

/// A key from outside, before validation.
#[derive(Deserialize)]
#[serde(rename = "SecretKey")]
pub(crate) struct UncheckedKey {
    name: String,
    target: Option<String>,
}

impl TryFrom<UncheckedKey> for SecretKey {
    type Error = Error;

    fn try_from(UncheckedKey { name, target }: UncheckedKey) -> Result<Self, Error> {
        let key = match target {
            Some(target) => Self::with_target(name, target),
            None => Self::new(name),
        };
        // Data from outside must not bypass the check of names.
        key.validate()?;
        Ok(key)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A value is never serialized:
///
/// ```compile_fail,E0277
/// serde_json::to_string(&strongroom_core::Secret::new("v"));
/// ```
#[cfg(doctest)]
struct NoSecret;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{
        Capabilities, ErrorKind, MemoryStore, Operation, Persistence, SecretMetadata, ServiceName,
        Store, UserName, WriteMode,
    };

    /// Checks that a value is written as this text, and read back from it.
    fn is<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, text: &str) {
        assert_eq!(serde_json::to_string(&value).expect("it can be written"), text);
        assert_eq!(serde_json::from_str::<T>(text).expect("it can be read"), value);
    }

    fn refusal<T: DeserializeOwned + Debug>(text: &str) -> String {
        serde_json::from_str::<T>(text).expect_err("it must be refused").to_string()
    }

    #[test]
    fn what_is_known_of_a_secret_has_a_form() {
        is(SecretKey::new("A"), r#"{"name":"A","target":null}"#);
        assert_eq!(serde_json::from_str::<SecretKey>(r#"{"name":"A"}"#).ok(), Some("A".into()));
        is(SecretKey::with_target("A", "b"), r#"{"name":"A","target":"b"}"#);
        is(Timestamp::UNIX_EPOCH, r#""1970-01-01T00:00:00Z""#);
        let mut metadata = SecretMetadata::new();
        metadata.scope = Some("read".to_owned());
        metadata.expires_at = Some(Timestamp::UNIX_EPOCH);
        is(metadata, METADATA);
        let empty: SecretMetadata = serde_json::from_str("{}").expect("each field is optional");
        assert_eq!(empty, SecretMetadata::new());
        is(ServiceName::new("app").expect("it is valid"), r#""app""#);
        is(UserName::new("token").expect("it is valid"), r#""token""#);
    }

    #[test]
    fn names_are_validated_when_they_are_read() {
        let long = format!("\"{}\"", "x".repeat(256));
        for text in [r#""""#, r#""a\u0000b""#, &long] {
            let (service, user) = (refusal::<ServiceName>(text), refusal::<UserName>(text));
            assert!(service.contains("the service name"), "{service}");
            assert!(user.contains("the user name"), "{user}");
            let key = refusal::<SecretKey>(&format!("{{\"name\":{text}}}"));
            assert!(key.contains("the secret name"), "{key}");
            let key = refusal::<SecretKey>(&format!("{{\"name\":\"A\",\"target\":{text}}}"));
            assert!(key.contains("the target name"), "{key}");
        }
        assert!(refusal::<Timestamp>(r#""soon""#).contains("RFC 3339"));
    }

    #[test]
    fn tokens_are_those_of_the_library() {
        let quoted = |code: &str| format!("\"{code}\"");
        for kind in KINDS {
            is(kind, &quoted(kind.code()));
        }
        for persistence in [
            Persistence::Session,
            Persistence::UntilLogout,
            Persistence::UntilReboot,
            Persistence::Permanent,
        ] {
            is(persistence, &quoted(persistence.code()));
        }
        is(WriteMode::CreateNew, r#""create_new""#);
        is(Operation::Set, r#""set""#);
        is(MemoryStore::new().capabilities(), CAPABILITIES);
        is(Capabilities::new(Persistence::Permanent).with_max_secret_len(9), LIMITED);
    }

    const METADATA: &str = r#"{"provider":null,"scope":"read","expires_at":"1970-01-01T00:00:00Z","created_at":null,"updated_at":null}"#;
    const CAPABILITIES: &str = r#"{"persistence":"session","max_secret_bytes":null,"binary_safe":true,"can_list":true,"may_prompt":false,"session_encrypted":null,"read_by_user_programs":false,"read_by_containers":false,"plaintext":false,"writes_late":false,"keeps_deleted":false}"#;
    const LIMITED: &str = r#"{"persistence":"permanent","max_secret_bytes":9,"binary_safe":false,"can_list":false,"may_prompt":false,"session_encrypted":null,"read_by_user_programs":false,"read_by_containers":false,"plaintext":false,"writes_late":false,"keeps_deleted":false}"#;
    const KINDS: [ErrorKind; 25] = [
        ErrorKind::AccessDenied,
        ErrorKind::AlreadyExists,
        ErrorKind::Ambiguous,
        ErrorKind::BoundElsewhere,
        ErrorKind::Busy,
        ErrorKind::Conflict,
        ErrorKind::Corrupt,
        ErrorKind::Dismissed,
        ErrorKind::Expired,
        ErrorKind::Gone,
        ErrorKind::InteractionNotAllowed,
        ErrorKind::Invalid,
        ErrorKind::Io,
        ErrorKind::KeyMissing,
        ErrorKind::Locked,
        ErrorKind::NoBackend,
        ErrorKind::NoDefaultCollection,
        ErrorKind::NoLogonSession,
        ErrorKind::NotFound,
        ErrorKind::Other,
        ErrorKind::QuotaExceeded,
        ErrorKind::TimedOut,
        ErrorKind::TooLarge,
        ErrorKind::Unsupported,
        ErrorKind::WrongKey,
    ];
}
