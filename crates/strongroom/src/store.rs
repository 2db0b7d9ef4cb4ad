//! Stores: their choice, their entries, their contract, and the stores of this build with their own settings.
//!
//! Most applications need nothing of it: [`Config`](crate::Config) chooses and opens a store. An application
//! that brings a store of its own implements [`Store`](crate::Store), from here or from the crate
//! `strongroom-core`.

#[cfg(all(feature = "credential-manager", windows))]
pub use strongroom_credential_manager as credential_manager;
#[cfg(all(feature = "keychain", target_os = "macos"))]
pub use strongroom_keychain as keychain;
#[cfg(all(feature = "keyutils", target_os = "linux"))]
pub use strongroom_keyutils as keyutils;
pub use strongroom_plaintext as plaintext;
#[cfg(feature = "sealed")]
pub use strongroom_sealed as sealed;
#[cfg(all(feature = "secret-service", target_os = "linux"))]
pub use strongroom_secret_service as secret_service;

pub use strongroom_core::{
    Call, Candidate, CandidateId, Capabilities, EntryName, MAX_NAME_BYTES, MemoryStore,
    Persistence, Probe, ServiceName, UserName, WriteMode, overwrite_registers, secret_bytes,
    secret_copy, secret_text,
};

pub use crate::capabilities::VaultCapabilities;
pub use crate::choose::{ChoiceReason, Chosen, choose_unbound};
pub use crate::guard::Guard;
pub use crate::layout::VAULT_ENTRY;
pub use crate::service_entries::ServiceEntries;
