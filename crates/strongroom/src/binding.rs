//! The binding of a service: the remembered backend that its vault lives in, and whether each secret is an
//! entry there.
//!
//! It is a small file beside the vault's lock, without a secret. It is a memory, and the vault itself is the
//! truth: if the file is lost, it is written again from the store in which a vault is found.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use strongroom_core::advice::{Command, Sentence};
use strongroom_core::{Error, ErrorKind, KeyringStore, Operation, Result, ServiceName, Store};
use strongroom_files::{Source, is_absent, read, replace};

use crate::Backend;
use crate::layout::VAULT_ENTRY;
use crate::state_dir::StateDir;

/// The version of the file's format.
const VERSION: u32 = 1;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 4096;

/// The suffix of a backend's name in the file, if each secret is an entry of its own.
const IN_ENTRIES: &str = "/entries";

/// The place that a vault lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) backend: Backend,
    /// `true` if each secret is an entry of its own there. The other layouts are told apart by the vault's
    /// entry.
    pub(crate) in_entries: bool,
}

/// A backend that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) backend: Backend,
    /// The environment variable that names it; `None` if the caller does.
    pub(crate) variable: Option<String>,
}

/// The binding of a vault to its backend.
#[derive(Debug)]
pub(crate) struct Binding {
    file: BindingFile,
    backend: Backend,
    /// The home in the file, as far as this process knows.
    noted: Mutex<Option<Home>>,
}

/// The file that remembers a service's binding. Without a directory for it, nothing is remembered.
#[derive(Clone, Debug)]
pub(crate) struct BindingFile {
    service: ServiceName,
    path: Option<PathBuf>,
    /// The name of the application's own store.
    own_store: Option<&'static str>,
}

/// The progress of a move, or of a deletion, of the vault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moving {
    /// Nothing is under way.
    No,
    /// The vault still has to be deleted from this home.
    From(Home),
    /// The vault is being copied to this home.
    To(Home),
    /// The vault is being deleted, so that its absence is no loss.
    Away,
}

#[derive(Debug, Deserialize, Serialize)]
struct Record {
    version: u32,
    backend: String,
    /// The home that a moved vault still has to be deleted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
    /// The home that a move has begun to copy the vault to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moving_to: Option<String>,
    /// `true` while the vault is being deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    purging: bool,
}

impl BindingFile {
    pub(crate) fn new(state_dir: &StateDir, service: &ServiceName) -> Self {
        Self { service: service.clone(), path: state_dir.binding(service), own_store: None }
    }

    /// Sets the name of the application's own store, to which the service may be bound.
    pub(crate) fn with_own_store(self, name: Option<&'static str>) -> Self {
        Self { own_store: name, ..self }
    }

    /// Returns the remembered home. A damaged file remembers none.
    ///
    /// # Errors
    ///
    /// `AccessDenied` or `Invalid` if another user could have written the file; `Io` if it can't be read;
    /// `NoBackend` if it names a store that this program does not have.
    pub(crate) fn home(&self) -> Result<Option<Home>> {
        self.record()?.map(|record| self.known(&record.backend)).transpose()
    }

    /// Returns the home that the vault was moved from, if it is not deleted there yet.
    ///
    /// # Errors
    ///
    /// As [`home`](Self::home).
    pub(crate) fn moved_from(&self) -> Result<Option<Home>> {
        let name = self.record()?.and_then(|record| record.moved_from);
        name.map(|name| self.known(&name)).transpose()
    }

    /// Returns the home that a move has begun to copy the vault to, if the move did not finish.
    ///
    /// # Errors
    ///
    /// As [`home`](Self::home).
    pub(crate) fn moving_to(&self) -> Result<Option<Home>> {
        let name = self.record()?.and_then(|record| record.moving_to);
        name.map(|name| self.known(&name)).transpose()
    }

    fn is_purging(&self) -> bool {
        matches!(self.record(), Ok(Some(record)) if record.purging)
    }

