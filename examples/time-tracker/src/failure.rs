//! Errors for the page, in the same form as the plugin's.

use std::error::Error;

use serde::Serialize;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error with a message and a hint for the user. It contains no token.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    hint: String,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, hint: &str) -> Self {
        Self { code, message: message.into(), hint: hint.to_owned() }
    }
}

impl From<tauri_plugin_strongroom::Error> for Failure {
    fn from(error: tauri_plugin_strongroom::Error) -> Self {
        let error = error.view();
        Self { code: error.code, message: error.message, hint: error.hint }
    }
}

impl From<strongroom::Error> for Failure {
    fn from(error: strongroom::Error) -> Self {
        tauri_plugin_strongroom::Error::from(error).into()
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::new("database", format!("the settings can't be kept: {error}"), "See the cause.")
    }
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
        let message = format!("the server can't be reached: {error}{cause}");
        Self::new("unreachable", message, "Check its address and your network, and try again.")
    }
}
