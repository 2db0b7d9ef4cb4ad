//! Which secrets the page may name, and what it may do with each.

use std::collections::BTreeMap;

use strongroom::SecretKey;

use crate::{Error, Result};

/// What the page may do with a secret. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Access {
    /// Ask whether it is there, and what is known about it beside its value.
    StatusOnly,
    /// Store and delete it. The page can't get back what it stored.
    WriteOnly,
    /// Read its value, too, by `reveal`. What the page can read, so can every script in it.
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

    /// The keys of all of them.
    pub(crate) fn keys(&self) -> impl Iterator<Item = SecretKey> {
        self.names.keys().map(SecretKey::from)
    }

    /// Whether the page may hear of this secret. It can't name those that have a target.
    pub(crate) fn has(&self, key: &SecretKey) -> bool {
        key.target().is_none() && self.names.contains_key(key.name())
    }

    /// The secret of this name, if the page may do this with it.
    ///
    /// # Errors
    ///
    /// `NotAllowed`.
    pub(crate) fn key(&self, name: String, needed: Access) -> Result<SecretKey> {
        let granted = self.names.get(&name).copied();
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
