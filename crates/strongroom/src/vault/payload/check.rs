//! Properties that must hold for any bytes, for the fuzzer and for the tests that run its seeds.

use strongroom_core::{ExposeSecret, Secret, SecretBytes, SecretKey, SecretMetadata, secret_bytes};

use super::{Payload, Position, Unreadable, VaultId};

/// The identity of a payload of version 0 here.
const FRESH: VaultId = VaultId(0xf5e5);

/// Parses these bytes as a payload, and returns whether they are a payload.
///
/// # Panics
///
/// Panics if the parser does or breaks a promise: the position of a refusal lies in the payload, a parsed
/// payload is written as a line of printable ASCII, and parsing that line gives the same payload.
pub(crate) fn check(entry: &[u8]) -> bool {
    match parse(&secret_bytes(entry.to_vec())) {
        Ok(payload) => {
            check_written(&payload);
            true
        }
        Err(unreadable) => {
            check_refusal(unreadable, entry);
            false
        }
    }
}

fn parse(line: &SecretBytes) -> Result<Payload, Unreadable> {
    Payload::parse(line, || FRESH)
}

fn check_written(payload: &Payload) {
    let line = payload.to_line();
    let is_printable = line.expose_secret().iter().all(|byte| matches!(byte, b' '..=b'~'));
    assert!(is_printable, "a line holds what is not printable ASCII");
    let again = parse(&line).expect("a line that was written can be read");
    assert!(is_same(&again, payload), "what is read again is something else");
    assert!(
        again.to_line().expose_secret() == line.expose_secret(),
        "what is written again is another line"
    );
}

/// Compares all but the unknown fields. Those are kept as text, which the comparison of the lines covers.
fn is_same(one: &Payload, other: &Payload) -> bool {
    (one.id, one.generation) == (other.id, other.generation)
        && one.secrets().iter().map(open).eq(other.secrets().iter().map(open))
}

fn open((key, secret): (&SecretKey, &Secret)) -> (SecretKey, SecretMetadata, String) {
    (key.clone(), secret.metadata.clone(), secret.value.expose_secret().to_owned())
}

/// Checks the position of a refusal. Its text needs no check: by its type it contains only fixed texts and
/// numbers.
fn check_refusal(unreadable: Unreadable, entry: &[u8]) {
    let Unreadable::Damaged { at: Position { line, column }, .. } = unreadable else {
        return;
    };
    let lines: Vec<_> = entry.split(|byte| *byte == b'\n').collect();
    assert!((1..=lines.len()).contains(&line), "line {line} of {}", lines.len());
    let most = lines[line - 1].len() + 1;
    assert!((1..=most).contains(&column), "column {column} of {most} in line {line}");
}
