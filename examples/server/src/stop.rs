//! The signals that ask the process to end.

use std::future::Future;
use std::io;

/// Starts listening for the signals that ask a server to end. The future waits for the first.
///
/// # Errors
///
/// If the system does not let the process listen for signals.
#[cfg(unix)]
pub(crate) fn requested() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Starts listening for Ctrl-C. The future waits for it.
///
/// # Errors
///
/// If the system does not let the process listen for signals.
#[cfg(windows)]
pub(crate) fn requested() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
