//! The target names of credentials, their only key: `strongroom:SERVICE/USER`, each part
//! percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use strongroom_core::{EntryName, ServiceName};

const PREFIX: &str = "strongroom:";
const DELIMITER: char = '/';

/// The bytes that are escaped: all but lower-case ASCII letters, digits and `-._~@+=`. Windows ignores case
/// in target names, so capital letters are escaped, and so are all letters outside of ASCII, which may have
/// case, too.
const ESCAPED: &AsciiSet = &{
    let mut escaped = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'@')
        .remove(b'+')
        .remove(b'=');
    let mut letter = b'A';
    while letter <= b'Z' {
        escaped = escaped.add(letter);
        letter += 1;
    }
    escaped
};

/// Returns the target name of an entry.
///
/// Two names of 255 bytes make at most 1,542 characters; Windows takes 32,767
/// (`CRED_MAX_GENERIC_TARGET_NAME_LENGTH`).
pub(crate) fn of_entry(entry: &EntryName) -> String {
    beginning(entry.service()) + &escape(entry.user().as_str())
}

/// Returns the beginning of the target names of a service's entries, and of no other service's.
pub(crate) fn beginning(service: &ServiceName) -> String {
    format!("{PREFIX}{}{DELIMITER}", escape(service.as_str()))
}

/// Returns the entry of this target name; `None` if it is not a target of the store.
///
/// A target in another spelling than that of [`of_entry`] is not accepted, so that no two targets stand for
/// the same entry.
pub(crate) fn parse(target: &str) -> Option<EntryName> {
    let (service, user) = target.strip_prefix(PREFIX)?.split_once(DELIMITER)?;
    let entry = EntryName::new(unescape(service)?, unescape(user)?).ok()?;
    (of_entry(&entry) == target).then_some(entry)
}

/// Returns the target name that the `keyring` crate gives this entry. Other entries may have the same: `b` of
/// `c.d` and `b.c` of `d`.
pub(crate) fn of_keyring(entry: &EntryName) -> String {
    format!("{}.{}", entry.user().as_str(), entry.service().as_str())
}

fn escape(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
}

fn unescape(part: &str) -> Option<String> {
    let name = percent_decode_str(part).decode_utf8().ok()?;
    Some(name.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strongroom_core::MAX_NAME_BYTES;

    use super::*;

    fn name() -> impl Strategy<Value = String> {
        prop_oneof!["[^\0\u{feff}][^\0]{0,59}", "[a-cA-C:%/.*\\\\]{1,4}"]
    }

    fn entry() -> impl Strategy<Value = EntryName> {
        (name(), name()).prop_map(|(s, u)| EntryName::new(s, u).expect("the names are valid"))
    }

    proptest! {
        #[test]
        fn every_name_comes_back_from_its_target(entry in entry()) {
            let target = of_entry(&entry);
            prop_assert!(target.is_ascii() && !target.contains(char::is_control));
            prop_assert!(!target.contains(['*', '\\']), "they mean something in a filter: {target}");
            prop_assert_eq!(parse(&target), Some(entry));
        }

        #[test]
        fn no_two_entries_have_targets_that_differ_in_case_alone(a in entry(), b in entry()) {
            let same = of_entry(&a).eq_ignore_ascii_case(&of_entry(&b));
            prop_assert_eq!(same, a == b);
        }

        #[test]
        fn targets_begin_with_their_own_service_and_no_other(entry in entry(), other in name()) {
            let other = ServiceName::new(other).expect("the name is valid");
            let (target, beginning) = (of_entry(&entry), beginning(&other));
            let begins = target.get(..beginning.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(&beginning));
            prop_assert_eq!(begins, *entry.service() == other);
        }

        #[test]
        fn what_parses_is_spelt_in_one_way(target in "strongroom:[a-bA%/25E3]{0,12}") {
            if let Some(entry) = parse(&target) {
                prop_assert_eq!(of_entry(&entry), target);
            }
        }

        #[test]
        fn a_user_and_its_keyring_target_tell_the_service(entry in entry(), other in entry()) {
            let same = of_keyring(&entry) == of_keyring(&other) && entry.user() == other.user();
            prop_assert_eq!(same, entry == other);
        }
    }

    #[test]
    fn ordinary_names_stay_readable() {
        let entry = EntryName::new("my-app.example", "me@example.org").expect("valid");
        assert_eq!(of_entry(&entry), "strongroom:my-app.example/me@example.org");
        assert_eq!(of_keyring(&entry), "me@example.org.my-app.example");
    }

    #[test]
    fn capitals_are_told_from_small_letters() {
        let entry = EntryName::new("App", "Token").expect("valid");
        assert_eq!(of_entry(&entry), "strongroom:%41pp/%54oken");
    }

    #[test]
    fn the_longest_names_fit() {
        let longest = "\u{1}".repeat(MAX_NAME_BYTES);
        let entry = EntryName::new(longest.clone(), longest).expect("valid");
        assert_eq!(of_entry(&entry).len(), 1_542);
    }

    #[test]
    fn other_spellings_are_nobodys() {
        for rest in ["a", "a/", "/u", "a/b/c", "%61/b", "a/%2f", "A/b", "a/%FF", "a:b/c"] {
            assert_eq!(parse(&format!("{PREFIX}{rest}")), None, "{rest}");
        }
        assert_eq!(parse("Strongroom:a/b"), None);
    }
}