    /// Remembers a home, with the progress of a move that concerns it.
    pub(crate) fn write(&self, home: Home, moving: Moving) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let (moved_from, moving_to) = match moving {
            Moving::No | Moving::Away => (None, None),
            Moving::From(from) => (Some(from.name()), None),
            Moving::To(to) => (None, Some(to.name())),
        };
        let purging = matches!(moving, Moving::Away);
        let backend = home.name();
        let record = Record { version: VERSION, backend, moved_from, moving_to, purging };
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        if let Some(directory) = path.parent() {
            strongroom_files::create_dir(directory)?;
        }
        replace(path, &line)
    }

    /// Returns whether the file can be read and names this home.
    fn names(&self, home: Home) -> bool {
        matches!(self.home(), Ok(Some(named)) if named == home)
    }

    /// Deletes the file.
    pub(crate) fn forget(&self) {
        if let Some(path) = &self.path {
            // A file that stays is recognized as outdated by the code that reads it.
            drop(fs::remove_file(path));
        }
    }

    /// Returns the error for a backend that was asked for, if the vault lives in another.
    pub(crate) fn elsewhere(&self, bound: Backend, asked: &Named) -> Error {
        let Named { backend, variable } = asked;
        let error = self.not_in(bound, *backend);
        if bound == Backend::PlaintextFile {
            return error
                .with_hint("Only the application that made this file can read or move it.");
        }
        let error = error.with_advice(match variable {
            Some(variable) => Sentence::from(format!("{variable} names {backend}: "))
                .shell(format!("unset {variable}"))
                .text("."),
            None => format!("They can be used in {bound} alone.").into(),
        });
        // Moving a vault into a store that forgets is not advised.
        let forgets = *backend == Backend::Keyutils || backend.is_of_this_process();
        if forgets || !backend.is_supported_here() || !Backend::ALL.contains(backend) {
            return error;
        }
        let command = Command::new("move --to").words(backend.name()).on(self.service.as_str());
        error.with_command(command, "moves them there")
    }

    fn not_in(&self, bound: Backend, asked: Backend) -> Error {
        let service = self.service.as_str().escape_debug();
        let message = format!("the secrets of \"{service}\" are kept in {bound}, not in {asked}");
        Error::new(ErrorKind::BoundElsewhere, Operation::Choose).with_message(message)
    }

    /// Returns the home of this name in the file.
    fn known(&self, name: &str) -> Result<Home> {
        let (store, in_entries) = match name.strip_suffix(IN_ENTRIES) {
            Some(store) => (store, true),
            None => (name, false),
        };
        let own = self.own_store.filter(|own| *own == store);
        let backend = Backend::remembered(store).or(own.map(Backend::custom));
        backend.map(|backend| Home { backend, in_entries }).ok_or_else(|| self.unknown(store))
    }

    fn unknown(&self, store: &str) -> Error {
        let (service, store) = (self.service.as_str().escape_debug(), store.escape_debug());
        Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_message(format!(
                "the secrets of \"{service}\" are kept in \"{store}\", a store that this program does not have"
            ))
            .with_hint("Use the program that has stored them.")
    }

    fn record(&self) -> Result<Option<Record>> {
        let Some(path) = &self.path else { return Ok(None) };
        let bytes = match read(path, Source::Own, LARGEST) {
            Ok(bytes) => bytes,
            Err(cause) if is_absent(&cause) => return Ok(None),
            Err(cause) => return Err(strongroom_files::error(Operation::Choose, path, cause)),
        };
        let record = serde_json::from_slice(&bytes).ok();
        Ok(record.filter(|record: &Record| record.version == VERSION))
    }
}

impl Home {
    /// Returns whether the store holds any part of a service's vault.
    pub(crate) fn is_inhabited(self, store: &dyn Store, service: &ServiceName) -> Result<bool> {
        match self.in_entries {
            true => store.list(service.as_str()).map(|users| !users.is_empty()),
            false => has_vault(store, service),
        }
    }

