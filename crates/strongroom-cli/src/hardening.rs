//! Keeps this process's memory out of core dumps and out of other programs' reach.

#[cfg(target_os = "linux")]
pub(crate) use linux::{give_back_core_limit, keep_memory_private};

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::OnceLock;

    use rustix::process::{
        DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
    };

    static LIMIT: OnceLock<Rlimit> = OnceLock::new();

    /// Switches core dumps off, and with them `/proc/PID/mem` and `/proc/PID/environ` for the user's
    /// other programs.
    ///
    /// A sandbox may forbid it. Then the secrets are as safe as in any other program, and errors are ignored.
    pub(crate) fn keep_memory_private() {
        let limit = LIMIT.get_or_init(|| getrlimit(Resource::Core));
        // The hard limit stays: it can't be raised again, and the program that `run` becomes would have no core dumps.
        // The second call keeps this process from being dumped or looked into.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: limit.maximum });
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }

    /// Restores the limit for core dumps, for the program that this process becomes. That program is dumpable again by
    /// itself, and this process stays as it is.
    pub(crate) fn give_back_core_limit() {
        if let Some(limit) = LIMIT.get() {
            let _ = setrlimit(Resource::Core, *limit);
        }
    }
}

/// Does nothing: other platforms have no such switch, or none that is safe to use.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_memory_private() {}

/// Does nothing, since no limit was changed.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn give_back_core_limit() {}
