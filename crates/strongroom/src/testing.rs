//! For the tests of applications: the store of every automatic choice is a mock.
//!
//! Switch the feature on in `[dev-dependencies]` only, next to the plain dependency:
//!
//! ```toml
//! [dependencies]
//! strongroom = "0.1"
//!
//! [dev-dependencies]
//! strongroom = { version = "0.1", features = ["testing"] }
//! ```
//!
//! In that application's tests [`SecretManager::init`](crate::SecretManager::init) and
//! [`SecureStore::open`](crate::SecureStore::open) then meet [`mock`] in place of the user's own
//! secrets, and leave no file in the user's home. A backend that the caller or the environment names
//! is still that backend. A build without debug assertions, as in release, refuses the feature.
//!
//! All tests of one process share the one mock: give each its own service name.

use std::sync::OnceLock;

use strongroom_core::MockKeyringStore;

/// The store of every automatic choice in this process: a handle to steer it and to look.
///
/// ```
/// use strongroom::{ErrorKind, Operation, SecureStore, testing};
///
/// let secrets = SecureStore::open("example")?;
/// testing::mock().fail(Operation::Get, ErrorKind::Locked);
/// assert_eq!(secrets.get_secret("token").unwrap_err().kind(), ErrorKind::Locked);
/// # Ok::<(), strongroom::Error>(())
/// ```
pub fn mock() -> MockKeyringStore {
    static MOCK: OnceLock<MockKeyringStore> = OnceLock::new();
    MOCK.get_or_init(MockKeyringStore::new).clone()
}
