//! The secrets of one application: get, set, delete.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{
    Capabilities, Deadlines, EntryName, Error, ErrorKind, KeyringStore, Operation, Persistence,
    PromptPolicy, Result, SecretString, ServiceName, Store, UserName,
};

use crate::shell::shell_word;
use crate::{Backend, ChoiceReason, Chosen, Fallback, Options, VAULT_ENTRY, choose};

/// The secrets of one application, in the store that was chosen for it.
///
/// - Every call ends by its deadline. It blocks the calling thread until then, inside an async
///   runtime too, where `spawn_blocking` is the place for it.
/// - Each secret is one entry of the store, named by the service and the secret's name, which is what
///   the system's own tool shows.
/// - Clones are handles to the same store.
///
/// # Errors
///
/// Every call can fail as [`KeyringStore`] says, and with `Invalid` for a name that is empty, holds
/// a NUL character or is longer than 255 bytes, and for `vault`, the entry of a vault. [`Error::hint`] says what to do next.
///
/// ```
/// use strongroom::{Backend, ExposeSecret, SecretString, SecureStore};
///
/// let secrets = SecureStore::builder("tracker").backend(Backend::Memory).open()?;
/// secrets.set_secret("api-key", &SecretString::from("s3cret"))?;
/// assert_eq!(secrets.require_secret("api-key")?.expose_secret(), "s3cret");
/// secrets.delete_secret("api-key")?;
/// assert!(secrets.get_secret("api-key")?.is_none());
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
pub struct SecureStore {
    service: ServiceName,
    chosen: Chosen,
    setup_hint: Option<String>,
}

/// A [`SecureStore`] in the making.
#[derive(Clone, Debug)]
#[must_use]
pub struct SecureStoreBuilder {
    service: String,
    options: Options,
    setup_hint: Option<String>,
}

impl SecureStore {
    /// Opens the store of a service with the default options.
    ///
    /// The service is the application's stable name: its secrets are found under it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used, and as [`choose()`] says.
    pub fn open(service: impl Into<String>) -> Result<Self> {
        Self::builder(service).open()
    }

    /// Starts with the default options.
    pub fn builder(service: impl Into<String>) -> SecureStoreBuilder {
        SecureStoreBuilder { service: service.into(), options: Options::new(), setup_hint: None }
    }

    /// Stores a secret, over the old one if there is one.
    ///
    /// When it returns, the secret is stored. When it fails, the old one is still there, but where a
    /// `TimedOut` says that the call may still take effect.
    ///
    /// # Errors
    ///
    /// `TooLarge`, `QuotaExceeded`, `Ambiguous`.
    pub fn set_secret(&self, name: &str, value: &SecretString) -> Result<()> {
        not_the_vault(name, Operation::Set)?;
        let service = self.service.as_str();
        self.chosen.store().set_password(service, name, value)
    }

    /// Reads a secret. A missing one is `None`; a locked store is an error, never `None`.
    ///
    /// # Errors
    ///
    /// `Ambiguous`, `Corrupt`; `Invalid` if another program stored bytes that are not text.
    pub fn get_secret(&self, name: &str) -> Result<Option<SecretString>> {
        not_the_vault(name, Operation::Get)?;
        self.chosen.store().get_password(self.service.as_str(), name)
    }

    /// Reads a secret that the application can't do without.
    ///
    /// # Errors
    ///
    /// As [`get_secret`](Self::get_secret), and `NotFound` if it is missing, with a hint that names
    /// the command to run.
    pub fn require_secret(&self, name: &str) -> Result<SecretString> {
        match self.get_secret(name)? {
            Some(secret) => Ok(secret),
            None => Err(self.missing(name)?),
        }
    }

    /// Deletes a secret. Deleting a missing one succeeds.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if several items answer to the name.
    pub fn delete_secret(&self, name: &str) -> Result<()> {
        not_the_vault(name, Operation::Delete)?;
        let store = self.chosen.store();
        store.delete_password(self.service.as_str(), name).map(|_was_there| ())
    }

    /// The service's name.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The backend that was chosen.
    pub fn backend(&self) -> Backend {
        self.chosen.backend()
    }

