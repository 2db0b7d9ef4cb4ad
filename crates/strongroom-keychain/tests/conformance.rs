//! The Keychain of a Mac keeps the contract: a keychain of the test's own, in a file. On other
//! systems the unit tests run the suite on a simulated Keychain.

#![cfg(target_os = "macos")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use security_framework::os::macos::keychain::SecKeychain;
use strongroom_core::PromptPolicy;
use strongroom_keychain::{Config, KeychainChoice, KeychainStore};
use tempfile::TempDir;

/// A keychain that is unlocked as long as the tests run.
struct Temporary {
    dir: TempDir,
    _unlocked: SecKeychain,
}

static KEYCHAIN: LazyLock<Temporary> = LazyLock::new(Temporary::create);

impl Temporary {
    /// By `security` and in a home of its own: who makes a keychain puts it into the search list of the
    /// user's home.
    fn create() -> Self {
        let dir = tempfile::tempdir().expect("there is a temporary directory");
        let path = dir.path().join("test.keychain-db");
        let created = Command::new("/usr/bin/security")
            .args(["create-keychain", "-p", "password"])
            .arg(&path)
            .env("HOME", dir.path())
            .status();
        assert!(created.expect("security starts").success(), "no keychain was made");
        let mut keychain = SecKeychain::open(&path).expect("the keychain can be opened");
        keychain.unlock(Some("password")).expect("the password is right");
        Self { dir, _unlocked: keychain }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("test.keychain-db")
    }
}

strongroom_conformance::conformance_tests!(|| {
    let config = Config::default()
        .with_keychain(KeychainChoice::File(KEYCHAIN.path()))
        .with_prompt(PromptPolicy::Never);
    KeychainStore::new(config)
});
