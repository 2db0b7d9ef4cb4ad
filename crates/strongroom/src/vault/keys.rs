//! The key slots of a sealed vault.

use strongroom_core::{Error, ErrorKind, Operation, Result};
use strongroom_sealed::{KeySource, Progress, SealedFile, Slot, SlotId};

use super::content::Content;
use super::engine::Vault;
use super::sealed::{Sealed, SealedPlace};

/// Returns whether an error means that only the key of a file is missing. Its key slots can still be listed.
const fn is_about_the_key(kind: ErrorKind) -> bool {
    use ErrorKind::{
        Dismissed, InteractionNotAllowed, KeyMissing, Locked, NoBackend, TimedOut, WrongKey,
    };
    matches!(
        kind,
        Dismissed | InteractionNotAllowed | KeyMissing | Locked | NoBackend | TimedOut | WrongKey
    )
}

impl Vault {
    /// Lists the key slots. With an available key it checks that they are authentic, otherwise they are
    /// listed as they are stored. Never asks for a passphrase.
    pub(crate) fn slots(&self) -> Result<Vec<Slot>> {
        let Some(place) = self.place.sealed.as_ref() else {
            return self.with_file(Operation::List, |file, _| file.slots());
        };
        // To open the file would ask for a passphrase.
        if place.must_ask() && place.is_there()? {
            return self.slots_without_key(place);
        }
        match self.with_file(Operation::List, |file, _| file.slots()) {
            Err(error) if is_about_the_key(error.kind()) && place.is_there()? => {
                self.slots_without_key(place).map_err(|_| error)
            }
            listed => listed,
        }
    }

    fn slots_without_key(&self, place: &SealedPlace) -> Result<Vec<Slot>> {
        place.slots_without_key().map_err(|error| self.named(error))
    }

    /// Checks that the file can be opened, before its slots are changed.
    pub(crate) fn check_key(&self) -> Result<()> {
        self.with_file(Operation::Open, |_, _| Ok(()))
    }

    pub(crate) fn add_slot(&self, source: &KeySource) -> Result<Slot> {
        let now = self.now();
        let is_new = self.read_content(|content| Ok(!content.is_sealed()))?;
        if is_new && let Some(place) = self.place.sealed.as_ref() {
            let begun = place.begin(source, now).map_err(|error| self.named(error))?;
            if let Some(slot) = begun {
                // The copy in memory still says that there is no vault.
                self.forget();
                return Ok(slot);
            }
        }
        self.with_file(Operation::Set, |file, _| file.add_slot(source, now))
    }

    /// Removes a slot, if an available key or a key of `more` is known to open the file by another slot.
    pub(crate) fn remove_slot(&self, id: &SlotId, more: &[KeySource]) -> Result<()> {
        self.remove(id, |file, sources| file.remove_slot_if_open(id, &[sources, more].concat()))
    }

    /// Removes a slot without a check that another slot opens the file.
    pub(crate) fn remove_slot_unproved(&self, id: &SlotId) -> Result<()> {
        self.remove(id, |file, _| file.remove_slot(id))
    }

    fn remove(
        &self,
        id: &SlotId,
        remove: impl FnOnce(&SealedFile, &[KeySource]) -> Result<()>,
    ) -> Result<()> {
        self.with_sealed(Operation::Delete, |sealed| {
            let (file, sources) = sealed.opened();
            if sealed.is_by_entry() && file.is_opened_by(id)? {
                return Err(self.entry_would_open_nothing());
            }
            remove(file, sources)
        })
    }

    fn entry_would_open_nothing(&self) -> Error {
        let message = "it is the slot of the key in the vault's entry, which opens the file";
        self.named(
            Error::new(ErrorKind::Invalid, Operation::Delete)
                .with_message(message)
                .with_hint("Nothing was changed.")
                .with_command(self.command("key rotate"), "gives the file a new key")
                .with_command(
                    self.command("move --to file"),
                    "takes the vault into a file without an entry",
                ),
        )
    }

    pub(crate) fn rotate(&self, more: &[KeySource], progress: impl FnMut(Progress)) -> Result<()> {
        self.with_file(Operation::Set, |file, sources| {
            file.rotate(&[sources, more].concat(), progress)
        })
    }

    fn with_file<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&SealedFile, &[KeySource]) -> Result<T>,
    ) -> Result<T> {
        self.with_sealed(operation, |sealed| {
            let (file, sources) = sealed.opened();
            work(file, sources)
        })
    }

    fn with_sealed<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Sealed) -> Result<T>,
    ) -> Result<T> {
        let result = self.read_content(|content| match content {
            Content::Sealed(sealed) => work(sealed),
            _ => Err(self.no_slots(operation)),
        });
        result.map_err(|error| error.with_store(self.store.name()))
    }

    fn no_slots(&self, operation: Operation) -> Error {
        if self.place.is_direct() {
            return Error::new(ErrorKind::NotFound, operation)
                .with_message("there is no encrypted file yet, and so no key slot")
                .with_hint("The first secret makes it, and so does the first key that is added.");
        }
        Error::new(ErrorKind::Unsupported, operation)
            .with_message("the vault lies in its store, which has no key slots")
            .with_hint(
                "Only encrypted files have them: the backend `file`, and vaults that outgrew their \
                 store.",
            )
    }
}
