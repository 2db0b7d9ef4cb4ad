//! The errors of this crate, with hints. They contain no text of the file, which could be a secret.

use std::io;
use std::path::Path;

use strongroom::error::Operation;
use strongroom::{Error, ErrorKind, SecretKey};

pub(crate) fn invalid(message: impl Into<String>, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, Operation::Get).with_message(message).with_hint(hint)
}

pub(crate) fn too_large(file: &str, limit: u64) -> Error {
    Error::new(ErrorKind::TooLarge, Operation::Get)
        .with_message(format!("{file} is larger than {limit} bytes"))
        .with_hint("Configuration files are smaller: see whether it is the right file.")
}

pub(crate) fn read_failed(path: &Path, cause: io::Error) -> Error {
    strongroom_files::error(Operation::Get, path, cause)
}

pub(crate) fn write_failed(path: &Path, cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::ResourceBusy {
        return busy(path);
    }
    let error = strongroom_files::error(Operation::Set, path, cause);
    let hint = format!("The file is as it was. {}", error.hint());
    error.with_hint(hint)
}

pub(crate) fn output_failed(cause: io::Error) -> Error {
    Error::new(ErrorKind::Io, Operation::Set)
        .with_message(format!("the output can't be written: {cause}"))
        .with_hint("See where the output goes.")
        .with_source(cause)
}

pub(crate) fn already_exists(path: &Path) -> Error {
    Error::new(ErrorKind::AlreadyExists, Operation::Set)
        .with_message(format!("{} is there already", displayed(path)))
        .with_hint("Choose another file, or say that it may be replaced.")
}

fn busy(path: &Path) -> Error {
    Error::new(ErrorKind::Busy, Operation::Set)
        .with_message(format!("another process is writing {}", displayed(path)))
}

pub(crate) fn changed_meanwhile(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("{} was changed meanwhile, and stays as it is now", displayed(path)))
        .with_hint("Try again: what the store already has is not stored twice.")
}

pub(crate) fn changed_since_plan(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!(
            "{}, or the vault, is not as it was when this was planned",
            displayed(path)
        ))
        .with_hint("Nothing was changed. Look at a new plan.")
}

pub(crate) fn different_values(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("the file and the store hold different values of {key}"))
        .with_hint(
            "Nothing was changed. Choose whether the store's value stays or the file's is taken.",
        )
}

pub(crate) fn not_read_back(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Corrupt, Operation::Set)
        .with_message(format!("the store doesn't return the value of {key} that it was given"))
        .with_hint("The file is as it was. Look at the store.")
        .with_command("doctor", "does so")
}

pub(crate) fn forgetful_store(store: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Set)
        .with_message(format!(
            "{store} forgets its secrets, and the file would not have them any more"
        ))
        .with_hint("Choose a store that lasts, such as the encrypted file.")
}

pub(crate) fn displayed(path: &Path) -> String {
    // A file's name can contain control characters, and messages are shown on terminals.
    path.display().to_string().escape_debug().to_string()
}
