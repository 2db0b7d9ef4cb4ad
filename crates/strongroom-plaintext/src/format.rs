//! The file's format.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
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
        let (name, value) = entry(line).ok_or(index + 1)?;
        // Two values of the same entry: the choice is up to the user.
        if entries.insert(name, value).is_some() {
            return Err(index + 1);
        }
    }
    Ok(entries)
}

fn entry(line: &[u8]) -> Option<(EntryName, SecretBytes)> {
    // Only three fields, because a value may contain tabs.
    let mut fields = line.splitn(3, |byte| *byte == b'\t');
    let mut name = || {
        let escaped = std::str::from_utf8(fields.next()?).ok()?;
        Some(percent_decode_str(escaped).decode_utf8().ok()?.into_owned())
    };
    let (service, user) = (ServiceName::new(name()?).ok()?, UserName::new(name()?).ok()?);
    let value = fields.next().filter(|value| !value.is_empty())?;
    Some((EntryName::from_parts(service, user), armor::decode(value.to_vec())))
}

pub(crate) fn text(entries: &Entries) -> SecretBytes {
    let lines: Vec<_> = entries
        .iter()
        .map(|(name, value)| {
            let escaped = |name| utf8_percent_encode(name, ESCAPED);
            let (service, user) = (name.service().as_str(), name.user().as_str());
            let names = format!("{}\t{}\t", escaped(service), escaped(user));
            (names, armor::encode(value.expose_secret()))
        })
        .collect();
    let len =
        |(names, value): &(String, SecretBytes)| names.len() + value.expose_secret().len() + 1;
    // Allocated in full: a vector that grows leaves an unwiped copy behind.
    let mut text = Vec::with_capacity(REMARK.len() + lines.iter().map(len).sum::<usize>());
    text.extend_from_slice(REMARK.as_bytes());
    for (names, value) in &lines {
        text.extend_from_slice(names.as_bytes());
        text.extend_from_slice(value.expose_secret());
        text.push(b'\n');
    }
    secret_bytes(text)
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
    let again = parse(text(&entries).expose_secret()).expect("what was written can be read");
    let open = |entries: &Entries| {
        let open = |(name, value): (&EntryName, &SecretBytes)| {
            (name.clone(), value.expose_secret().to_vec())
        };
        entries.iter().map(open).collect::<Vec<_>>()
    };
    assert!(open(&again) == open(&entries), "what is read again is something else");
    true
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
            let read = parse(text(&entries).expose_secret()).unwrap();
            prop_assert!(read[&name].expose_secret() == value.as_slice());
        }
    }
}
