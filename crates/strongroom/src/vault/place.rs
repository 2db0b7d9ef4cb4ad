//! Where a vault may lie beside its entry: a sealed file, entries of its secrets' own, or nowhere.

use std::path::{Path, PathBuf};

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretBytes, Timestamp};
#[cfg(feature = "sealed")]
use strongroom_sealed::{KeySource, SealedFile};

use super::content::Content;
use super::entries::EntriesPlace;
use super::payload::{Payload, Stored};
#[cfg(feature = "sealed")]
use super::sealed::{Record, Sealed, SealedPlace};

/// Set in the generation by which an entry with a key is known: an inline vault stays the same vault when it becomes
/// sealed, and a process that remembers what the entry was must not take it for that.
pub(super) const KEYED: u64 = 1 << 63;

/// Where a vault may lie beside its entry.
pub(crate) struct Place {
    #[cfg(feature = "sealed")]
    pub(crate) sealed: Option<SealedPlace>,
    /// Whether the vault is to lie in a sealed file however small it is.
    pub(crate) is_wanted: bool,
    /// Where its secrets are to be entries of their own, unless there is a vault already.
    pub(crate) entries: Option<EntriesPlace>,
}

/// A key that was asked for before a lock was taken; and the file, where it is open already.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    #[cfg(feature = "sealed")]
    pub(super) key: Option<KeySource>,
    #[cfg(feature = "sealed")]
    pub(super) opened: Option<(SealedFile, Vec<KeySource>)>,
}

#[cfg(not(feature = "sealed"))]
impl Place {
    pub(super) const fn takes_all(&self) -> bool {
        self.is_wanted
    }

    pub(super) const fn is_direct(&self) -> bool {
        false
    }

    pub(super) const fn needs_entry(&self) -> bool {
        false
    }

    pub(super) const fn direct_path(&self) -> Option<&Path> {
        None
    }

    pub(super) const fn must_ask(&self) -> bool {
        false
    }

    pub(super) fn prepare(&self) -> Result<Prepared> {
        Ok(Prepared::default())
    }

    pub(super) fn prepare_to_read(&self) -> Result<Prepared> {
        Ok(Prepared::default())
    }

    pub(super) fn open_direct(&self, _: &mut Prepared) -> Option<Result<Content>> {
        None
    }

    pub(super) fn nothing(&self, _: &mut Prepared) -> Result<Content> {
        Ok(Content::none())
    }

    pub(super) fn open(&self, stored: Stored) -> Result<Content> {
        match stored {
            Stored::Inline(vault) => Ok(Content::Inline(vault)),
            Stored::Key(_) => Err(nowhere()),
        }
    }

    pub(super) fn seal(
        &self,
        _: &Payload,
        _: &Prepared,
        _: bool,
        _: Timestamp,
    ) -> Result<Option<(Content, Option<SecretBytes>)>> {
        if self.is_wanted { Err(nowhere()) } else { Ok(None) }
    }

    pub(super) fn remove(&self) -> Result<bool> {
        Ok(false)
    }

    pub(super) fn check_free(&self) -> Result<()> {
        Ok(())
    }

    pub(super) fn put_aside(&self, _: Timestamp) -> Result<Option<PathBuf>> {
        Ok(None)
    }
}

#[cfg(feature = "sealed")]
impl Place {
    /// Whether no vault lies in its entry, however small.
    pub(super) fn takes_all(&self) -> bool {
        self.is_wanted || self.is_direct()
    }

