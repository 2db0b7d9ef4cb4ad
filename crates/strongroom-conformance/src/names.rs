//! Cases for names: each name that the contract allows is accepted, and identifies a single entry.

use strongroom_core::{ErrorKind, KeyringStore, MAX_NAME_BYTES, Store, secret_bytes};

use crate::fixture::{Fixture, read, refused};

/// Names that are known to break stores: separators, escapes, patterns, numbering, normalisation.
pub(crate) const AWKWARD: &[&str] = &[
    ".",
    "..",
    "-leading-dash",
    "--",
    "/",
    "a/b",
    "/a",
    "a//b",
    "a\\b",
    " ",
    " a",
    "a ",
    "a b",
    "\"a\"",
    "'a'",
    "`a`",
    "%",
    "%25",
    "%2F",
    "%s",
    ":",
    "a:b",
    "::",
    "@",
    "a@b",
    ";",
    "a;b",
    "=",
    "a=b",
    "&",
    "?",
    "#",
    "*",
    "a*",
    "[a]",
    "{a}",
    "$a",
    "~",
    "+",
    "a+b",
    "<a>",
    "|",
    "a\nb",
    "a\n",
    "\t",
    "\r",
    "\u{1b}",
    "\u{7f}",
    "é",
    "e\u{301}",
    // Equal in upper case.
    "ß",
    "ss",
    "密码",
    "🔐",
    "👩‍👩‍👧",
    // KWallet numbers items of the same label in this form.
    "a__1_",
    "a__2_",
    "a",
    "0",
    "00",
    "null",
    // A device name on Windows.
    "CON",
    "_",
    "a.b",
    "a,b",
];

pub(crate) fn awkward_users_stay_apart(fixture: &Fixture<'_>) {
    let service = fixture.service();
    stay_apart(fixture, AWKWARD.iter().map(|user| (service.to_owned(), (*user).to_owned())));
}

pub(crate) fn awkward_services_stay_apart(fixture: &Fixture<'_>) {
    let base = fixture.service();
    let around = AWKWARD.iter().flat_map(|part| [format!("{base}{part}"), format!("{part}{base}")]);
    stay_apart(fixture, around.map(|service| (service, "u".to_owned())));
}

pub(crate) fn takes_the_longest_names(fixture: &Fixture<'_>) {
    let base = fixture.service();
    let mut names = Vec::new();
    for filler in ["x", " ", "%", "\n", "é", "🔐"] {
        let user = pad("", filler);
        // Differs in the last character alone: a store that truncates names would mix the two up.
        let mut sibling = user.clone();
        sibling.pop();
        sibling.push('y');
        names.extend([user, sibling].map(|user| (pad(base, filler), user)));
    }
    let longest = pad(base, "x");
    names.push((longest[..MAX_NAME_BYTES - 1].to_owned(), pad("", "x")));
    names.push((longest, pad("", "x")[1..].to_owned()));
    // In small chunks, since these names are long when they are escaped, and count against a quota.
    for names in names.chunks(4) {
        stay_apart(fixture, names.iter().cloned());
    }
}

pub(crate) fn names_that_join_alike_stay_apart(fixture: &Fixture<'_>) {
    let base = fixture.service();
    let mut names = Vec::new();
    for joint in [".", ":", "@", "/", "%", "_", "__", "-", " ", "\n", ";", "=", "%3A", "\\"] {
        names.push((format!("{base}{joint}b"), "c".to_owned()));
        names.push((base.to_owned(), format!("b{joint}c")));
        names.push((format!("{base}{joint}"), format!("b{joint}c")));
        names.push((base.to_owned(), format!("{joint}b{joint}c")));
    }
    names.push((format!("{base}bc"), "d".to_owned()));
    names.push((format!("{base}b"), "cd".to_owned()));
    names.push((base.to_owned(), base.to_owned()));
    stay_apart(fixture, names.into_iter());
}

pub(crate) fn case_tells_names_apart(fixture: &Fixture<'_>) {
    let base = fixture.service();
    let mut names = Vec::new();
    for service in [format!("{base}-App"), format!("{base}-app"), format!("{base}-APP")] {
        for user in ["token", "Token", "TOKEN", "É", "é", "ı", "I"] {
            names.push((service.clone(), user.to_owned()));
        }
    }
    stay_apart(fixture, names.into_iter());
}

pub(crate) fn refuses_names_that_cannot_be_used(fixture: &Fixture<'_>) {
    let (store, base) = (fixture.store(), fixture.service());
    let overlong = pad(base, "x") + "x";
    let with_nul = format!("{base}\0");
    for service in ["", &with_nul, &overlong] {
        refuse(store, service, "u");
        refused(store.list(service), ErrorKind::Invalid, "listing it");
    }
    // Qt drops a byte order mark at the start, so that two names would be the same.
    for user in ["", "a\0b", "\0", "\u{feff}a", &overlong] {
        refuse(store, base, user);
    }
    if store.capabilities().can_list {
        assert!(fixture.list(base).is_empty(), "a refused write left an entry");
    }
}

/// Creates an entry of a distinct value for each name, then reads and deletes each entry.
fn stay_apart(fixture: &Fixture<'_>, names: impl Iterator<Item = (String, String)>) {
    let store = fixture.store();
    let names: Vec<_> = names.collect();
    // In chunks, so that a quota on the number of entries is not exceeded.
    for names in names.chunks(32) {
        for (index, (service, user)) in names.iter().enumerate() {
            fixture.will_write(service, user);
            let value = secret_bytes(index.to_string().into_bytes());
            store
                .create_bytes(service, user, &value)
                .unwrap_or_else(|error| panic!("creating {service:?}, {user:?}: {error:?}"));
        }
        for (index, (service, user)) in names.iter().enumerate() {
            let value = read(store, service, user);
            assert_eq!(value, Some(index.to_string().into_bytes()), "{service:?}, {user:?}");
            let deleted = store.delete_password(service, user);
            assert!(matches!(deleted, Ok(true)), "{service:?}, {user:?}: {deleted:?}");
            assert!(read(store, service, user).is_none(), "{service:?}, {user:?}");
        }
    }
}

fn refuse(store: &dyn Store, service: &str, user: &str) {
    let value = secret_bytes(b"v".to_vec());
    let text = strongroom_core::SecretString::from("v");
    refused(store.set_bytes(service, user, &value), ErrorKind::Invalid, "set_bytes");
    refused(store.set_password(service, user, &text), ErrorKind::Invalid, "set_password");
    refused(store.get_bytes(service, user), ErrorKind::Invalid, "get_bytes");
    refused(store.get_password(service, user), ErrorKind::Invalid, "get_password");
    refused(store.delete_password(service, user), ErrorKind::Invalid, "delete_password");
    refused(store.exists(service, user), ErrorKind::Invalid, "exists");
}

/// Pads a name with the filler, then with `x`, to exactly [`MAX_NAME_BYTES`].
fn pad(start: &str, filler: &str) -> String {
    let room = MAX_NAME_BYTES - start.len();
    let name = format!("{start}{}", filler.repeat(room / filler.len()));
    let rest = MAX_NAME_BYTES - name.len();
    name + &"x".repeat(rest)
}
