//! The protocol as a model, explored in every interleaving of two writers and a reader, with every crash.
//!
//! A step of the model covers the code between two looks of another process. The conclusions that a process
//! draws are not modelled: they are those of the code itself, [`decide`], [`Observation`] and [`Seen`]. Each
//! step that guards against something is left out in a test, and the model must then find the violation.

mod explore;
mod world;

use super::{Decision, Observation, Seen, decide};
use explore::{breaks, explore};
use world::{Events, Protocol, Violation};

const NOTHING: Events = Events { crashes: false, ..CRASHES };
const CRASHES: Events = Events {
    crashes: true,
    generation_deleted: 0,
    lock_deleted: 0,
    lock_deleted_while_storing: false,
    restored: 0,
};
const GENERATION_DELETED: Events = Events { generation_deleted: 1, ..CRASHES };
const LOCK_DELETED: Events = Events { lock_deleted: 1, ..CRASHES };
const RESTORED: Events = Events { restored: 1, ..CRASHES };

const PROTOCOL: Protocol = Protocol {
    decide,
    locks: true,
    marks_before: true,
    marks_after: false,
    rereads_base: true,
    compares_path: true,
    compares_lock: true,
};

#[test]
fn it_holds_whoever_dies() {
    assert!(explore(PROTOCOL, CRASHES) > 10_000);
}

#[test]
fn it_holds_whenever_the_generation_file_is_deleted() {
    assert!(explore(PROTOCOL, GENERATION_DELETED) > 10_000);
}

#[test]
fn it_holds_whenever_an_old_record_is_restored() {
    assert!(explore(PROTOCOL, RESTORED) > 10_000);
}

#[test]
fn it_holds_if_the_lock_file_is_deleted_while_nobody_stores() {
    assert!(explore(PROTOCOL, LOCK_DELETED) > 10_000);
}

/// The documented limit: a deleted file can't be locked.
#[test]
fn it_does_not_hold_if_the_lock_file_is_deleted_while_somebody_stores() {
    let events = Events { lock_deleted_while_storing: true, ..LOCK_DELETED };
    assert!(breaks(Violation::Lost, PROTOCOL, events));
}

#[test]
fn without_the_lock_it_fails() {
    let protocol = Protocol { locks: false, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, NOTHING));
}

#[test]
fn without_the_dirty_mark_it_fails() {
    let protocol = Protocol { marks_before: false, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, CRASHES));
    assert!(breaks(Violation::Stale, protocol, CRASHES));
}

#[test]
fn with_the_dirty_mark_after_the_store_it_fails() {
    let protocol = Protocol { marks_before: false, marks_after: true, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, CRASHES));
    assert!(breaks(Violation::Stale, protocol, CRASHES));
}

#[test]
fn without_reading_a_stale_base_again_it_fails() {
    let protocol = Protocol { rereads_base: false, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, NOTHING));
}

#[test]
fn with_less_than_in_place_of_equality_it_fails() {
    fn at_least_as_new(cache: Option<&Seen>, observation: &Observation) -> Decision {
        match (cache, observation) {
            (Some(cache), Observation::Clean(seen))
                if cache.revision().generation >= seen.revision().generation =>
            {
                Decision::UseCache
            }
            _ => Decision::MustRead,
        }
    }
    let protocol = Protocol { decide: at_least_as_new, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, RESTORED));
    assert!(breaks(Violation::Stale, protocol, RESTORED));
}

fn by_revision(cache: Option<&Seen>, observation: &Observation) -> Decision {
    match (cache, observation) {
        (Some(cache), Observation::Clean(seen)) if cache.revision() == seen.revision() => {
            Decision::UseCache
        }
        _ => Decision::MustRead,
    }
}

/// The conditions on Windows: an open file can't be deleted, and files have no stamp.
#[test]
fn where_no_open_file_can_be_deleted_it_holds_by_the_revision_alone() {
    let protocol =
        Protocol { decide: by_revision, compares_path: false, compares_lock: false, ..PROTOCOL };
    assert!(explore(protocol, CRASHES) > 10_000);
}

#[test]
fn without_the_time_of_the_files_change_it_fails() {
    let protocol = Protocol { decide: by_revision, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, RESTORED));
    assert!(breaks(Violation::Stale, protocol, RESTORED));
}

#[test]
fn without_comparing_the_open_file_with_the_path_it_fails() {
    let protocol = Protocol { compares_path: false, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, GENERATION_DELETED));
    assert!(breaks(Violation::Stale, protocol, GENERATION_DELETED));
}

#[test]
fn without_comparing_the_lock_with_the_path_it_fails() {
    let protocol = Protocol { compares_lock: false, ..PROTOCOL };
    assert!(breaks(Violation::Lost, protocol, LOCK_DELETED));
    assert!(breaks(Violation::Stale, protocol, LOCK_DELETED));
}
