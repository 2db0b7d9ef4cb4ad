//! The store's settings.

/// The settings of a [`KeyutilsStore`](crate::KeyutilsStore).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The prefix of the descriptions of all keys, `strongroom` by default. Stores of different namespaces
    /// don't see each other's entries.
    pub namespace: String,
}

impl Config {
    /// Sets the namespace: 1 to 255 bytes without NUL, as for a service's name.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { namespace: "strongroom".to_owned() }
    }
}
