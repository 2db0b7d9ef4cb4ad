//! Goes through every state that a protocol can reach.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::world::{Events, Protocol, Violation, World};

/// How many states there are.
///
/// # Panics
///
/// If one of them breaks a promise.
pub(super) fn explore(protocol: Protocol, events: Events) -> usize {
    search(&protocol, events, |violation| panic!("{violation:?}"))
}

/// Whether this promise is broken somewhere.
pub(super) fn breaks(promise: Violation, protocol: Protocol, events: Events) -> bool {
    let mut is_broken = false;
    search(&protocol, events, |violation| {
        is_broken |= violation == promise;
        is_broken
    });
    is_broken
}

/// Depth first, until `found` is satisfied by a violation; what follows from others is left aside.
///
/// A state is known again by 64 bits of hash, like in TLC: among a million states the odds that two
/// share one, and hide what follows from one of them, are 1 in 30 million.
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
