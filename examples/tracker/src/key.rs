//! The key to Clockify, and its status.

use strongroom::blocking::{Changes, SecretManager};
use strongroom::keys::PassphraseRequest;
use strongroom::store::ChoiceReason;
use strongroom::{Backend, Config, Error, ErrorKind, Result, SecretString};
use strongroom_cli::Kit;

/// The key's name in the vault.
pub(crate) const NAME: &str = "clockify_api_key";

/// The status of the key, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    /// The store has not answered yet.
    Looking,
    Stored(Place),
    Missing(Place),
    Unusable {
        problem: String,
        hint: String,
    },
}

/// The place in which secrets are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) backend: Backend,
    pub(crate) is_persistent: bool,
    /// Set if this is only the fallback for a missing keyring.
    pub(crate) is_fallback: bool,
}

/// The vault with the key. The key is read from it each time. Every call may block.
pub(crate) struct Vault {
    kit: Kit,
    config: Config,
    open: Option<Open>,
}

struct Open {
    secrets: SecretManager,
    changes: Changes,
}

impl Vault {
    /// Creates a handle, and doesn't open the vault yet. `ask` is called for the passphrase of an encrypted file.
    pub(crate) fn new(
        kit: &Kit,
        ask: impl Fn(&PassphraseRequest) -> Result<Option<SecretString>> + Send + Sync + 'static,
    ) -> Self {
        Self { kit: kit.clone(), config: kit.config_asking(ask), open: None }
    }

    /// Chooses the store and reads it again, as if for the first time.
    pub(crate) fn look_again(&mut self) -> KeyStatus {
        self.open = None;
        self.status()
    }

    /// Returns the status, if the vault was changed since the last call.
    pub(crate) fn changed(&mut self) -> Option<KeyStatus> {
        let changes = &mut self.open.as_mut()?.changes;
        let mut is_changed = false;
        while changes.try_next().is_some() {
            is_changed = true;
        }
        is_changed.then(|| self.status())
    }

    /// Returns the key, if there is one.
    pub(crate) fn key(&mut self) -> Result<Option<SecretString>> {
        self.opened()?.get_value(NAME)
    }

    pub(crate) fn status(&mut self) -> KeyStatus {
        let found = self.opened().and_then(|secrets| {
            let is_there = secrets.get_value(NAME)?.is_some();
            Ok((is_there, Place::of(secrets)))
        });
        match found {
            Ok((true, place)) => KeyStatus::Stored(place),
            Ok((false, place)) => KeyStatus::Missing(place),
            Err(error) => KeyStatus::unusable(&error, &self.kit),
        }
    }

    fn opened(&mut self) -> Result<&SecretManager> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let secrets = self.config.clone().open_blocking()?;
                Open { changes: secrets.subscribe()?, secrets }
            }
        };
        Ok(&self.open.insert(open).secrets)
    }
}

impl Place {
    fn of(secrets: &SecretManager) -> Self {
        Self {
            backend: secrets.backend(),
            is_persistent: secrets.is_persistent(),
            is_fallback: matches!(secrets.reason(), ChoiceReason::Fallback(_)),
        }
    }

    /// Returns the name of the place for people.
    pub(crate) fn name(self) -> &'static str {
        self.backend.label()
    }
}

impl KeyStatus {
    fn unusable(error: &Error, kit: &Kit) -> Self {
        let hint = match error.kind() {
            ErrorKind::Expired => "Type `tracker setup` in another terminal.".to_owned(),
            ErrorKind::Dismissed => "Press r to be asked again.".to_owned(),
            _ => format!("{} Then press r.", kit.hint(error)),
        };
        Self::Unusable { problem: error.problem().to_owned(), hint }
    }
}
