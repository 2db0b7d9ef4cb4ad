//! The list of all kinds of stores that this library knows.

use std::sync::{Arc, LazyLock};

use strongroom_core::{MemoryStore, StoreKind};

/// The name of a kind, with the kind itself if this build for this platform has it.
pub(crate) type Known = (&'static str, Option<&'static StoreKind>);

/// Creates the list. A kind with a condition is in the builds that fulfil it. Its name is in all builds, so
/// that a configuration can be read anywhere.
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

/// The kinds that can be chosen by name: the platforms' own first, then those that work anywhere.
pub(crate) const KINDS: &[Known] = kinds! {
    "keychain" if all(feature = "keychain", target_os = "macos") => strongroom_keychain::KIND;
    "credential-manager" if all(feature = "credential-manager", windows) => strongroom_credential_manager::KIND;
    "secret-service" if all(feature = "secret-service", target_os = "linux") => strongroom_secret_service::KIND;
    "keyutils" if all(feature = "keyutils", target_os = "linux") => strongroom_keyutils::KIND;
    "file" if feature = "sealed" => strongroom_sealed::KIND;
    "memory" => MEMORY;
};

/// The kinds that can't be chosen by name.
pub(crate) const HIDDEN: &[Known] = kinds! { "plaintext-file" => strongroom_plaintext::KIND; };

/// The memory of this process. All openings share a single store, so that its entries stay.
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
