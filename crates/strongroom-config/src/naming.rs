//! Names in the store for secrets that no rule names.

use strongroom::SecretKey;

use crate::ConfigPath;
use crate::words::words;

/// Returns the key for a secret at this path: the words of the path in capitals.
pub(crate) fn key_for(path: &ConfigPath) -> SecretKey {
    let words: Vec<_> = path.keys().iter().flat_map(|key| words(key)).collect();
    SecretKey::new(words.join("_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_called_by_its_path() {
        for (path, name) in [
            ("providers.openai.apiKey", "PROVIDERS_OPENAI_API_KEY"),
            ("GITHUB_TOKEN", "GITHUB_TOKEN"),
            ("servers.0.\"a b\".token", "SERVERS_0_A_B_TOKEN"),
        ] {
            assert_eq!(key_for(&path.parse().unwrap()).name(), name);
        }
    }
}
