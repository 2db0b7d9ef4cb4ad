//! A handle on a vault, with its operations and its inner parts.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "sealed")]
use async_channel::Receiver;
use strongroom_core::{Result, Secret, SecretKey, Store};

use crate::batch::Batch;
use crate::binding::Binding;
use crate::choose::{ChoiceReason, Chosen};
use crate::lifecycle::repair;
use crate::shared::Shared;
#[cfg(feature = "sealed")]
use crate::subscribers::Change;
use crate::vault::Engine;
use crate::watcher::Watcher;
use crate::{Backend, blocking};

/// A handle on a vault, as a process would have it.
pub(crate) struct Vault(pub(crate) blocking::SecretManager);

impl Vault {
    pub(crate) fn new(engine: Engine, store: &Arc<dyn Store>, binding: Option<Binding>) -> Self {
        let chosen = Chosen::new(Backend::Memory, Arc::clone(store), ChoiceReason::Explicit);
        let shared = Shared::new(engine.bound_by(binding), chosen, None);
        Self(blocking::SecretManager::from_shared(shared))
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0.shared.engine
    }

    pub(crate) fn set(&self, key: &SecretKey, secret: Secret) -> Result<()> {
        self.0.set(key, &secret)
    }

    pub(crate) fn create(&self, key: &SecretKey, secret: Secret) -> Result<()> {
        self.0.create(key, &secret)
    }

    pub(crate) fn batch(&self, batch: Batch) -> Result<()> {
        self.0.apply(batch)
    }

    pub(crate) fn open(&self) -> Result<()> {
        self.engine().read(|vault| vault.generation().map(drop))
    }

    pub(crate) fn reset(&self) -> Result<Vec<PathBuf>> {
        repair::reset(self.engine())
    }

    #[cfg(feature = "sealed")]
    pub(crate) fn subscribe(&self) -> Receiver<Change> {
        self.0.shared.subscribe().unwrap()
    }

    pub(crate) fn watcher(&self) -> Watcher {
        Watcher::new(self.engine(), &self.0.shared.subscribers)
    }
}

impl Deref for Vault {
    type Target = blocking::SecretManager;

    fn deref(&self) -> &blocking::SecretManager {
        &self.0
    }
}
