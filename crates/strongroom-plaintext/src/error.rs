//! The store's errors.

use std::io;
use std::path::Path;

use strongroom_core::{Error, ErrorKind, Operation};

use crate::PlaintextStore;

/// Creates an error of this store.
pub(crate) fn fault(kind: ErrorKind, operation: Operation, message: String) -> Error {
    Error::new(kind, operation).with_store(PlaintextStore::NAME).with_message(message)
}

/// Creates the error of a failed access to the file.
pub(crate) fn from_io(operation: Operation, path: &Path, cause: io::Error) -> Error {
    strongroom_files::error(operation, path, cause).with_store(PlaintextStore::NAME)
}
