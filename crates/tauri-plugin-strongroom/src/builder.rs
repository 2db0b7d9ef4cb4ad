//! The builder of the plugin.

use std::fmt;

use strongroom::store::ServiceName;
use strongroom::{Config, Fallback};
use tauri::plugin::TauriPlugin;
use tauri::{Manager as _, Runtime, plugin};

use crate::access::AllowList;
use crate::{Access, Strongroom, commands};

/// The name by which the page invokes the plugin: `plugin:strongroom|status`.
const NAME: &str = "strongroom";

/// Builds the plugin, from the service, the secrets that the page may name, and the configuration of the store.
///
/// The page can't change any of these.
#[must_use]
pub struct Builder {
    allowed: AllowList,
    config: Config,
}

impl Builder {
    /// Creates a builder for the secrets of a service, in the store that the configuration chooses. The page may not name any
    /// secret yet.
    ///
    /// The service is the stable name under which the application's secrets are found: never change it. The application's
    /// identifier is a good choice, if it is final.
    ///
    /// If the platform's store can't be used, opening the vault fails, unless the configuration has another
    /// [`fallback`](Config::fallback). The library's default, the kernel's keyring, would lose the user's secrets at the next
    /// restart.
    pub fn new(config: impl Into<Config>) -> Self {
        let config = config.into().default_fallback(Fallback::Error);
        Self { allowed: AllowList::default(), config }
    }

    /// Allows the page this access to a secret. The last call for a name applies.
    pub fn allow(mut self, name: impl Into<String>, access: Access) -> Self {
        self.allowed.allow(name.into(), access);
        self
    }

    /// Returns the plugin. It contacts no store before its first use.
    ///
    /// If the service or the name of a secret is invalid, the application does not start: Tauri returns the reason as the
    /// plugin's initialization error.
    pub fn build<R: Runtime>(self) -> TauriPlugin<R> {
        plugin::Builder::new(NAME)
            .invoke_handler(tauri::generate_handler![
                commands::delete,
                commands::describe,
                commands::exists,
                commands::list,
                commands::reveal,
                commands::set,
                commands::status,
            ])
            .setup(|app, _| {
                let Self { allowed, config } = self;
                // Checked at the start, so that the developer notices a mistake, and not a user.
                ServiceName::new(config.service_name())?;
                allowed.keys().try_for_each(|key| key.validate())?;
                app.manage(Strongroom::new(app.clone(), config, allowed));
                Ok(())
            })
            .build()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { allowed, config } = self;
        f.debug_struct("Builder").field("allowed", allowed).field("config", config).finish()
    }
}
