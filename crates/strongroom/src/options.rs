//! What the caller decides about the store: which one, how long, who may be asked.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use strongroom_core::{Deadlines, Error, ErrorKind, Operation, PromptPolicy, Result};

use crate::Backend;
use crate::backend::names;
use crate::binding::Named;
use crate::vault::StateDir;

/// What to do where the platform's default store can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// Fail with `NoBackend`. The default, but on Linux.
    Error,
    /// Keep secrets in the encrypted file, which needs a key: see `Options::with_key` and
    /// `Options::with_passphrase`.
    Sealed,
    /// Keep secrets in the kernel's keyring, which forgets them at a restart, and warn through
    /// `tracing`. The default on Linux outside of containers; inside, other containers may read that
    /// keyring, so it is taken only where this is set.
    Session,
}

/// How a vault lies in its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// All of it in one entry.
    #[default]
    Inline,
    /// In an encrypted file, whose key stands in the entry. A vault that outgrows its store, or 64 KiB,
    /// becomes one by itself, where the store is one that lasts.
    Sealed,
    /// Each secret in an entry of its own, as other programs would write it: its name is the entry's user name
    /// (`API_KEY`, with a target `API_KEY::production`), and its value is all there is in it. For applications
    /// whose entries must be seen, read and written one by one by other tools.
    ///
    /// - What others change in them is seen at once: each read asks the store.
    /// - Nothing but values is kept, and several changes are not one:
    ///   [`capabilities`](crate::SecretManager::capabilities) says what can't be had.
    /// - A vault that is there already stays as it lies, until it is
    ///   [moved](crate::SecretManagerBuilder::move_to); where entries are, they stay entries.
    /// - The backend `file` has no entries: a vault is sealed there, as always.
    Entries,
}

impl Layout {
    /// The name: `inline`, `sealed`, `entries`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Sealed => "sealed",
            Self::Entries => "entries",
        }
    }
}

/// What the caller decides about the store.
///
/// The default is right for most applications: the platform's store, unless `STRONGROOM_BACKEND`
/// names another.
///
/// ```
/// use strongroom::{Backend, Options, choose};
///
/// let options = Options::new().with_env_prefix("TRACKER").with_backend(Backend::Memory);
/// assert_eq!(options.backend_variable(), "TRACKER_BACKEND");
/// assert_eq!(choose(&options)?.backend(), Backend::Memory);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) backend: Option<Backend>,
    pub(crate) deadlines: Deadlines,
    pub(crate) prompt: PromptPolicy,
    /// What the caller chose; `None` is the platform's default.
    pub(crate) fallback: Option<Fallback>,
    pub(crate) plaintext_file: Option<PathBuf>,
    pub(crate) bus_address: Option<String>,
    pub(crate) unencrypted_session: bool,
    pub(crate) keychain_group: Option<String>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) layout: Layout,
    pub(crate) data_dir: Option<PathBuf>,
    #[cfg(feature = "sealed")]
    pub(crate) keys: Vec<strongroom_sealed::KeySource>,
    #[cfg(feature = "sealed")]
    pub(crate) passphrase: Option<crate::keys::AskPassphrase>,
    pub(crate) env_prefix: String,
    environment: Arc<Lookup>,
}

