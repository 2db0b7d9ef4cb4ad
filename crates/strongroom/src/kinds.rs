//! The kinds of stores that this library knows: the one list of them.

use std::sync::{Arc, LazyLock};

use strongroom_core::{MemoryStore, StoreKind};

/// The names of all kinds, each with the kind where this build for this platform has it.
pub(crate) type Known = (&'static str, Option<&'static StoreKind>);

/// Makes the list. A kind of a condition is in the builds that fulfil it; its name is in all of them, so that a configuration
/// can be read anywhere.
macro_rules! kinds {
    ($($name:literal $(if $condition:meta)? => $kind:expr;)+) => {
        &[$(kinds!(@one $name $(if $condition)? => $kind)),+]
    };
    (@one $name:literal => $kind:expr) => { ($name, Some(&$kind)) };
    (@one $name:literal if $condition:meta => $kind:expr) => {{
        #[cfg($condition)]
        const KIND: Option<&StoreKind> = Some(&$kind);
        #[cfg(not($condition))]
        const KIND: Option<&StoreKind> = None;
        ($name, KIND)
    }};
}

/// The kinds that can be chosen by name: the platforms' own first, then what works anywhere.
pub(crate) const KINDS: &[Known] = kinds! {
    "keychain" if all(feature = "keychain", target_os = "macos") => strongroom_keychain::KIND;
    "credential-manager" if all(feature = "credential-manager", windows) => strongroom_credential_manager::KIND;
    "secret-service" if all(feature = "secret-service", target_os = "linux") => strongroom_secret_service::KIND;
    "keyutils" if all(feature = "keyutils", target_os = "linux") => strongroom_keyutils::KIND;
    "file" if feature = "sealed" => strongroom_sealed::KIND;
    "memory" => MEMORY;
};

/// The kinds that no name chooses.
pub(crate) const HIDDEN: &[Known] = kinds! { "plaintext-file" => strongroom_plaintext::KIND; };

/// The one memory of this process: what is opened again is there again.
const MEMORY: StoreKind = StoreKind::new(MemoryStore::NAME, |_| {
    static STORE: LazyLock<MemoryStore> = LazyLock::new(MemoryStore::new);
    Ok(Arc::new(STORE.clone()))
})
.with_label("the memory of this program")
.with_protection("nothing but this process");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_name_of_its_place_in_the_list() {
        for (name, kind) in KINDS.iter().chain(HIDDEN) {
            assert_eq!(kind.map_or(*name, StoreKind::name), *name);
        }
    }
}
