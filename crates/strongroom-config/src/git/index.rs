//! git's index, the list of tracked files: versions 2, 3 and 4, including sparse and split indexes.
//!
//! The format: <https://git-scm.com/docs/index-format>. An index with unknown parts is not read at all, so that no entry is missed.

use memchr::memchr;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::bitmap::Bitmap;
use super::cursor::Cursor;

/// The limit for the names of an index together, in bytes. In version 4, short entries can have long names.
const MAX_NAMES: usize = 256 << 20;

/// The limit for the entries that could stand for the file.
const MAX_MATCHES: usize = 4096;

/// The parts of an index that concern one file.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) matches: Vec<Match>,
    /// The index that a split index builds on.
    pub(super) shared: Option<Shared<'a>>,
    pub(super) checksum: &'a [u8],
}

/// An entry that could stand for the file.
#[derive(Debug)]
pub(super) struct Match {
    /// The number of the entry in its index.
    pub(super) number: usize,
    pub(super) name: Vec<u8>,
    /// Set for an entry of a sparse index that stands for all files in a directory.
    pub(super) is_directory: bool,
}

/// The larger part of a split index.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) checksum: &'a [u8],
    /// The entries that were deleted since, by number.
    pub(super) deleted: Bitmap<'a>,
}

/// Returns whether an index ends with the checksum of its bytes, or with the zeros that git writes under `index.skipHash`.
pub(super) fn has_valid_checksum(bytes: &[u8], hash: usize) -> bool {
    let Some((bytes, checksum)) = bytes.len().checked_sub(hash).map(|end| bytes.split_at(end))
    else {
        return false;
    };
    checksum.iter().all(|byte| *byte == 0)
        || match hash {
            32 => Sha256::digest(bytes)[..] == *checksum,
            _ => Sha1::digest(bytes)[..] == *checksum,
        }
}

impl<'a> Index<'a> {
    /// Reads an index with hashes of `hash` bytes, looking for a path in the work tree. `None` if it can't be read with
    /// certainty.
    pub(super) fn read(bytes: &'a [u8], hash: usize, path: &[u8]) -> Option<Self> {
        let (bytes, checksum) = bytes.split_at_checked(bytes.len().checked_sub(hash)?)?;
        let mut cursor = Cursor(bytes);
        let is_index = cursor.take(4)? == b"DIRC";
        let version = cursor.u32()?;
        if !is_index || !(2..=4).contains(&version) {
            return None;
        }
        let (mut entry, mut matches, mut names, mut nameless) = (Entry::default(), vec![], 0, 0);
        for number in 0..usize::try_from(cursor.u32()?).ok()? {
            entry.read(&mut cursor, version, hash)?;
            names += entry.name.len();
            // The entries without a name come first. They replace entries of the shared index.
            if entry.name.is_empty() {
                nameless += 1;
            }
            if entry.could_be(path) {
                let (name, is_directory) = (entry.name.clone(), entry.is_directory());
                matches.push(Match { number, name, is_directory });
            }
            let is_out_of_order = entry.name.is_empty() && nameless <= number;
            if is_out_of_order || names > MAX_NAMES || matches.len() > MAX_MATCHES {
                return None;
            }
        }
        let shared = shared(cursor, hash)?;
        (nameless == 0 || shared.is_some()).then_some(Self { matches, shared, checksum })
    }
}

/// Reads the extensions after the entries. One of them names the shared index. The outer `None` is for an extension that
/// can't be read.
fn shared<'a>(mut cursor: Cursor<'a>, hash: usize) -> Option<Option<Shared<'a>>> {
    let mut shared = None;
    while !cursor.0.is_empty() {
        let name = cursor.take(4)?;
        let len = usize::try_from(cursor.u32()?).ok()?;
        let extension = cursor.take(len)?;
        match name {
            b"link" => shared = Shared::read(extension, hash)?,
            // Announces entries for directories, which are recognised by their mode.
            b"sdir" => {}
            // Extensions with a capital letter are optional.
            _ if name[0].is_ascii_uppercase() => {}
            _ => return None,
        }
    }
    Some(shared)
}

impl<'a> Shared<'a> {
    /// Reads the extension. A checksum of zeros names no index.
    fn read(extension: &'a [u8], hash: usize) -> Option<Option<Self>> {
        let mut cursor = Cursor(extension);
        let checksum = cursor.take(hash)?;
        let mut deleted = Bitmap::default();
        if !cursor.0.is_empty() {
            deleted = Bitmap::read(&mut cursor)?;
            let _replaced = Bitmap::read(&mut cursor)?;
        }
        let is_split = checksum.iter().any(|byte| *byte != 0);
        cursor.0.is_empty().then_some(is_split.then_some(Self { checksum, deleted }))
    }
}

/// An entry. Its name is kept, because the next entry can build on it.
#[derive(Default)]
struct Entry {
    name: Vec<u8>,
    mode: u32,
}

impl Entry {
    fn read(&mut self, cursor: &mut Cursor<'_>, version: u32, hash: usize) -> Option<()> {
        const EXTENDED: u16 = 0x4000;
        const NAME: u16 = 0x0fff;
        const SKIP_WORKTREE_AND_INTENT_TO_ADD: u16 = 0x6000;
        let before = cursor.0.len();
        cursor.take(24)?;
        self.mode = cursor.u32()?;
        cursor.take(12 + hash)?;
        let flags = cursor.u16()?;
        if flags & EXTENDED != 0 && cursor.u16()? & !SKIP_WORKTREE_AND_INTENT_TO_ADD != 0 {
            return None;
        }
        let stays = if version == 4 { self.name.len().checked_sub(cursor.varint()?)? } else { 0 };
        self.name.truncate(stays);
        let end = memchr(0, cursor.0)?;
        self.name.extend_from_slice(cursor.take(end)?);
        let used = before - cursor.0.len();
        // The older versions pad each entry with one to eight zeros.
        cursor.take(if version == 4 { 1 } else { 8 - used % 8 })?;
        (usize::from(flags & NAME) == self.name.len().min(NAME.into())).then_some(())
    }

    fn is_directory(&self) -> bool {
        self.mode == 0o040_000
    }

    /// Returns whether the entry could name this path, or a directory above it. File systems can ignore case and the normal
    /// form of characters outside of ASCII.
    fn could_be(&self, path: &[u8]) -> bool {
        let name = match self.is_directory() {
            true => self.name.strip_suffix(b"/").unwrap_or(&self.name),
            false => &self.name,
        };
        let (mut names, mut parts) = (name.split(is_slash), path.split(is_slash));
        let is_alike = names.by_ref().all(|name| {
            parts.next().is_some_and(|part| {
                name.eq_ignore_ascii_case(part) || !name.is_ascii() || !part.is_ascii()
            })
        });
        is_alike && (self.is_directory() || parts.next().is_none())
    }
}

fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}
