//! The store's faults.

use std::path::Path;

use strongroom_core::{ErrorKind, Fault};

/// Creates the fault of a file whose line of this number is not an entry.
pub(crate) fn corrupt(path: &Path, line: usize) -> Fault {
    Fault::new(ErrorKind::Corrupt)
        .with_message(format!("line {line} of {} is no entry", path.display()))
        .with_hint("Nothing was changed. Mend the line, or take it out.")
}

/// Creates the fault of a write that waited for another write until its deadline.
pub(crate) fn busy(path: &Path) -> Fault {
    Fault::new(ErrorKind::Busy)
        .with_message(format!("another process is writing {}", path.display()))
}
