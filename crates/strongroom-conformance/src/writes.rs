//! Cases for sequences of writes, deletes and reads.

use strongroom_core::{ErrorKind, WriteMode};

use crate::fixture::{Fixture, refused};

pub(crate) fn a_missing_entry_is_none(fixture: &Fixture<'_>) {
    assert!(fixture.read("u").is_none());
    assert!(!fixture.is_there("u"));
    fixture.write("u", "v");
    assert!(!fixture.is_there("another"), "a sibling does not stand in");
}

pub(crate) fn overwrites_with_another_value(fixture: &Fixture<'_>) {
    overwrite(fixture, "first", "other");
}

pub(crate) fn overwrites_with_a_shorter_value(fixture: &Fixture<'_>) {
    overwrite(fixture, "a long value that leaves a tail", "short");
    overwrite(fixture, "a value", "");
}

pub(crate) fn overwrites_with_a_longer_value(fixture: &Fixture<'_>) {
    overwrite(fixture, "", "a value");
    overwrite(fixture, "short", &"long".repeat(100));
}

pub(crate) fn creates_a_new_entry(fixture: &Fixture<'_>) {
    create(fixture, "v");
    assert_eq!(fixture.read("u").as_deref(), Some(&b"v"[..]));
    fixture.delete("u");
    create(fixture, "again");
    assert_eq!(fixture.read("u").as_deref(), Some(&b"again"[..]));
}

pub(crate) fn create_new_leaves_an_existing_entry_alone(fixture: &Fixture<'_>) {
    for value in ["", "old"] {
        fixture.write("u", value);
        let result = fixture.try_write("u", b"new", WriteMode::CreateNew);
        refused(result, ErrorKind::AlreadyExists, "creating what exists");
        assert_eq!(fixture.read("u").as_deref(), Some(value.as_bytes()));
    }
}

pub(crate) fn a_refused_create_leaves_nothing(fixture: &Fixture<'_>) {
    let max = fixture.store().capabilities().max_secret_len;
    let value = vec![b'x'; max.expect("the case is for limited stores") + 1];
    let result = fixture.try_write("u", &value, WriteMode::CreateNew);
    refused(result, ErrorKind::TooLarge, "one byte more than the maximum");
    assert!(!fixture.is_there("u"));
}

pub(crate) fn deletes_an_entry(fixture: &Fixture<'_>) {
    fixture.write("u", "v");
    fixture.write("sibling", "kept");
    assert!(fixture.delete("u"), "it was there");
    assert!(!fixture.is_there("u"));
    assert_eq!(fixture.read("sibling").as_deref(), Some(&b"kept"[..]));
}

pub(crate) fn says_false_when_deleting_what_is_missing(fixture: &Fixture<'_>) {
    assert!(!fixture.delete("u"), "it was never there");
    fixture.write("u", "v");
    assert!(fixture.delete("u"), "it was there");
    assert!(!fixture.delete("u"), "it was there no more");
}

pub(crate) fn stores_again_after_a_delete(fixture: &Fixture<'_>) {
    for value in ["first", "second", "third"] {
        fixture.write("u", value);
        assert_eq!(fixture.read("u").as_deref(), Some(value.as_bytes()));
        assert!(fixture.delete("u"));
        assert!(fixture.read("u").is_none());
    }
}

pub(crate) fn exists_follows_writes_and_deletes(fixture: &Fixture<'_>) {
    assert!(!fixture.is_there("u"));
    fixture.write("u", "");
    assert!(fixture.is_there("u"), "an empty value is an entry");
    fixture.write("u", "v");
    assert!(fixture.is_there("u"));
    fixture.delete("u");
    assert!(!fixture.is_there("u"));
}

pub(crate) fn an_unknown_candidate_is_refused_and_nothing_changes(fixture: &Fixture<'_>) {
    fixture.write("u", "v");
    let entry = strongroom_core::EntryName::new(fixture.service(), "u").expect("it was written");
    let (store, unknown) = (fixture.store(), &"no such candidate".into());
    let other = strongroom_core::secret_bytes(b"other".to_vec());
    for outcome in [
        store.keep_candidate(&entry, unknown).map(drop),
        store.read_candidate(&entry, unknown).map(drop),
        store.write_candidate(&entry, unknown, &other),
    ] {
        let error = outcome.expect_err("there is none of this id");
        let kinds = [ErrorKind::NotFound, ErrorKind::Unsupported];
        assert!(kinds.contains(&error.kind()), "{error:?}");
    }
    assert_eq!(fixture.read("u").as_deref(), Some(&b"v"[..]));
}

fn overwrite(fixture: &Fixture<'_>, old: &str, new: &str) {
    for value in [old, new] {
        fixture.write("u", value);
        assert_eq!(fixture.read("u").as_deref(), Some(value.as_bytes()));
    }
    assert!(fixture.is_there("u"));
}

fn create(fixture: &Fixture<'_>, value: &str) {
    fixture
        .try_write("u", value.as_bytes(), WriteMode::CreateNew)
        .unwrap_or_else(|error| panic!("creating failed: {error:?}"));
}
