//! The behaviour that every store must show, as a suite that any store can run.
//!
//! One line in a store's `tests/conformance.rs` makes one test of each case, so that a failure has
//! a name and the cases run in parallel:
//!
//! ```
//! use strongroom_core::MemoryStore;
//!
//! strongroom_conformance::conformance_tests!({
//!     let store = MemoryStore::new();
//!     move || store.clone()
//! });
//! ```
//!
//! The argument is a factory of handles. It is evaluated once for each test; what it evaluates to is
//! called for each handle that a case needs, and all these handles must see the same entries. A
//! store that lives outside the process needs no more than `|| TheStore::new()`.
//!
//! A harness that starts a provider first takes [`CASES`] or [`run_all`] instead.
//!
//! What a store does not claim in its [`Capabilities`] is not asked of it: such cases are skipped.
//! Each case works under a service name of its own and deletes its entries even where it fails, so
//! the suite may run against a store that is in use.
//!
//! Not checked, because a test can't see it or can't bring it about in a store that it doesn't know:
//! that `exists` and `list` read no value, that memory is wiped and nothing is logged; the states
//! that a store gets into (locked, refused, full, away, hung); deadlines and prompts; several
//! processes and machines; several items under one name.

mod cases;
mod fixture;
mod handles;
mod lists;
mod names;
mod plain_data;
mod threads;
mod values;
mod writes;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use strongroom_core::{Capabilities, Store};

pub use cases::CASES;
use fixture::Fixture;
#[doc(hidden)]
pub use strongroom_core as __core;

/// Opens one handle to the store under test. Every handle sees the same entries.
pub type Factory<'a> = &'a dyn Fn() -> Arc<dyn Store>;

/// One promise of the contract, and the check that a store keeps it.
pub struct Case {
    /// Its name, in snake case, as a sentence about the store.
    pub name: &'static str,
    applies: fn(&Capabilities) -> bool,
    check: fn(&Fixture<'_>),
}

/// What became of a case that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The store keeps the promise.
    Passed,
    /// The store's capabilities do not give this promise.
    Skipped,
}

/// Runs every case, one after the other, and returns the names of those that were skipped.
///
/// # Panics
///
/// If a case failed: after all of them have run, naming each that failed.
pub fn run_all(factory: Factory<'_>) -> Vec<&'static str> {
    let mut skipped = Vec::new();
    let mut failed = Vec::new();
    for case in CASES {
        match catch_unwind(AssertUnwindSafe(|| case.run(factory))) {
            Ok(Outcome::Passed) => {}
            Ok(Outcome::Skipped) => skipped.push(case.name),
            Err(_) => failed.push(case.name),
        }
    }
    assert!(failed.is_empty(), "cases that failed: {failed:?}");
    skipped
}

/// Runs the case of this name.
///
/// # Panics
///
/// If the store breaks the promise, or no case has this name.
pub fn run(name: &str, factory: Factory<'_>) -> Outcome {
    let case = CASES.iter().find(|case| case.name == name);
    case.unwrap_or_else(|| panic!("no case is named {name}")).run(factory)
}

impl Case {
    /// Checks the promise against a store, and deletes what that wrote.
    ///
    /// # Panics
    ///
    /// If the store breaks the promise, saying how.
    pub fn run(&self, factory: Factory<'_>) -> Outcome {
        let fixture = Fixture::new(factory);
        if !(self.applies)(&fixture.store().capabilities()) {
            return Outcome::Skipped;
        }
        (self.check)(&fixture);
        Outcome::Passed
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
