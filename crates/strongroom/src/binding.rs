//! The remembered choice: in which backend a service's vault lives.
//!
//! One small file beside the vault's lock, without a secret. It is a memory and no truth of its own:
//! where it is lost, it is made again by looking where a vault is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use strongroom_core::{Error, ErrorKind, KeyringStore, Operation, Result, ServiceName};

use crate::Backend;
use crate::vault::{StateDir, VAULT_ENTRY, replace_file};

/// The format of the file.
const VERSION: u32 = 1;

/// What binds one vault to its backend.
#[derive(Debug)]
pub(crate) struct Binding {
    file: BindingFile,
    backend: Backend,
    is_noted: AtomicBool,
}

/// Where the binding of a service is remembered; nowhere, if there is no directory for it.
#[derive(Clone, Debug)]
pub(crate) struct BindingFile {
    service: ServiceName,
    path: Option<PathBuf>,
}

/// How far a move of the vault is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moving {
    /// There is none.
    No,
    /// It still has to be deleted there.
    From(Backend),
    /// It is being copied there.
    To(Backend),
}

#[derive(Debug, Deserialize, Serialize)]
struct Record {
    version: u32,
    backend: String,
    /// Where a vault that was moved still has to be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
    /// Where a move has begun to copy it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moving_to: Option<String>,
}

impl BindingFile {
    pub(crate) fn new(state_dir: &StateDir, service: &ServiceName) -> Self {
        Self { service: service.clone(), path: state_dir.binding(service) }
    }

    /// The backend that is remembered. What can't be read is not.
    pub(crate) fn read(&self) -> Option<Backend> {
        self.record().and_then(|record| Backend::remembered(&record.backend))
    }

    /// The backend that the vault was moved from, if it was not deleted there yet.
    pub(crate) fn moved_from(&self) -> Option<Backend> {
        self.record().and_then(|record| Backend::remembered(&record.moved_from?))
    }

    /// The backend that a move has begun to copy the vault to, if it did not come to its end.
    pub(crate) fn moving_to(&self) -> Option<Backend> {
        self.record().and_then(|record| Backend::remembered(&record.moving_to?))
    }

    /// Remembers a backend, and how far a move is that concerns it.
    pub(crate) fn write(&self, backend: Backend, moving: Moving) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let name = |backend: Backend| backend.name().to_owned();
        let (moved_from, moving_to) = match moving {
            Moving::No => (None, None),
            Moving::From(from) => (Some(name(from)), None),
            Moving::To(to) => (None, Some(name(to))),
        };
        let record = Record { version: VERSION, backend: name(backend), moved_from, moving_to };
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        replace_file(path, &line)
    }

    /// Remembers nothing any more.
    pub(crate) fn forget(&self) {
        if let Some(path) = &self.path {
            // What stays is found out to be outdated where it matters.
            drop(fs::remove_file(path));
        }
    }

    /// The vault lives elsewhere, and another backend was asked for.
    pub(crate) fn elsewhere(&self, bound: Backend, asked: Backend) -> Error {
        let service = self.service.as_str();
        Error::new(ErrorKind::BoundElsewhere, Operation::Choose)
            .with_message(format!(
                "the secrets of \"{}\" are kept in {bound}, not in {asked}",
                service.escape_debug()
            ))
            .with_hint(match bound {
                Backend::PlaintextFile => {
                    "Only the application that made this file can read or move it.".to_owned()
                }
                bound => format!(
                    "Use {bound}, or move them: `strongroom move --to {asked}` with this service."
                ),
            })
    }

    fn record(&self) -> Option<Record> {
        let bytes = fs::read(self.path.as_ref()?).ok()?;
        let record: Record = serde_json::from_slice(&bytes).ok()?;
        (record.version == VERSION).then_some(record)
    }
}

impl Binding {
    pub(crate) fn new(file: BindingFile, backend: Backend) -> Self {
        let is_noted = AtomicBool::new(file.read() == Some(backend));
        Self { file, backend, is_noted }
    }

    /// Remembers that there is a vault here. Looks at no file once it has.
    pub(crate) fn note(&self) {
        if self.is_noted.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.file.write(self.backend, Moving::No) {
            tracing::debug!(%error, "where the vault lives can't be remembered");
        }
    }

    /// There is no vault here any more.
    pub(crate) fn end(&self) {
        self.is_noted.store(false, Ordering::Relaxed);
        self.file.forget();
    }

    /// Checks that a vault that is not here did not move to another backend meanwhile.
    ///
    /// # Errors
    ///
    /// `BoundElsewhere`.
    pub(crate) fn check_absence(&self) -> Result<()> {
        self.is_noted.store(false, Ordering::Relaxed);
        match self.file.read() {
            Some(bound) if bound != self.backend => Err(self
                .file
                .elsewhere(bound, self.backend)
                .with_hint("Open the vault again: it was moved while it was open.")),
            _ => Ok(()),
        }
    }
}

/// Whether a store holds the entry of a service's vault.
pub(crate) fn has_vault(store: &dyn KeyringStore, service: &ServiceName) -> Result<bool> {
    store.exists(service.as_str(), VAULT_ENTRY)
}
