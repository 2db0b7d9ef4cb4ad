//! The commands as part of another program's clap parser.

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use crate::args::{Command, ConfigCommand, ConfigExport, ConfigSecure, Flags, PROGRAM};

/// The commands on a program's secrets, for use among its own commands: `setup`, `set`, `get`, `list`, `update`, `delete`,
/// `config`, `purge`, `move`, `doctor` and so on, each with the flags `--backend`, `--no-prompt`, `--passphrase-fd`,
/// `--timeout` and `--json`. Commands that few users need are hidden from the help.
///
/// They are flattened into the program's commands, or stand below a command of its own. [`Kit::run`](crate::Kit::run) runs
/// them.
#[derive(Debug)]
pub struct SecretsCommand {
    pub(crate) flags: Flags,
    pub(crate) command: Command,
}

/// The arguments of `config secure`, for a program that gives the command a name of its own.
#[derive(Args, Debug)]
#[command(about = "Move the secrets of a configuration file into the store")]
#[command(mut_arg("file", |file| file.required(false)))]
pub struct ConfigSecureArgs {
    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    arguments: ConfigSecure,
}

/// The arguments of `config export`, for a program that gives the command a name of its own.
#[derive(Args, Debug)]
#[command(about = "Write secrets into a file, in the clear")]
pub struct ConfigExportArgs {
    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    arguments: ConfigExport,
}

/// Commands that are hidden from the help: they repair rare damage, or are for scripts.
const HIDDEN: [&str; 7] = ["backends", "exists", "key", "rename", "repair", "run", "update"];

/// Commands that need no file name, since the program may have named its configuration file.
const OF_CONFIG_FILE: [&str; 3] = ["import", "secure", "status"];

impl Subcommand for SecretsCommand {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        let name = command.get_name().to_owned();
        let ours = Command::augment_subcommands(clap::Command::default());
        let ours = ours.get_subcommands().map(|ours| {
            let is_hidden = HIDDEN.contains(&ours.get_name());
            Flags::augment_args(ours.clone()).hide(is_hidden).embedded::<1>(&name)
        });
        command.subcommands(ours)
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Command::has_subcommand(name)
    }
}

