//! The conformance suite, on a file in a directory that is not there yet.

use strongroom_plaintext::{Config, PlaintextStore};

strongroom_conformance::conformance_tests!({
    let directory = tempfile::tempdir().expect("a directory can be made");
    move || PlaintextStore::new(Config::at(directory.path().join("made/secrets")))
});
