//! Exports: secrets from the store in a plaintext file.

use std::io::Write;
use std::path::Path;

use strongroom::blocking::SecretManager;
use strongroom::error::Operation;
use strongroom::{Error, ErrorKind, Result, SecretKey};
use zeroize::Zeroizing;

use crate::replace::write_private;
use crate::source::MAX_LEN;
use crate::{Format, error};

mod read;
mod text;

pub(crate) use read::exported_secrets;
use text::Record;

/// An export: its format, and the secrets to write.
///
/// JSON, TOML and YAML contain names, targets, values, providers, scopes and expiry. Dotenv files contain only names and
/// values. No format contains the times at which secrets were created and written; a backup does.
///
/// The file can be read back by [`ConfigFile::import`](crate::ConfigFile::import), and moved back by
/// [`ConfigFile::secure`](crate::ConfigFile::secure), without any rules.
#[derive(Clone, Debug)]
#[must_use]
pub struct Export {
    format: Format,
    only: Option<Vec<SecretKey>>,
}

/// The result of an export, without values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The secrets that were written, by name and target.
    pub secrets: Vec<SecretKey>,
    /// The secrets that were left out because they have expired.
    pub expired: Vec<SecretKey>,
}

impl Export {
    /// Creates an export of all secrets in this format.
    pub fn new(format: Format) -> Self {
        Self { format, only: None }
    }

    /// Limits the export to these secrets.
    pub fn only(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.only = Some(keys.into_iter().collect());
        self
    }

    /// Writes the secrets in the clear.
    ///
    /// # Errors
    ///
    /// `NotFound` or `Expired` if a secret in [`only`](Self::only) is missing or has expired; `Invalid` if the format can't
    /// represent a secret; `TooLarge` for more than 32 MiB, which could not be read back; `Io` if the writer fails; and the
    /// errors of reading the store.
    pub fn write(&self, secrets: &SecretManager, to: &mut dyn Write) -> Result<Exported> {
        let (text, exported) = self.render(secrets)?;
        let written = to.write_all(text.as_bytes()).and_then(|()| to.flush());
        written.map_err(error::output_failed)?;
        Ok(exported)
    }

    /// Writes the secrets in the clear into a file that only its owner can read.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the file exists and `may_replace` is not set; `Io`, `AccessDenied` and `Busy` for the file; and
    /// the errors of [`write`](Self::write).
    pub fn write_file(
        &self,
        secrets: &SecretManager,
        path: &Path,
        may_replace: bool,
    ) -> Result<Exported> {
        // Checked before the store is read, which may ask the user. Writing checks it again.
        if !may_replace && path.symlink_metadata().is_ok() {
            return Err(error::already_exists(path));
        }
        let (text, exported) = self.render(secrets)?;
        write_private(path, &text, may_replace)?;
        Ok(exported)
    }

    /// Reads the secrets, and returns the text of the export.
    fn render(&self, secrets: &SecretManager) -> Result<(Zeroizing<String>, Exported)> {
        let (records, expired) = match &self.only {
            Some(keys) => (read_named(secrets, keys)?, Vec::new()),
            None => read_all(secrets)?,
        };
        let text = text::export_text(self.format, &records)?;
        if text.len() as u64 > MAX_LEN {
            return Err(too_large());
        }
        let exported = records.into_iter().map(|(key, _)| key).collect();
        Ok((text, Exported { secrets: exported, expired }))
    }
}

/// Reads the secrets of these keys, which all have to be there.
fn read_named(secrets: &SecretManager, keys: &[SecretKey]) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for key in keys {
        let secret = secrets.get(key)?.ok_or_else(|| missing(key))?;
        records.push((key.clone(), secret));
    }
    Ok(records)
}

/// Reads all secrets. Returns them, and the keys of those that have expired.
fn read_all(secrets: &SecretManager) -> Result<(Vec<Record>, Vec<SecretKey>)> {
    let (mut records, mut expired) = (Vec::new(), Vec::new());
    for info in secrets.list()? {
        match secrets.get(&info.key) {
            Ok(Some(secret)) => records.push((info.key, secret)),
            // Deleted since it was listed.
            Ok(None) => {}
            // Listed, but the store doesn't return an expired value.
            Err(error) if error.kind() == ErrorKind::Expired => expired.push(info.key),
            Err(error) => return Err(error),
        }
    }
    Ok((records, expired))
}

fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, Operation::Get)
        .with_message(format!(
            "the export would have more than {} MiB, and could not be read back",
            MAX_LEN >> 20
        ))
        .with_hint("Nothing was written. Take a backup, or name the secrets that are meant.")
}

fn missing(key: &SecretKey) -> Error {
    Error::new(ErrorKind::NotFound, Operation::Get)
        .with_message(format!("there is no secret {key}"))
}
