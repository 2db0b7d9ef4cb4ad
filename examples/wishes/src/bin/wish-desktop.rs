//! A desktop application with three functions and no state. Without a keyring it tells its user what to install.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::sync::LazyLock;

use strongroom::{Error, ExposeSecret, Result, SecretString, SecureStore};

/// Returns the secrets of the application's service, opened at the first call.
fn secrets() -> Result<&'static SecureStore, &'static Error> {
    static SECRETS: LazyLock<Result<SecureStore>> =
        LazyLock::new(|| SecureStore::open("planim-time-tracker"));
    SECRETS.as_ref()
}

fn set_secret(key: &str, value: &str) -> std::result::Result<(), String> {
    let secrets = secrets().map_err(told)?;
    secrets.set_secret(key, &SecretString::from(value)).map_err(|error| told(&error))
}

fn get_secret(key: &str) -> std::result::Result<Option<SecretString>, String> {
    secrets().map_err(told)?.get_secret(key).map_err(|error| told(&error))
}

fn delete_secret(key: &str) -> std::result::Result<(), String> {
    secrets().map_err(told)?.delete_secret(key).map_err(|error| told(&error))
}

/// Returns an error as a message for the user, with its hint.
fn told(error: &Error) -> String {
    format!("{error}. {}", error.hint())
}

fn main() {
    let done = (|| {
        delete_secret("jira_api_token")?;
        set_secret("jira_api_token", "t0ken")?;
        let token = get_secret("jira_api_token")?.ok_or("it is missing")?;
        println!("a token of {} characters", token.expose_secret().len());
        delete_secret("jira_api_token")
    })();
    if let Err(problem) = done {
        println!("problem: {problem}");
    }
}
