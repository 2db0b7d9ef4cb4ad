//! The thread pool of async calls.

use std::process;
use std::sync::OnceLock;

use strongroom_core::{Error, ErrorKind, Operation, Result};
use tracing::Dispatch;
use tracing::dispatcher::{get_default, with_default};

/// Runs blocking work on the pool. The events that it logs go to the caller's subscriber.
///
/// # Errors
///
/// `Unsupported` in a process that was forked after the pool was first used: it has none of the pool's
/// threads, and would wait forever. Otherwise the error of the work.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    // A forked process inherits this value, and so notices that it was forked.
    static PROCESS: OnceLock<u32> = OnceLock::new();
    if *PROCESS.get_or_init(process::id) != process::id() {
        return Err(forked());
    }
    // The threads of the pool have no subscriber of their own.
    let subscriber = get_default(Dispatch::clone);
    unblock::unblock(move || with_default(&subscriber, work)).await
}

fn forked() -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Choose)
        .with_message("this process was forked after the first async call, without the threads that do the work")
        .with_hint("Fork before the first call, or use `blocking::SecretManager`, opened after the fork.")
}
