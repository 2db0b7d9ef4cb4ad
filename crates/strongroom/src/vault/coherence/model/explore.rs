//! The search through all states that a protocol can reach.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::world::{Events, Protocol, Violation, World};

/// Visits all states, and returns their number.
///
/// # Panics
///
/// Panics if a state violates a promise.
pub(super) fn explore(protocol: Protocol, events: Events) -> usize {
    search(&protocol, events, |violation| panic!("{violation:?}"))
}

/// Returns whether any state violates this promise.
pub(super) fn breaks(promise: Violation, protocol: Protocol, events: Events) -> bool {
    let mut is_broken = false;
    search(&protocol, events, |violation| {
        is_broken |= violation == promise;
        is_broken
    });
    is_broken
}

/// Searches depth first, until `found` accepts a violation. Successors of a state with a violation are
/// skipped.
///
/// A state is recognised by a hash of 64 bits, as in TLC: among a million states the odds that two share a
/// hash, so that the successors of the second are not visited, are 1 in 30 million.
fn search(protocol: &Protocol, events: Events, mut found: impl FnMut(Violation) -> bool) -> usize {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut known = HashSet::new();
    let mut open: Vec<World> = World::first(events).into();
    while let Some(world) = open.pop() {
        if !known.insert(hasher.hash_one(&world)) {
            continue;
        }
        match world.next(protocol) {
            Ok(next) => open.extend(next),
            Err(violation) if found(violation) => break,
            Err(_) => {}
        }
    }
    known.len()
}
