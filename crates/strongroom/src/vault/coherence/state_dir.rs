//! Where the files lie that processes meet at, and how they are named.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use strongroom_core::{SecretKey, ServiceName};

use crate::user_dirs;

/// The longest part of a file's name. Encrypted home directories take 143 bytes in a name.
const PART: usize = 100;

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
    /// The user's own.
    pub(crate) fn of_user() -> Self {
        Self::Wanted(user_dirs::state())
    }

    /// This directory. It is made when it is needed, for the user alone.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self::Wanted(Some(path.into()))
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
        let stem = stem(dir, service.as_str());
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

/// The files' path without their ending: no two services have the same, nor one that differs in
/// case only. A long name goes on in a directory.
fn stem(dir: &Path, service: &str) -> PathBuf {
    let mut path = dir.to_path_buf();
    let mut part = String::from("vault-");
    for byte in service.bytes() {
        if part.len() >= PART {
            // No encoded name holds a plus sign, so no file of another service is in the way.
            part.push('+');
            path.push(std::mem::take(&mut part));
        }
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => part.push(char::from(byte)),
            other => part.push_str(&format!("%{other:02x}")),
        }
    }
    path.join(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(service: &str) -> String {
        let service = ServiceName::new(service).expect("the name is valid");
        let paths = StateDir::at("/s").paths(&service).expect("the directory is known");
        paths.lock.to_str().expect("names are ASCII").replace('\\', "/")
    }

    #[test]
    fn names_are_safe_and_readable() {
        assert_eq!(name("side-seat_2"), "/s/vault-side-seat_2.lock");
        assert_eq!(name("A"), "/s/vault-%41.lock");
        assert_eq!(name("a/b"), "/s/vault-a%2fb.lock");
        assert_eq!(name(".."), "/s/vault-%2e%2e.lock");
        assert_eq!(name("é%"), "/s/vault-%c3%a9%25.lock");
    }

    #[test]
    fn no_two_services_share_files_whatever_the_file_system_makes_of_case() {
        let long = |ending: &str| format!("{}{ending}", "X".repeat(240));
        let long = [long(""), long("a"), long("A"), long(".lock"), "x".repeat(94), "x".repeat(95)];
        let services =
            ["a", "A", "a/b", "a%2fb", "a%2Fb", "..", ".", "a.lock", "con", "é", "e\u{301}"];
        let mut names: Vec<_> =
            services.map(name).into_iter().chain(long.iter().map(|long| name(long))).collect();
        names.iter_mut().for_each(|name| *name = name.to_lowercase());
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn the_longest_name_fits_in_any_file_system() {
        let name = name(&"\u{ff}".repeat(127));
        assert!(
            Path::new(&name).iter().all(|part| part.len() <= 143 - "refresh-".len() - 32),
            "{name}"
        );
    }

    #[test]
    fn each_secret_has_its_own_refresh_lock_that_does_not_tell_its_name() {
        let service = ServiceName::new("app").expect("the name is valid");
        let paths = StateDir::at("/s").paths(&service).expect("the directory is known");
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
