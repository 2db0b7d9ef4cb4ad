//! The key slots of a sealed vault.

use strongroom_core::{Error, ErrorKind, Operation, Result};
use strongroom_sealed::{KeySource, Progress, SealedFile, Slot, SlotId};

use crate::Layout;
use crate::vault::sealed::{Sealed, SealedPlace};
use crate::vault::{Engine, VaultFile as _};

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

/// Lists the key slots. With an available key it checks that they are authentic, otherwise they are
/// listed as they are stored. Never asks for a passphrase.
pub(crate) fn slots(engine: &Engine) -> Result<Vec<Slot>> {
    let Some(place) = SealedPlace::of(&engine.storage) else {
        return with_file(engine, Operation::List, |file, _| file.slots());
    };
    // To open the file would ask for a passphrase.
    if place.must_ask() && place.is_there()? {
        return slots_without_key(engine, place);
    }
    match with_file(engine, Operation::List, |file, _| file.slots()) {
        Err(error) if is_about_the_key(error.kind()) && place.is_there()? => {
            slots_without_key(engine, place).map_err(|_| error)
        }
        listed => listed,
    }
}

fn slots_without_key(engine: &Engine, place: &SealedPlace) -> Result<Vec<Slot>> {
    place.slots_without_key().map_err(|error| engine.storage.named(error))
}

/// Checks that the file can be opened, before its slots are changed.
pub(crate) fn check_key(engine: &Engine) -> Result<()> {
    with_file(engine, Operation::Open, |_, _| Ok(()))
}

/// Adds a slot for this source. Without a file it creates the file, if that is the whole vault.
pub(crate) fn add_slot(engine: &Engine, source: &KeySource) -> Result<Slot> {
    let now = engine.now();
    let is_new = engine.read_content(|content| Ok(content.layout() != Layout::Sealed))?;
    if is_new && let Some(place) = SealedPlace::of(&engine.storage) {
        let begun = place.begin(source, now).map_err(|error| engine.storage.named(error))?;
        if let Some(slot) = begun {
            // The copy in memory still says that there is no vault.
            engine.forget();
            return Ok(slot);
        }
    }
    with_file(engine, Operation::Set, |file, _| file.add_slot(source, now))
}

/// Removes a slot, if an available key or a key of `more` is known to open the file by another slot.
pub(crate) fn remove_slot(engine: &Engine, id: &SlotId, more: &[KeySource]) -> Result<()> {
    remove(engine, id, |file, sources| file.remove_slot_if_open(id, &[sources, more].concat()))
}

/// Removes a slot without a check that another slot opens the file.
pub(crate) fn remove_slot_unproved(engine: &Engine, id: &SlotId) -> Result<()> {
    remove(engine, id, |file, _| file.remove_slot(id))
}

fn remove(
    engine: &Engine,
    id: &SlotId,
    remove: impl FnOnce(&SealedFile, &[KeySource]) -> Result<()>,
) -> Result<()> {
    with_sealed(engine, Operation::Delete, |sealed| {
        let (file, sources) = sealed.opened();
        if sealed.is_by_entry() && file.is_opened_by(id)? {
            return Err(entry_would_open_nothing(engine));
        }
        remove(file, sources)
    })
}

fn entry_would_open_nothing(engine: &Engine) -> Error {
    let message = "it is the slot of the key in the vault's entry, which opens the file";
    engine.storage.named(
        Error::new(ErrorKind::Invalid, Operation::Delete)
            .with_message(message)
            .with_hint("Nothing was changed.")
            .with_command(engine.storage.command("key rotate"), "gives the file a new key")
            .with_command(
                engine.storage.command("move --to file"),
                "takes the vault into a file without an entry",
            ),
    )
}

/// Seals the file with a new key.
pub(crate) fn rotate(
    engine: &Engine,
    more: &[KeySource],
    progress: impl FnMut(Progress),
) -> Result<()> {
    with_file(engine, Operation::Set, |file, sources| {
        file.rotate(&[sources, more].concat(), progress)
    })
}

fn with_file<T>(
    engine: &Engine,
    operation: Operation,
    work: impl FnOnce(&SealedFile, &[KeySource]) -> Result<T>,
) -> Result<T> {
    with_sealed(engine, operation, |sealed| {
        let (file, sources) = sealed.opened();
        work(file, sources)
    })
}

fn with_sealed<T>(
    engine: &Engine,
    operation: Operation,
    work: impl FnOnce(&Sealed) -> Result<T>,
) -> Result<T> {
    let result = engine.read_content(|content| match Sealed::of(content) {
        Some(sealed) => work(sealed),
        None => Err(no_slots(engine, operation)),
    });
    result.map_err(|error| error.with_store(engine.storage.store.name()))
}

fn no_slots(engine: &Engine, operation: Operation) -> Error {
    if engine.storage.is_whole_file() {
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
