//! A key that opens a slot by itself, and its text form.

use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use strongroom_core::{Error, ErrorKind, ExposeSecret, Fault, Operation, SecretString};
use strongroom_files::{Refusal, Source, create_new, quoted, read_text};
use zeroize::Zeroizing;

use crate::aead::{self, Key};
use crate::error::{self, Result, STORE, fault};

/// The start of the text, by which people and secret scanners recognize it.
const PREFIX: &str = "strongroom-key-1:";

/// The length of the text without a line break: the prefix and 64 hexadecimal digits.
const TEXT: usize = PREFIX.len() + 64;

/// 32 random bytes that open a vault. They are kept in an entry of an OS store, a key file or a credential.
///
/// The text form is a single line: `strongroom-key-1:` and 64 hexadecimal digits.
#[derive(Clone)]
pub struct SealingKey(Arc<Key>);

impl SealingKey {
    /// Generates a new random key.
    ///
    /// # Errors
    ///
    /// `Other` if the system gives no random bytes.
    pub fn generate() -> Result<Self, Error> {
        let key = aead::random_key().map_err(|fault| fault.during(Operation::Set))?;
        Ok(Self(Arc::new(key)))
    }

    /// Parses the text form. It may end in a line break.
    ///
    /// # Errors
    ///
    /// `Invalid` if it is not a key's text form.
    pub fn from_text(text: &SecretString) -> Result<Self, Error> {
        let key = parse(text.expose_secret());
        let key = key.ok_or_else(|| not_a_key().during(Operation::Probe))?;
        Ok(Self(Arc::new(key)))
    }

    /// Returns the text form, without a line break.
    pub fn to_text(&self) -> SecretString {
        // Allocated in full: a string that grows leaves an unwiped copy behind.
        let mut text = Zeroizing::new(String::with_capacity(TEXT));
        text.push_str(PREFIX);
        for byte in self.bytes() {
            write!(text, "{byte:02x}").expect("writing to memory can't fail");
        }
        SecretString::from(std::mem::take(&mut *text))
    }

    /// Reads a key file, which must be readable by the user alone.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        Self::read(path, Source::Private)
    }

    /// Reads a credential, whose permissions are up to the service manager.
    pub(crate) fn from_credential(path: &Path) -> Result<Self> {
        Self::read(path, Source::System)
    }

    /// Writes the key to a new file, for the user alone.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the file exists: it is not changed. `AccessDenied`, `Io`.
    pub fn create_file(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let (path, text) = (path.as_ref(), self.to_text());
        let line = Zeroizing::new([text.expose_secret().as_bytes(), b"\n"].concat());
        create_new(path, &line)
            .map_err(|cause| error::from_io(path, cause).during(Operation::Set).with_store(STORE))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    fn read(path: &Path, source: Source) -> Result<Self> {
        // The text and a line break of at most two bytes.
        let key = match read_text(path, source, TEXT as u64 + 2) {
            Ok(text) => parse(&text),
            Err(cause) => match Refusal::of(&cause) {
                Some(Refusal::TooLarge { .. } | Refusal::NotText) => None,
                _ => return Err(error::key_file(path, cause)),
            },
        };
        key.map(|key| Self(Arc::new(key)))
            .ok_or_else(|| not_a_key().with_hint(format!("Look at {}.", quoted(path))))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").finish_non_exhaustive()
    }
}

fn parse(text: &str) -> Option<Key> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let digits = text.strip_prefix(PREFIX)?.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    Some(Key::init_with_mut(|key| {
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
    }))
}

fn digit(hexadecimal: u8) -> u8 {
    char::from(hexadecimal).to_digit(16).unwrap_or_default() as u8
}

fn not_a_key() -> Fault {
    fault(ErrorKind::Invalid, format!("a key is one line: `{PREFIX}` and 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back_with_and_without_a_line_break() {
        let key = SealingKey::generate().unwrap();
        let text = key.to_text().expose_secret().to_owned();
        assert_eq!(text.len(), TEXT);
        for text in [text.clone(), format!("{text}\n"), format!("{text}\r\n")] {
            assert_eq!(SealingKey::from_text(&text.into()).unwrap().bytes(), key.bytes());
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let marker = "m4rk3r";
        let short = format!("{PREFIX}{}", "0".repeat(63));
        let long = format!("{PREFIX}{}", "0".repeat(65));
        let wrong = format!("{PREFIX}{}é", "0".repeat(62));
        let texts = ["", marker, PREFIX, short.as_str(), long.as_str(), wrong.as_str()];
        for text in texts {
            let error = SealingKey::from_text(&text.into()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(!format!("{error} {error:?}").contains(marker));
        }
    }

    #[test]
    fn debug_shows_no_byte() {
        let key = SealingKey(Arc::new(Key::init_with_mut(|key| key.fill(170))));
        assert_eq!(format!("{key:?}"), "SealingKey { .. }");
    }
}
