//! Recognising secrets by the name of their key, or by the form of their value.

use strongroom::SecretKey;

use crate::ConfigPath;

mod providers;

pub(crate) use providers::{is_private_key, provider_of};

/// Returns whether a text is recognised as a secret without its key: a private key, or a key of a known provider.
pub fn looks_like_a_secret(text: &str) -> bool {
    is_private_key(text) || provider_of(text).is_some()
}

/// Returns whether values under a key of this name are secrets: `apiKey`, `GITHUB_TOKEN`, `password`.
///
/// Only the last words of the name count: `tokenUrl` and `password_file` are not names of secrets.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    ENDINGS.iter().any(|ending| words.ends_with(ending))
}

/// Returns whether a text is a placeholder for a value, such as `<your key>`, `${TOKEN}`, `****` or `changeme`.
pub(crate) fn is_placeholder(text: &str) -> bool {
    const AROUND: [(&str, &str); 5] =
        [("${", "}"), ("$(", ")"), ("<", ">"), ("{{", "}}"), ("%", "%")];
    let is_around = |(start, end): &(&str, &str)| text.starts_with(start) && text.ends_with(end);
    let mut chars = text.chars();
    let first = chars.next();
    let is_one_character = chars.all(|c| Some(c) == first);
    // An empty text also counts as one character repeated.
    AROUND.iter().any(is_around)
        || is_one_character
        || TO_BE_FILLED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Returns the key for a secret at this path.
pub(crate) fn key_of(path: &ConfigPath) -> SecretKey {
    let words = path.keys().iter().flat_map(|key| words(key));
    SecretKey::new(words.collect::<Vec<_>>().join("_").to_uppercase())
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

/// Words that people write in place of a value.
const TO_BE_FILLED: [&str; 5] = ["changeme", "change-me", "none", "todo", "your-api-key"];

/// Splits a name into its words, in lower case: `openaiAPIKey` has three.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(index + 1);
        // In a row of capitals, the last begins a word if a small letter follows: `APIKey`.
        let starts = c.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if !c.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

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

    #[test]
    fn a_placeholder_is_no_value() {
        for text in ["", "x", "****", "${TOKEN}", "<your key>", "{{ key }}", "changeme", "%TOKEN%"]
        {
            assert!(is_placeholder(text), "{text}");
        }
        assert!(!is_placeholder("hunter2"));
    }

    #[test]
    fn a_secret_is_called_by_its_path() {
        let name = |path: &str| key_of(&path.parse().unwrap()).name().to_owned();
        assert_eq!(name("providers.openai.apiKey"), "PROVIDERS_OPENAI_API_KEY");
        assert_eq!(name("GITHUB_TOKEN"), "GITHUB_TOKEN");
        assert_eq!(name("servers.0.\"a b\".token"), "SERVERS_0_A_B_TOKEN");
    }
}
