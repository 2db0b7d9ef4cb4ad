//! The server's vault: opening it, its content, and messages for the operator.

use strongroom::{Backend, Config, Fallback, PromptPolicy, Result, SecretManager, SecretString};

use crate::problem::Problem;

/// The name under which the vault is found. Another name is another vault.
pub(crate) const SERVICE: &str = "example-server";

/// The name of the secret that the operator got from the upstream, and stores with [`setup_command`].
pub(crate) const CLIENT_SECRET: &str = "CLIENT_SECRET";

/// The name of the token that the server gets with the client secret, and stores itself.
pub(crate) const ACCESS_TOKEN: &str = "ACCESS_TOKEN";

/// Opens the vault, once for the whole process.
///
/// # Errors
///
/// As [`SecretManager::init`]; `Locked` in place of a prompt.
pub(crate) async fn open() -> Result<SecretManager> {
    // A server has no user to answer a prompt.
    let config = Config::new(SERVICE).prompt(PromptPolicy::Never);
    // The same choice as in the program `strongroom`, so that both use the same store: without a keyring, the encrypted
    // file is used if there is a key for it.
    let config = match config.has_key() {
        true => config.fallback(Fallback::Sealed),
        false => config,
    };
    config.open().await
}

/// Logs the place of the secrets, and its problems.
pub(crate) async fn report(secrets: &SecretManager) {
    tracing::info!("secrets of \"{SERVICE}\" are kept in {}", secrets.backend());
    if let Some(warning) = storage_warning(secrets) {
        tracing::warn!("{warning}");
    }
    // Not fatal: a secret that is stored later is found without a restart.
    if let Err(problem) = client_secret(secrets).await {
        tracing::warn!("{}", problem.report());
    }
}

/// Returns a warning if the store doesn't last.
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

/// Returns the client secret, with which the server gets a token.
///
/// # Errors
///
/// `NotSetUp` if it was not stored yet; `Secrets` if it can't be read or has expired.
pub(crate) async fn client_secret(secrets: &SecretManager) -> Result<SecretString, Problem> {
    secrets.get_value(CLIENT_SECRET).await?.ok_or(Problem::NotSetUp)
}

/// Returns the command that stores or replaces the client secret.
pub(crate) fn setup_command() -> String {
    format!("strongroom --service {SERVICE} setup {CLIENT_SECRET}")
}