    /// Why this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.chosen.reason()
    }

    /// What the store can do.
    pub fn capabilities(&self) -> Capabilities {
        self.chosen.store().capabilities()
    }

    /// Whether secrets stay until they are deleted, over a restart of the machine.
    pub fn is_persistent(&self) -> bool {
        self.capabilities().persistence == Persistence::Permanent
    }

    /// The store, behind a [`Guard`](crate::Guard): for bytes, for listing, for other services.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.chosen.store()
    }

    fn missing(&self, name: &str) -> Result<Error> {
        let entry = EntryName::from_parts(self.service.clone(), UserName::new(name)?);
        let hint = match &self.setup_hint {
            Some(hint) => hint.clone(),
            None => setup_command(self.service.as_str(), name, &self.chosen),
        };
        Ok(Error::new(ErrorKind::NotFound, Operation::Get)
            .with_store(self.chosen.store().name())
            .with_entry(&entry)
            .with_message("there is no such secret")
            .with_hint(hint))
    }
}

impl SecureStoreBuilder {
    /// Takes these options in place of all that were set before.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Uses this backend and no other.
    pub fn backend(self, backend: Backend) -> Self {
        self.with(|options| options.with_backend(backend))
    }

    /// Sets the prefix of the environment variables that are read: see [`Options::with_env_prefix`].
    pub fn env_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|options| options.with_env_prefix(prefix))
    }

    /// Sets how long a call may wait.
    pub fn deadlines(self, deadlines: Deadlines) -> Self {
        self.with(|options| options.with_deadlines(deadlines))
    }

    /// Sets whether the system may ask the user.
    pub fn prompt(self, prompt: PromptPolicy) -> Self {
        self.with(|options| options.with_prompt(prompt))
    }

    /// Sets what to do where the platform's default store can't be used.
    pub fn fallback(self, fallback: Fallback) -> Self {
        self.with(|options| options.with_fallback(fallback))
    }

    /// Sets what [`require_secret`](SecureStore::require_secret) advises when a secret is missing,
    /// such as ``Run `tracker setup`.``
    pub fn setup_hint(mut self, hint: impl Into<String>) -> Self {
        self.setup_hint = Some(hint.into());
        self
    }

    /// Checks the service's name, then chooses and opens the store.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used, and as [`choose()`] says.
    pub fn open(self) -> Result<SecureStore> {
        Ok(SecureStore {
            service: ServiceName::new(self.service)?,
            chosen: choose(&self.options)?,
            setup_hint: self.setup_hint,
        })
    }

    fn with(mut self, change: impl FnOnce(Options) -> Options) -> Self {
        self.options = change(self.options);
        self
    }
}

impl fmt::Debug for SecureStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureStore")
            .field("service", &self.service)
            .field("backend", &self.chosen.backend())
            .field("reason", self.chosen.reason())
            .finish_non_exhaustive()
    }
}

/// Refuses the name of the entry that holds all secrets of a [`SecretManager`](crate::SecretManager).
fn not_the_vault(name: &str, operation: Operation) -> Result<()> {
    if name != VAULT_ENTRY {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, operation)
        .with_message(format!("\"{VAULT_ENTRY}\" is the entry of a vault, and no secret's name"))
        .with_hint("Take another name."))
}

/// Returns a sentence with the command that stores a secret, fit to be pasted into a shell.
fn setup_command(service: &str, name: &str, chosen: &Chosen) -> String {
    match (chosen.backend(), chosen.reason()) {
        // The program has no way to these.
        (Backend::Memory | Backend::PlaintextFile, _) => "Store it first.".to_owned(),
        (_, ChoiceReason::PlatformDefault) => entry_set(service, name, ""),
        (backend, _) => entry_set(service, name, &format!(" --backend {backend}")),
    }
}

fn entry_set(service: &str, name: &str, backend: &str) -> String {
    match (shell_word(service), shell_word(name)) {
        (Some(service), Some(name)) => {
            format!("Run `strongroom entry set {service} {name}{backend}`.")
        }
        _ => format!("Run `strongroom entry set SERVICE NAME{backend}` with these names."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_survives_a_shell() {
        let command = |service, name| entry_set(service, name, "");
        assert_eq!(command("app", "api-key"), "Run `strongroom entry set app api-key`.");
        assert_eq!(
            entry_set("app", "api-key", " --backend file"),
            "Run `strongroom entry set app api-key --backend file`."
        );
        assert_eq!(
            command("my app", "it's $HOME"),
            r"Run `strongroom entry set 'my app' 'it'\''s $HOME'`."
        );
        for name in ["--force", "a\nb", "a\u{1b}[31m", "a\u{202e}b"] {
            let hint = command("app", name);
            assert!(hint.contains("entry set SERVICE NAME"), "{hint}");
        }
    }
}
