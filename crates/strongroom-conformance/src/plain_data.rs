//! Cases for capabilities, name, probe, `Debug` and errors: they are constant, change nothing and contain no value.

use std::error::Error as StdError;
use std::fmt::Debug;

use strongroom_core::{Capabilities, Error, ErrorKind, KeyringStore, Operation, WriteMode};

use crate::fixture::{Fixture, refused};

/// A value that no store has a reason to print.
const MARKER: &str = "m4rk3r-v4lu3";

pub(crate) fn capabilities_never_change(fixture: &Fixture<'_>) {
    // A store learns from its provider how values are protected, so this part may change at the first use.
    let untouched = fixture.store().capabilities();
    fixture.write("u", "v");
    let used = fixture.store().capabilities();
    fixture.delete("u");
    assert_eq!(fixture.store().capabilities(), used);
    assert_eq!(fixture.open().capabilities(), untouched);
    assert_eq!(abilities(used), abilities(untouched), "use tells no more than how it protects");
}

/// Returns the capabilities that do not depend on the provider behind a store.
fn abilities(of: Capabilities) -> (Option<usize>, bool, bool, bool) {
    (of.max_secret_len, of.binary_safe, of.can_list, of.may_prompt)
}

pub(crate) fn its_name_is_one_lower_case_word(fixture: &Fixture<'_>) {
    let name = fixture.store().name();
    assert!(!name.is_empty(), "it has none");
    assert!(name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{name:?}");
    assert_eq!(fixture.open().name(), name);
}

pub(crate) fn probing_changes_nothing(fixture: &Fixture<'_>) {
    probe(fixture);
    assert!(!fixture.is_there("u"));
    fixture.write("u", "v");
    probe(fixture);
    assert_eq!(fixture.read("u").as_deref(), Some(&b"v"[..]));
    if fixture.store().capabilities().can_list {
        assert_eq!(fixture.list(fixture.service()), ["u"]);
    }
}

pub(crate) fn debug_shows_no_value(fixture: &Fixture<'_>) {
    fixture.write("u", MARKER);
    fixture.read("u");
    show_nothing(&fixture.store());
    show_nothing(&fixture.open());
    show_nothing(&fixture.store().get_bytes(fixture.service(), "u"));
    show_nothing(&fixture.store().get_password(fixture.service(), "u"));
}

pub(crate) fn errors_name_their_context(fixture: &Fixture<'_>) {
    fixture.write("u", "v");
    let result = fixture.try_write("u", b"new", WriteMode::CreateNew);
    let error = refused(result, ErrorKind::AlreadyExists, "creating what exists");
    assert_eq!(error.operation(), Operation::Set, "{error:?}");
    assert_eq!(error.store(), Some(fixture.store().name()), "{error:?}");
    let entry = error.entry().unwrap_or_else(|| panic!("no entry: {error:?}"));
    assert_eq!(entry.service().as_str(), fixture.service());
    assert_eq!(entry.user().as_str(), "u");
}

pub(crate) fn errors_show_no_value(fixture: &Fixture<'_>) {
    let capabilities = fixture.store().capabilities();
    fixture.write("u", MARKER);
    let result = fixture.try_write("u", MARKER.as_bytes(), WriteMode::CreateNew);
    show_nothing_of(&refused(result, ErrorKind::AlreadyExists, "creating what exists"));
    if let Some(max) = capabilities.max_secret_len {
        let value = MARKER.repeat(max / MARKER.len() + 1);
        let result = fixture.try_write("u", value.as_bytes(), WriteMode::Overwrite);
        show_nothing_of(&refused(result, ErrorKind::TooLarge, "too large a value"));
    }
    let not_text = [MARKER.as_bytes(), &[0xff]].concat();
    let result = fixture.try_write("u", &not_text, WriteMode::Overwrite);
    if !capabilities.binary_safe {
        show_nothing_of(&refused(result, ErrorKind::Unsupported, "bytes"));
        return;
    }
    result.unwrap_or_else(|error| panic!("writing bytes failed: {error:?}"));
    let result = fixture.store().get_password(fixture.service(), "u");
    show_nothing_of(&refused(result, ErrorKind::Invalid, "reading bytes as text"));
}

fn probe(fixture: &Fixture<'_>) {
    let probe = fixture.store().probe();
    let probe = probe.unwrap_or_else(|error| panic!("probing failed: {error:?}"));
    assert!(!probe.provider.is_empty(), "a probe says who serves the store");
}

fn show_nothing_of(error: &Error) {
    show_nothing(error);
    shown_without_value(&error.to_string());
    shown_without_value(error.hint());
    // A cause may quote the data that it could not handle.
    let mut source = error.source();
    while let Some(cause) = source {
        show_nothing(&cause);
        shown_without_value(&cause.to_string());
        source = cause.source();
    }
}

fn show_nothing(what: &impl Debug) {
    shown_without_value(&format!("{what:?}"));
    shown_without_value(&format!("{what:#?}"));
}

/// Checks that the output contains the marker neither as text nor as a list of bytes, with or without line breaks.
fn shown_without_value(shown: &str) {
    let squeezed: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
    let numbers = MARKER.as_bytes().iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let seen = squeezed.contains(MARKER) || squeezed.contains(&numbers);
    assert!(!seen, "the value is shown in: {shown}");
}
