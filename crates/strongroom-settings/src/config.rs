//! Ready-made hooks for configuration files, on [`strongroom_config`].

use std::fmt;
use std::path::PathBuf;

use strongroom::error::Operation;
use strongroom::{ErrorKind, Result, blocking};
use strongroom_config::{ConfigFile, Exposure, Format, Leaves, Prefer};

use crate::{Export, ExportFormat, Migration, Plan};

/// Moves the secrets of a configuration file.
///
/// If file and vault have different values, the page shows that, and nothing moves. The user chooses by other means, such as
/// `strongroom config secure --prefer`.
#[derive(Clone)]
pub struct ConfigMigration {
    file: ConfigFile,
    secrets: blocking::SecretManager,
}

/// Writes all secrets that have not expired into a file that only its owner can read, in the formats of configuration
/// files.
#[derive(Clone)]
pub struct ConfigExport {
    name: String,
    secrets: blocking::SecretManager,
    directory: PathBuf,
}

impl ConfigMigration {
    /// Creates a migration from this file into this vault.
    pub fn new(file: ConfigFile, secrets: blocking::SecretManager) -> Self {
        Self { file, secrets }
    }
}

impl ConfigMigration {
    /// Returns the plan. For a vault that loses its secrets at a restart, returns the plan for a lasting vault, and the
    /// reason for which it can't be carried out.
    fn plan_or_why_not(&self) -> Result<(strongroom_config::Plan, Option<String>)> {
        match self.file.plan(&self.secrets, Prefer::Ask) {
            Err(error)
                if error.kind() == ErrorKind::Unsupported && !self.secrets.is_persistent() =>
            {
                let file = self.file.clone().taking_forgetful_stores();
                let plan = file.plan(&self.secrets, Prefer::Ask)?;
                Ok((plan, Some(format!("Nothing moves: {}", error.problem()))))
            }
            plan => Ok((plan?, None)),
        }
    }
}

impl Migration for ConfigMigration {
    fn plan(&self) -> Result<Option<Plan>> {
        // An application without a configuration file has nothing to move, and no problem to show.
        if !self.file.path().exists() {
            return Ok(None);
        }
        let (plan, forgets) = self.plan_or_why_not()?;
        let moved = plan.steps.iter().filter(|step| step.leaves != Leaves::Value);
        let shown = moved.fold(Plan::new(), |shown, step| {
            shown.with_secret(step.key.clone(), self.file.path(), step.path.to_string())
        });
        let conflicts = plan.conflicts().map(|step| {
            format!("The file and the vault hold different values of {}; nothing moves", step.key)
        });
        let shown = conflicts.chain(forgets).fold(shown, Plan::with_warning);
        let shown = plan.exposures.iter().map(warning).fold(shown, Plan::with_warning);
        Ok((!shown.secrets.is_empty()).then_some(shown))
    }

    fn secure(&self) -> Result<String> {
        // Planned again: the file can have changed since the page showed its plan.
        let plan = self.file.plan(&self.secrets, Prefer::Ask)?;
        let done = self.file.secure(&self.secrets, &plan, |_| {})?;
        let backend = self.secrets.backend();
        let moved = match done.secrets.len() {
            1 => format!("1 secret was moved into {backend}"),
            moved => format!("{moved} secrets were moved into {backend}"),
        };
        let remaining = done.exposures.iter().filter(|exposure| exposure.remains());
        Ok(remaining.fold(moved, |moved, exposure| format!("{moved}. {}", warning(exposure))))
    }
}

fn warning(exposure: &Exposure) -> String {
    format!("{exposure}. {}", exposure.hint())
}

impl ConfigExport {
    /// Creates an export of this vault into files of `directory`. Their names start with `name`: `tracker` for
    /// `tracker-secrets.json`.
    ///
    /// The path must be absolute. Prefer a directory to which only the user can write, such as the home directory.
    pub fn new(
        name: impl Into<String>,
        secrets: blocking::SecretManager,
        directory: impl Into<PathBuf>,
    ) -> Self {
        Self { name: name.into(), secrets, directory: directory.into() }
    }

    fn format(&self, format: Format) -> ExportFormat {
        let label = match format {
            Format::Env => "dotenv".to_owned(),
            format => format.name().to_uppercase(),
        };
        let name = format!("{}-secrets.{}", file_name(&self.name), format.name());
        ExportFormat::new(label, self.directory.join(name))
    }
}

impl Export for ConfigExport {
    fn formats(&self) -> Vec<ExportFormat> {
        Format::ALL.iter().map(|format| self.format(*format)).collect()
    }

    fn export(&self, format: &ExportFormat, may_replace: bool) -> Result<()> {
        // Only a path that was offered is written, never a path that a caller made up.
        let known = Format::ALL.iter().find(|known| self.format(**known) == *format);
        let known = known.ok_or_else(|| {
            strongroom::Error::new(ErrorKind::Unsupported, Operation::Get)
                .with_message("there is no such format")
        })?;
        let export = strongroom_config::Export::new(*known);
        export.write_file(&self.secrets, &format.path, may_replace).map(drop)
    }
}

/// Replaces the characters that a file's name can't have.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

impl fmt::Debug for ConfigMigration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigMigration").field("file", &self.file.path()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ConfigExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigExport").field("name", &self.name).finish_non_exhaustive()
    }
}
