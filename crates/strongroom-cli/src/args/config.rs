//! The flags of `config`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use strongroom_config::{ConfigPath, Format, Leave, Marker, Prefer, Rule};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show which secrets a configuration file has, and where each is
    #[command(after_help = "\
WHERE is file, store, both (with the same value), differs (with another), or nowhere: the file may \
refer to it, but it isn't there. Changes nothing.

In a pipe one line per secret, without a title. Tabs separate name, target, where it is, its path \
in the file, its line there, provider, and why it can't be moved as it stands. What a secret doesn't \
have is empty.

With --json {\"version\": 1, \"secrets\": [...]}. A field may be added without another version.

Examples:
  {program} config status .env
  {program} config status config.json --service tracker
  {program} config status app.toml --rule smtp.pass=SMTP_PASSWORD --only-rules")]
    Status(ConfigStatus),

    /// Move the secrets of a configuration file into the store
    #[command(after_help = "\
Each secret is written to the store, read back and compared; only then it goes out of the file, \
which is replaced as a whole. All else in it stays byte for byte. If this is killed in between, \
nothing is lost: run it again.

It shows what it will do, never a value, and asks. In the place of a value it leaves a reference, \
strongroom:NAME. A program that can't read such gets its secrets from `{program} run`.

If file and store hold different values, nothing is changed: --prefer says which one counts.

With --json {\"version\": 1, \"secrets\": [...]}.

Examples:
  {program} config secure config.json --dry-run
  {program} config secure .env --leave nothing --yes && {program} run -- npm start
  {program} config secure app.toml --rule smtp.pass=SMTP_PASSWORD
  {program} config secure config.json --marker credentialStorage=keychain")]
    Secure(ConfigSecure),

    /// Write secrets into a file, in the clear
    #[command(after_help = "\
Whoever can read the file can use the secrets: it is readable by you alone, and best deleted soon. \
`{program} backup` writes an encrypted one. Secrets that have expired are left out.

JSON, TOML and YAML hold names, targets, values, providers, scopes and expiry; a dotenv file holds \
names and values alone. `config import` copies all of it back, and `config secure` moves it back, \
without a rule.

Examples:
  {program} config export secrets.json
  {program} config export .env --only API_KEY,TOKEN
  {program} config export - --format yaml --plaintext")]
    Export(ConfigExport),

    /// Copy the secrets of a file into the store, and leave the file as it is
    #[command(after_help = "\
The file is an export, or a configuration file. Each secret is read back from the store and \
compared. If file and store hold different values, nothing is changed: --prefer says which counts.

Examples:
  {program} config import secrets.json --dry-run
  {program} config import .env --rule DB_PASS=DATABASE_PASSWORD")]
    Import(ConfigImport),
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ConfigStatus {
    #[command(flatten)]
    pub(crate) source: ConfigSource,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ConfigSecure {
    #[command(flatten)]
    pub(crate) source: ConfigSource,

    /// Show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Don't ask
    #[arg(long)]
    pub(crate) yes: bool,

    /// Take the value of this side where file and store differ
    #[arg(long, value_name = "SIDE", value_enum)]
    pub(crate) prefer: Option<Side>,

    /// Leave this in a secret's place in the file: a reference, an empty text, or nothing, not even its key [default:
    /// reference]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) leave: Option<LeaveName>,

    /// Set this value in the file, to tell a program that its secrets are in the store
    #[arg(long, value_name = "PATH=VALUE", value_parser = marker)]
    pub(crate) marker: Option<Marker>,

    /// Allow a store that forgets at a restart, which loses the secrets
    #[arg(long)]
    pub(crate) session_store: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ConfigExport {
    /// The file to write; - is standard output
    pub(crate) file: PathBuf,

    /// The format [default: by the file's name; json for standard output]
    #[arg(long, value_parser = format_parser())]
    pub(crate) format: Option<Format>,

    /// Write these secrets and no other, for all their targets
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// Write in the clear without asking
    #[arg(long)]
    pub(crate) plaintext: bool,

    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ConfigImport {
    #[command(flatten)]
    pub(crate) source: ConfigSource,

    /// Show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Take the value of this side where file and store differ
    #[arg(long, value_name = "SIDE", value_enum)]
    pub(crate) prefer: Option<Side>,
}

/// A configuration file, and the rules that find its secrets.
#[derive(ClapArgs, Debug)]
pub(crate) struct ConfigSource {
    /// The configuration file
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,

    /// The file's format [default: by its name]
    #[arg(long, value_parser = format_parser())]
    pub(crate) format: Option<Format>,

    /// The value at this path, such as providers.openai.apiKey, is the secret of this name; can be
    /// given several times
    #[arg(long = "rule", value_name = "PATH=NAME", value_parser = rule)]
    pub(crate) rules: Vec<Rule>,

    /// Take only the secrets of --rule [default: also values named or formed like a secret]
    #[arg(long, requires = "rules")]
    pub(crate) only_rules: bool,
}

/// The side whose value counts where file and store differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// The store's value stays, and the file's is given up
    Store,
    /// The file's value replaces the store's
    File,
}

/// The trace that a secret leaves in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LeaveName {
    Reference,
    Empty,
    Nothing,
}

impl From<Side> for Prefer {
    fn from(side: Side) -> Self {
        match side {
            Side::Store => Self::Store,
            Side::File => Self::File,
        }
    }
}

impl From<LeaveName> for Leave {
    fn from(name: LeaveName) -> Self {
        match name {
            LeaveName::Reference => Self::Reference,
            LeaveName::Empty => Self::Empty,
            LeaveName::Nothing => Self::Nothing,
        }
    }
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .try_map(|name| name.parse::<Format>())
}

fn rule(text: &str) -> Result<Rule, String> {
    let (path, name) = assignment(text)?;
    let key = strongroom::SecretKey::new(name);
    key.validate().map_err(|error| error.problem().to_owned())?;
    Ok(Rule::new(path, key))
}

fn marker(text: &str) -> Result<Marker, String> {
    assignment(text).map(|(path, value)| Marker::new(path, value))
}

/// Splits `PATH=TEXT` at the last equals sign: the path may contain an equals sign, the text may not.
fn assignment(text: &str) -> Result<(ConfigPath, &str), String> {
    let (path, said) =
        text.rsplit_once('=').ok_or("there is no = between the path and the other")?;
    let path = path.parse::<ConfigPath>();
    Ok((path.map_err(|error| format!("{}. {}", error.problem(), error.hint()))?, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_path_and_a_name() {
        let at = |path: &str, name: &str| Rule::new(path.parse().unwrap(), name);
        assert_eq!(rule("a.b=NAME"), Ok(at("a.b", "NAME")));
        assert_eq!(rule(r#"a."b.c=d"=NAME"#), Ok(at(r#"a."b.c=d""#, "NAME")));
        assert!(rule("a.b").unwrap_err().contains("no ="));
        assert!(rule("a..b=NAME").unwrap_err().contains("Write keys with dots"));
        assert!(rule("a.b=").unwrap_err().contains("empty"));
    }
}
