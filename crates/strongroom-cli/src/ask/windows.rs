//! A hidden question on a Windows console. The console does not tell a paste from typing, so a value of several lines has
//! to come from a file or a pipe.

use std::io::{self, Write as _};

use strongroom::SecretBytes;
use strongroom::store::secret_bytes;

use super::problem::{Lines, Problem};

/// Writes a message, between questions.
pub(super) fn note(text: &str) -> Result<(), Problem> {
    Ok(io::stderr().write_all(text.as_bytes())?)
}

/// Asks a question, and returns the line that was typed.
pub(super) fn ask(question: &str, _lines: Lines) -> Result<SecretBytes, Problem> {
    match rpassword::prompt_password(question) {
        Ok(typed) => Ok(secret_bytes(typed.into_bytes())),
        Err(cause) => match cause.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::Interrupted => Err(Problem::Dismissed),
            _ => Err(Problem::Io(cause)),
        },
    }
}
