//! Where the files lie that processes meet at, and how they are named.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use strongroom_core::{Operation, Result, SecretKey, ServiceName};
use strongroom_files::names::state_files;

/// The directory in which all processes of a user meet, whatever session they run in.
#[derive(Clone, Debug)]
pub(crate) enum StateDir {
    /// This one, if the user has a home.
    Wanted(Option<PathBuf>),
    /// None: the vault is this process's alone.
    NotNeeded,
}

/// The files of one service.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) lock: PathBuf,
    pub(super) generation: PathBuf,
    stem: PathBuf,
}

impl StateDir {
    /// Returns the user's own.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at); `AccessDenied` if the home directory is another user's.
    pub(crate) fn of_user() -> Result<Self> {
        match strongroom_files::state_dir()? {
            Some(path) => Self::at(path),
            None => Ok(Self::Wanted(None)),
        }
    }

    /// Returns this directory, which is created when it is needed, for the user alone.
    ///
    /// # Errors
    ///
    /// `AccessDenied`, `Invalid` if it is there and could be another user's doing.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        strongroom_files::check_dir(&path)
            .map_err(|cause| strongroom_files::error(Operation::Choose, &path, cause))?;
        Ok(Self::Wanted(Some(path)))
    }

    /// Where it is remembered in which backend a service's vault lives.
    pub(crate) fn binding(&self, service: &ServiceName) -> Option<PathBuf> {
        self.file(service, ".binding")
    }

    /// A file that belongs to a service's vault, by the end of its name.
    pub(crate) fn file(&self, service: &ServiceName, ending: &str) -> Option<PathBuf> {
        self.paths(service).map(|paths| with(&paths.stem, ending))
    }

    /// Whether other processes matter.
    pub(super) const fn is_needed(&self) -> bool {
        matches!(self, Self::Wanted(_))
    }

    /// The files of a service; `None` if the user has no home, or no other process matters.
    pub(super) fn paths(&self, service: &ServiceName) -> Option<Paths> {
        let Self::Wanted(Some(dir)) = self else { return None };
        let stem = state_files(dir, service.as_str());
        let (lock, generation) = (with(&stem, ".lock"), with(&stem, ".generation"));
        Some(Paths { lock, generation, stem })
    }
}

impl Paths {
    /// The lock of those who refresh one secret.
    ///
    /// The secret's name is hashed: a sealed vault keeps names to itself.
    pub(super) fn refresh_lock(&self, key: &SecretKey) -> PathBuf {
        let mut hash = Sha256::new();
        for part in [Some(key.name()), key.target()].into_iter().flatten() {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digits: String =
            hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        with(&self.stem, &format!(".refresh-{digits}"))
    }

    /// Where a copy of what could not be read is put.
    pub(super) fn copy(&self, stamp: &str) -> PathBuf {
        with(&self.stem, &format!(".damaged-{stamp}"))
    }
}

fn with(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.to_path_buf().into_os_string();
    path.push(ending);
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_has_its_own_refresh_lock_that_does_not_tell_its_name() {
        let service = ServiceName::new("app").expect("the name is valid");
        let paths =
            StateDir::Wanted(Some("/s".into())).paths(&service).expect("the directory is known");
        let keys = [
            SecretKey::new("token"),
            SecretKey::new("Token"),
            SecretKey::with_target("token", ""),
            SecretKey::with_target("tok", "en"),
            SecretKey::with_target("t", "oken"),
        ];
        let locks: std::collections::BTreeSet<_> =
            keys.iter().map(|key| paths.refresh_lock(key)).collect();
        assert_eq!(locks.len(), keys.len());
        assert!(locks.iter().all(|path| !path.to_string_lossy().contains("tok")), "{locks:?}");
    }
}
