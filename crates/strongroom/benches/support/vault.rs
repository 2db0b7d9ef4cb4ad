//! Vaults to measure with: secrets as an application has them, API keys with their provider.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::ops::Range;
use std::path::Path;

use strongroom::{Backend, Batch, Config, Secret, SecretKey};

/// The service that everything belongs to.
pub(crate) const SERVICE: &str = "strongroom-bench";

/// Where its files lie in a home.
pub(crate) const STATE_DIR: &str = ".local/state/strongroom";

/// The name of a secret, by its number.
pub(crate) fn name(number: usize) -> String {
    format!("PROVIDER_{number:04}_API_KEY")
}

/// The same as a key.
pub(crate) fn key(number: usize) -> SecretKey {
    SecretKey::new(name(number))
}

/// A value of the length of an API key; that of another turn is another one.
pub(crate) fn value(number: usize, turn: usize) -> String {
    format!("sk-proj-{number:016}-{turn:026}")
}

/// A manager of a vault whose files lie where those of a user with this home do.
pub(crate) fn builder(backend: Backend, home: &Path) -> Config {
    Config::new(SERVICE).backend(backend).state_dir(home.join(STATE_DIR))
}

/// Puts in this many secrets.
pub(crate) fn fill(batch: &mut Batch, size: usize) {
    fill_some(batch, 0..size);
}

/// Puts in the secrets of these numbers.
pub(crate) fn fill_some(batch: &mut Batch, numbers: Range<usize>) {
    for number in numbers {
        let secret = Secret::with_provider(value(number, 0), "provider").scope("all");
        batch.set(key(number), secret);
    }
}
