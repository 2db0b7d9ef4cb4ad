//! The settings page: its builder, and its router.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use strongroom::doctor::{Finding, System, diagnose};
use strongroom::error::Operation;
use strongroom::{Config, Error, ErrorKind, ExposeSecret as _, Result, SecretManager};

use crate::access::Access;
use crate::{Export, Migration, api};

/// The default time for which a link and a session last without use.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// The settings page of one vault. Clones are handles to the same page.
#[derive(Clone)]
pub struct Settings {
    shared: Arc<Shared>,
}

/// The state that all handlers share.
pub(crate) struct Shared {
    pub(crate) manager: SecretManager,
    pub(crate) title: String,
    pub(crate) access: Access,
    pub(crate) migration: Option<Arc<dyn Migration>>,
    pub(crate) export: Option<Arc<dyn Export>>,
    pub(crate) health: Arc<dyn Fn() -> Vec<Finding> + Send + Sync>,
}

/// Builds a [`Settings`] page. Created by [`Settings::builder`].
#[must_use]
pub struct SettingsBuilder {
    manager: SecretManager,
    title: String,
    idle: Duration,
    needs_token: bool,
    migration: Option<Arc<dyn Migration>>,
    export: Option<Arc<dyn Export>>,
    health: Arc<dyn Fn() -> Vec<Finding> + Send + Sync>,
}

impl Settings {
    /// Returns a builder for the page of this vault.
    pub fn builder(manager: SecretManager) -> SettingsBuilder {
        let backend = manager.backend();
        SettingsBuilder {
            manager,
            title: "Secrets".to_owned(),
            idle: IDLE,
            needs_token: true,
            migration: None,
            export: None,
            health: Arc::new(move || {
                let system = System::new().in_use(backend).has_secrets(true);
                diagnose(&Config::new("").inspect(), &system)
            }),
        }
    }

    /// Returns the page as a router, to be mounted with `Router::new().nest_service("/settings", settings.router())`. Don't
    /// use `nest`, which doesn't route `/settings/` to it.
    ///
    /// It answers only requests to this machine's loopback names and addresses (`localhost`, `127.0.0.0/8`, `[::1]`), on
    /// any address that the application listens on.
    pub fn router(&self) -> Router {
        api::router(&self.shared)
    }

    /// Returns a link to the page that works once: `base` with a token in its fragment, which browsers don't send. An earlier
    /// link that was not used yet stops working.
    ///
    /// `base` is the address of the page, such as `http://127.0.0.1:3000/settings/`. With
    /// [`SettingsBuilder::without_token`], the link has no token.
    ///
    /// # Errors
    ///
    /// `Io` if the system gives no random bytes.
    pub fn link(&self, base: &str) -> Result<String> {
        let token = self.shared.access.mint()?;
        Ok(token.map_or_else(
            || base.to_owned(),
            |token| format!("{base}#token={}", token.expose_secret()),
        ))
    }

    /// Ends all sessions, and refuses new sessions from then on.
    pub fn close(&self) {
        self.shared.access.close();
    }

    pub(crate) fn access(&self) -> &Access {
        &self.shared.access
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl SettingsBuilder {
    /// Sets the heading: the application's name, as its users know it.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets how long a link and a session last without use. Ten minutes by default.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Shows the secrets that are still in files, with a button that moves them.
    pub fn migration(mut self, migration: impl Migration) -> Self {
        self.migration = Some(Arc::new(migration));
        self
    }

    /// Offers to write all secrets into a file, after a warning.
    pub fn export(mut self, export: impl Export) -> Self {
        self.export = Some(Arc::new(export));
        self
    }

    /// Sets the function that returns the findings for the section on health. By default, [`diagnose`] with default
    /// options.
    ///
    /// The function may block: it runs on a thread of its own.
    pub fn health(mut self, look: impl Fn() -> Vec<Finding> + Send + Sync + 'static) -> Self {
        self.health = Arc::new(look);
        self
    }

    /// Requires no token: **every request that reaches the router is admitted**, and no session ends by itself.
    ///
    /// For an application that puts its own layer around the router, which admits only known users. Every account of this
    /// machine can reach its loopback addresses.
    pub fn without_token(mut self) -> Self {
        self.needs_token = false;
        self
    }

    /// Returns the page, which doesn't listen yet.
    ///
    /// # Errors
    ///
    /// `Invalid` if an export's path is not absolute.
    pub fn build(self) -> Result<Settings> {
        let Self { manager, title, idle, needs_token, migration, export, health } = self;
        let formats = export.as_ref().map(|export| export.formats()).unwrap_or_default();
        // A relative path would follow the process's working directory, which the page's user can't see.
        if let Some(format) = formats.iter().find(|format| !format.path.is_absolute()) {
            let path = format.path.display();
            return Err(Error::new(ErrorKind::Invalid, Operation::Serve)
                .with_message(format!("the path of an export must be absolute, and {path} is not"))
                .with_hint(
                    "Name a directory that only the user writes to, such as the home directory.",
                ));
        }
        let access = if needs_token { Access::by_token(idle) } else { Access::by_application() };
        let shared = Shared { manager, title, access, migration, export, health };
        Ok(Settings { shared: Arc::new(shared) })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("title", &self.shared.title).finish_non_exhaustive()
    }
}

impl fmt::Debug for SettingsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, idle, needs_token, .. } = self;
        f.debug_struct("SettingsBuilder")
            .field("title", title)
            .field("idle", idle)
            .field("needs_token", needs_token)
            .finish_non_exhaustive()
    }
}
