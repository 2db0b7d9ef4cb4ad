//! A conformance test suite for implementations of [`Store`](strongroom_core::Store).
//!
//! A macro call in a store's `tests/conformance.rs` generates a test for each case, so that a failure has
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
//! The argument evaluates to a factory of handles. It is evaluated once for each test, and the factory is
//! called for each handle that a case needs. All handles of a factory must see the same entries. For a
//! store outside of the process `|| TheStore::new()` is enough.
//!
//! A harness that has to start a provider first uses [`CASES`] or [`run_all`] instead.
//!
//! Cases that need a capability which the store's [`Capabilities`] do not claim are skipped.
//! Each case works under a service name of its own and deletes its entries even if it fails, so
//! the suite can run against a store that is in use.
//!
//! Some behaviour can't be observed or provoked in an arbitrary store, and is not checked:
//! that `exists` and `list` read no value, that memory is wiped and nothing is logged; the states
//! of a store (locked, refused, full, away, hung); deadlines and prompts; several
//! processes and machines; several items of the same name.

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

use strongroom_core::Capabilities;

pub use cases::CASES;
pub use fixture::Factory;
use fixture::Fixture;
#[doc(hidden)]
pub use strongroom_core as __core;

/// A requirement of the contract, and the check that a store meets it.
pub struct Case {
    /// The name: a sentence about the store in snake case.
    pub name: &'static str,
    applies: fn(&Capabilities) -> bool,
    check: fn(&Fixture<'_>),
}

/// The result of a case that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The store meets the requirement.
    Passed,
    /// The requirement does not apply to a store of these capabilities.
    Skipped,
}

/// Runs all cases in sequence, and returns the names of the skipped cases.
///
/// # Panics
///
/// If a case fails. The panic comes after all cases have run, and names all that failed.
pub fn run_all(factory: Factory<'_>) -> Vec<&'static str> {
    let mut skipped = Vec::new();
    let mut failed = Vec::new();
    for case in CASES {
        // A case that panics must not hide the result of the cases after it.
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
/// If the store does not meet the requirement, or if there is no case of this name.
pub fn run(name: &str, factory: Factory<'_>) -> Outcome {
    let case = CASES.iter().find(|case| case.name == name);
    case.unwrap_or_else(|| panic!("no case is named {name}")).run(factory)
}

impl Case {
    /// Checks the requirement on a store, and deletes the entries that the check wrote.
    ///
    /// # Panics
    ///
    /// If the store does not meet the requirement. The message tells the difference.
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
