//! Rewords the commands in texts: with the program's name or path, and with the flags that lead to the same vault.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use strongroom::Backend;

use crate::args::STANDALONE;
use crate::program::Program;
use crate::settings::Settings;
use crate::words::command_word;

/// Commands that work on no vault and no store.
const WITHOUT_VAULT: [&str; 2] = ["completions", "man"];

/// The wording of texts for the user.
///
/// All texts are written for `strongroom` on its own service. [`worded`](Self::worded) turns their commands into those
/// that work here.
#[derive(Clone, Debug)]
pub(crate) struct Advice {
    program: Program,
    /// The program as the user has to type it.
    typed: String,
    /// The service, if a command has to name it.
    service: Option<String>,
    backend: Option<Backend>,
    allows_unencrypted_bus: bool,
}

impl Advice {
    /// Returns the wording for commands with these settings.
    pub(crate) fn of(settings: &Settings) -> Self {
        let program = &settings.application.program;
        let is_default =
            settings.service == program.service && !program.service_is_in_environment();
        Self {
            service: (!is_default).then(|| settings.service.clone()),
            backend: settings.backend,
            allows_unencrypted_bus: settings.allows_unencrypted_bus,
            ..Self::of_program(program)
        }
    }

    /// Returns the wording for a program whose flags are not known.
    pub(crate) fn of_program(program: &Program) -> Self {
        let typed = typed(&program.name, env::args_os().next().as_deref());
        Self { typed, ..Self::in_help(program.clone()) }
    }

    /// Returns the wording of help texts, which name the program by its name alone.
    pub(crate) fn in_help(program: Program) -> Self {
        let typed = program.name.clone();
        Self { program, typed, service: None, backend: None, allows_unencrypted_bus: false }
    }

    /// Returns a text with its commands and variables worded for this program and these settings.
    pub(crate) fn worded(&self, text: &str) -> String {
        let mut worded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(STANDALONE) {
            worded += before;
            rest = after;
            // The word alone may be a path, the scheme of a reference, or a command that only `strongroom` has.
            match after.strip_prefix(' ').filter(|command| self.program.has_command(command)) {
                Some(command) => {
                    let end = end(command);
                    worded += &self.command(&command[..end]);
                    rest = &command[end..];
                }
                None => worded += STANDALONE,
            }
        }
        self.program.with_variables(&(worded + rest))
    }

    /// Returns a command line with all the flags that it needs. The arguments begin with the command's name.
    fn command(&self, arguments: &str) -> String {
        let name = arguments.split(' ').next().unwrap_or_default();
        // The default service needs no flag, even if the text names it.
        let own = format!(" --service {}", command_word(&self.program.service, "SERVICE"));
        let arguments = match self.service {
            None => arguments.replacen(&own, "", 1),
            Some(_) => arguments.to_owned(),
        };
        let mut flags = String::new();
        let takes_service = !WITHOUT_VAULT.contains(&name) && name != "entry";
        if let Some(service) = self.service.as_deref().filter(|_| takes_service)
            && !arguments.contains(" --service ")
        {
            flags += &format!(" --service {}", command_word(service, "SERVICE"));
        }
        if !WITHOUT_VAULT.contains(&name) {
            // A move finds out by itself where the vault is.
            let backend = self.backend.filter(|_| name != "move");
            if let Some(backend) = backend.filter(|_| !arguments.contains(" --backend ")) {
                flags += &format!(" --backend {backend}");
            }
            if self.allows_unencrypted_bus {
                flags += " --allow-unencrypted-bus";
            }
        }
        format!("{} {arguments}{flags}", self.typed)
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

/// Returns the length of the command and its own arguments at the start of a text: to the backquote, the end of its line,
/// `--`, a pipe or a redirection.
fn end(text: &str) -> usize {
    let command = &text[..text.find(['`', '\n']).unwrap_or(text.len())];
    let mut is_quoted = false;
    for (at, c) in command.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => {
                let next = &command[at + 1..];
                if next == "--" || next.starts_with("-- ") || next.starts_with(['<', '>', '|', '&'])
                {
                    return at;
                }
            }
            _ => {}
        }
    }
    command.trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(service: Option<&str>, backend: Option<Backend>) -> Advice {
        Advice {
            program: Program::standalone(),
            typed: STANDALONE.to_owned(),
            service: service.map(str::to_owned),
            backend,
            allows_unencrypted_bus: false,
        }
    }

    #[test]
    fn commands_lead_to_the_same_vault() {
        let elsewhere = advice(Some("my app"), Some(Backend::File));
        for (text, worded) in [
            (
                "`strongroom list` helps",
                "`strongroom list --service 'my app' --backend file` helps",
            ),
            ("`strongroom move --to file`", "`strongroom move --to file --service 'my app'`"),
            ("`strongroom entry list app`", "`strongroom entry list app --backend file`"),
            (
                "`strongroom set 'a < b' < FILE`",
                "`strongroom set 'a < b' --service 'my app' --backend file < FILE`",
            ),
            (
                "Read it: strongroom run -- env\nnow",
                "Read it: strongroom run --service 'my app' --backend file -- env\nnow",
            ),
            (
                "`strongroom list --service other`",
                "`strongroom list --service other --backend file`",
            ),
            ("strongroom:KEY, strongroom keeps it", "strongroom:KEY, strongroom keeps it"),
            ("`strongroom man`", "`strongroom man`"),
        ] {
            assert_eq!(elsewhere.worded(text), worded);
        }
        let here = advice(None, None);
        assert_eq!(here.worded("`strongroom list --service strongroom`"), "`strongroom list`");
    }

    #[test]
    fn a_program_that_is_not_on_the_path_is_typed_by_its_path() {
        let started_by = |path: &str| typed("tracker secrets", Some(OsStr::new(path)));
        assert_eq!(started_by("target/debug/tracker"), "target/debug/tracker secrets");
        assert_eq!(started_by("/my apps/tracker"), "'/my apps/tracker' secrets");
        assert_eq!(started_by("tracker"), "tracker secrets");
        assert_eq!(started_by("/usr/bin/wrapper"), "tracker secrets");
        assert_eq!(typed("tracker", None), "tracker");
    }

    #[test]
    fn commands_that_the_program_has_are_its_own() {
        let program = Program::embedded("app secrets", "app").with_prefix("APP");
        let typed = program.name.clone();
        let advice = Advice { program, typed, ..advice(None, None) };
        for (text, worded) in [
            ("`strongroom doctor` helps", "`app secrets doctor` helps"),
            ("`strongroom repair --service app --merge`", "`app secrets repair --merge`"),
            ("strongroom entry set app KEY", "strongroom entry set app KEY"),
            ("strongroom:KEY, ~/.local/strongroom on", "strongroom:KEY, ~/.local/strongroom on"),
            ("Set STRONGROOM_KEY_FILE.", "Set APP_KEY_FILE."),
        ] {
            assert_eq!(advice.worded(text), worded);
        }
    }
}
