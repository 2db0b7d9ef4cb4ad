//! The state that all handles of a manager share.

use std::sync::Arc;

use strongroom_core::{Capabilities, Persistence, Result};

use crate::Layout;
use crate::choose::Chosen;
use crate::pending::PendingRefreshes;
use crate::subscribers::Subscribers;
use crate::vault::{EditVault, Engine, ReadVault};

/// The state that all handles of a manager share, async and blocking.
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) chosen: Chosen,
    /// The application's advice for a missing secret.
    pub(crate) setup_hint: Option<String>,
    pub(crate) pending: PendingRefreshes,
    pub(crate) subscribers: Arc<Subscribers>,
}

impl Shared {
    /// Returns the state of a new manager.
    pub(crate) fn new(engine: Engine, chosen: Chosen, setup_hint: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            engine: Arc::new(engine),
            chosen,
            setup_hint,
            pending: PendingRefreshes::default(),
            subscribers: Arc::default(),
        })
    }

    /// Changes the secrets: all of the change or, if it fails, nothing, except in the layout `entries`.
    pub(crate) fn commit<T>(
        &self,
        change: impl FnOnce(&mut dyn EditVault) -> Result<T>,
    ) -> Result<T> {
        self.commit_decided(|_| Ok(()), |vault, ()| change(vault))
    }

    /// Changes the secrets after `decide`, which is code of the application: see [`Engine::commit`].
    pub(crate) fn commit_decided<D, T>(
        &self,
        decide: impl FnOnce(&dyn ReadVault) -> Result<D>,
        change: impl FnOnce(&mut dyn EditVault, D) -> Result<T>,
    ) -> Result<T> {
        let result = self.engine.commit(decide, change)?;
        // The store has just taken a write, so it probably takes these, too.
        self.store_pending();
        Ok(result)
    }

    /// Returns the layout of the vault, as this process saw it last.
    pub(crate) fn layout(&self) -> Layout {
        self.engine.storage.layout()
    }

    /// Returns whether the vault is kept across restarts of the machine.
    pub(crate) fn is_persistent(&self) -> bool {
        self.store_capabilities().persistence == Persistence::Permanent
    }

    /// Returns the capabilities of the store.
    pub(crate) fn store_capabilities(&self) -> Capabilities {
        self.chosen.store().capabilities()
    }
}
