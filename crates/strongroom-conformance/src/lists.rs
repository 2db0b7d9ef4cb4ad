//! Cases for listing the entries of a service.

use strongroom_core::ErrorKind;
use strongroom_core::KeyringStore;

use crate::fixture::{Fixture, refused};
use crate::names::AWKWARD;

pub(crate) fn names_each_entry_once(fixture: &Fixture<'_>) {
    for user in ["c", "a", "b", "a"] {
        fixture.write(user, "v");
    }
    fixture.write("b", "another value");
    assert_eq!(fixture.list(fixture.service()), ["a", "b", "c"]);
}

pub(crate) fn an_unknown_service_has_no_entries(fixture: &Fixture<'_>) {
    assert!(fixture.list(fixture.service()).is_empty());
}

pub(crate) fn forgets_deleted_entries(fixture: &Fixture<'_>) {
    fixture.write("a", "v");
    fixture.write("b", "v");
    fixture.delete("a");
    assert_eq!(fixture.list(fixture.service()), ["b"]);
    fixture.delete("b");
    assert!(fixture.list(fixture.service()).is_empty());
}

pub(crate) fn lists_awkward_names_as_they_are(fixture: &Fixture<'_>) {
    // In chunks, so that a quota on the number of entries is not exceeded.
    for users in AWKWARD.chunks(32) {
        let mut users = users.to_vec();
        users.sort_unstable();
        for user in &users {
            fixture.write(user, "v");
        }
        assert_eq!(fixture.list(fixture.service()), users);
        for user in &users {
            fixture.delete(user);
        }
    }
}

pub(crate) fn leaves_out_services_of_similar_names(fixture: &Fixture<'_>) {
    let base = fixture.service();
    // Names that a search by prefix, pattern or word, or without regard to case, would take for this service.
    let similar = ["2", ".x", ":x", "/x", "@x", " ", "%", "*", "-", "_", "__1_"];
    let mut services: Vec<_> = similar.iter().map(|tail| format!("{base}{tail}")).collect();
    services.extend([format!("x{base}"), base[..base.len() - 1].to_owned(), base.to_uppercase()]);
    for service in &services {
        fixture.write_in(service, "theirs", "v");
    }
    assert!(fixture.list(base).is_empty(), "none of them is this service");
    fixture.write("ours", "v");
    assert_eq!(fixture.list(base), ["ours"]);
    for service in &services {
        assert_eq!(fixture.list(service), ["theirs"], "{service:?}");
    }
}

pub(crate) fn refuses_to_list_where_it_cannot(fixture: &Fixture<'_>) {
    let result = fixture.store().list(fixture.service());
    refused(result, ErrorKind::Unsupported, "listing");
}
