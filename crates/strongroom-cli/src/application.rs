//! The application that the commands are part of: its names, its secrets, its configuration file.

use std::path::{Path, PathBuf};

use strongroom::{Config, SecretKey};
use strongroom_config::Rules;

use crate::program::Program;

/// The application that the commands are part of.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) program: Program,
    pub(crate) config: Config,
    /// The secrets that it needs, each with a description for the user.
    pub(crate) secrets: Vec<(SecretKey, String)>,
    pub(crate) config_file: Option<(PathBuf, Rules)>,
}

impl Application {
    /// Creates the application of a program, with the default configuration of its service.
    pub(crate) fn of(program: Program) -> Self {
        let config = Config::new(program.service.as_str());
        Self { program, config, secrets: Vec::new(), config_file: None }
    }

    /// Returns its configuration file, and the rules that find secrets in it.
    pub(crate) fn known_file(&self) -> Option<(&Path, &Rules)> {
        self.config_file.as_ref().map(|(path, rules)| (path.as_path(), rules))
    }
}
