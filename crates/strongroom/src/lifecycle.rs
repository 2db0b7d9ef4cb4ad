//! Operations on a vault as a whole, as functions over its [`Engine`](crate::vault::Engine).

pub(crate) mod items;
#[cfg(feature = "sealed")]
pub(crate) mod key_slots;
pub(crate) mod purge;
pub(crate) mod relocate;
pub(crate) mod repair;
#[cfg(feature = "backup")]
pub(crate) mod restore;
#[cfg(feature = "sealed")]
pub(crate) mod salvage;
