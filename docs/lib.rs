//! Doctests of the examples in the repository's documents. The documents belong to no published crate, and neither do
//! these tests.
//!
//! `stores.md` shows the code of `examples/http-store`, which tests it, since no package may depend on an example.

#![forbid(unsafe_code)]

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
