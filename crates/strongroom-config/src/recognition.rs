//! Recognition of secrets, by the names of their keys and the forms of their values.

use crate::file_secret::FoundBy;

mod names;
mod placeholders;
mod providers;

pub(crate) use names::is_secret_name;
pub(crate) use placeholders::is_placeholder;
pub(crate) use providers::{is_private_key, provider_of};

/// The evidence that a value is a secret.
pub(crate) struct Evidence {
    pub(crate) found_by: FoundBy,
    /// The provider that issued it, if known.
    pub(crate) provider: Option<&'static str>,
}

/// Returns the evidence that a value is a secret. `None` if there is none. `name` is the key of the value.
pub(crate) fn evidence(name: Option<&str>, value: &str) -> Option<Evidence> {
    // A placeholder is not a value, even under the name of a secret.
    if is_placeholder(value) {
        return None;
    }
    let provider = provider_of(value);
    let found_by = if name.is_some_and(is_secret_name) {
        FoundBy::KeyName
    } else if provider.is_some() || is_private_key(value) {
        FoundBy::ValueShape
    } else {
        return None;
    };
    Some(Evidence { found_by, provider })
}

/// Returns whether a text is recognised as a secret without its key: a private key, or a key of a known provider.
pub fn looks_like_a_secret(text: &str) -> bool {
    is_private_key(text) || provider_of(text).is_some()
}
