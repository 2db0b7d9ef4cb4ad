//! The vault: all secrets of one service, kept together.

mod coherence;
mod engine;
mod payload;
mod repair;
mod secrets;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use coherence::StateDir;
pub use engine::VAULT_ENTRY;
pub(crate) use engine::{Clock, Vault};
#[cfg(fuzzing)]
pub(crate) use payload::check as check_payload;
pub use repair::{Merged, VaultContent, VaultItem};
pub use secrets::{Batch, SecretInfo};
pub use watch::{Change, ChangeKind};
