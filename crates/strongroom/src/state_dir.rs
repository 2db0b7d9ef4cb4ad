//! The files through which processes coordinate: their directory and their names.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use strongroom_core::{Operation, Result, SecretKey, ServiceName};
use strongroom_files::names::state_files;

/// The directory for the state of a user, which all processes of the user share, in any session.
#[derive(Clone, Debug)]
pub(crate) enum StateDir {
    /// A directory, or `None` if the user has no home.
    Wanted(Option<PathBuf>),
    /// No directory: the vault exists in this process alone.
    NotNeeded,
}

/// The files of one service.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) lock: PathBuf,
    pub(crate) generation: PathBuf,
    stem: PathBuf,
}

impl StateDir {
    /// Returns the directory of the current user.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at); `AccessDenied` if the home directory is another user's.
    pub(crate) fn of_user() -> Result<Self> {
        match strongroom_files::state_dir().map_err(|fault| fault.during(Operation::Choose))? {
            Some(path) => Self::at(path),
            None => Ok(Self::Wanted(None)),
        }
    }

    /// Returns the state directory at `path`. It is created when it is needed, for the user alone.
    ///
    /// # Errors
    ///
    /// `AccessDenied` or `Invalid` if it exists and another user may have created it.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        strongroom_files::check_dir(&path)
            .map_err(|cause| strongroom_files::error(Operation::Choose, &path, cause))?;
        Ok(Self::Wanted(Some(path)))
    }

    /// Returns the path of the file that remembers the backend of a service's vault.
    pub(crate) fn binding(&self, service: &ServiceName) -> Option<PathBuf> {
        self.file(service, ".binding")
    }

    /// Returns the path of a file of a service's vault, by the end of its name.
    pub(crate) fn file(&self, service: &ServiceName, ending: &str) -> Option<PathBuf> {
        self.paths(service).map(|paths| with(&paths.stem, ending))
    }

    /// Returns whether other processes can use the vault.
    pub(crate) const fn is_needed(&self) -> bool {
        matches!(self, Self::Wanted(_))
    }

    /// Returns the files of a service, or `None` if the user has no home or no other process can use the
    /// vault.
    pub(crate) fn paths(&self, service: &ServiceName) -> Option<Paths> {
        let Self::Wanted(Some(dir)) = self else { return None };
        let stem = state_files(dir, service.as_str());
        let (lock, generation) = (with(&stem, ".lock"), with(&stem, ".generation"));
        Some(Paths { lock, generation, stem })
    }
}

impl Paths {
    /// Returns the path of the lock for refreshes of a secret.
    ///
    /// The secret's name is hashed, because a sealed vault keeps names secret.
    pub(crate) fn refresh_lock(&self, key: &SecretKey) -> PathBuf {
        let mut hash = Sha256::new();
        for part in [Some(key.name()), key.target()].into_iter().flatten() {
            // With its length before each part, no two keys hash the same bytes.
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digits: String =
            hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        with(&self.stem, &format!(".refresh-{digits}"))
    }

    /// Returns the path for a copy of unreadable data.
    pub(crate) fn copy(&self, stamp: &str) -> PathBuf {
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
