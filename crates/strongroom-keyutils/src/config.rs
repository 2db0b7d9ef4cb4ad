//! How a store is set up.

/// How a [`KeyutilsStore`](crate::KeyutilsStore) is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// What the descriptions of all keys start with: `strongroom` by default. Stores of different
    /// namespaces see nothing of each other.
    pub namespace: String,
}

impl Config {
    /// The same with another namespace: 1 to 255 bytes without NUL, as for a service's name.
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
