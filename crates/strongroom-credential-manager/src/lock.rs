//! What one call at a time may do, in all processes and threads of a user.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const FILE_NAME: &str = "credential-manager.lock";

/// Waits for the lock, which is held until the file is dropped or the process ends.
///
/// # Errors
///
/// `TimedOut` if another holds it for longer than the limit; the system's own where no lock can be
/// had.
pub(crate) fn acquire(dir: &Path, limit: Duration) -> io::Result<File> {
    let file = open(dir)?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    // Windows has no such lock with a deadline, so a thread waits in our place. One that is given up
    // drops the lock as soon as it has it.
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("strongroom-lock".into()).spawn(move || {
        let locked = file.lock().map(|()| file);
        drop(sender.send(locked));
    })?;
    receiver.recv_timeout(limit).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

fn open(dir: &Path) -> io::Result<File> {
    fs::create_dir_all(dir)?;
    OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(FILE_NAME))
}
