//! The sealed files keep the contract.

use strongroom_sealed::{Config, KeySource, SealedStore, SealingKey};

strongroom_conformance::conformance_tests!({
    let dir = tempfile::tempdir().expect("there is a temporary directory");
    let key = SealingKey::generate().expect("there are random bytes");
    let config = Config::new(dir.path().join("files"), KeySource::key(key));
    move || {
        let _kept = &dir;
        SealedStore::new(config.clone())
    }
});
