//! Cases for several handles to the same store.

use strongroom_core::ErrorKind;
use strongroom_core::KeyringStore;

use crate::fixture::{Fixture, read, refused};

pub(crate) fn a_handle_sees_what_another_wrote(fixture: &Fixture<'_>) {
    let other = fixture.open();
    // The store must not remember that the entry was absent.
    assert!(read(&*other, fixture.service(), "u").is_none());
    for value in ["first", "second"] {
        fixture.write("u", value);
        let seen = read(&*other, fixture.service(), "u");
        assert_eq!(seen.as_deref(), Some(value.as_bytes()));
    }
    let value = strongroom_core::secret_bytes(b"third".to_vec());
    let result = other.create_bytes(fixture.service(), "u", &value);
    refused(result, ErrorKind::AlreadyExists, "creating what another handle wrote");
}

pub(crate) fn a_handle_sees_what_another_deleted(fixture: &Fixture<'_>) {
    let other = fixture.open();
    fixture.write("u", "v");
    assert!(read(&*other, fixture.service(), "u").is_some());
    let deleted = other.delete_password(fixture.service(), "u");
    assert!(matches!(deleted, Ok(true)), "{deleted:?}");
    assert!(!fixture.is_there("u"));
    assert!(!fixture.delete("u"), "the other handle has deleted it");
}

pub(crate) fn an_entry_outlives_its_handle(fixture: &Fixture<'_>) {
    let short_lived = fixture.open();
    fixture.will_write(fixture.service(), "u");
    let value = strongroom_core::secret_bytes(b"v".to_vec());
    short_lived
        .set_bytes(fixture.service(), "u", &value)
        .unwrap_or_else(|error| panic!("writing failed: {error:?}"));
    drop(short_lived);
    assert_eq!(fixture.read("u").as_deref(), Some(&b"v"[..]));
}
