//! The commands as a kit: what another program says about itself, and how it runs them.

use std::path::PathBuf;
use std::process::ExitCode;

use strongroom::keys::PassphraseRequest;
use strongroom::{Config, Error, Result, SecretKey, SecretString};
use strongroom_config::Rules;

use crate::advice::Advice;
use crate::application::Application;
use crate::failure;
use crate::keys::{self, Keys};
use crate::logging;
use crate::program::Program;
use crate::run;
use crate::secrets_command::SecretsCommand;
use crate::settings::Settings;

/// What a program that embeds the commands says about itself: its names, its secrets, its configuration file.
///
/// See [the example of the crate](crate#examples).
#[derive(Clone, Debug)]
#[must_use]
pub struct Kit {
    application: Application,
}

impl Kit {
    /// Creates a kit for the secrets of this service, in the stores that its configuration chooses. Flags come before it.
    pub fn new(config: impl Into<Config>) -> Self {
        let config = config.into();
        let service = config.service_name().to_owned();
        let program = Program::embedded(service.clone(), service);
        let program = match config.backend_variable().strip_suffix("_BACKEND") {
            Some(prefix) => program.with_prefix(prefix),
            None => program,
        };
        Self { application: Application { config, ..Application::of(program) } }
    }

    /// Sets what a user types to get at these commands, where that isn't the service's name: `tracker`, or
    /// `tracker secrets` if they stand below a command of their own. Advice names commands so.
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.application.program.name = name.into();
        self
    }

    /// Adds a secret that the program needs, with its name for people. `setup` asks for each that was added, if it is
    /// not told for which.
    pub fn secret(mut self, key: impl Into<SecretKey>, what: impl Into<String>) -> Self {
        self.application.secrets.push((key.into(), what.into()));
        self
    }

    /// Sets the configuration file that `config status`, `secure` and `import` mean where none is named, and the
    /// rules by which its secrets are found.
    pub fn config_file(mut self, path: impl Into<PathBuf>, rules: Rules) -> Self {
        self.application.config_file = Some((path.into(), rules));
        self
    }

    /// Returns the configuration that the commands go by, for the program itself. The
    /// passphrase of an encrypted file is asked for on the terminal, if there is one.
    pub fn config(&self) -> Config {
        Keys::of_terminal().add_to(self.application.config.clone())
    }

    /// Returns the configuration with another way to ask for a passphrase: the program's own, or [`ask`](Self::ask) once it
    /// has put its screen aside: see [`Config::passphrase`].
    pub fn config_asking(
        &self,
        ask: impl Fn(&PassphraseRequest) -> Result<Option<SecretString>> + Send + Sync + 'static,
    ) -> Config {
        Keys::of_system().add_to(self.application.config.clone()).passphrase(ask)
    }

    /// Asks for a passphrase on the terminal, hidden, as [`config`](Self::config) does. `None` is an answer that was refused.
    ///
    /// The terminal comes back as it was, by Ctrl-C and other signals too. A signal that the program handles is its own
    /// affair, and ends the question.
    ///
    /// # Errors
    ///
    /// `Io` if there is no terminal to ask on, `Invalid` if the answer can be no passphrase.
    pub fn ask(request: &PassphraseRequest) -> Result<Option<SecretString>> {
        keys::ask(request)
    }

    /// What to do about an error of the vault, in a sentence for the user: the error's own hint, with the program's
    /// commands in it.
    ///
    /// ```
    /// use strongroom::{Error, ErrorKind};
    /// use strongroom::error::Operation;
    /// use strongroom_cli::Kit;
    ///
    /// let kit = Kit::new("claude-tracker").program("tracker");
    /// let hint = kit.hint(&Error::new(ErrorKind::Locked, Operation::Get));
    /// assert!(hint.ends_with("`tracker doctor` shows the commands."));
    /// ```
    pub fn hint(&self, error: &Error) -> String {
        Advice::of_program(&self.application.program).worded(&failure::hint(error))
    }

    /// Runs a command to its end. It asks on the terminal, prints results on standard output and the rest on standard
    /// error, and blocks: an async program calls it where that is allowed.
    ///
    /// What comes back is for `main` to return: 0 for done, 2 for wrong usage, others as `strongroom --help` lists.
    pub fn run(&self, command: impl Into<SecretsCommand>) -> ExitCode {
        let SecretsCommand { flags, command } = command.into();
        let settings = Settings::resolve(self.application.clone(), &flags, 0);
        logging::within(&settings, || run::run(settings.clone(), &flags, &command))
    }
}
