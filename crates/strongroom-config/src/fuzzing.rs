//! Private functions for the fuzz targets of `fuzz/`. Only their builds contain this module.

/// Reads bytes as a configuration file, and changes it. Returns whether the file is valid.
///
/// # Panics
///
/// If a property is violated.
pub fn config(bytes: &[u8]) -> bool {
    crate::edit::check(bytes)
}

/// Reads bytes as a file of a git repository. Returns whether they are valid.
///
/// # Panics
///
/// If a property is violated.
pub fn git(bytes: &[u8]) -> bool {
    crate::git::check::check(bytes)
}
