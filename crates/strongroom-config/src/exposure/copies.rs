//! Copies of a file in its directory, made by editors, backups and users.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Exposure;
use super::values::Values;
use crate::untrusted;

/// The limit for the names of a directory.
const MAX_NAMES: usize = 20_000;

/// The limit for the files to search.
const MAX_FILES: usize = 64;

/// The largest file to search, in bytes.
const MAX_LEN: u64 = 8 << 20;

/// The limit for the sizes of all files, each multiplied by the number of texts to find. It takes about a second.
const MAX_COMPARED: u64 = 4 << 30;

/// The first bytes of compressed files: gzip, bzip2, xz, Zstandard, Zip, 7-Zip. Values can't be found in these.
const COMPRESSED: [&[u8]; 6] =
    [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c"];

/// A file with the name of a copy.
struct Candidate {
    /// Set if the name contains the whole name of the file, and not only the part before the last dot.
    has_whole_name: bool,
    path: PathBuf,
}

/// Returns the files in the same directory that contain values, and belong to one of `owners`.
pub(super) fn copies_of(file: &Path, owners: &[u32], values: &Values) -> Vec<Exposure> {
    let Some(directory) = file.parent().filter(|_| values.count() > 0) else { return Vec::new() };
    let candidates = candidates(file);
    let mut is_complete = candidates.is_ok() && !values.is_incomplete;
    let mut search = Search { owners, values, budget: MAX_COMPARED };
    let mut exposures = Vec::new();
    for (number, candidate) in candidates.unwrap_or_default().into_iter().enumerate() {
        if number < MAX_FILES {
            exposures.extend(search.exposure(candidate));
        } else {
            is_complete &= !candidate.has_whole_name;
        }
    }
    let not_searched = Exposure::CopiesNotSearched { path: directory.to_owned() };
    exposures.extend((!is_complete).then_some(not_searched));
    exposures
}

/// A search for values in files, with a limit for its work.
struct Search<'a> {
    owners: &'a [u32],
    values: &'a Values,
    /// The remaining work, as in [`MAX_COMPARED`].
    budget: u64,
}

impl Search<'_> {
    fn exposure(&mut self, candidate: Candidate) -> Option<Exposure> {
        let Candidate { has_whole_name, path } = candidate;
        match self.contains_values(&path) {
            Some(true) => Some(Exposure::CopiedTo { path }),
            Some(false) => None,
            None => has_whole_name.then_some(Exposure::CopiesNotSearched { path }),
        }
    }

    /// Returns whether a file contains values. `None` if it can't be searched.
    fn contains_values(&mut self, path: &Path) -> Option<bool> {
        let bytes = match untrusted::read(path, MAX_LEN, self.owners) {
            Ok(bytes) => bytes,
            // Deleted since the directory was listed.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Some(false),
            Err(_) => return None,
        };
        let compared = bytes.len() as u64 * self.values.count() as u64;
        self.budget = self.budget.checked_sub(compared)?;
        let is_found = self.values.positions_in(&bytes).next().is_some();
        // A search without a result proves nothing about compressed bytes.
        let is_compressed = COMPRESSED.iter().any(|start| bytes.starts_with(start));
        (is_found || !is_compressed).then_some(is_found)
    }
}

/// Returns the regular files with a name that contains the name of the file, or its part before the last dot: `.env~`, `#.env#`,
/// `.config.json.swp`, `config (copy).json`. Names that contain the whole name come first.
fn candidates(file: &Path) -> io::Result<Vec<Candidate>> {
    let (Some(directory), Some(own)) = (file.parent(), file.file_name()) else {
        return Ok(Vec::new());
    };
    let whole = own.as_encoded_bytes().to_ascii_lowercase();
    let part = file.file_stem().unwrap_or(own).as_encoded_bytes().to_ascii_lowercase();
    let part = part.strip_prefix(b".").unwrap_or(&part);
    let mut candidates = Vec::new();
    for (number, entry) in fs::read_dir(directory)?.enumerate() {
        let entry = entry?;
        if number >= MAX_NAMES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let name = entry.file_name();
        let lower = name.as_encoded_bytes().to_ascii_lowercase();
        if name != own && contains(&lower, part) && entry.file_type()?.is_file() {
            let has_whole_name = contains(&lower, &whole);
            candidates.push(Candidate { has_whole_name, path: entry.path() });
        }
    }
    candidates.sort_by(|one, other| {
        let order = other.has_whole_name.cmp(&one.has_whole_name);
        order.then_with(|| one.path.cmp(&other.path))
    });
    Ok(candidates)
}

fn contains(name: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(name, part).is_some()
}
