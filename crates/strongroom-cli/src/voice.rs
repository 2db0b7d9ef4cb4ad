//! The program's voice: its commands as its user types them, with the flags that lead to the same vault.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use strongroom::Backend;
use strongroom::advice::{Command, Voice, shell_word};

use crate::program::Program;
use crate::settings::Settings;
use crate::words::command_word;

/// Commands that work on no vault and no store.
const WITHOUT_VAULT: [&str; 2] = ["completions", "man"];

/// The voice of the program that the commands are part of.
#[derive(Clone, Debug)]
pub(crate) struct ProgramVoice {
    program: Program,
    /// The program as the user has to type it.
    typed: String,
    /// The service of the command that is running.
    service: String,
    backend: Option<Backend>,
    allows_unencrypted_bus: bool,
}

impl ProgramVoice {
    /// Creates the voice for a command with these settings.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            service: settings.service.clone(),
            backend: settings.backend,
            allows_unencrypted_bus: settings.allows_unencrypted_bus,
            ..Self::of_program(&settings.application.program)
        }
    }

    /// Creates the voice of a program whose flags are not known.
    pub(crate) fn of_program(program: &Program) -> Self {
        Self {
            typed: typed(&program.name, env::args_os().next().as_deref()),
            service: program.service.clone(),
            program: program.clone(),
            backend: None,
            allows_unencrypted_bus: false,
        }
    }

    /// Returns the flags of a command beyond its own, each after a space.
    fn flags(&self, command: &Command) -> String {
        let name = command.name();
        if WITHOUT_VAULT.contains(&name) {
            return String::new();
        }
        let service = command.service().unwrap_or(&self.service);
        let mut flags = String::new();
        // An entry's service is an argument of the command.
        if name != "entry" && !self.is_default(service) {
            let service = shell_word(service).unwrap_or_else(|| "SERVICE".to_owned());
            flags += &format!(" --service {service}");
        }
        // A move finds out by itself where the vault is.
        let backend = self.backend.filter(|_| name != "move" && !command.has_option("--backend"));
        if let Some(backend) = backend {
            flags += &format!(" --backend {backend}");
        }
        if self.allows_unencrypted_bus {
            flags += " --allow-unencrypted-bus";
        }
        flags
    }

    /// Returns whether commands without `--service` work on this service.
    fn is_default(&self, service: &str) -> bool {
        service == self.program.service && !self.program.service_is_in_environment()
    }
}

impl Voice for ProgramVoice {
    fn command(&self, command: &Command) -> Option<String> {
        // An embedding program has a single service, and no `--service`.
        let has_service = self.program.is_standalone()
            || command.service().is_none_or(|service| service == self.service);
        if !has_service || !self.program.has_command(command.name()) {
            return None;
        }
        Some(format!("{} {}", self.typed, command.arguments_with(&self.flags(command))))
    }

    fn option(&self, option: &str) -> Option<String> {
        Some(option.to_owned())
    }
}

/// Returns the program as its user types it: by its name if the shell finds that, else by the path that it was started by.
fn typed(name: &str, started_by: Option<&OsStr>) -> String {
    let (first, more) = name.split_once(' ').map_or((name, ""), |(first, more)| (first, more));
    let Some(path) =
        started_by.map(Path::new).filter(|path| path.file_stem() == Some(first.as_ref()))
    else {
        return name.to_owned();
    };
    // A name without a directory was found by the shell.
    let is_found = path.parent().is_none_or(|directory| directory.as_os_str().is_empty())
        || path.file_name().is_some_and(|file| is_on_path(file, path));
    match path.to_str().filter(|_| !is_found) {
        None => name.to_owned(),
        Some(path) => [&command_word(path, first), more].join(" ").trim_end().to_owned(),
    }
}

/// Returns whether the shell finds this program by its name alone.
fn is_on_path(file: &OsStr, program: &Path) -> bool {
    let found = env::var_os("PATH")
        .and_then(|path| env::split_paths(&path).map(|it| it.join(file)).find(|it| it.is_file()));
    found.is_some_and(|found| match (found.canonicalize(), program.canonicalize()) {
        (Ok(found), Ok(program)) => found == program,
        _ => false,
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
