//! Locks between the user's processes, in all sessions.

use std::path::Path;
use std::time::Duration;

use strongroom_files::{Held, Lock, NotHeld};

/// A step that a single process runs at a time. Each has an empty lock file in the state directory.
///
/// A process holds at most one lock at a time, so the locks need no order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ExclusiveStep {
    /// Opening a session: gnome-keyring 50 crashes if two clients do so at the same time.
    OpenSession,
    /// Creating an item: the protocol has no "create unless it exists".
    CreateItem,
}

/// A lock that is held during such a step. It is released when dropped, or when the process ends.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    _held: Option<Held>,
}

impl ProcessLock {
    /// Waits for the lock, but not longer than `limit`: a process that is stopped while it holds the lock
    /// must not stop all other processes. Goes on without the lock if it can't be taken.
    pub(crate) fn acquire(step: ExclusiveStep, dir: Option<&Path>, limit: Duration) -> Self {
        let held = dir.and_then(|dir| {
            lock_file(step, dir, limit)
                .inspect_err(|reason| tracing::debug!(?step, ?reason, "going on without a lock"))
                .ok()
        });
        Self { _held: held }
    }
}

impl ExclusiveStep {
    const fn file_name(self) -> &'static str {
        match self {
            Self::OpenSession => "secret-service-open.lock",
            Self::CreateItem => "secret-service-create.lock",
        }
    }
}

fn lock_file(step: ExclusiveStep, dir: &Path, limit: Duration) -> Result<Held, NotHeld> {
    match Lock::shared(&dir.join(step.file_name())).take(limit)? {
        (held, None) => Ok(held),
        // Only the turn among this process's threads was taken, not the file's lock.
        (_, Some(error)) => Err(NotHeld::Io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const ONE: ExclusiveStep = ExclusiveStep::OpenSession;

    #[test]
    fn one_lock_holds_up_its_own_kind_alone() {
        let dir = tempfile::tempdir().unwrap();
        let _open = lock_file(ONE, dir.path(), LONG).unwrap();
        assert!(matches!(lock_file(ONE, dir.path(), Duration::ZERO), Err(NotHeld::Busy(_))));
        assert!(lock_file(ExclusiveStep::CreateItem, dir.path(), Duration::ZERO).is_ok());
    }

    #[test]
    fn where_no_lock_can_be_had_it_does_without() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        assert!(ProcessLock::acquire(ONE, Some(&blocked.join("sub")), LONG)._held.is_none());
        assert!(ProcessLock::acquire(ONE, Some(dir.path()), LONG)._held.is_some());
    }
}
