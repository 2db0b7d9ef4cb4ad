//! The vault: all secrets of a service, kept together.

mod coherence;
mod commit;
mod content;
mod copies;
mod engine;
mod entries;
#[cfg(feature = "sealed")]
mod keys;
mod lay;
mod payload;
mod place;
mod purge;
mod refreshed;
mod relocate;
mod repair;
#[cfg(feature = "backup")]
mod restore;
#[cfg(feature = "sealed")]
mod salvage;
#[cfg(feature = "sealed")]
mod sealed;
mod secrets;
#[cfg(test)]
mod tests;
#[cfg(feature = "sealed")]
mod unlock;
mod watch;

pub(crate) use engine::Vault;
pub(crate) use entries::EntriesPlace;
#[cfg(feature = "backup")]
pub(crate) use payload::backup::Document;
#[cfg(fuzzing)]
pub(crate) use payload::check as check_payload;
pub(crate) use place::Place;
pub use relocate::{MoveStep, Moved};
pub use repair::{Merged, VaultContent, VaultItem};
#[cfg(feature = "backup")]
pub use restore::{RestoreAction, RestoreMode, RestorePlan, RestoreStep};
#[cfg(feature = "sealed")]
pub use salvage::Salvaged;
#[cfg(feature = "sealed")]
pub(crate) use sealed::SealedPlace;
pub use secrets::{Batch, SecretInfo};
#[cfg(feature = "sealed")]
pub(crate) use unlock::Unlock;
pub use watch::{Change, ChangeKind};
