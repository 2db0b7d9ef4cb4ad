//! The hooks of an application: moving secrets out of its files, and exporting them.

use std::path::PathBuf;

use strongroom::{Result, SecretKey};

/// Moves secrets that are still in files into the vault.
///
/// The methods may block: they run on threads of their own.
pub trait Migration: Send + Sync + 'static {
    /// Returns the secrets that are in files. Changes nothing. `None` hides the section.
    ///
    /// # Errors
    ///
    /// Any error. The page shows its message and its hint to the user.
    fn plan(&self) -> Result<Option<Plan>>;

    /// Moves the secrets, and returns a sentence that tells the user the result.
    ///
    /// # Errors
    ///
    /// As [`plan`](Self::plan).
    fn secure(&self) -> Result<String>;
}

/// Writes all secrets into a file in the clear.
///
/// The application writes the file, because a browser would leave it readable by other accounts of the machine. The page
/// first shows a warning with the file's path. The methods may block: they run on threads of their own.
pub trait Export: Send + Sync + 'static {
    /// Returns the supported formats, the best first.
    fn formats(&self) -> Vec<ExportFormat>;

    /// Writes all secrets in this format, from [`formats`](Self::formats), to its path. The file must be readable only by
    /// the user.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the file exists and `may_replace` is not set: the page then asks the user, and sets it. The page
    /// shows the message and the hint of any other error to the user.
    fn export(&self, format: &ExportFormat, may_replace: bool) -> Result<()>;
}

/// The plan of a [`Migration`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The secrets that would move.
    pub secrets: Vec<PlannedSecret>,
    /// Warnings for the user, in sentences: for example that other users could read the file.
    pub warnings: Vec<String>,
}

/// A secret in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedSecret {
    /// The key of the secret in the vault.
    pub key: SecretKey,
    /// The file that holds the secret.
    pub file: PathBuf,
    /// The path within the file, such as `providers.openai.apiKey`.
    pub path: String,
}

/// A file format that an [`Export`] can write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportFormat {
    /// The name of the format, such as `JSON`.
    pub label: String,
    /// The absolute path of the file to write.
    pub path: PathBuf,
}

impl Plan {
    /// Creates an empty plan.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret.
    #[must_use]
    pub fn with_secret(
        mut self,
        key: impl Into<SecretKey>,
        file: impl Into<PathBuf>,
        path: impl Into<String>,
    ) -> Self {
        let (key, file, path) = (key.into(), file.into(), path.into());
        self.secrets.push(PlannedSecret { key, file, path });
        self
    }

    /// Adds a warning.
    #[must_use]
    pub fn with_warning(mut self, sentence: impl Into<String>) -> Self {
        self.warnings.push(sentence.into());
        self
    }
}

impl ExportFormat {
    /// Creates a format from its name and the path of the file.
    pub fn new(label: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { label: label.into(), path: path.into() }
    }
}
