//! The server's vault: how it is opened, what is in it, and what its operator should know.

use strongroom::{Backend, Config, Fallback, PromptPolicy, Result, SecretManager, SecretString};

use crate::problem::Problem;

/// The name under which the vault is found. Another name is another vault.
pub(crate) const SERVICE: &str = "example-server";

/// What the upstream gave to the operator, who stores it with [`setup_command`].
pub(crate) const CLIENT_SECRET: &str = "CLIENT_SECRET";

/// What the server gets for it, and stores itself.
pub(crate) const ACCESS_TOKEN: &str = "ACCESS_TOKEN";

/// Opens the vault, once for the whole process.
///
/// # Errors
///
/// As [`SecretManager::init`] says; `Locked` in place of a prompt.
pub(crate) async fn open() -> Result<SecretManager> {
    // Nobody sits in front of a server.
    let config = Config::new(SERVICE).prompt(PromptPolicy::Never);
    // As the program `strongroom` does it, so that both look in the same place: where there is no keyring, a
    // key at hand decides for the encrypted file.
    let config = match config.has_key() {
        true => config.fallback(Fallback::Sealed),
        false => config,
    };
    config.open().await
}

/// Says in the log where secrets are, and what is wrong with that.
pub(crate) async fn report(secrets: &SecretManager) {
    tracing::info!("secrets of \"{SERVICE}\" are kept in {}", secrets.backend());
    if let Some(warning) = storage_warning(secrets) {
        tracing::warn!("{warning}");
    }
    // Not fatal: what is stored later is seen without a restart.
    if let Err(problem) = client_secret(secrets).await {
        tracing::warn!("{}", problem.report());
    }
}

/// What to say of a storage that doesn't last.
pub(crate) fn storage_warning(secrets: &SecretManager) -> Option<String> {
    let end = match secrets.backend() {
        _ if secrets.is_persistent() => return None,
        Backend::Memory => "this server ends",
        _ => "this machine restarts",
    };
    let backend = secrets.backend();
    Some(format!(
        "secrets are kept in {backend} and are gone when {end}; `strongroom doctor` says what lasts"
    ))
}

/// What the server gets a token for.
///
/// # Errors
///
/// `NotSetUp` if nobody has stored it yet; `Secrets` if it can't be read or has expired.
pub(crate) async fn client_secret(secrets: &SecretManager) -> Result<SecretString, Problem> {
    secrets.get_value(CLIENT_SECRET).await?.ok_or(Problem::NotSetUp)
}

/// The command that stores the client secret, or another one.
pub(crate) fn setup_command() -> String {
    format!("strongroom --service {SERVICE} setup {CLIENT_SECRET}")
}
