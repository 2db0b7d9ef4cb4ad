//! The file's format.

use std::collections::BTreeMap;

use percent_encoding::{
    AsciiSet, CONTROLS, PercentEncode, percent_decode_str, utf8_percent_encode,
};
use strongroom_core::{
    EntryName, ExposeSecret as _, SecretBytes, ServiceName, UserName, armor, secret_bytes,
};

/// The first line of each file.
const REMARK: &str = "# Secrets, not encrypted: whoever can read this file has them.\n";

/// The characters that are escaped in a name, including the start of a comment.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%').add(b'#');

/// The entries of a file.
pub(crate) type Entries = BTreeMap<EntryName, SecretBytes>;

/// Parses the entries of a file. The error is the number of the first invalid line.
pub(crate) fn parse(bytes: &[u8]) -> Result<Entries, usize> {
    let mut entries = Entries::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        // The user may have edited the file with Windows line breaks.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let (name, value) = parse_line(line).ok_or(index + 1)?;
        // Two values of the same entry: the choice is up to the user.
        if entries.insert(name, value).is_some() {
            return Err(index + 1);
        }
    }
    Ok(entries)
}

fn parse_line(line: &[u8]) -> Option<(EntryName, SecretBytes)> {
    // Only three fields, because a value may contain tabs.
    let mut fields = line.splitn(3, |byte| *byte == b'\t');
    let service = ServiceName::new(unescape(fields.next()?)?).ok()?;
    let user = UserName::new(unescape(fields.next()?)?).ok()?;
    let value = fields.next().filter(|value| !value.is_empty())?;
    Some((EntryName::from_parts(service, user), armor::decode(value.to_vec())))
}

/// Returns the content of the file that holds these entries.
pub(crate) fn serialize(entries: &Entries) -> SecretBytes {
    let lines: Vec<_> = entries
        .iter()
        .map(|(name, value)| {
            let names =
                format!("{}\t{}\t", escape(name.service().as_str()), escape(name.user().as_str()));
            (names, armor::encode(value.expose_secret()))
        })
        .collect();
    let len: usize =
        lines.iter().map(|(names, value)| names.len() + value.expose_secret().len() + 1).sum();
    // Allocated in full: a vector that grows leaves an unwiped copy behind.
    let mut text = Vec::with_capacity(REMARK.len() + len);
    text.extend_from_slice(REMARK.as_bytes());
    for (names, value) in &lines {
        text.extend_from_slice(names.as_bytes());
        text.extend_from_slice(value.expose_secret());
        text.push(b'\n');
    }
    secret_bytes(text)
}

fn escape(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, ESCAPED)
}

fn unescape(name: &[u8]) -> Option<String> {
    let escaped = std::str::from_utf8(name).ok()?;
    Some(percent_decode_str(escaped).decode_utf8().ok()?.into_owned())
}

/// Checks, for the fuzzer, that entries which can be read are written so that they read the same again.
/// Returns whether the bytes are valid entries.
///
/// # Panics
///
/// If they read differently.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(file: &[u8]) -> bool {
    let Ok(entries) = parse(file) else { return false };
    let again = parse(serialize(&entries).expose_secret()).expect("what was written can be read");
    assert!(plain(&again) == plain(&entries), "what is read again is something else");
    true
}

#[cfg(any(test, fuzzing))]
fn plain(entries: &Entries) -> Vec<(&EntryName, &[u8])> {
    entries.iter().map(|(name, value)| (name, value.expose_secret())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_line_is_an_entry_or_refused(line in ".*") {
            check(line.as_bytes());
        }

        #[test]
        fn any_entry_reads_as_it_was_written(
            service in "[^\0\u{feff}]{1,60}", user in "[^\0\u{feff}]{1,60}", value in any::<Vec<u8>>()
        ) {
            let name = EntryName::new(service, user).unwrap();
            let entries = Entries::from([(name.clone(), secret_bytes(value.clone()))]);
            let read = parse(serialize(&entries).expose_secret()).unwrap();
            prop_assert!(read[&name].expose_secret() == value.as_slice());
        }
    }
}
