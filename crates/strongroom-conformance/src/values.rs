//! Cases for values: a value is read back unchanged, or is refused.

use strongroom_core::{
    ErrorKind, ExposeSecret, KeyringStore, SecretString, Store, WriteMode, armor, secret_bytes,
};

use crate::fixture::{Fixture, refused};

/// The length in bytes of the largest value for a store without a limit.
const LARGE: usize = 64 * 1024;

pub(crate) fn round_trips_an_empty_value(fixture: &Fixture<'_>) {
    round_trip(fixture, &[""]);
}

pub(crate) fn round_trips_unicode(fixture: &Fixture<'_>) {
    let decomposed = "e\u{301}";
    round_trip(fixture, &["grüße", "密码", "🔐👩‍👩‍👧", "é", decomposed, "\u{202e}x"]);
}

pub(crate) fn round_trips_line_breaks_and_tabs(fixture: &Fixture<'_>) {
    round_trip(fixture, &["a\nb", "a\n", "\na", "a\r\nb\r\n", "a\rb", "\t", "a\tb", "\n"]);
}

pub(crate) fn round_trips_control_characters(fixture: &Fixture<'_>) {
    round_trip(fixture, &["a\0b", "\0", "\x1b[31m", "\x7f", "\u{85}"]);
}

pub(crate) fn round_trips_surrounding_spaces(fixture: &Fixture<'_>) {
    round_trip(fixture, &[" a", "a ", " ", "  a  b  ", "\u{a0}a\u{a0}"]);
}

pub(crate) fn round_trips_a_byte_order_mark(fixture: &Fixture<'_>) {
    round_trip(fixture, &["\u{feff}a", "\u{feff}", "a\u{feff}"]);
}

pub(crate) fn round_trips_what_looks_like_armor(fixture: &Fixture<'_>) {
    // The marker with nothing, no Base64, complete Base64 and cut Base64 after it.
    for rest in ["", "%%%", "YQ==", "YQpi", "YQ"] {
        round_trip(fixture, &[&format!("{}{rest}", armor::MARKER)]);
    }
}

pub(crate) fn round_trips_an_armored_value(fixture: &Fixture<'_>) {
    let mut value = b"a\nb".to_vec();
    // An encoded value is a value like any other, and is encoded again.
    for _ in 0..3 {
        value = armor::encode(&value).expose_secret().to_vec();
        round_trip(fixture, &[std::str::from_utf8(&value).expect("armor is text")]);
    }
}

pub(crate) fn round_trips_four_kibibytes(fixture: &Fixture<'_>) {
    round_trip(fixture, &[&"0123456789abcdef".repeat(256)]);
}

/// Writes a value of the largest length. If the user's quota is smaller, the write must fail and change nothing.
pub(crate) fn round_trips_the_largest_value(fixture: &Fixture<'_>) {
    let max = fixture.store().capabilities().max_secret_len;
    let value = "x".repeat(max.unwrap_or(LARGE)).into_bytes();
    fixture.write("u", "old");
    match fixture.try_write("u", &value, WriteMode::Overwrite) {
        Ok(()) => assert!(fixture.read("u") == Some(value), "it must come back whole"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error:?}");
            assert_eq!(fixture.read("u").as_deref(), Some(&b"old"[..]));
        }
    }
}

pub(crate) fn round_trips_every_byte(fixture: &Fixture<'_>) {
    let ascending: Vec<u8> = (0..=255).collect();
    let descending: Vec<u8> = ascending.iter().rev().copied().collect();
    for value in [ascending, descending, vec![0xff], vec![0, 0, 0], vec![0xc3]] {
        fixture.write("u", &value);
        assert_eq!(fixture.read("u"), Some(value));
    }
}

pub(crate) fn refuses_a_value_that_is_too_large_and_keeps_the_old_one(fixture: &Fixture<'_>) {
    let max = fixture.store().capabilities().max_secret_len;
    let value = vec![b'x'; max.expect("the case is for limited stores") + 1];
    fixture.write("u", "old");
    let result = fixture.try_write("u", &value, WriteMode::Overwrite);
    refused(result, ErrorKind::TooLarge, "one byte more than the maximum");
    assert_eq!(fixture.read("u").as_deref(), Some(&b"old"[..]));
}

pub(crate) fn refuses_bytes_that_are_not_text(fixture: &Fixture<'_>) {
    fixture.write("u", "old");
    let result = fixture.try_write("u", &[0xff, 0xfe], WriteMode::Overwrite);
    refused(result, ErrorKind::Unsupported, "a value that is not text");
    assert_eq!(fixture.read("u").as_deref(), Some(&b"old"[..]));
}

pub(crate) fn refuses_to_read_bytes_as_text(fixture: &Fixture<'_>) {
    fixture.write("u", [0xff, 0xfe]);
    let result = fixture.store().get_password(fixture.service(), "u");
    refused(result, ErrorKind::Invalid, "reading bytes as text");
    assert_eq!(fixture.read("u"), Some(vec![0xff, 0xfe]));
}

pub(crate) fn text_and_bytes_are_one_entry(fixture: &Fixture<'_>) {
    let (store, service) = (fixture.store(), fixture.service());
    fixture.write("u", "written as bytes");
    assert_eq!(text(store, service), "written as bytes");
    store
        .set_password(service, "u", &SecretString::from("written as text"))
        .unwrap_or_else(|error| panic!("writing text failed: {error:?}"));
    assert_eq!(fixture.read("u").as_deref(), Some(&b"written as text"[..]));
}

/// Writes and reads each value, as a new entry and over another value.
fn round_trip(fixture: &Fixture<'_>, values: &[&str]) {
    let (store, service) = (fixture.store(), fixture.service());
    for value in values {
        fixture.delete("u");
        for mode in [WriteMode::CreateNew, WriteMode::Overwrite] {
            fixture.will_write(service, "u");
            store
                .write_bytes(service, "u", &secret_bytes(value.as_bytes().to_vec()), mode)
                .unwrap_or_else(|error| panic!("writing {value:?} failed: {error:?}"));
            assert_eq!(text(store, service), *value);
            fixture.write("u", "another value");
        }
    }
}

fn text(store: &dyn Store, service: &str) -> String {
    store
        .get_password(service, "u")
        .unwrap_or_else(|error| panic!("reading failed: {error:?}"))
        .expect("what was written must be there")
        .expose_secret()
        .to_owned()
}
