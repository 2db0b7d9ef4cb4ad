//! The door for the fuzz targets of `fuzz/`, to what is not public. No other build has it.

/// Reads these bytes as a configuration file, and changes it; says whether they are one.
///
/// # Panics
///
/// When a promise is broken.
pub fn config(bytes: &[u8]) -> bool {
    crate::edit::check(bytes)
}

/// Reads bytes as a file of a git repository. Returns whether they are valid.
///
/// # Panics
///
/// When a property is violated.
pub fn git(bytes: &[u8]) -> bool {
    crate::git::check::check(bytes)
}
