//! The secrets of a vault: their keys, values and metadata.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::secret::copy_text;
use crate::{Error, Result, Timestamp, name};

/// The key of a secret in its vault: a name, and, if the name has several values, a target (`production`,
/// `staging`).
///
/// Any text makes a key; [`SecretKey::validate`] checks that a vault accepts it. A single text converts into
/// a name without a target, a pair into a name and a target, and `parse` reads `NAME` or `NAME::TARGET`.
///
/// ```
/// use strongroom_core::SecretKey;
///
/// let key: SecretKey = "API_KEY::production".parse()?;
/// assert_eq!(key, SecretKey::from(("API_KEY", "production")));
/// assert_eq!(key.entry_name(), "API_KEY::production");
/// # Ok::<(), strongroom_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "crate::serialized::UncheckedKey"))]
pub struct SecretKey {
    name: String,
    target: Option<String>,
}

/// The metadata of a secret. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[non_exhaustive]
pub struct SecretMetadata {
    /// The issuer: `openai`.
    pub provider: Option<String>,
    /// The permissions, in the provider's words: `repo:read`.
    pub scope: Option<String>,
    /// The first moment at which the secret is not valid any more.
    pub expires_at: Option<Timestamp>,
    /// The time at which the vault first held the secret.
    pub created_at: Option<Timestamp>,
    /// The time at which the value was last written.
    pub updated_at: Option<Timestamp>,
}

/// A secret: a value with its metadata.
///
/// It is not `Clone`, so that every copy of a value is explicit: [`Secret::duplicate`].
///
/// ```
/// use std::time::Duration;
///
/// use strongroom_core::{Secret, SecretMetadata};
///
/// let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
/// let key = Secret::with_provider("sk-1", "openai").scope("models:read").expires_in(days(90));
/// let same = Secret { value: "sk-1".into(), metadata: key.metadata.clone() };
/// let plain = Secret::with_metadata("sk-1", SecretMetadata::new());
/// ```
pub struct Secret {
    /// The value, wiped when dropped.
    pub value: SecretString,
    /// The metadata.
    pub metadata: SecretMetadata,
}

impl SecretKey {
    /// The separator between name and target in a single text. Names of other programs often contain a single
    /// `@`, `/` or `:`.
    pub const SEPARATOR: &str = "::";

    /// Creates the key of a secret without a target.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), target: None }
    }

    /// Creates the key of a secret with a target.
    pub fn with_target(name: impl Into<String>, target: impl Into<String>) -> Self {
        Self { name: name.into(), target: Some(target.into()) }
    }

    /// Reads a key from a single text, `NAME` or `NAME::TARGET`, valid or not. The target follows the last
    /// `::`. If either part would be empty, the whole text is a name.
    pub fn from_entry_name(text: &str) -> Self {
        // The last separator, because a name may contain `::` itself.
        match text.rsplit_once(Self::SEPARATOR) {
            Some((name, target)) if !name.is_empty() && !target.is_empty() => {
                Self::with_target(name, target)
            }
            _ => Self::new(text),
        }
    }

    /// Returns the key as a single text, `NAME` or `NAME::TARGET`: the user name of its entry if each secret
    /// is an entry of its own. If the name itself contains `::`, [`from_entry_name`](Self::from_entry_name)
    /// reads the text as another key.
    pub fn entry_name(&self) -> String {
        match &self.target {
            Some(target) => format!("{}{}{target}", self.name, Self::SEPARATOR),
            None => self.name.clone(),
        }
    }

    /// Returns the secret's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the target, if the key has a target.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Checks that a vault accepts this key.
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

impl From<(&str, &str)> for SecretKey {
    fn from((name, target): (&str, &str)) -> Self {
        Self::with_target(name, target)
    }
}

impl From<(String, String)> for SecretKey {
    fn from((name, target): (String, String)) -> Self {
        Self::with_target(name, target)
    }
}

impl From<&SecretKey> for SecretKey {
    fn from(key: &SecretKey) -> Self {
        key.clone()
    }
}

impl FromStr for SecretKey {
    type Err = Error;

    /// Reads `NAME` or `NAME::TARGET`, as [`SecretKey::from_entry_name`] does.
    ///
    /// # Errors
    ///
    /// `Invalid` as for [`SecretKey::validate`].
    fn from_str(text: &str) -> Result<Self> {
        let key = Self::from_entry_name(text);
        key.validate()?;
        Ok(key)
    }
}

impl fmt::Display for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Control characters must not reach the terminal.
        write!(f, "\"{}\"", self.name.escape_debug())?;
        match &self.target {
            Some(target) => write!(f, " for target \"{}\"", target.escape_debug()),
            None => Ok(()),
        }
    }
}

impl Secret {
    /// Creates a secret without metadata.
    pub fn new(value: impl Into<SecretString>) -> Self {
        Self { value: value.into(), metadata: SecretMetadata::default() }
    }

