//! The plugin in the making.

use std::fmt;

use strongroom::store::ServiceName;
use strongroom::{Config, Fallback};
use tauri::plugin::TauriPlugin;
use tauri::{Manager as _, Runtime, plugin};

use crate::access::AllowList;
use crate::{Access, Strongroom, commands};

/// What the page invokes the plugin by: `plugin:strongroom|status`.
const NAME: &str = "strongroom";

/// The plugin in the making: the service, the secrets that the page may name, and where they are kept.
///
/// Nothing of it can be changed by the page.
#[must_use]
pub struct Builder {
    allowed: AllowList,
    config: Config,
}

impl Builder {
    /// Creates the plugin for the secrets of a service, in the store that its configuration chooses, and no secret that the page
    /// may name.
    ///
    /// The service is the application's stable name, which its secrets are found under: never change
    /// it. The application's identifier does, if it changes no more.
    ///
    /// Where the platform's store can't be used, that is an error, in place of the kernel's keyring,
    /// which would lose the user's secrets at the next restart, unless the configuration has another
    /// [`fallback`](Config::fallback).
    pub fn new(config: impl Into<Config>) -> Self {
        let config = config.into().default_fallback(Fallback::Error);
        Self { allowed: AllowList::default(), config }
    }

    /// Lets the page name a secret, and do this with it. The last word on a name counts.
    pub fn allow(mut self, name: impl Into<String>, access: Access) -> Self {
        self.allowed.allow(name.into(), access);
        self
    }

    /// The plugin. It contacts no store before the first use.
    ///
    /// The application does not start if the service or the name of a secret can't be used: Tauri returns what
    /// is wrong with it as the plugin's initialization error.
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
