//! The Windows Credential Manager keeps the contract.

#![cfg(windows)]

mod support;

strongroom_conformance::conformance_tests!(
    strongroom_credential_manager::CredentialManagerStore::new,
    // Wine keeps credentials under keys of its registry, whose names have at most 255 characters.
    |case| case == "takes_the_longest_names" && support::is_wine(),
);
