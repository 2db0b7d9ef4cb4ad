//! The descriptions of keys: `NAMESPACE:SERVICE:USER`, each part percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use strongroom_core::EntryName;

/// The bytes that are escaped: all but ASCII letters, digits and `-._~/@+=`. A colon separates the names, a
/// percent sign escapes, and a semicolon separates the fields in the result of `KEYCTL_DESCRIBE`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=');

/// Returns the description of an entry's key.
///
/// Three names of 255 bytes make at most 2,297 bytes; the kernel takes 4,095 (`add_key(2)`).
pub(crate) fn of_entry(namespace: &str, entry: &EntryName) -> String {
    let (service, user) = (entry.service().as_str(), entry.user().as_str());
    format!("{}:{}:{}", escape(namespace), escape(service), escape(user))
}

/// Returns the entry that a key of this description holds; `None` if the description is not of this
/// namespace.
///
/// A description in another spelling than that of [`of_entry`] is not accepted, so that no two keys stand for
/// the same entry.
pub(crate) fn parse(namespace: &str, description: &str) -> Option<EntryName> {
    let mut parts = description.splitn(3, ':').skip(1);
    let (service, user) = (unescape(parts.next()?)?, unescape(parts.next()?)?);
    let entry = EntryName::new(service, user).ok()?;
    (of_entry(namespace, &entry) == description).then_some(entry)
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
        prop_oneof!["[^\0\u{feff}][^\0]{0,59}", "[a-c:%;./]{1,4}"]
    }

    proptest! {
        #[test]
        fn every_name_comes_back_from_its_description(ns in name(), s in name(), u in name()) {
            let entry = EntryName::new(s, u).expect("the strategy makes valid names");
            let description = of_entry(&ns, &entry);
            prop_assert!(description.is_ascii() && !description.contains(char::is_control));
            prop_assert_eq!(parse(&ns, &description), Some(entry));
        }

        #[test]
        fn what_parses_is_spelt_in_one_way(description in "ns:[a-b%:25E3]{0,12}") {
            if let Some(entry) = parse("ns", &description) {
                prop_assert_eq!(of_entry("ns", &entry), description);
            }
        }

        #[test]
        fn other_namespaces_are_not_ours(ns in name(), other in name(), s in name(), u in name()) {
            prop_assume!(ns != other);
            let entry = EntryName::new(s, u).expect("the strategy makes valid names");
            prop_assert_eq!(parse(&ns, &of_entry(&other, &entry)), None);
        }
    }

    #[test]
    fn ordinary_names_stay_readable() {
        let entry = EntryName::new("my-app.example", "me@example.org").expect("valid");
        let description = "strongroom:my-app.example:me@example.org";
        assert_eq!(of_entry("strongroom", &entry), description);
    }

    #[test]
    fn the_longest_names_fit() {
        let longest = "\u{1}".repeat(MAX_NAME_BYTES);
        let entry = EntryName::new(longest.clone(), longest.clone()).expect("valid");
        assert_eq!(of_entry(&longest, &entry).len(), 2_297);
    }

    #[test]
    fn other_spellings_are_nobodys() {
        for description in
            ["ns:a", "ns:a:", "ns::u", "ns:a:b:c", "ns:%61:b", "ns:a:%2f", "n:a:b", "ns:a:%FF"]
        {
            assert_eq!(parse("ns", description), None, "{description}");
        }
    }
}
