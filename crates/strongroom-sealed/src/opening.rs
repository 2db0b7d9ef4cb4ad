//! Matching sources with slots within a budget, the cheapest slots first.

use strongroom_core::Fault;

use crate::KeySource;
use crate::aead::Key;
use crate::budget::{Budget, Skip};
use crate::error::{Result, no_source, wrong_key};
use crate::keys::{KeyId, VaultId};
use crate::slot::{Opener, StoredSlot};
use crate::source::{Derived, Material};

/// The largest number of skipped slots that a message names.
const MAX_NAMES: usize = 8;

/// The slots that were not tried.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    names: Vec<String>,
    work: u64,
    reason: Option<Skip>,
}

/// Opens the vault's key by the first source that fits a slot. Keys cost nothing and are tried first, then
/// passphrases, the cheapest slot first.
///
/// The slots are all or some of those in a file.
///
/// # Errors
///
/// `KeyMissing` if there is no source; `WrongKey` if none fits; `TimedOut` if slots need more work than the
/// budget has, and `Other` if they need more memory than there is; `Corrupt` if a damaged slot may be the
/// right slot; if no source can be read, the error of the first source.
pub(crate) fn open(
    slots: Vec<Result<StoredSlot>>,
    vault: &VaultId,
    key_id: &KeyId,
    sources: &[KeySource],
    budget: &mut Budget,
) -> Result<(Key, Opener)> {
    if sources.is_empty() {
        return Err(no_source());
    }
    let (materials, unreadable) = read(sources);
    let mut skipped = Skipped::default();
    for (slot, material) in cheapest_first(&slots, &materials) {
        match slot.key(material, budget)? {
            Derived::Key(key) => {
                if let Some(vault_key) = slot.unwrap(&key, vault, key_id) {
                    return Ok((vault_key, Opener { slot: slot.id().to_owned(), key }));
                }
            }
            Derived::Skipped(skip) => skipped.add(slot, skip),
            Derived::OtherKind => {}
        }
    }
    if let Some(fault) = skipped.fault(budget) {
        return Err(fault);
    }
    // A damaged slot may be the slot that fits, so damage has precedence over `WrongKey`.
    let damage = slots.into_iter().find_map(Result::err);
    Err(damage.or(unreadable.filter(|_| materials.is_empty())).unwrap_or_else(wrong_key))
}

/// Finds the key of each slot by any of these sources. Each source has its own budget, as when a file is
/// opened.
///
/// # Errors
///
/// Those of a source that can't be read; `TimedOut` or `Other` if a slot without a key was skipped.
pub(crate) fn keys_of(
    slots: Vec<StoredSlot>,
    sources: &[KeySource],
    mut budget: impl FnMut() -> Budget,
    opens: impl Fn(&StoredSlot, &Key) -> bool,
) -> Result<Vec<(StoredSlot, Option<Key>)>> {
    let mut found: Vec<_> = slots.into_iter().map(|slot| (slot, None, None)).collect();
    found.sort_by_key(|(slot, ..)| slot.effort());
    for source in sources {
        let (material, mut budget) = (source.material()?, budget());
        for (slot, key, skip) in found.iter_mut().filter(|(_, key, _)| key.is_none()) {
            match slot.key(&material, &mut budget)? {
                Derived::Key(tried) => *key = Some(tried).filter(|tried| opens(slot, tried)),
                Derived::Skipped(reason) => *skip = Some(reason),
                Derived::OtherKind => {}
            }
        }
    }
    let mut skipped = Skipped::default();
    for (slot, key, skip) in &found {
        if let (None, Some(skip)) = (key, skip) {
            skipped.add(slot, *skip);
        }
    }
    match skipped.fault(&budget()) {
        Some(fault) => Err(fault),
        None => Ok(found.into_iter().map(|(slot, key, _)| (slot, key)).collect()),
    }
}

/// Reads the sources. Returns their material, and the first error.
fn read(sources: &[KeySource]) -> (Vec<Material>, Option<Fault>) {
    let (mut materials, mut unreadable) = (Vec::new(), None);
    for source in sources {
        match source.material() {
            Ok(material) => materials.push(material),
            Err(fault) => {
                unreadable.get_or_insert(fault);
            }
        }
    }
    (materials, unreadable)
}

/// Pairs every source with every intact slot. Pairs of the same effort keep the order of the sources.
fn cheapest_first<'a>(
    slots: &'a [Result<StoredSlot>],
    materials: &'a [Material],
) -> Vec<(&'a StoredSlot, &'a Material)> {
    let mut tries = Vec::new();
    for material in materials {
        tries.extend(slots.iter().flatten().map(|slot| (slot, material)));
    }
    tries.sort_by_key(|(slot, _)| slot.effort());
    tries
}

impl Skipped {
    fn add(&mut self, slot: &StoredSlot, skip: Skip) {
        self.work += slot.effort().0;
        // More time helps unless only memory is lacking, so this reason has precedence.
        if self.reason != Some(Skip::Work) {
            self.reason = Some(skip);
        }
        let name = slot.name();
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    fn fault(&self, budget: &Budget) -> Option<Fault> {
        let more = self.names.len().saturating_sub(MAX_NAMES);
        let mut names = self.names[..self.names.len() - more].join(", ");
        if more > 0 {
            names += &format!(" and {more} more");
        }
        self.reason.map(|reason| budget.refused(reason, &names, self.work))
    }
}
