//! The key that systemd gives to a service.

use std::env;
use std::path::{Path, PathBuf};

/// The credential that is a key, among those that systemd gives to a service.
const CREDENTIAL: &str = "strongroom-key";

/// Returns the path of the vault's key among the credentials of a service.
pub(crate) fn credential() -> Option<PathBuf> {
    let directory = env::var_os("CREDENTIALS_DIRECTORY").filter(|it| !it.is_empty())?;
    let path = Path::new(&directory).join(CREDENTIAL);
    path.exists().then_some(path)
}
