//! Random bytes and text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use strongroom::error::Operation;
use strongroom::{Error, ErrorKind, Result, SecretString};
use zeroize::Zeroizing;

/// Returns an array of random bytes.
///
/// # Errors
///
/// `Io` if the system gives no random bytes.
pub(crate) fn random_bytes<const BYTES: usize>() -> Result<Zeroizing<[u8; BYTES]>> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| {
        Error::new(ErrorKind::Io, Operation::Get)
            .with_message("the system gives no random bytes")
            .with_source(error)
    })?;
    Ok(bytes)
}

/// Returns `BYTES` random bytes in URL-safe base64.
///
/// # Errors
///
/// As [`random_bytes`].
pub(crate) fn random<const BYTES: usize>() -> Result<SecretString> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<BYTES>()?.as_slice()).into())
}
