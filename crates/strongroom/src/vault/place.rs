//! The places of a vault beside its entry: a sealed file, or an entry for each secret.

use std::path::{Path, PathBuf};

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretBytes, Timestamp};
#[cfg(feature = "sealed")]
use strongroom_sealed::{KeySource, SealedFile};

use super::content::Content;
use super::entries::EntriesPlace;
use super::payload::{Payload, Stored};
#[cfg(feature = "sealed")]
use super::sealed::{Record, Sealed, SealedPlace};

/// The bit that marks the generation of an entry with a key. An inline vault keeps its id when it becomes
/// sealed, and a process that remembers the inline entry must not take the new entry for it.
pub(super) const KEYED: u64 = 1 << 63;

/// The places of a vault beside its entry.
pub(crate) struct Place {
    #[cfg(feature = "sealed")]
    pub(crate) sealed: Option<SealedPlace>,
    /// Set if the vault is to be sealed, however small it is.
    pub(crate) is_wanted: bool,
    /// Set if each secret is to be an entry, unless there is a vault already.
    pub(crate) entries: Option<EntriesPlace>,
}

/// A key that the user gave before a lock was taken, and the file if it is open already.
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
    /// Returns whether even a small vault is stored in a sealed file.
    pub(super) fn takes_all(&self) -> bool {
        self.is_wanted || self.is_direct()
    }

    /// Returns whether the sealed file is the whole vault, without an entry.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.sealed, Some(SealedPlace::Direct(_)))
    }

    /// Returns the path of the sealed file if it is the whole vault.
    pub(super) fn direct_path(&self) -> Option<&Path> {
        self.sealed.as_ref().filter(|_| self.is_direct()).map(SealedPlace::path)
    }

    /// Returns whether there may be a sealed file whose key is stored in the vault's entry.
    pub(super) fn needs_entry(&self) -> bool {
        matches!(self.sealed, Some(SealedPlace::Keyed { .. }))
    }

    /// Returns whether the vault can't be opened without asking for a passphrase.
    pub(super) fn must_ask(&self) -> bool {
        self.sealed.as_ref().is_some_and(SealedPlace::must_ask)
    }

    /// Asks for the passphrase of a file, so that no lock is held during the question.
    pub(super) fn prepare(&self) -> Result<Prepared> {
        match &self.sealed {
            Some(SealedPlace::Direct(unlock)) => unlock.prepare(),
            _ => Ok(Prepared::default()),
        }
    }

    /// As [`prepare`](Self::prepare), but does not ask if there is no file: reading does not create it.
    pub(super) fn prepare_to_read(&self) -> Result<Prepared> {
        match &self.sealed {
            Some(place @ SealedPlace::Direct(unlock)) if place.is_there()? => unlock.prepare(),
            _ => Ok(Prepared::default()),
        }
    }

    /// Opens a vault that needs no entry. Returns `None` if it needs an entry.
    pub(super) fn open_direct(&self, prepared: &mut Prepared) -> Option<Result<Content>> {
        self.is_direct().then(|| self.nothing(prepared))
    }

    /// Returns the content of a service whose entry does not exist: none, or the file that another key opens.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if there is a file whose key was in the entry, and no other key opens it. The errors of
    /// opening a file.
    pub(super) fn nothing(&self, prepared: &mut Prepared) -> Result<Content> {
        let sealed = self.sealed.as_ref().map_or(Ok(None), |place| place.recover(prepared))?;
        Ok(sealed.map_or_else(Content::none, |sealed| Content::Sealed(Box::new(sealed))))
    }

    /// Opens the vault that an entry holds or holds the key of.
    pub(super) fn open(&self, stored: Stored) -> Result<Content> {
        match (stored, &self.sealed) {
            (Stored::Inline(vault), _) => Ok(Content::Inline(vault)),
            (Stored::Key(entry), Some(place)) => {
                place.open(&entry).map(|sealed| Content::Sealed(Box::new(sealed)))
            }
            (Stored::Key(_), None) => Err(nowhere()),
        }
    }

    /// Writes a whole vault into a new sealed file. Returns `None` if the vault may not be sealed. The entry
    /// that is returned beside it holds the file's key, so the store must be permanent (`lasts`).
    pub(super) fn seal(
        &self,
        vault: &Payload,
        prepared: &Prepared,
        lasts: bool,
        now: Timestamp,
    ) -> Result<Option<(Content, Option<SecretBytes>)>> {
        match &self.sealed {
            // In a store that forgets, the file would outlive its key.
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

    /// Replaces a damaged file by a new file with these records, and returns the path that the damaged file
    /// was moved to.
    pub(super) fn rebuild(
        &self,
        sources: Vec<KeySource>,
        records: &[Record],
        now: Timestamp,
    ) -> Result<(Sealed, Option<PathBuf>)> {
        let place = self.sealed.as_ref().ok_or_else(nowhere)?;
        place.rebuild(sources, records, now)
    }

    /// Moves the sealed file aside, and returns its new path.
    pub(super) fn put_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        self.sealed.as_ref().map_or(Ok(None), |place| place.put_aside(now))
    }

    /// Checks that no program keeps the sealed file from being deleted.
    ///
    /// # Errors
    ///
    /// `Busy` if a program has it open, on Windows.
    pub(super) fn check_free(&self) -> Result<()> {
        self.sealed.as_ref().map_or(Ok(()), SealedPlace::check_free)
    }

    /// Deletes the sealed file, and returns whether it existed.
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
