//! What an application adds to the page: moving secrets out of its files, and handing them out.

use std::path::PathBuf;

use strongroom::{Result, SecretKey};

/// Moves secrets that still lie in a file into the vault.
///
/// Its methods may block: they run on threads of their own.
pub trait Migration: Send + Sync + 'static {
    /// Says what lies in files, and changes nothing. `None` hides the section.
    ///
    /// # Errors
    ///
    /// What the page's user has to know: its message and its hint are shown.
    fn plan(&self) -> Result<Option<Plan>>;

    /// Does it, and says in a sentence what was done.
    ///
    /// # Errors
    ///
    /// As [`plan`](Self::plan).
    fn secure(&self) -> Result<String>;
}

/// Writes all secrets into a file in the clear.
///
/// The application writes the file, and not the browser, which would leave it readable by other accounts of the machine.
/// The page shows a warning with the file's path first. Its methods may block: they run on threads of their own.
pub trait Export: Send + Sync + 'static {
    /// Returns the formats that it can write, the best first.
    fn formats(&self) -> Vec<ExportFormat>;

    /// Writes all secrets in this format, which is one of [`formats`](Self::formats), to its path. Only the user may be
    /// able to read the file.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is a file and `may_replace` is not set: the page then asks, and sets it. Others are for
    /// the page's user: their message and their hint are shown.
    fn export(&self, format: &ExportFormat, may_replace: bool) -> Result<()>;
}

/// What a [`Migration`] would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The secrets that would move.
    pub secrets: Vec<PlannedSecret>,
    /// What its user has to know first, in sentences: that others could read the file, say.
    pub warnings: Vec<String>,
}

/// A secret that lies in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedSecret {
    /// What it is called in the vault.
    pub key: SecretKey,
    /// Where it lies, such as `.agent/config.json: providers.openai.apiKey`.
    pub place: String,
}

/// A file format that an [`Export`] can write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportFormat {
    /// Its name, such as `JSON`.
    pub label: String,
    /// The file that is written, as an absolute path.
    pub path: PathBuf,
}

impl Plan {
    /// Nothing to do.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one secret more.
    #[must_use]
    pub fn with_secret(mut self, key: impl Into<SecretKey>, place: impl Into<String>) -> Self {
        self.secrets.push(PlannedSecret { key: key.into(), place: place.into() });
        self
    }

    /// The same with one warning more.
    #[must_use]
    pub fn with_warning(mut self, sentence: impl Into<String>) -> Self {
        self.warnings.push(sentence.into());
        self
    }
}

impl ExportFormat {
    /// A format by its name, and the path of the file.
    pub fn new(label: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { label: label.into(), path: path.into() }
    }
}
