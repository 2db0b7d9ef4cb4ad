//! The plugin in a running application: the vault, opened once, off the main thread.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_lite::StreamExt as _;
use strongroom::store::choose_unbound;
use strongroom::{Config, ErrorKind, SecretManager};
use tauri::async_runtime::{Mutex, spawn};
use tauri::{AppHandle, Emitter as _, Manager, Runtime};
use unblock::unblock;

use crate::access::AllowList;
use crate::{CHANGED, Error, Result, Status};

/// Access to the plugin from Tauri's managers: the application, its handles and windows.
pub trait StrongroomExt<R: Runtime> {
    /// Returns the handle to the application's secrets.
    ///
    /// # Panics
    ///
    /// If the plugin was not registered.
    fn strongroom(&self) -> &Strongroom<R>;
}

impl<R: Runtime, T: Manager<R>> StrongroomExt<R> for T {
    fn strongroom(&self) -> &Strongroom<R> {
        self.state::<Strongroom<R>>().inner()
    }
}

/// The application's secrets, for its Rust code, which has full access to all of them.
pub struct Strongroom<R: Runtime> {
    app: AppHandle<R>,
    config: Config,
    allowed: Arc<AllowList>,
    opening: Mutex<Opening>,
    /// The number of openings that have ended.
    ended: AtomicU64,
}

/// The result of the last opening.
enum Opening {
    NotYet,
    Failed(Error),
    Opened(SecretManager),
}

impl<R: Runtime> Strongroom<R> {
    pub(crate) fn new(app: AppHandle<R>, config: Config, allowed: AllowList) -> Self {
        let (allowed, opening) = (Arc::new(allowed), Mutex::new(Opening::NotYet));
        Self { app, config, allowed, opening, ended: AtomicU64::new(0) }
    }

    /// Returns the vault. Clones are handles to the same vault. Don't keep it: calling this again is cheap.
    ///
    /// - The first call opens the vault, which may ask the user. Calls that come meanwhile wait for the same answer. Opening
    ///   runs on another thread, and ends by its deadlines.
    /// - After a failure, the next call opens the vault again, so that a user who starts a keyring need not restart the
    ///   application. If the vault was moved to another backend meanwhile, the next call follows it.
    ///
    /// It is async because opening waits. Never block the main thread on it: the user could not answer a prompt.
    ///
    /// # Errors
    ///
    /// As [`Config::open`].
    pub async fn secrets(&self) -> Result<SecretManager> {
        // Read before waiting for the lock, to notice an opening that ends during the wait.
        let ended = self.ended.load(Ordering::Acquire);
        let mut opening = self.opening.lock().await;
        match &*opening {
            Opening::Opened(secrets) if !is_moved(secrets).await => return Ok(secrets.clone()),
            // This opening ended while the call waited for the lock, so its failure is the answer to this call, too.
            Opening::Failed(error) if self.ended.load(Ordering::Acquire) > ended => {
                return Err(error.clone());
            }
            _ => {}
        }
        let opened = self.config.clone().open().await.map_err(Error::from);
        *opening = match &opened {
            Ok(secrets) => Opening::Opened(secrets.clone()),
            Err(error) => Opening::Failed(error.clone()),
        };
        self.ended.fetch_add(1, Ordering::Release);
        if let Ok(secrets) = &opened {
            self.tell_changes(secrets);
        }
        opened
    }

    /// Returns whether secrets can be stored, and in which store. Opens the vault if it isn't open.
    pub async fn status(&self) -> Status {
        Status::of(&self.run(async |secrets| Ok(secrets)).await)
    }

    /// Deletes every entry of the service, including those of other programs under its name, and returns their number. For
    /// uninstallers, and for users that remove their account.
    ///
    /// A vault that can't be read is deleted, too.
    ///
    /// # Errors
    ///
    /// As [`SecretManager::purge`], and as [`VaultRepair::purge`](strongroom::repair::VaultRepair::purge) for a vault that
    /// can't be opened. After an error, some entries may be deleted.
    pub async fn forget_everything(&self) -> Result<usize> {
        use ErrorKind::{Corrupt, KeyMissing, WrongKey};
        match self.secrets().await {
            Ok(secrets) => Ok(secrets.purge().await?),
            // Such a vault can't be opened, but deleting it needs neither its content nor its key.
            Err(Error::Secrets(error))
                if matches!(error.kind(), Corrupt | KeyMissing | WrongKey) =>
            {
                let config = self.config.clone();
                Ok(unblock(move || config.repair()?.purge()).await?)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn allowed(&self) -> &AllowList {
        &self.allowed
    }

    /// Runs a command of the page on the vault.
    pub(crate) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(SecretManager) -> strongroom::Result<T>,
    ) -> Result<T> {
        let done = match self.secrets().await {
            Ok(secrets) => work(secrets).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        match done {
            Err(Error::Secrets(error)) if error.kind() == ErrorKind::TimedOut => {
                Err(self.explain(error).await)
            }
            done => done,
        }
    }

    /// Replaces a timeout with `Locked`, if the store is locked: the user didn't answer its prompt, which tells the page more.
    async fn explain(&self, timed_out: Arc<strongroom::Error>) -> Error {
        let config = self.config.clone();
        // The store itself is asked: opening the vault again would show another prompt.
        let probed = unblock(move || {
            let backend = config.clone().repair()?.backend();
            choose_unbound(&config.backend(backend))?.store().probe()
        });
        if !probed.await.is_err_and(|error| error.kind() == ErrorKind::Locked) {
            return Error::Secrets(timed_out);
        }
        strongroom::Error::new(ErrorKind::Locked, timed_out.operation())
            .with_message(timed_out.problem())
            .with_advice(timed_out.advice())
            .into()
    }

    /// Sends changes of allowed secrets to the windows, by name, as long as the application runs.
    fn tell_changes(&self, secrets: &SecretManager) {
        let mut changes = match secrets.subscribe() {
            Ok(changes) => changes,
            Err(error) => {
                tracing::warn!(%error, "windows are not told of changed secrets");
                return;
            }
        };
        let (app, allowed) = (self.app.clone(), Arc::clone(&self.allowed));
        spawn(async move {
            while let Some(change) = changes.next().await {
                if allowed.has(&change.key) {
                    // Sending fails for windows that are closing.
                    app.emit(CHANGED, change).ok();
                }
            }
        });
    }
}

/// Returns whether the vault was moved to another backend. Other errors are left to the caller's own operation.
async fn is_moved(secrets: &SecretManager) -> bool {
    let generation = secrets.generation().await;
    generation.is_err_and(|error| error.kind() == ErrorKind::BoundElsewhere)
}

impl<R: Runtime> fmt::Debug for Strongroom<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strongroom")
            .field("config", &self.config)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}
