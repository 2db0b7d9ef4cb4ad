//! Access to private parsers for the fuzz targets of `fuzz/`. No other build has it.

/// Parses the content of a vault's entry. Returns whether it is valid.
///
/// # Panics
///
/// If the parser breaks a promise.
pub fn payload(entry: &[u8]) -> bool {
    crate::vault::check_payload(entry)
}
