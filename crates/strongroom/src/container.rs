//! The detection of a container that shares the kernel's keyring with other containers.
//!
//! The kernel keeps a single user keyring for each user id and user namespace, even if a container has its
//! own of everything else: containers of the same user id on the same kernel read each other's keys, unless
//! the system calls are forbidden.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// Files that container engines leave in a container.
const FILES: [&str; 3] = ["/run/.containerenv", "/.dockerenv", "/run/host/container-manager"];

/// Variables that container engines and orchestrators set.
const VARIABLES: [&str; 2] = ["container", "KUBERNETES_SERVICE_HOST"];

/// The namespaces that are compared with the machine's own, which have these inode numbers
/// (`include/linux/proc_ns.h`). A container has its own of at least some of them.
const NAMESPACES: [(&str, &str); 4] = [
    ("ipc", "ipc:[4026531839]"),
    ("uts", "uts:[4026531838]"),
    ("pid", "pid:[4026531836]"),
    ("cgroup", "cgroup:[4026531835]"),
];

/// A container, with the sign that it was detected by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    sign: &'static str,
}

/// The parts of a system that show whether it is a container.
pub(crate) trait Surroundings {
    fn has_file(&self, path: &Path) -> bool;
    fn variable(&self, name: &str) -> Option<OsString>;
    fn link(&self, path: &Path) -> Option<PathBuf>;
}

struct Here;

impl Container {
    /// Detects a container from this process's surroundings.
    pub(crate) fn detect() -> Option<Self> {
        // Only Linux has a keyring in its kernel.
        if cfg!(target_os = "linux") { Self::of(&Here) } else { None }
    }

    /// Detects a container from its surroundings. A variable is enough. A file counts unless all namespaces
    /// are the machine's own, because a virtual machine that was made from a container's image has the file,
    /// too.
    pub(crate) fn of(surroundings: &dyn Surroundings) -> Option<Self> {
        let variable = VARIABLES
            .iter()
            .find(|name| surroundings.variable(name).is_some_and(|value| !value.is_empty()));
        let sign = match variable {
            Some(variable) => variable,
            None if has_the_machines_namespaces(surroundings) => return None,
            None => FILES.iter().find(|path| surroundings.has_file(Path::new(path)))?,
        };
        Some(Self { sign })
    }
}

fn has_the_machines_namespaces(surroundings: &dyn Surroundings) -> bool {
    NAMESPACES.iter().all(|(name, own)| {
        let link = surroundings.link(&Path::new("/proc/self/ns").join(name));
        link.is_some_and(|link| link == Path::new(own))
    })
}

impl Surroundings for Here {
    fn has_file(&self, path: &Path) -> bool {
        path.exists()
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn link(&self, path: &Path) -> Option<PathBuf> {
        path.read_link().ok()
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}", self.sign)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A system with these files and variables, whose namespaces are the machine's own or not.
    struct System {
        files: &'static [&'static str],
        variables: &'static [(&'static str, &'static str)],
        namespaces: &'static [(&'static str, &'static str)],
    }

    const OWN_PIDS: [(&str, &str); 4] =
        [NAMESPACES[0], NAMESPACES[1], ("pid", "pid:[4026532199]"), NAMESPACES[3]];

    impl Surroundings for System {
        fn has_file(&self, path: &Path) -> bool {
            self.files.iter().any(|file| Path::new(file) == path)
        }

        fn variable(&self, name: &str) -> Option<OsString> {
            self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        }

        fn link(&self, path: &Path) -> Option<PathBuf> {
            let name = path.strip_prefix("/proc/self/ns").ok()?;
            let known = self.namespaces.iter().find(|(known, _)| Path::new(known) == name);
            known.map(|(_, link)| link.into())
        }
    }

    /// A container of a pod.
    pub(crate) fn container() -> Container {
        Container { sign: "KUBERNETES_SERVICE_HOST" }
    }

    fn sign(
        files: &'static [&'static str],
        variables: &'static [(&'static str, &'static str)],
        namespaces: &'static [(&'static str, &'static str)],
    ) -> Option<&'static str> {
        Container::of(&System { files, variables, namespaces }).map(|container| container.sign)
    }

    #[test]
    fn engines_and_orchestrators_are_known_by_what_they_leave() {
        let files: [&'static [&'static str]; 3] =
            [&["/run/.containerenv"], &["/.dockerenv"], &["/run/host/container-manager"]];
        for file in files {
            assert_eq!(sign(file, &[], &OWN_PIDS), Some(file[0]));
            assert_eq!(sign(file, &[], &[]), Some(file[0]), "no /proc says nothing");
        }
        let podman = sign(&[], &[("container", "podman")], &NAMESPACES);
        assert_eq!(podman, Some("container"));
        let pod = sign(&[], &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], &NAMESPACES);
        assert_eq!(pod, Some("KUBERNETES_SERVICE_HOST"));
    }

    #[test]
    fn a_machine_is_none() {
        assert_eq!(sign(&[], &[], &NAMESPACES), None);
        assert_eq!(sign(&[], &[("container", "")], &OWN_PIDS), None, "a sandboxed service");
        assert_eq!(sign(&["/.dockerenv"], &[], &NAMESPACES), None, "a machine from an image");
    }
}