impl FromArgMatches for SecretsCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        // The flags stand at the innermost command.
        let mut below = matches;
        while let Some((_, deeper)) = below.subcommand() {
            below = deeper;
        }
        Ok(Self {
            flags: Flags::from_arg_matches(below)?,
            command: Command::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl From<ConfigSecureArgs> for SecretsCommand {
    fn from(ConfigSecureArgs { flags, arguments }: ConfigSecureArgs) -> Self {
        Self { flags, command: Command::Config(ConfigCommand::Secure(arguments)) }
    }
}

impl From<ConfigExportArgs> for SecretsCommand {
    fn from(ConfigExportArgs { flags, arguments }: ConfigExportArgs) -> Self {
        Self { flags, command: Command::Config(ConfigCommand::Export(arguments)) }
    }
}

/// A command as part of another program.
trait Embedded {
    /// Returns the command with examples for the other program. They name no service, and call the program by the words
    /// that lead to this command, such as `agent secrets`, which are known once clap reaches it. If it never does, as in
    /// manual pages, they call it by its parent's name. The last `DEPTH` of the words are the command's own.
    fn embedded<const DEPTH: usize>(self, parent: &str) -> Self;
}

impl Embedded for clap::Command {
    fn embedded<const DEPTH: usize>(mut self, parent: &str) -> Self {
        if let Some(help) = self.get_after_help().map(ToString::to_string) {
            // Embedded commands have no `--service`: the program has a single service.
            let lines: Vec<_> = help.lines().filter(|line| !line.contains("--service")).collect();
            // `name_examples` is a plain function without captures, so the parent's name travels in the text.
            let help = format!("{parent}\n{}", lines.join("\n"));
            self = self.after_help(help).defer(name_examples::<DEPTH>);
        }
        let below: Vec<_> = self.get_subcommands().map(|it| it.get_name().to_owned()).collect();
        for name in below {
            self = self.mut_subcommand(&name, |below| below.embedded::<2>(parent));
            if OF_CONFIG_FILE.contains(&name.as_str()) {
                self = self
                    .mut_subcommand(&name, |it| it.mut_arg("file", |file| file.required(false)));
            }
        }
        self
    }
}

/// Removes the parent's name from the top of the help, and names the program in the examples.
fn name_examples<const DEPTH: usize>(command: clap::Command) -> clap::Command {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let Some((parent, help)) = help.split_once('\n') else { return command };
    let words = command.get_bin_name().and_then(|path| path.rsplitn(DEPTH + 1, ' ').nth(DEPTH));
    let help = help.replace(PROGRAM, words.unwrap_or(parent));
    command.after_help(help)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser, error::ErrorKind};

    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "tracker")]
    struct Tracker {
        #[command(subcommand)]
        command: TrackerCommand,
    }

    #[derive(Debug, Subcommand)]
    enum TrackerCommand {
        Start,
        #[command(name = "config:secure")]
        Secure(ConfigSecureArgs),
        #[command(name = "config:export")]
        Export(ConfigExportArgs),
        #[command(flatten)]
        Secrets(SecretsCommand),
    }

    fn command(line: &str) -> TrackerCommand {
        let parsed = Tracker::try_parse_from(line.split(' '));
        parsed.unwrap_or_else(|error| panic!("{error}")).command
    }

    fn flags(line: &str) -> Flags {
        match command(line) {
            TrackerCommand::Secrets(secrets) => secrets.flags,
            TrackerCommand::Secure(arguments) => SecretsCommand::from(arguments).flags,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Tracker::command().debug_assert();
    }

    #[test]
    fn they_stand_beside_the_commands_of_the_program() {
        assert!(matches!(command("tracker start"), TrackerCommand::Start));
        let setup = command("tracker setup");
        let TrackerCommand::Secrets(SecretsCommand { command, .. }) = setup else { panic!() };
        assert!(matches!(command, Command::Setup(flags) if flags.names.is_empty()));
    }

    #[test]
    fn flags_count_wherever_they_stand() {
        for line in [
            "tracker list --json",
            "tracker config --json status file.json",
            "tracker config status file.json --json",
            "tracker config:secure --json --yes",
        ] {
            assert!(flags(line).json, "{line}");
        }
        assert!(!flags("tracker list").json);
    }

    #[test]
    fn only_the_programs_own_file_needs_no_name() {
        command("tracker config secure");
        command("tracker config status");
        let missing = Tracker::try_parse_from(["tracker", "config", "export"]).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn help_speaks_of_the_program_and_of_no_service() {
        let mut texts = Vec::new();
        collect(&Tracker::command(), &mut texts);
        assert!(texts.iter().any(|text| text.contains("  tracker list --expiring 30d ")));
        for text in &texts {
            assert!(!text.contains("--service") && !text.contains("STRONGROOM_"), "{text}");
            assert!(!text.contains(PROGRAM) && !text.contains("`strongroom "), "{text}");
        }
    }

    #[derive(Debug, Parser)]
    #[command(name = "agent")]
    struct Agent {
        #[command(subcommand)]
        command: AgentCommand,
    }

    #[derive(Debug, Subcommand)]
    enum AgentCommand {
        Secrets {
            #[command(subcommand)]
            command: SecretsCommand,
        },
    }

    #[test]
    fn help_below_a_command_of_the_program_says_the_whole_way() {
        for (line, example) in [
            ("agent secrets list --help", "  agent secrets list --expiring 30d "),
            ("agent help secrets list", "  agent secrets list --expiring 30d "),
            ("agent secrets config status -h", "  agent secrets config status .env\n"),
        ] {
            let help = Agent::try_parse_from(line.split(' ')).unwrap_err().to_string();
            assert!(help.contains(example), "{help}");
        }
    }

    #[test]
    fn each_command_says_what_it_does() {
        let command = Tracker::command();
        let list = command.find_subcommand("list").unwrap().get_about().unwrap().to_string();
        let ours = Command::augment_subcommands(clap::Command::default());
        let ours = ours.find_subcommand("list").unwrap().get_about().unwrap().to_string();
        assert_eq!(list, ours);
    }

    /// The help of a command and of all below it.
    fn collect(command: &clap::Command, texts: &mut Vec<String>) {
        texts.push(command.clone().render_long_help().to_string());
        command.get_subcommands().for_each(|below| collect(below, texts));
    }
}
