//! The key that systemd gives to a service.

use std::env;
use std::path::{Path, PathBuf};

/// The name of the key among the credentials that systemd gives to a service.
const CREDENTIAL: &str = "strongroom-key";

/// Returns the path of the vault's key among the credentials that systemd gives to a service.
pub(crate) fn credential() -> Option<PathBuf> {
    let directory = env::var_os("CREDENTIALS_DIRECTORY").filter(|it| !it.is_empty())?;
    let path = Path::new(&directory).join(CREDENTIAL);
    // systemd sets the directory for any credential of the service, so this key may not be among them.
    path.exists().then_some(path)
}
