//! The allow-list: the secrets that the page may name, and its access to each.

use std::collections::BTreeMap;

use strongroom::SecretKey;

use crate::{Error, Result};

/// The page's access to a secret. Each variant includes the variants before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Access {
    /// The page may ask whether the secret exists, and read its metadata.
    StatusOnly,
    /// The page may store and delete the secret, too. It can't read a value that it has stored.
    WriteOnly,
    /// The page may read the value, too, by `reveal`. Every script in the page can then read it.
    ReadWrite,
}

/// The secrets that the page may name.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowList {
    names: BTreeMap<String, Access>,
}

impl AllowList {
    pub(crate) fn allow(&mut self, name: String, access: Access) {
        self.names.insert(name, access);
    }

    /// Returns the keys of all allowed secrets.
    pub(crate) fn keys(&self) -> impl Iterator<Item = SecretKey> {
        self.names.keys().map(SecretKey::from)
    }

    /// Returns whether the page may know of this secret. It can't name secrets with a target.
    pub(crate) fn has(&self, key: &SecretKey) -> bool {
        key.target().is_none() && self.names.contains_key(key.name())
    }

    /// Returns the key of the secret with this name, if the page has the access that is needed.
    ///
    /// # Errors
    ///
    /// `NotAllowed` if the page has less access, or none.
    pub(crate) fn key(&self, name: String, needed: Access) -> Result<SecretKey> {
        let granted = self.names.get(&name).copied();
        // `Access` is ordered: a later variant includes all earlier variants.
        if granted.is_some_and(|granted| granted >= needed) {
            Ok(SecretKey::new(name))
        } else {
            Err(Error::NotAllowed { name, needed, granted })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_access_includes_those_before_it() {
        let all = [Access::StatusOnly, Access::WriteOnly, Access::ReadWrite];
        for (at, granted) in all.into_iter().enumerate() {
            let mut list = AllowList::default();
            list.allow("token".to_owned(), granted);
            for (needs, needed) in all.into_iter().enumerate() {
                assert_eq!(list.key("token".to_owned(), needed).is_ok(), needs <= at);
            }
        }
    }

    #[test]
    fn a_secret_with_a_target_is_another_one() {
        let mut list = AllowList::default();
        list.allow("token".to_owned(), Access::ReadWrite);
        assert!(list.has(&SecretKey::new("token")));
        assert!(!list.has(&SecretKey::with_target("token", "production")));
        assert!(!list.has(&SecretKey::new("Token")));
    }
}
