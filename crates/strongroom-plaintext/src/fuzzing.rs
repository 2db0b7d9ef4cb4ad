//! Access to private functions, for the fuzz targets. No other build has this module.

/// Reads these bytes as a file of entries; returns whether they are valid.
///
/// # Panics
///
/// If a promise of the format is broken.
pub fn check(file: &[u8]) -> bool {
    crate::format::check(file)
}