    fn name(self) -> String {
        format!("{}{}", self.backend.name(), if self.in_entries { IN_ENTRIES } else { "" })
    }
}

impl Binding {
    /// Returns the binding of a service to this backend; `None` if the store belongs to this process alone,
    /// so that there is nothing to remember.
    ///
    /// # Errors
    ///
    /// As [`BindingFile::home`].
    pub(crate) fn to(backend: Backend, file: BindingFile) -> Result<Option<Self>> {
        if backend.is_of_this_process() { Ok(None) } else { Self::new(file, backend).map(Some) }
    }

    /// Returns the binding of a service to this backend, with the home that the file remembers.
    ///
    /// # Errors
    ///
    /// As [`BindingFile::home`].
    pub(crate) fn new(file: BindingFile, backend: Backend) -> Result<Self> {
        // A vault that was being deleted is not expected, so its absence is not reported as a loss.
        let noted = Mutex::new(file.home()?.filter(|_| !file.is_purging()));
        Ok(Self { file, backend, noted })
    }

    /// Remembers that there is a vault here. Reads the file only if this process has not done so yet.
    pub(crate) fn note(&self, in_entries: bool) {
        let home = Home { backend: self.backend, in_entries };
        // A write drops the progress of a move, so a file that names this home already is left as it is.
        let is_noted = self.noted().replace(home) == Some(home);
        if is_noted || (self.file.names(home) && !self.file.is_purging()) {
            return;
        }
        if let Err(error) = self.file.write(home, Moving::No) {
            // The vault itself is stored. Without the file it is found by looking for it.
            tracing::debug!(%error, "where the vault lives can't be remembered");
        }
    }

    /// Returns whether the service's secrets are known to be here.
    pub(crate) fn is_noted(&self) -> bool {
        self.noted().is_some_and(|home| home.backend == self.backend)
    }

    /// Returns whether this backend is remembered to hold a vault in a single entry or a file.
    ///
    /// # Errors
    ///
    /// As [`BindingFile::home`].
    pub(crate) fn remembers_vault(&self) -> Result<bool> {
        let home = Home { backend: self.backend, in_entries: false };
        Ok(self.file.home()? == Some(home) && !self.file.is_purging())
    }

    /// Remembers that the vault is being deleted.
    pub(crate) fn begin_to_delete(&self) {
        let Ok(Some(home)) = self.file.home() else { return };
        *self.noted() = None;
        if let Err(error) = self.file.write(home, Moving::Away) {
            tracing::debug!(%error, "the deletion of the vault can't be remembered");
        }
    }

    /// Ends the binding, because there is no vault here any more.
    pub(crate) fn end(&self) {
        *self.noted() = None;
        self.file.forget();
    }

    /// Checks that the vault was not moved meanwhile, to another backend or into entries that are not looked
    /// at. Anything that is still here then is about to be deleted.
    ///
    /// # Errors
    ///
    /// `BoundElsewhere`.
    pub(crate) fn check(&self, is_there: bool, looks_at_entries: bool) -> Result<()> {
        // A vault that is stored again has to be remembered again.
        if !is_there {
            *self.noted() = None;
        }
        let error = match self.file.home()? {
            Some(home) if home.backend != self.backend => {
                self.file.not_in(home.backend, self.backend)
            }
            Some(home) if home.in_entries && !looks_at_entries => {
                Error::new(ErrorKind::BoundElsewhere, Operation::Choose)
                    .with_message("each of the secrets is an entry of its own now")
            }
            _ => return Ok(()),
        };
        Err(error.with_hint("Open the vault again: it was moved while it was open."))
    }

    fn noted(&self) -> MutexGuard<'_, Option<Home>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a store holds the entry of a service's vault.
pub(crate) fn has_vault(store: &dyn Store, service: &ServiceName) -> Result<bool> {
    store.exists(service.as_str(), VAULT_ENTRY)
}
