//! The door for the fuzz targets of `fuzz/`, to what is not public. No other build has it.

/// Reads these bytes as what a vault's entry holds; says whether they are that.
///
/// # Panics
///
/// When a promise is broken.
pub fn payload(entry: &[u8]) -> bool {
    crate::vault::check_payload(entry)
}

/// Reads these bytes as a file without encryption; says whether they are one.
///
/// # Panics
///
/// When a promise is broken.
pub fn plaintext(file: &[u8]) -> bool {
    strongroom_plaintext::fuzzing::check(file)
}
