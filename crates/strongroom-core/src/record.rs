//! A vault's secrets: how one is named, what it holds, and what is known about it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::secret::copy_text;
use crate::{Result, name};

/// What a secret is called within its vault: a name, and where one name has several values, a
/// target (`production`, `staging`).
///
/// Any text makes a key; [`SecretKey::validate`] says whether a vault takes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretKey {
    name: String,
    target: Option<String>,
}

/// What is known about a secret beside its value. All of it can be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SecretMetadata {
    /// Who issued it: `openai`.
    pub provider: Option<String>,
    /// What it is good for, in the provider's words: `repo:read`.
    pub scope: Option<String>,
    /// The first moment at which it is not valid any more.
    pub expires_at: Option<Timestamp>,
    /// When the vault first held it.
    pub created_at: Option<Timestamp>,
    /// When its value was last written.
    pub updated_at: Option<Timestamp>,
}

/// A value with its metadata.
///
/// It is not `Clone`, so that every copy of a value is one that somebody asked for:
/// [`Secret::duplicate`].
#[non_exhaustive]
pub struct Secret {
    /// The value, wiped when dropped.
    pub value: SecretString,
    /// What is known about it.
    pub metadata: SecretMetadata,
}

impl SecretKey {
    /// The key of a secret without a target.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), target: None }
    }

    /// The key of a secret that stands under its name once per target.
    pub fn with_target(name: impl Into<String>, target: impl Into<String>) -> Self {
        Self { name: name.into(), target: Some(target.into()) }
    }

    /// The secret's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The target, where the key has one.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Checks that a vault takes this key.
    ///
    /// # Errors
    ///
    /// `Invalid` if the name or the target is empty, holds a NUL character, starts with a byte
    /// order mark or is longer than [`MAX_NAME_BYTES`](crate::MAX_NAME_BYTES).
    pub fn validate(&self) -> Result<()> {
        name::check("secret", &self.name)?;
        self.target.as_deref().map_or(Ok(()), |target| name::check("target", target))
    }
}

impl From<&str> for SecretKey {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for SecretKey {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<&String> for SecretKey {
    fn from(name: &String) -> Self {
        Self::new(name)
    }
}

impl From<&SecretKey> for SecretKey {
    fn from(key: &SecretKey) -> Self {
        key.clone()
    }
}

impl fmt::Display for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.name.escape_debug())?;
        match &self.target {
            Some(target) => write!(f, " for target \"{}\"", target.escape_debug()),
            None => Ok(()),
        }
    }
}

impl Secret {
    /// A value without metadata.
    pub fn new(value: impl Into<SecretString>) -> Self {
        Self { value: value.into(), metadata: SecretMetadata::default() }
    }

    /// The same, naming who issued it.
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.metadata.provider = Some(provider.into());
        self
    }

    /// The same, saying what it is good for.
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.metadata.scope = Some(scope.into());
        self
    }

    /// The same, not valid from this moment on.
    pub fn with_expiry(mut self, expires_at: Timestamp) -> Self {
        self.metadata.expires_at = Some(expires_at);
        self
    }

    /// Whether its time is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.metadata.is_expired(now)
    }

    /// Whether its time is over at `now`, or will be within this duration.
    pub fn expires_within(&self, now: Timestamp, within: SignedDuration) -> bool {
        self.metadata.expires_within(now, within)
    }

    /// A second copy of the value and its metadata.
    pub fn duplicate(&self) -> Self {
        Self { value: copy_text(self.value.expose_secret()), metadata: self.metadata.clone() }
    }
}

impl SecretMetadata {
    /// Whether the secret's time is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_within(now, SignedDuration::ZERO)
    }

    /// Whether the secret's time is over at `now`, or will be within this duration.
    pub fn expires_within(&self, now: Timestamp, within: SignedDuration) -> bool {
        self.expires_at.is_some_and(|end| end.duration_since(now) <= within)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{ErrorKind, MAX_NAME_BYTES};

    fn refusal(key: SecretKey) -> String {
        let error = key.validate().expect_err("the key must be refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("it is a time of this century")
    }

    #[test]
    fn a_refused_key_says_why() {
        assert!(refusal(SecretKey::new("")).contains("secret name is empty"));
        assert!(refusal(SecretKey::with_target("a", "")).contains("target name is empty"));
        assert!(refusal("a\0b".into()).contains("NUL"));
        assert!(refusal("\u{feff}a".into()).contains("byte order mark"));
        assert!(refusal(SecretKey::new("a".repeat(MAX_NAME_BYTES + 1))).contains("256 bytes"));
        assert!(SecretKey::with_target("a".repeat(MAX_NAME_BYTES), "é\n").validate().is_ok());
    }

    #[test]
    fn a_key_with_a_target_is_another_key() {
        let (plain, targeted) = (SecretKey::new("a"), SecretKey::with_target("a", "b"));
        assert_ne!(plain, targeted);
        assert_eq!((plain.name(), plain.target()), ("a", None));
        assert_eq!((targeted.name(), targeted.target()), ("a", Some("b")));
    }

    #[test]
    fn control_characters_of_a_key_do_not_reach_the_terminal() {
        let key = SecretKey::with_target("a\x1b[31m", "b\n");
        assert_eq!(key.to_string(), r#""a\u{1b}[31m" for target "b\n""#);
    }

    #[test]
    fn a_secret_expires_at_its_very_moment() {
        let secret = Secret::new("v").with_expiry(at(100));
        assert!(!secret.is_expired(at(99)));
        assert!(secret.is_expired(at(100)) && secret.is_expired(at(101)));
        assert!(!Secret::new("v").is_expired(Timestamp::MAX));
    }

    #[test]
    fn what_expires_within_includes_what_has_expired() {
        let secret = Secret::new("v").with_expiry(at(100));
        let day = SignedDuration::from_hours(24);
        assert!(secret.expires_within(at(100 - 86_400), day));
        assert!(!secret.expires_within(at(99 - 86_400), day));
        assert!(secret.expires_within(Timestamp::MAX, day));
        assert!(secret.expires_within(Timestamp::MIN, SignedDuration::MAX));
        assert!(!Secret::new("v").expires_within(at(0), SignedDuration::MAX));
    }

    #[test]
    fn debug_shows_the_metadata_and_never_the_value() {
        let secret = Secret::new("marker").with_provider("openai").with_scope("read");
        let shown = format!("{secret:?} {:#?}", secret.duplicate());
        assert!(shown.contains("openai") && shown.contains("read"), "{shown}");
        assert!(!shown.contains("marker"), "{shown}");
    }

    #[test]
    fn a_duplicate_has_all_of_it() {
        let secret = Secret::new("v").with_provider("p").with_scope("s").with_expiry(at(1));
        let duplicate = secret.duplicate();
        assert_eq!(duplicate.value.expose_secret(), "v");
        assert_eq!(duplicate.metadata, secret.metadata);
    }
}
