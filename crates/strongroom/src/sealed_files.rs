//! The encrypted files that a configuration describes: their places, their keys and the settings of their store.

use std::path::{Path, PathBuf};

use strongroom_core::{
    Error, ErrorKind, Operation, Persistence, Result, ServiceName, StoreSettings,
};
use strongroom_files::names::sealed_file;

use crate::vault::VaultFile;
use crate::vault::sealed::SealedPlace;
use crate::{Backend, Config};

/// Returns the encrypted file of a service's vault, if it may have one in a store of this backend and
/// persistence.
pub(crate) fn file_of_vault(
    config: &Config,
    (backend, persistence): (Backend, Persistence),
    service: &ServiceName,
) -> Result<Option<Box<dyn VaultFile>>> {
    let place = match (backend, config.data_directory()?) {
        // The file's key would lie beside it, in the open.
        (Backend::PlaintextFile, _) => return Ok(None),
        (Backend::File, Some(directory)) => {
            SealedPlace::Direct(config.unlock(file_of(&directory, service))?)
        }
        // The loss of the key's entry would leave a file that can't be opened, so its store must last.
        (_, Some(directory)) if persistence == Persistence::Permanent => {
            let known = config.clone();
            let recovery = Box::new(move |path: &Path| known.unlock(path.to_owned()));
            SealedPlace::keyed(&keyed_dir(&directory), service, config.deadlines.call, recovery)
        }
        _ => return Ok(None),
    };
    Ok(Some(Box::new(place)))
}

/// Returns the backend of a service's encrypted file, if there is such a file. The key of some files is in an
/// entry of the default store.
pub(crate) fn backend_of_file(
    config: &Config,
    service: &ServiceName,
    default: Option<Backend>,
) -> Result<Option<Backend>> {
    let Some(directory) = config.data_directory()? else { return Ok(None) };
    if is_there(&file_of(&directory, service))? {
        return Ok(Some(Backend::File));
    }
    let is_keyed = is_there(&sealed_file(&keyed_dir(&directory), service.as_str()))?;
    Ok(default.filter(|_| is_keyed))
}

fn is_there(path: &Path) -> Result<bool> {
    strongroom_files::is_there(path).map_err(|fault| fault.during(Operation::Choose))
}

/// Adds the settings of the backend `file`. A key is needed only when a file is used, because choosing a store
/// contacts nothing.
pub(crate) fn add_settings(config: &Config, settings: &mut StoreSettings) -> Result<()> {
    let directory = config.data_directory()?.ok_or_else(|| {
        Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_store(Backend::File.name())
            .with_message("the user has no home directory for an encrypted file")
            .with_hint("Set HOME to a directory that this user may write.")
    })?;
    let mut sealed = strongroom_sealed::Config::keyless(file_dir(&directory));
    sealed.deadline = config.deadlines.call;
    sealed.sources = config.key_sources()?;
    settings.insert(sealed);
    Ok(())
}

/// Returns the advice to name a key of the encrypted file.
pub(crate) fn key_advice(config: &Config) -> String {
    config.key_hint()
}

/// Returns the encrypted file of a service of the backend `file`.
fn file_of(directory: &Path, service: &ServiceName) -> PathBuf {
    sealed_file(&file_dir(directory), service.as_str())
}

/// Returns the directory of the files of the backend `file`.
fn file_dir(directory: &Path) -> PathBuf {
    directory.join("file")
}

/// Returns the directory of the files whose keys are in a store.
fn keyed_dir(directory: &Path) -> PathBuf {
    directory.join("keyed")
}
