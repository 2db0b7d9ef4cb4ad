//! Requests for the passphrase of an encrypted file.

use std::path::PathBuf;
use std::sync::Arc;

use strongroom_core::{Result, SecretString};

/// The function that asks for a passphrase.
pub(crate) type AskPassphrase =
    Arc<dyn Fn(&PassphraseRequest) -> Result<Option<SecretString>> + Send + Sync>;

/// A request for a passphrase, for the function that asks the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassphraseRequest {
    /// The encrypted file.
    pub path: PathBuf,
    /// `true` if the file is about to be created, so that a new passphrase should be typed twice.
    pub is_new: bool,
    /// The number of the attempt, from 1 to 3.
    pub attempt: u32,
}