/// Options that take protection away: see [`Options::dangerous`].
#[derive(Debug)]
#[must_use]
pub struct DangerousOptions {
    options: Options,
}

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Options {
    /// The default.
    pub fn new() -> Self {
        Self {
            backend: None,
            deadlines: Deadlines::default(),
            prompt: PromptPolicy::default(),
            fallback: None,
            plaintext_file: None,
            bus_address: None,
            unencrypted_session: false,
            keychain_group: None,
            state_dir: None,
            layout: Layout::default(),
            data_dir: None,
            #[cfg(feature = "sealed")]
            keys: Vec::new(),
            #[cfg(feature = "sealed")]
            passphrase: None,
            env_prefix: "STRONGROOM".to_owned(),
            environment: Arc::new(|variable| env::var_os(variable)),
        }
    }

    /// The same with this backend and no other: neither the environment nor the fallback counts.
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Sets the prefix of the environment variables that are read, `STRONGROOM` by default: `<prefix>_BACKEND`, and with
    /// feature `sealed` also `<prefix>_KEY_FILE` and `<prefix>_PASSPHRASE_FILE`.
    #[must_use]
    pub fn with_env_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.env_prefix = prefix.into();
        self
    }

    /// The same with another source of environment variables than the process's own.
    ///
    /// `|_| None` takes the choice away from the environment.
    #[must_use]
    pub fn with_environment(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Arc::new(lookup);
        self
    }

    /// The same with other deadlines.
    #[must_use]
    pub fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// The same with another prompt policy.
    #[must_use]
    pub fn with_prompt(mut self, prompt: PromptPolicy) -> Self {
        self.prompt = prompt;
        self
    }

    /// The same with another answer to a default store that can't be used.
    #[must_use]
    pub fn with_fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = Some(fallback);
        self.plaintext_file = None;
        self
    }

    /// What takes protection away, to be asked for by name.
    pub fn dangerous(self) -> DangerousOptions {
        DangerousOptions { options: self }
    }

    /// The same with the D-Bus address of the Secret Service's bus, in place of the session's.
    #[must_use]
    pub fn with_bus_address(mut self, address: impl Into<String>) -> Self {
        self.bus_address = Some(address.into());
        self
    }

    /// The same with this access group of the macOS data-protection keychain, in place of the login
    /// keychain. For programs that are signed with the group; what lies elsewhere is not seen there.
    #[must_use]
    pub fn with_keychain_group(mut self, group: impl Into<String>) -> Self {
        self.keychain_group = Some(group.into());
        self
    }

    /// The same with another directory for what stores remember, in place of the user's own.
    #[must_use]
    pub fn with_state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// The same with another layout of the vault.
    #[must_use]
    pub fn with_layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// The same with another directory for encrypted files, in place of the user's own.
    #[must_use]
    pub fn with_data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// What takes the place of a default store that can't be used.
    pub(crate) fn fallback(&self) -> Fallback {
        self.fallback.unwrap_or_default()
    }

    /// Whether somebody can be asked for the encrypted file's passphrase.
    pub(crate) const fn can_ask(&self) -> bool {
        #[cfg(feature = "sealed")]
        return self.passphrase.is_some();
        #[cfg(not(feature = "sealed"))]
        false
    }

    /// The directory where processes meet, and where bindings are remembered.
    ///
    /// # Errors
    ///
    /// `AccessDenied`, `Invalid` if it could be another user's doing.
    pub(crate) fn state_dir(&self) -> Result<StateDir> {
        self.state_dir.clone().map_or_else(StateDir::of_user, StateDir::at)
    }

    /// Returns the name of the environment variable that names the backend.
    pub fn backend_variable(&self) -> String {
        format!("{}_BACKEND", self.env_prefix)
    }

    /// What the environment says in the variable of this name, `<prefix>_<name>`. Empty is nothing.
    #[cfg(feature = "sealed")]
    pub(crate) fn variable(&self, name: &str) -> Option<(String, OsString)> {
        let variable = format!("{}_{name}", self.env_prefix);
        let value = (self.environment)(&variable).filter(|value| !value.is_empty())?;
        Some((variable, value))
    }

    /// Returns the backend that the caller names, else the environment.
    ///
    /// # Errors
    ///
    /// `Invalid` if the environment names none that there is.
    pub(crate) fn named_backend(&self) -> Result<Option<Named>> {
        if let Some(backend) = self.backend {
            return Ok(Some(Named { backend, variable: None }));
        }
        let named = self.environment_backend()?;
        let variable = Some(self.backend_variable());
        Ok(named.map(|backend| Named { backend, variable }))
    }

    /// The backend that the environment names. An empty value is none.
    pub(crate) fn environment_backend(&self) -> Result<Option<Backend>> {
        let variable = self.backend_variable();
        let Some(value) = (self.environment)(&variable).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let value = value.to_string_lossy();
        value.parse().map(Some).map_err(|_| {
            Error::new(ErrorKind::Invalid, Operation::Choose)
                .with_message(format!(
                    "{variable} is \"{}\", which is none of {}",
                    value.escape_debug(),
                    names(Backend::ALL)
                ))
                .with_hint(format!("Set {variable} to one of these names, or unset it."))
        })
    }
}

impl DangerousOptions {
    /// Keeps secrets in this file where the platform's default store can't be used, in place of another
    /// fallback: **not encrypted**, for whoever can read the file.
    ///
    /// - It is made with mode 0600, and refused with any other that lets others in.
    /// - Each opening warns through `tracing`, so that its user hears of it.
    /// - Once secrets lie there, they stay there until they are [moved](crate::SecretManagerBuilder::move_to).
    ///
    /// ```no_run
    /// use strongroom::{Options, SecretManager};
    ///
    /// let options = Options::new().dangerous().plaintext_file("/var/lib/kiosk/secrets");
    /// let secrets = SecretManager::builder("kiosk").options(options).open_blocking()?;
    /// # Ok::<(), strongroom::Error>(())
    /// ```
    pub fn plaintext_file(self, path: impl Into<PathBuf>) -> Options {
        Options { plaintext_file: Some(path.into()), ..self.options }
    }

    /// Takes a Secret Service that encrypts no session: values then cross the session bus **in the clear**, for
    /// whoever can record it. Without this, such a provider is `NoBackend`, and nothing is sent.
    ///
    /// Each session that is opened so warns through `tracing`, and
    /// [`warnings`](crate::SecretManager::warnings) lists it.
    pub fn unencrypted_session(self) -> Options {
        Options { unencrypted_session: true, ..self.options }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("backend", &self.backend)
            .field("env_prefix", &self.env_prefix)
            .field("deadlines", &self.deadlines)
            .field("prompt", &self.prompt)
            .field("fallback", &self.fallback)
            .field("plaintext_file", &self.plaintext_file)
            .field("bus_address", &self.bus_address)
            .field("unencrypted_session", &self.unencrypted_session)
            .field("keychain_group", &self.keychain_group)
            .field("state_dir", &self.state_dir)
            .field("layout", &self.layout)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

impl Default for Fallback {
    fn default() -> Self {
        if cfg!(target_os = "linux") { Self::Session } else { Self::Error }
    }
}
