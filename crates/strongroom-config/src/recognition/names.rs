//! Names that are typical of secrets.

use crate::words::words;

/// Returns whether values under a key of this name are secrets: `apiKey`, `GITHUB_TOKEN`, `password`.
///
/// Only the last words of the name count: `tokenUrl` and `password_file` are not names of secrets.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    ENDINGS.iter().any(|ending| words.ends_with(ending))
}

/// The last words of the names of secrets.
const ENDINGS: &[&[&str]] = &[
    &["access", "key"],
    &["api", "key"],
    &["apikey"],
    &["auth", "key"],
    &["credential"],
    &["encryption", "key"],
    &["passphrase"],
    &["passwd"],
    &["password"],
    &["private", "key"],
    &["pwd"],
    &["secret"],
    &["secret", "key"],
    &["signing", "key"],
    &["token"],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_the_end_of_their_names() {
        for name in [
            "apiKey",
            "api_key",
            "API-KEY",
            "apikey",
            "APIKey",
            "openai.api.key",
            "GITHUB_TOKEN",
            "token",
            "dbPassword",
            "client_secret",
            "AWS_SECRET_ACCESS_KEY",
            "PASSWD",
            "privateKey",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "key",
            "tokens",
            "max_tokens",
            "tokenUrl",
            "password_file",
            "secretary",
            "publicKey",
            "monkey",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
