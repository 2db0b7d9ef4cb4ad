//! The configuration of a service's secrets: the store, the layout, deadlines and prompts.

mod derived;
mod fallback;

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use strongroom_core::{Deadlines, PromptPolicy, Result, Store, StoreSettings, Timestamp};

use crate::Backend;
use crate::clock::Clock;
use crate::key_config::KeyConfig;
use crate::layout::Layout;

pub use fallback::Fallback;
pub(crate) use fallback::FallbackChoice;

/// The configuration of a service's secrets, with methods that open them or work on them.
///
/// The default suits most applications: the platform's store, unless `STRONGROOM_BACKEND` names another
/// backend.
///
/// | method | result |
/// | --- | --- |
/// | [`open`](Self::open), [`open_blocking`](Self::open_blocking) | the vault: a [`SecretManager`](crate::SecretManager) |
/// | [`open_store`](Self::open_store) | secrets by name: a [`SecureStore`](crate::SecureStore) |
/// | [`repair`](Self::repair) | the repair of a vault that does not open |
/// | `keys` | the key slots of an encrypted file |
/// | [`move_to`](Self::move_to) | the move of a vault to another store or layout |
/// | [`inspect`](Self::inspect) | the state of all stores |
///
/// ```
/// use strongroom::{Backend, Config, ExposeSecret};
///
/// let secrets = Config::new("tracker").env_prefix("TRACKER").backend(Backend::Memory).open_blocking()?;
/// secrets.set_api_key("OPENAI_API_KEY", "sk-1", Some("openai"))?;
/// let value = secrets.get_value("OPENAI_API_KEY")?.expect("it was just stored");
/// assert_eq!(value.expose_secret(), "sk-1");
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Config {
    pub(crate) service: String,
    pub(crate) backend: Option<Backend>,
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) layout: Layout,
    pub(crate) fallback: Option<FallbackChoice>,
    pub(crate) deadlines: Deadlines,
    pub(crate) prompt: PromptPolicy,
    pub(crate) env_prefix: String,
    environment: Arc<Lookup>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) keys: KeyConfig,
    pub(crate) clock: Clock,
    pub(crate) starts_anew: bool,
    pub(crate) setup_hint: Option<String>,
    pub(crate) unencrypted_session: bool,
    pub(crate) keeps_lines: bool,
    pub(crate) store_settings: StoreSettings,
}