    /// Whether the file is the vault, and no entry is needed.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.sealed, Some(SealedPlace::Direct(_)))
    }

    /// Returns the path of the file that is the vault.
    pub(super) fn direct_path(&self) -> Option<&Path> {
        self.sealed.as_ref().filter(|_| self.is_direct()).map(SealedPlace::path)
    }

    /// Whether there may be a file whose key stands in the vault's entry.
    pub(super) fn needs_entry(&self) -> bool {
        matches!(self.sealed, Some(SealedPlace::Keyed { .. }))
    }

    /// Whether the vault can't be opened without asking for a passphrase.
    pub(super) fn must_ask(&self) -> bool {
        self.sealed.as_ref().is_some_and(SealedPlace::must_ask)
    }

    /// Asks for the passphrase of a file, where it would have to be asked for while a lock is held.
    pub(super) fn prepare(&self) -> Result<Prepared> {
        match &self.sealed {
            Some(SealedPlace::Direct(unlock)) => unlock.prepare(),
            _ => Ok(Prepared::default()),
        }
    }

    /// The same, unless there is no file, which reading does not make.
    pub(super) fn prepare_to_read(&self) -> Result<Prepared> {
        match &self.sealed {
            Some(place @ SealedPlace::Direct(unlock)) if place.is_there()? => unlock.prepare(),
            _ => Ok(Prepared::default()),
        }
    }

    /// The vault, where no entry is needed to open it.
    pub(super) fn open_direct(&self, prepared: &mut Prepared) -> Option<Result<Content>> {
        self.is_direct().then(|| self.nothing(prepared))
    }

    /// The vault of a service that has no entry: none, unless there is a file that needs it, and that
    /// nothing else opens.
    ///
    /// # Errors
    ///
    /// `KeyMissing`.
    pub(super) fn nothing(&self, prepared: &mut Prepared) -> Result<Content> {
        let sealed = self.sealed.as_ref().map_or(Ok(None), |place| place.recover(prepared))?;
        Ok(sealed.map_or_else(Content::none, |sealed| Content::Sealed(Box::new(sealed))))
    }

    /// The vault that an entry holds, or holds the key of.
    pub(super) fn open(&self, stored: Stored) -> Result<Content> {
        match (stored, &self.sealed) {
            (Stored::Inline(vault), _) => Ok(Content::Inline(vault)),
            (Stored::Key(entry), Some(place)) => {
                place.open(&entry).map(|sealed| Content::Sealed(Box::new(sealed)))
            }
            (Stored::Key(_), None) => Err(nowhere()),
        }
    }

    /// Writes a whole vault into a new file; `None` if it may not lie in one. The entry that comes with
    /// it holds the file's key, so the store must be one that lasts.
    pub(super) fn seal(
        &self,
        vault: &Payload,
        prepared: &Prepared,
        lasts: bool,
        now: Timestamp,
    ) -> Result<Option<(Content, Option<SecretBytes>)>> {
        match &self.sealed {
            Some(SealedPlace::Keyed { .. }) if !lasts && self.is_wanted => Err(forgets()),
            Some(SealedPlace::Keyed { .. }) if !lasts => Ok(None),
            None if self.is_wanted => Err(nowhere()),
            None => Ok(None),
            Some(place) => {
                let (sealed, entry) = place.seal(vault, prepared, now)?;
                Ok(Some((Content::Sealed(Box::new(sealed)), entry)))
            }
        }
    }

    /// Puts a new file with these records in the place of a damaged one, and says where that is now.
    pub(super) fn rebuild(
        &self,
        sources: Vec<KeySource>,
        records: &[Record],
        now: Timestamp,
    ) -> Result<(Sealed, Option<PathBuf>)> {
        let place = self.sealed.as_ref().ok_or_else(nowhere)?;
        place.rebuild(sources, records, now)
    }

    /// Puts the file out of the way, and returns where it is now.
    pub(super) fn put_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        self.sealed.as_ref().map_or(Ok(None), |place| place.put_aside(now))
    }

    /// Checks that the file can be deleted, as far as others that have it open are concerned.
    ///
    /// # Errors
    ///
    /// `Busy`.
    pub(super) fn check_free(&self) -> Result<()> {
        self.sealed.as_ref().map_or(Ok(()), SealedPlace::check_free)
    }

    /// Deletes the file, and says whether there was one.
    pub(super) fn remove(&self) -> Result<bool> {
        self.sealed.as_ref().map_or(Ok(false), SealedPlace::remove)
    }
}

fn nowhere() -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Get)
        .with_message(
            "the vault lies in a sealed file, or is to, and there is no place for one here",
        )
        .with_hint("It takes the feature `sealed`, and a home directory.")
}

#[cfg(feature = "sealed")]
fn forgets() -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Set)
        .with_message("this store forgets, and the sealed file would be lost with its key")
        .with_hint("Use a store that lasts, or the backend `file`.")
}
