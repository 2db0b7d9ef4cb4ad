//! The layout of a service's secrets in their store.

/// The user name of the entry that holds a vault. The service name is the vault's.
pub const VAULT_ENTRY: &str = "vault";

/// The form in which a service's secrets lie in their store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Layout {
    /// All secrets in a single entry.
    #[default]
    Inline,
    /// All secrets in an encrypted file, whose key stands in the entry. An inline vault that outgrows its
    /// store, or 64 KiB, is converted to this layout automatically if the store is permanent.
    Sealed,
    /// Each secret in an entry of its own, as other programs would write it: the entry's user name is the
    /// secret's name (`API_KEY`, with a target `API_KEY::production`), and the entry holds its value alone.
    /// For applications whose entries must be seen, read and written individually by other tools.
    ///
    /// - Each read asks the store, so that it sees changes by other programs at once.
    /// - Only values are kept, and several changes are not atomic:
    ///   [`capabilities`](crate::SecretManager::capabilities) tells which features are missing.
    /// - An existing vault keeps its layout until it is [moved](crate::Config::move_to), and existing entries stay
    ///   entries.
    /// - The backend `file` has no entries: its vault is always sealed.
    Entries,
}

impl Layout {
    /// Returns the name: `inline`, `sealed`, `entries`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Sealed => "sealed",
            Self::Entries => "entries",
        }
    }
}
