//! Keeps this process's memory out of core dumps and out of other programs' reach.

/// Switches core dumps off, and with them `/proc/PID/mem` and `/proc/PID/environ` for the user's
/// other programs.
///
/// It may be forbidden in a sandbox. Then the secrets are as safe as in any other program.
#[cfg(target_os = "linux")]
pub(crate) fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(Resource::Core, none);
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Other platforms have no such switch, or none that is safe to use.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_memory_private() {}
