//! A command-line agent whose login is kept by a store that it is generic over.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::sync::Arc;

use strongroom::store::MemoryStore;
use strongroom::{Config, ExposeSecret, KeyringStore, Result, SecretString, SecureStore, Store};

/// The place of the login, chosen by the user.
#[derive(Clone, Copy)]
enum Mode {
    Keyring,
    Ephemeral,
}

/// The login of the agent, in any store.
struct AuthStorage<K: KeyringStore> {
    store: K,
}

impl<K: KeyringStore> AuthStorage<K> {
    fn login(&self, key: &str) -> Result<()> {
        self.store.set_password("codex-tui", "openai-api-key", &SecretString::from(key))
    }

    fn key(&self) -> Result<Option<SecretString>> {
        self.store.get_password("codex-tui", "openai-api-key")
    }

    fn logout(&self) -> Result<bool> {
        self.store.delete_password("codex-tui", "openai-api-key")
    }
}

fn store(mode: Mode) -> Result<Arc<dyn Store>> {
    match mode {
        Mode::Keyring => Ok(Arc::clone(SecureStore::open(Config::new("codex-tui"))?.store())),
        Mode::Ephemeral => Ok(Arc::new(MemoryStore::new())),
    }
}

fn main() -> Result<()> {
    let is_ephemeral = std::env::args().any(|argument| argument == "--ephemeral");
    let mode = if is_ephemeral { Mode::Ephemeral } else { Mode::Keyring };
    let auth = AuthStorage { store: store(mode)? };
    auth.login("sk-1")?;
    let length = auth.key()?.map_or(0, |key| key.expose_secret().len());
    println!("logged in with {length} characters");
    println!("logged out: {}", auth.logout()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use strongroom::MockKeyringStore;

    use super::*;

    #[test]
    fn logout_deletes() {
        let mock = MockKeyringStore::new();
        let auth = AuthStorage { store: mock.clone() };
        auth.login("sk-1").expect("the mock stores");
        assert!(auth.logout().expect("the mock deletes"));
        assert!(!mock.exists("codex-tui", "openai-api-key").expect("the mock answers"));
    }
}
