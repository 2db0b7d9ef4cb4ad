//! Flags, resolved: what the commands go by.

use std::io::{IsTerminal as _, stderr, stdin, stdout};
use std::time::Duration;

use strongroom::{Backend, Deadlines, Fallback, Options, PromptPolicy};

use crate::args::Global;
use crate::failure::Result;
use crate::keys::Keys;

/// What the commands go by.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) service: String,
    pub(crate) backend: Option<Backend>,
    pub(crate) deadlines: Deadlines,
    pub(crate) prompt: PromptPolicy,
    /// What opens encrypted files.
    pub(crate) keys: Keys,
    pub(crate) json: bool,
    pub(crate) verbose: u8,
    /// Whether values can be asked for on the terminal.
    pub(crate) may_ask: bool,
    /// Whether standard input is a terminal, so that no value can come from it.
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
}

impl Settings {
    /// Resolves the flags.
    pub(crate) fn resolve(flags: &Global) -> Self {
        let prompt = if flags.no_prompt { PromptPolicy::Never } else { PromptPolicy::default() };
        let stdin_is_terminal = stdin().is_terminal();
        Self {
            service: flags.service.clone(),
            backend: flags.backend,
            deadlines: flags.timeout.map_or_else(Deadlines::default, Deadlines::both),
            prompt,
            keys: Keys::default(),
            json: flags.json,
            verbose: flags.verbose,
            may_ask: stdin_is_terminal && !flags.no_prompt,
            stdin_is_terminal,
            stdout_is_terminal: stdout().is_terminal(),
        }
    }

    /// Reads the keys that the flags name. A passphrase can be typed where standard input is a value, too:
    /// it comes from the terminal itself.
    pub(crate) fn take_keys(&mut self, flags: &Global) -> Result<()> {
        let somebody_looks = self.stdin_is_terminal || stderr().is_terminal();
        self.keys = Keys::resolve(flags, somebody_looks && !flags.no_prompt)?;
        Ok(())
    }

    /// How to choose a store, with this long for calls.
    pub(crate) fn options(&self, call: Duration) -> Options {
        let options = Options::new()
            .with_prompt(self.prompt)
            .with_deadlines(Deadlines { call, ..self.deadlines });
        let options = self.keys.add_to(options);
        // A key that is at hand tells where to keep secrets for good.
        let options = match options.has_key() {
            true => options.with_fallback(Fallback::Sealed),
            false => options,
        };
        match self.backend {
            Some(backend) => options.with_backend(backend),
            None => options,
        }
    }
}
