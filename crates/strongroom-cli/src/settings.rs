//! The settings of a command, resolved from its flags.

use std::io::{IsTerminal as _, stderr, stdin, stdout};
use std::time::Duration;

use strongroom::{Backend, Config, Deadlines, Fallback, PromptPolicy};

use crate::application::Application;
use crate::args::Flags;
use crate::failure::Result;
use crate::heard::Heard;
use crate::keys::Keys;

/// The settings of a command.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) application: Application,
    pub(crate) service: String,
    pub(crate) backend: Option<Backend>,
    pub(crate) deadlines: Deadlines,
    never_prompts: bool,
    pub(crate) allows_unencrypted_bus: bool,
    /// Set if text of several lines is written as it is.
    keeps_lines: bool,
    /// The keys of encrypted files.
    pub(crate) keys: Keys,
    pub(crate) json: bool,
    /// The library's warnings, for the answer in JSON.
    pub(crate) heard: Heard,
    pub(crate) verbose: u8,
    /// Set if values can be asked for on the terminal.
    pub(crate) may_ask: bool,
    /// Set if standard input is a terminal, so that no value is piped in.
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
}

impl Settings {
    /// Resolves the flags.
    pub(crate) fn resolve(application: Application, flags: &Flags, verbose: u8) -> Self {
        let stdin_is_terminal = stdin().is_terminal();
        let deadlines = application.config.configured_deadlines();
        Self {
            service: application.program.service.clone(),
            application,
            backend: flags.backend,
            deadlines: flags.timeout.map_or(deadlines, |time| deadlines.call(time).prompt(time)),
            never_prompts: flags.no_prompt,
            allows_unencrypted_bus: flags.allow_unencrypted_bus,
            keeps_lines: false,
            keys: Keys::default(),
            json: flags.json,
            heard: Heard::default(),
            verbose,
            may_ask: stdin_is_terminal && !flags.no_prompt,
            stdin_is_terminal,
            stdout_is_terminal: stdout().is_terminal(),
        }
    }

    /// Reads the keys that the flags name. A passphrase can be asked for even if standard input is a value: it comes
    /// from the terminal itself.
    pub(crate) fn take_keys(&mut self, flags: &Flags) -> Result<()> {
        // With both redirected, most likely no user is there to answer on the terminal.
        let somebody_looks = self.stdin_is_terminal || stderr().is_terminal();
        self.keys = Keys::resolve(flags, somebody_looks && !flags.no_prompt)?;
        Ok(())
    }

    /// Returns the settings for work that asks the user for nothing.
    pub(crate) fn without_questions(&self) -> Self {
        let keys = self.keys.without_questions();
        Self { never_prompts: true, may_ask: false, keys, ..self.clone() }
    }

    /// Returns the settings for commands that can write text of several lines as it is.
    pub(crate) fn keeping_lines(&self, keeps_lines: bool) -> Self {
        Self { keeps_lines, ..self.clone() }
    }

    /// Returns whether the passphrase of an encrypted file can be asked for.
    pub(crate) fn can_ask_passphrase(&self) -> bool {
        self.keys.may_ask
    }

    /// Returns the configuration of the service's secrets, with this deadline for calls.
    pub(crate) fn config(&self, call: Duration) -> Config {
        let config = self.application.config.clone().service(self.service.as_str());
        let config = config.deadlines(self.deadlines.call(call));
        let config = match self.never_prompts {
            true => config.prompt(PromptPolicy::Never),
            false => config,
        };
        let config = match self.allows_unencrypted_bus {
            true => config.dangerous().unencrypted_session(),
            false => config,
        };
        let config = if self.keeps_lines { config.keep_lines() } else { config };
        let config = self.keys.add_to(config);
        // A key at hand decides for the encrypted file where there is no keyring. An embedding program has its own policy.
        let config = match config.has_key() && self.application.program.is_standalone() {
            true => config.fallback(Fallback::Sealed),
            false => config,
        };
        match self.backend {
            Some(backend) => config.backend(backend),
            None => config,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;
    use crate::program::Program;

    #[test]
    fn an_applications_deadlines_hold_unless_a_flag_sets_others() {
        let own = Deadlines::both(Duration::from_secs(7)).refresh(Duration::from_secs(8));
        let application = Application::of(Program::embedded("app", "app"));
        let config = application.config.clone().deadlines(own);
        let application = Application { config, ..application };
        let deadlines = |line: &str| {
            let matches =
                Flags::augment_args(Command::new("app")).get_matches_from(line.split(' '));
            let flags = Flags::from_arg_matches(&matches).expect("the flags are valid");
            let settings = Settings::resolve(application.clone(), &flags, 0);
            settings.config(settings.deadlines.call).configured_deadlines()
        };
        assert_eq!(deadlines("app"), own);
        let two = Duration::from_secs(2);
        assert_eq!(deadlines("app --timeout 2"), own.call(two).prompt(two));
    }
}