    /// Creates a secret with the name of its issuer.
    pub fn with_provider(value: impl Into<SecretString>, provider: impl Into<String>) -> Self {
        Self::new(value).provider(provider)
    }

    /// Creates a secret with its metadata.
    pub fn with_metadata(value: impl Into<SecretString>, metadata: SecretMetadata) -> Self {
        Self { value: value.into(), metadata }
    }

    /// Sets the name of the issuer.
    #[must_use]
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.metadata.provider = Some(provider.into());
        self
    }

    /// Sets the scope, in the provider's words.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.metadata.scope = Some(scope.into());
        self
    }

    /// Sets the first moment at which the secret is not valid any more.
    #[must_use]
    pub fn expires_at(mut self, end: impl Into<Timestamp>) -> Self {
        self.metadata.expires_at = Some(end.into());
        self
    }

    /// Sets the time for which the secret is valid from now on, by the system's clock.
    #[must_use]
    pub fn expires_in(self, time: Duration) -> Self {
        self.expires_at(Timestamp::now() + time)
    }

    /// Returns whether the secret has expired at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.metadata.is_expired(now)
    }

    /// Returns whether the secret has expired at `now`, or will expire within this duration.
    pub fn expires_within(&self, now: Timestamp, within: Duration) -> bool {
        self.metadata.expires_within(now, within)
    }

    /// Returns a copy of the value and its metadata.
    pub fn duplicate(&self) -> Self {
        // `clone` would leave parts of the value in the processor's registers.
        Self { value: copy_text(self.value.expose_secret()), metadata: self.metadata.clone() }
    }
}

impl SecretMetadata {
    /// Creates empty metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether the secret has expired at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_within(now, Duration::ZERO)
    }

    /// Returns whether the secret has expired at `now`, or will expire within this duration.
    pub fn expires_within(&self, now: Timestamp, within: Duration) -> bool {
        // The duration is zero for an end in the past.
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
    fn a_key_is_read_from_one_text_or_a_pair() {
        let key = SecretKey::with_target("a", "b");
        assert_eq!(SecretKey::from(("a", "b")), key);
        assert_eq!(SecretKey::from(("a".to_owned(), "b".to_owned())), key);
        assert_eq!("a::b".parse::<SecretKey>().expect("it is one"), key);
        for (text, name, target) in [
            ("API_KEY", "API_KEY", None),
            ("a::b::c", "a::b", Some("c")),
            ("a:::b", "a:", Some("b")),
            ("::b", "::b", None),
            ("a::", "a::", None),
        ] {
            let key: SecretKey = text.parse().expect("it is one");
            assert_eq!((key.name(), key.target()), (name, target), "{text}");
            assert_eq!(key.entry_name(), text);
        }
        for text in ["", "a\0b", "a::\u{feff}b"] {
            let error = text.parse::<SecretKey>().expect_err("it is none");
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
        }
    }

    #[test]
    fn a_secret_that_is_valid_for_ever_ends_with_the_calendar() {
        let end = |time| Secret::new("v").expires_in(time).metadata.expires_at;
        assert_eq!(end(Duration::MAX), Some(Timestamp::MAX));
        let (now, hour) = (Timestamp::now(), Duration::from_secs(3_600));
        assert!(end(hour) >= Some(now + hour));
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
        let secret = Secret::new("v").expires_at(at(100));
        assert!(!secret.is_expired(at(99)));
        assert!(secret.is_expired(at(100)) && secret.is_expired(at(101)));
        assert!(!Secret::new("v").is_expired(Timestamp::MAX));
    }

    #[test]
    fn what_expires_within_includes_what_has_expired() {
        let secret = Secret::new("v").expires_at(at(100));
        let day = Duration::from_secs(24 * 60 * 60);
        assert!(secret.expires_within(at(100 - 86_400), day));
        assert!(!secret.expires_within(at(99 - 86_400), day));
        assert!(secret.expires_within(Timestamp::MAX, day));
        assert!(secret.expires_within(Timestamp::MIN, Duration::MAX));
        assert!(!Secret::new("v").expires_within(at(0), Duration::MAX));
    }

    #[test]
    fn debug_shows_the_metadata_and_never_the_value() {
        let secret = Secret::with_provider("marker", "openai").scope("read");
        let shown = format!("{secret:?} {:#?}", secret.duplicate());
        assert!(shown.contains("openai") && shown.contains("read"), "{shown}");
        assert!(!shown.contains("marker"), "{shown}");
    }

    #[test]
    fn a_duplicate_has_all_of_it() {
        let secret = Secret::with_provider("v", "p").scope("s").expires_at(at(1));
        let duplicate = secret.duplicate();
        assert_eq!(duplicate.value.expose_secret(), "v");
        assert_eq!(duplicate.metadata, secret.metadata);
    }
}
