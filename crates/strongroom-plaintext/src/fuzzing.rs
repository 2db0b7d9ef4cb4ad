//! The door for the fuzz targets, to what is not public. No other build has it.

/// Reads these bytes as a file of entries; returns whether they are one.
///
/// # Panics
///
/// When a promise is broken.
pub fn check(file: &[u8]) -> bool {
    crate::format::check(file)
}
