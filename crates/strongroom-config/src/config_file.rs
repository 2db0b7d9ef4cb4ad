//! A configuration file with its rules.

use std::path::{Path, PathBuf};

use strongroom::blocking::SecretManager;
use strongroom::{Error, Result};

use crate::error;
use crate::find::find_secrets;
use crate::flaw::Flaw;
use crate::snapshot::Snapshot;
use crate::source::Source;
use crate::{Format, Rules};

/// A configuration file, and the rules by which its secrets are found.
///
/// Creating a `ConfigFile` doesn't access the file system. Each call reads the file again, and none opens a store by
/// itself, except [`first_run`](Self::first_run).
///
/// ```
/// use strongroom_config::{ConfigFile, Rules};
///
/// let file = ConfigFile::new("/etc/example/config.toml", Rules::detecting())?;
/// assert_eq!(file.format().name(), "toml");
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) rules: Rules,
    takes_forgetful_stores: bool,
}

impl ConfigFile {
    /// Creates a handle for the file at this path. The file's name determines the format: see [`Format::of_file`].
    ///
    /// # Errors
    ///
    /// `Invalid` if the name doesn't determine a format.
    pub fn new(path: impl Into<PathBuf>, rules: Rules) -> Result<Self> {
        let path = path.into();
        let format = Format::of_file(&path).ok_or_else(|| unknown_format(&path))?;
        Ok(Self::with_format(path, format, rules))
    }

    /// Creates a handle for the file at this path, in this format.
    pub fn with_format(path: impl Into<PathBuf>, format: Format, rules: Rules) -> Self {
        Self { path: path.into(), format, rules, takes_forgetful_stores: false }
    }

    /// Allows moving secrets into a store that loses them at a restart. They are then lost for good.
    #[must_use]
    pub fn taking_forgetful_stores(mut self) -> Self {
        self.takes_forgetful_stores = true;
        self
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the format of the file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Reads the file, and finds its secrets.
    ///
    /// # Errors
    ///
    /// `Invalid`, with line and column, if the file doesn't have its format; `NotFound`, `AccessDenied`, `Io` or
    /// `TooLarge` if it can't be read at all.
    pub(crate) fn read(&self) -> Result<Snapshot> {
        let source = Source::read(&self.path)?;
        let parsed = self.format.parse(&source.text).and_then(|document| {
            let secrets = find_secrets(self.format, &source.text, &document, &self.rules)?;
            Ok((document, secrets))
        });
        let (document, secrets) = parsed.map_err(|flaw| self.flaw_error(&source, flaw))?;
        Ok(Snapshot::new(source, document, secrets))
    }

    /// Returns the error for a flaw in the text of this file.
    pub(crate) fn flaw_error(&self, source: &Source, flaw: Flaw) -> Error {
        flaw.into_error(&source.text, &error::displayed(&self.path))
    }

    /// Checks that a store keeps its secrets over a restart, unless other stores are allowed.
    ///
    /// # Errors
    ///
    /// `Unsupported` for a store that loses its secrets.
    pub(crate) fn check_lasting(&self, manager: &SecretManager) -> Result<()> {
        if manager.is_persistent() || self.takes_forgetful_stores {
            return Ok(());
        }
        Err(error::forgetful_store(manager.backend().name()))
    }
}

fn unknown_format(path: &Path) -> Error {
    let problem = format!("the name of {} doesn't tell its format", error::displayed(path));
    error::invalid(problem, "Say which it is: json, toml, yaml or env.")
}
