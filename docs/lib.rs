//! The examples in the documents of the repository, as tests. The documents are no part of a published crate, so these tests are
//! not, either.
//!
//! `stores.md` is tested by `examples/http-store`, whose code it shows: nothing uses an example.

/// Tests the examples in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// Tests the examples in the guide for applications.
#[cfg(doctest)]
#[doc = include_str!("integrating.md")]
pub struct Integrating;

/// Tests the examples in the guide for users of the `keyring` crate.
#[cfg(doctest)]
#[doc = include_str!("from-keyring.md")]
pub struct FromKeyring;

/// Tests the examples in the guide for Tauri applications.
#[cfg(all(doctest, feature = "tauri"))]
#[doc = include_str!("tauri.md")]
pub struct Tauri;
