//! Targets, which distinguish several items of a user.
//!
//! The `keyring` crate stores the target as an attribute. An item with a target is a secret of its own. Its
//! entry has the target in its user name, as [`SecretKey::entry_name`] writes it: `token::staging`.

use std::collections::HashMap;

use strongroom_core::{EntryName, SecretKey};

use crate::item::Attributes;
use crate::protocol::{ATTRIBUTE_SERVICE, ATTRIBUTE_TARGET, ATTRIBUTE_USER, DEFAULT_TARGET};

/// Returns the target of an item; `None` if it is missing, empty, or the default target of the `keyring`
/// crate.
pub(crate) fn of(attributes: &HashMap<String, String>) -> Option<&str> {
    let target = attributes.get(ATTRIBUTE_TARGET).map(String::as_str);
    target.filter(|target| !matches!(*target, "" | DEFAULT_TARGET))
}

/// Returns the user name of an item's entry; empty if the item has no user name.
pub(crate) fn user_in_entry(attributes: &HashMap<String, String>) -> String {
    let user = attributes.get(ATTRIBUTE_USER).map_or("", String::as_str);
    match of(attributes) {
        Some(target) if !user.is_empty() => SecretKey::with_target(user, target).entry_name(),
        _ => user.to_owned(),
    }
}

/// Returns the attributes of the items with a target that an entry may stand for: a set for each separator in
/// its user name.
pub(crate) fn attributes_of(entry: &EntryName) -> impl Iterator<Item = Attributes<'_>> {
    let (service, user) = (entry.service().as_str(), entry.user().as_str());
    // Separators may overlap, as in `a:::b`.
    let separators = (1..user.len())
        .rev()
        .filter(|at| user.as_bytes()[*at..].starts_with(SecretKey::SEPARATOR.as_bytes()));
    let parts = separators.map(|at| (&user[..at], &user[at + SecretKey::SEPARATOR.len()..]));
    parts.filter(|(_, target)| !target.is_empty()).map(move |(user, target)| {
        Attributes::from([
            (ATTRIBUTE_SERVICE, service),
            (ATTRIBUTE_USER, user),
            (ATTRIBUTE_TARGET, target),
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(user: &str, target: Option<&str>) -> HashMap<String, String> {
        let target = target.map(|target| (ATTRIBUTE_TARGET, target));
        let attributes = [(ATTRIBUTE_USER, user)].into_iter().chain(target);
        attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn an_items_entry_leads_back_to_its_user_and_target() {
        for (user, target) in [("token", "staging"), ("a::b", "c"), ("a", "b::c"), ("a", ":b")] {
            let name = user_in_entry(&item(user, Some(target)));
            let entry = EntryName::new("app", name).expect("it is a name");
            let found = attributes_of(&entry).any(|attributes| {
                attributes[ATTRIBUTE_USER] == user && attributes[ATTRIBUTE_TARGET] == target
            });
            assert!(found, "{user:?} with {target:?}");
        }
    }

    #[test]
    fn the_default_target_is_none() {
        for target in [None, Some(""), Some("default")] {
            assert_eq!(user_in_entry(&item("token", target)), "token");
        }
        assert_eq!(user_in_entry(&item("", Some("staging"))), "");
        for name in ["token", "::staging", "token::", "::"] {
            let entry = EntryName::new("app", name).expect("it is a name");
            assert_eq!(attributes_of(&entry).count(), 0, "{name:?}");
        }
    }
}
