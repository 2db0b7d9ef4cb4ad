//! The commands as a kit for another program: its description of itself, and the call that runs them.

use std::path::PathBuf;
use std::process::ExitCode;

use strongroom::keys::PassphraseRequest;
use strongroom::{Config, Error, Result, SecretKey, SecretString};
use strongroom_config::Rules;

use crate::application::Application;
use crate::failure;
use crate::keys::{self, Keys};
use crate::logging;
use crate::program::Program;
use crate::run;
use crate::secrets_command::SecretsCommand;
use crate::settings::Settings;
use crate::voice::ProgramVoice;

/// The description of a program that embeds the commands: its names, its secrets, its configuration file.
///
/// See [the example of the crate](crate#examples).
#[derive(Clone, Debug)]
#[must_use]
pub struct Kit {
    application: Application,
}

impl Kit {
    /// Creates a kit for the secrets of this service, in the stores that its configuration chooses. The flags of a command
    /// override the configuration.
    pub fn new(config: impl Into<Config>) -> Self {
        let config = config.into();
        let service = config.service_name().to_owned();
        let program = Program::embedded(service.clone(), service);
        // The commands read the same variables as the program: the prefix is that of its configuration.
        let program = match config.backend_variable().strip_suffix("_BACKEND") {
            Some(prefix) => program.with_prefix(prefix),
            None => program,
        };
        Self { application: Application { config, ..Application::of(program) } }
    }

    /// Sets the words that a user types in front of these commands, and that advice repeats: `tracker`, or
    /// `tracker secrets` if they stand below a command of their own. The default is the service's name.
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.application.program.name = name.into();
        self
    }

    /// Adds a secret that the program needs, with a description for the user. `setup` without names asks for every
    /// secret that was added.
    pub fn secret(mut self, key: impl Into<SecretKey>, what: impl Into<String>) -> Self {
        self.application.secrets.push((key.into(), what.into()));
        self
    }

    /// Sets the configuration file that `config status`, `secure` and `import` use if no file is named, and the
    /// rules that find its secrets.
    pub fn config_file(mut self, path: impl Into<PathBuf>, rules: Rules) -> Self {
        self.application.config_file = Some((path.into(), rules));
        self
    }

    /// Returns the configuration that the commands use, for the program itself. The passphrase of an encrypted file is
    /// asked for on the terminal, if standard input is a terminal.
    pub fn config(&self) -> Config {
        Keys::of_terminal().add_to(self.application.config.clone())
    }

    /// Returns the configuration with another way to ask for a passphrase: a function of the program, which may call
    /// [`ask`](Self::ask) once the program has put its screen aside. See [`Config::passphrase`].
    pub fn config_asking(
        &self,
        ask: impl Fn(&PassphraseRequest) -> Result<Option<SecretString>> + Send + Sync + 'static,
    ) -> Config {
        Keys::of_system().add_to(self.application.config.clone()).passphrase(ask)
    }

    /// Asks for a passphrase on the terminal, without showing it, as [`config`](Self::config) does. Returns `None` if the
    /// user gives up, or if no try gave a passphrase.
    ///
    /// The terminal's modes are restored afterwards, after Ctrl-C and other signals, too. A signal that the program
    /// handles goes to its handler, and ends the question.
    ///
    /// # Errors
    ///
    /// `Io` if there is no terminal to ask on, `Invalid` if the answer can't be a passphrase.
    pub fn ask(request: &PassphraseRequest) -> Result<Option<SecretString>> {
        keys::ask(request)
    }

    /// Returns advice for the user on an error of the vault: the error's own hint, with the program's commands in it.
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
        failure::advice(error).spoken_by(&ProgramVoice::of_program(&self.application.program))
    }

    /// Runs a command to its end. It asks on the terminal, prints results on standard output and the rest on standard
    /// error, and blocks: an async program calls it where blocking is allowed.
    ///
    /// Returns the exit code for `main`: 0 for done, 2 for wrong usage, and the codes that `strongroom --help` lists.
    pub fn run(&self, command: impl Into<SecretsCommand>) -> ExitCode {
        let SecretsCommand { flags, command } = command.into();
        // Embedded commands have no `-v`: the program decides what it logs.
        let settings = Settings::resolve(self.application.clone(), &flags, 0);
        logging::within(&settings, || run::run(settings.clone(), &flags, &command))
    }
}
