//! The keys, in the store or still in the configuration file.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use strongroom::{ExposeSecret as _, SecretKey, SecretManager, SecretString};
use strongroom_cli::Kit;
use strongroom_config::{ConfigFile, Format, referenced};

use crate::config::{self, Config};
use crate::first_run;
use crate::provider::Provider;
use crate::say;

/// The prefix of the environment variables: `AGENT_BACKEND` names the store.
const PREFIX: &str = "AGENT";

/// The command line of the kit's commands.
pub(crate) const COMMANDS: &str = "agent secrets";

/// The places in which keys can be. Creating it accesses none of them.
pub(crate) struct Keys {
    /// The ready-made commands, configured for the agent.
    pub(crate) kit: Kit,
    pub(crate) file: ConfigFile,
    /// The configuration of the vault, which is opened when a key is needed.
    pub(crate) store: strongroom::Config,
}

/// The place of a key.
enum Place<'a> {
    /// The file has it, in the clear.
    File(&'a SecretString),
    /// The file has a reference to it, or nothing.
    Store(SecretKey),
}

impl Keys {
    /// Returns the keys for the configuration file at a path, or at the default path.
    ///
    /// # Errors
    ///
    /// If the user has no home.
    pub(crate) fn new(path: Option<PathBuf>) -> anyhow::Result<Self> {
        let path = path.map_or_else(config::default_path, Ok)?;
        let kit = Kit::new(configuration()).program(COMMANDS).config_file(&path, config::rules());
        let with_key =
            |kit: Kit, provider: Provider| kit.secret(provider.key(), provider.key_title());
        let kit = Provider::ALL.into_iter().fold(kit, with_key);
        let file = ConfigFile::with_format(path, Format::Json, config::rules());
        Ok(Self { store: kit.config(), kit, file })
    }

    /// Opens the vault.
    ///
    /// # Errors
    ///
    /// As [`strongroom::Config::open`].
    pub(crate) async fn open(&self) -> strongroom::Result<SecretManager> {
        self.store.clone().open().await
    }

    /// Returns the key of a provider.
    ///
    /// # Errors
    ///
    /// If the key is missing, with the command that stores it; if it has expired, or the vault can't be opened.
    pub(crate) async fn get(
        &self,
        config: &Config,
        provider: Provider,
    ) -> anyhow::Result<SecretString> {
        let key = match place(config, provider) {
            Place::File(value) => return Ok(value.clone()),
            Place::Store(key) => key,
        };
        match self.open().await?.get_value(key.clone()).await? {
            Some(value) => Ok(value),
            None => bail!("{key} is missing. Store it: `{COMMANDS} setup {}`", key.name()),
        }
    }
}

/// Returns the configuration of the agent's secrets.
pub(crate) fn configuration() -> strongroom::Config {
    strongroom::Config::new("agent").env_prefix(PREFIX)
}

/// Prints the model, and the place of each key.
///
/// # Errors
///
/// As [`first_run::run`]; if the vault can't be opened.
pub(crate) async fn show(keys: &Keys) -> anyhow::Result<()> {
    first_run::run(keys).await?;
    let config = Config::read(keys.file.path())?;
    let mut lines = vec![format!("model: {}", config.model)];
    // Opened only if a key is not in the file: opening may ask the user.
    let mut store = None;
    for provider in Provider::ALL {
        let found = match place(&config, provider) {
            Place::File(_) => format!("File ({})", keys.file.path().display()),
            Place::Store(key) => {
                let store = match &store {
                    Some(store) => store,
                    None => store.insert(keys.open().await.context("cannot look for the keys")?),
                };
                match store.exists(&key).await? {
                    true => format!("Store ({})", store.backend()),
                    false => format!("missing: `{COMMANDS} setup {}` stores it", key.name()),
                }
            }
        };
        lines.push(format!("{}: {found}", provider.key_title()));
    }
    lines.iter().for_each(|line| say::answer(line));
    Ok(())
}

fn place(config: &Config, provider: Provider) -> Place<'_> {
    match config.key(provider) {
        Some(text) => match referenced(text.expose_secret()) {
            Some(key) => Place::Store(key),
            None => Place::File(text),
        },
        None => Place::Store(provider.key().into()),
    }
}
