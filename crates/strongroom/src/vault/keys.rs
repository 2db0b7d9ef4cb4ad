//! The key slots of a vault that lies in a sealed file.

use strongroom_core::{Error, ErrorKind, Operation, Result};
use strongroom_sealed::{KeySource, Progress, SealedFile, Slot};

use super::content::Content;
use super::engine::Vault;

impl Vault {
    pub(crate) fn slots(&self) -> Result<Vec<Slot>> {
        self.with_file(Operation::List, |file, _| file.slots())
    }

    pub(crate) fn add_slot(&self, source: &KeySource) -> Result<Slot> {
        let now = self.now();
        let is_new = self.read_content(|content| Ok(!content.is_sealed()))?;
        if is_new && let Some(place) = self.place.sealed.as_ref() {
            let begun = place.begin(source, now).map_err(|error| self.named(error))?;
            if let Some(slot) = begun {
                self.forget();
                return Ok(slot);
            }
        }
        self.with_file(Operation::Set, |file, _| file.add_slot(source, now))
    }

    pub(crate) fn remove_slot(&self, id: &str) -> Result<()> {
        self.with_file(Operation::Delete, |file, _| file.remove_slot(id))
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
        self.read_content(|content| match content {
            Content::Sealed(sealed) => {
                let (file, sources) = sealed.opened();
                work(file, sources).map_err(|error| error.with_store(self.store.name()))
            }
            _ => Err(self.no_slots(operation).with_store(self.store.name())),
        })
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