/// Settings that weaken the protection of secrets: see [`Config::dangerous`].
#[derive(Debug)]
#[must_use]
pub struct DangerousConfig {
    config: Config,
}

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Config {
    /// Creates the default configuration of a service. Its name is the application's stable name, under which
    /// its secrets are found.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            backend: None,
            store: None,
            layout: Layout::default(),
            fallback: None,
            deadlines: Deadlines::default(),
            prompt: PromptPolicy::default(),
            env_prefix: "STRONGROOM".to_owned(),
            environment: Arc::new(|variable| env::var_os(variable)),
            state_dir: None,
            data_dir: None,
            keys: KeyConfig::default(),
            clock: Arc::new(Timestamp::now),
            starts_anew: false,
            setup_hint: None,
            unencrypted_session: false,
            keeps_lines: false,
            store_settings: StoreSettings::default(),
        }
    }

    /// Sets the service's name.
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = service.into();
        self
    }

    /// Sets the backend, in place of every automatic choice: the environment and the fallback are ignored.
    pub const fn backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Sets the store, in place of every automatic choice: the application's own store, a mock, or any other.
    /// Calls on it are kept to the deadlines.
    ///
    /// The service is bound to the store's [`name`](Store::name), as to any backend: a program without the
    /// store gets `NoBackend`, and not an empty vault. Stores with the names `memory` and `mock` belong to a
    /// single process and bind nothing.
    ///
    /// The processes of a machine share a lock, so that they keep each other's changes. Machines that share a
    /// store have no such lock: a vault there would lose the changes of the other machine. Choose
    /// [`Layout::Entries`] for such a store.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use strongroom::{Config, ErrorKind, MockKeyringStore};
    /// use strongroom::error::Operation;
    ///
    /// let mock = MockKeyringStore::new();
    /// let secrets = Config::new("app").store(Arc::new(mock.clone())).open_blocking()?;
    /// mock.fail(Operation::Get, ErrorKind::Locked);
    /// assert_eq!(secrets.get_value("TOKEN").unwrap_err().kind(), ErrorKind::Locked);
    /// # Ok::<(), strongroom::Error>(())
    /// ```
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.backend = Some(Backend::custom(store.name()));
        self.store = Some(store);
        self
    }

    /// Sets the layout.
    pub const fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Sets the behaviour if the default store can't be used. It does not override
    /// [`DangerousConfig::plaintext_file`].
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        // The plaintext file was requested explicitly, and a general setter must not undo that.
        if !matches!(self.fallback, Some(FallbackChoice::PlaintextFile(_))) {
            self.fallback = Some(FallbackChoice::Safe(fallback));
        }
        self
    }

    /// Sets the behaviour if the default store can't be used, unless a fallback was set already.
    pub fn default_fallback(mut self, fallback: Fallback) -> Self {
        self.fallback.get_or_insert(FallbackChoice::Safe(fallback));
        self
    }

    /// Returns the setters that weaken the protection of secrets, which must be requested by name.
    pub const fn dangerous(self) -> DangerousConfig {
        DangerousConfig { config: self }
    }

    /// Sets the deadlines of calls and prompts. A commit waits for the lock up to the deadline of a call.
    pub const fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Sets whether the system may prompt the user.
    pub const fn prompt(mut self, prompt: PromptPolicy) -> Self {
        self.prompt = prompt;
        self
    }

    /// Sets the prefix of the environment variables that are read, `STRONGROOM` by default: `<prefix>_BACKEND`, and
    /// with feature `sealed` also `<prefix>_KEY_FILE` and `<prefix>_PASSPHRASE_FILE`.
    pub fn env_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.env_prefix = prefix.into();
        self
    }

    /// Sets the source of environment variables, in place of the process's environment.
    ///
    /// `|_| None` makes the choice independent of the environment.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Arc::new(lookup);
        self
    }

    /// Sets the directory of locks, generations and bindings, in place of the user's own. All processes that
    /// use the service must set the same directory. The memory backend has no such directory unless it is set
    /// here.
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// Sets the directory of encrypted files, in place of the user's own.
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// Sets the clock for expiry and timestamps.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts a new vault if the previous vault is gone from a permanent store. Without this setting, opening
    /// fails with `Gone`, because a keyring that was replaced, or a disk that is not mounted, looks the same.
    pub const fn start_anew(mut self) -> Self {
        self.starts_anew = true;
        self
    }

    /// Sets the advice that [`SecretManager::require`](crate::SecretManager::require) and
    /// [`SecureStore::require_secret`](crate::SecureStore::require_secret) give for a missing secret, such as
    /// ``Run `tracker setup`.``
    pub fn setup_hint(mut self, hint: impl Into<String>) -> Self {
        self.setup_hint = Some(hint.into());
        self
    }

    /// Stores text of several lines as it is, such as a key in PEM or indented JSON, so that programs without
    /// this library can read it in an entry: the `keyring` crate, `secret-tool`. Without this setting, stores
    /// with providers that damage such text hold it as a single line of base64 with a mark. Both forms can be
    /// read with either setting. A vault in a single entry is a single line in any case.
    pub const fn keep_lines(mut self) -> Self {
        self.keeps_lines = true;
        self
    }

    /// Sets the settings of a kind of store, which are found by their type: a store crate's own `Config`, for
    /// the bus of the Secret Service or the access group of a keychain. Their deadlines and prompt policy are
    /// ignored in favour of those of this configuration.
    ///
    /// ```
    /// # #[cfg(all(target_os = "linux", feature = "secret-service"))] {
    /// use strongroom::{Config, store::secret_service};
    ///
    /// let bus = secret_service::Config::default().with_bus_address("unix:path=/run/user/1000/bus");
    /// let config = Config::new("tracker").store_settings(bus);
    /// # }
    /// ```
    pub fn store_settings<T: std::any::Any + Send + Sync>(mut self, settings: T) -> Self {
        self.store_settings.insert(settings);
        self
    }

    /// Returns the service's name, valid or not.
    pub fn service_name(&self) -> &str {
        &self.service
    }

    /// Returns the deadlines of calls and prompts, as set or by default.
    pub const fn configured_deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// Returns the name of the environment variable that names the backend.
    pub fn backend_variable(&self) -> String {
        format!("{}_BACKEND", self.env_prefix)
    }

    /// Returns the path of a file beside the service's lock, in which an application can remember something
    /// about its secrets. The file's name ends with `ending`. The directory may not exist yet. Returns `None`
    /// if the user has no home directory.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `AccessDenied` if the directory is another user's.
    pub fn state_file(&self, ending: &str) -> Result<Option<PathBuf>> {
        Ok(self.state_directory()?.file(&self.checked_service()?, ending))
    }
}

impl DangerousConfig {
    /// Keeps secrets in this file if the platform's default store can't be used, in place of another
    /// fallback. The file is **not encrypted**: any program that can read it can read the secrets.
    ///
    /// - The file is created with mode 0600, and refused if its mode lets other users in.
    /// - Each opening warns through `tracing`, so that the user hears of it.
    /// - Once secrets lie there, they stay there until they are [moved](Config::move_to).
    ///
    /// ```no_run
    /// use strongroom::Config;
    ///
    /// let config = Config::new("kiosk").dangerous().plaintext_file("/var/lib/kiosk/secrets");
    /// let secrets = config.open_blocking()?;
    /// # Ok::<(), strongroom::Error>(())
    /// ```
    pub fn plaintext_file(self, path: impl Into<PathBuf>) -> Config {
        let fallback = Some(FallbackChoice::PlaintextFile(path.into()));
        Config { fallback, ..self.config }
    }

    /// Accepts a Secret Service that does not encrypt sessions. Values then cross the session bus **in the
    /// clear**, for any process that can record it. Without this setting, such a provider is `NoBackend`, and
    /// nothing is sent.
    ///
    /// Each session that is opened without encryption warns through `tracing`, and
    /// [`warnings`](crate::SecretManager::warnings) lists it.
    pub fn unencrypted_session(self) -> Config {
        Config { unencrypted_session: true, ..self.config }
    }
}

impl From<&str> for Config {
    fn from(service: &str) -> Self {
        Self::new(service)
    }
}

impl From<String> for Config {
    fn from(service: String) -> Self {
        Self::new(service)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and the passphrase function are left out, so that no secret gets into a log.
        f.debug_struct("Config")
            .field("service", &self.service)
            .field("backend", &self.backend)
            .field("store", &self.store.as_ref().map(|store| store.name()))
            .field("layout", &self.layout)
            .field("fallback", &self.fallback)
            .field("deadlines", &self.deadlines)
            .field("prompt", &self.prompt)
            .field("env_prefix", &self.env_prefix)
            .field("state_dir", &self.state_dir)
            .field("data_dir", &self.data_dir)
            .field("unencrypted_session", &self.unencrypted_session)
            .field("keeps_lines", &self.keeps_lines)
            .field("store_settings", &self.store_settings)
            .finish_non_exhaustive()
    }
}
