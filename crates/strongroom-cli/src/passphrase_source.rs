//! Reads passphrases: the first line of a file or of a descriptor.

use std::io;
use std::path::Path;

use strongroom::input::first_line;
use strongroom::store::{secret_copy, secret_text};
use strongroom::{ExposeSecret as _, SecretString};

use crate::content;
use crate::failure::{Failure, Result};
use crate::inheritance::{keep, open_privately};
use crate::streams;
use crate::wiped::Wiped;

/// Reads the passphrase in a file.
pub(crate) fn from_file(path: &Path) -> Result<SecretString> {
    let content = content::private(path)?;
    let missing = format!("there is no passphrase in {}", path.display());
    from_content(&content, missing, "Put it into the first line.")
}

/// Reads the passphrase from a descriptor.
pub(crate) fn from_descriptor(descriptor: u32) -> Result<SecretString> {
    let hint = "Open it for this command: `--passphrase-fd 3 3< FILE`. What can't be opened by another \
                name, a socket for instance, can be given as standard input: `--passphrase-fd 0`.";
    let content = match descriptor {
        0 => read_stdin(),
        _ => open_privately(descriptor).and_then(|mut file| content::read(&mut file)),
    };
    let content = content.map_err(|cause| {
        Failure::io(format!("cannot read the file descriptor {descriptor}"), &cause, hint)
    })?;
    let missing = format!("no passphrase came from the file descriptor {descriptor}");
    from_content(&content, missing, hint)
}

/// Reads standard input to its end, and keeps it from programs that are started later. A socket can't be opened by its
/// path, so standard input is read directly.
fn read_stdin() -> io::Result<Wiped> {
    let bytes = streams::input().and_then(|mut stdin| content::read(&mut stdin))?;
    keep(0)?;
    Ok(bytes)
}

fn from_content(content: &[u8], missing: String, hint: &'static str) -> Result<SecretString> {
    match secret_text(&secret_copy(first_line(content))) {
        Some(text) if !text.expose_secret().is_empty() => Ok(text),
        Some(_) => Err(Failure::usage(missing, hint)),
        None => Err(Failure::usage("the passphrase is not text (UTF-8)", "Choose another one.")),
    }
}
