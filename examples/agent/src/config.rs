//! The configuration file, with the model, and the keys and addresses of the providers. The keys are secrets.

use std::env;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use reqwest::Url;
use serde::{Deserialize, Deserializer};
use strongroom::SecretString;
use strongroom_config::{ConfigPath, Marker, Rule, Rules};

use crate::provider::Provider;

/// The default model.
const MODEL: &str = "anthropic/claude-sonnet-4-5";

/// The content of the configuration file.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// The provider and its model: `openai/gpt-5`.
    pub(crate) model: String,
    providers: Providers,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Providers {
    anthropic: Settings,
    openai: Settings,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Settings {
    #[serde(deserialize_with = "secret")]
    api_key: Option<SecretString>,
    base_url: Option<String>,
}

/// Returns the path of `.agent/config.json` in the user's home directory.
///
/// # Errors
///
/// If the user has no home directory.
pub(crate) fn default_path() -> anyhow::Result<PathBuf> {
    let home =
        env::home_dir().context("you have no home: name the configuration file with --config")?;
    Ok(home.join(".agent").join("config.json"))
}

/// Returns the rules for the file: the paths of the secrets, their names in the store, and the marker.
pub(crate) fn rules() -> Rules {
    let marker = Marker::new(ConfigPath::new(["credentialStorage"]), "keychain");
    Provider::ALL.into_iter().fold(Rules::new().with_marker(marker), |rules, provider| {
        let path = ConfigPath::new(["providers", provider.name(), "apiKey"]);
        rules.with_rule(Rule::new(path, provider.key()).with_provider(provider.name()))
    })
}

impl Config {
    /// Reads the file. Returns the defaults if there is no file.
    ///
    /// # Errors
    ///
    /// If the file can't be read, with line and column if its content is invalid.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        serde_json::from_str(&text).map_err(|error| {
            // The parser's message may quote a key.
            let (line, column) = (error.line(), error.column());
            anyhow::anyhow!(
                "{}, line {line}, column {column}: not what it should be",
                path.display()
            )
        })
    }

    /// Returns the provider, and the provider's name of the model.
    ///
    /// # Errors
    ///
    /// If the model is not written as `PROVIDER/MODEL`, or the provider is unknown.
    pub(crate) fn model(&self) -> anyhow::Result<(Provider, &str)> {
        let found = self.model.split_once('/').and_then(|(provider, model)| {
            let provider = Provider::ALL.into_iter().find(|known| known.name() == provider)?;
            Some((provider, model))
        });
        found.with_context(|| format!("the model {:?} is not named as {MODEL} is", self.model))
    }

    /// Returns the text of a provider's `apiKey`, unless it is missing or empty.
    pub(crate) fn key(&self, provider: Provider) -> Option<&SecretString> {
        self.settings(provider).api_key.as_ref()
    }

    /// Returns the address of a provider.
    ///
    /// # Errors
    ///
    /// If the address is invalid, or if keys would be sent to it in the clear.
    pub(crate) fn base_url(&self, provider: Provider) -> anyhow::Result<Url> {
        let text = self.settings(provider).base_url.as_deref().unwrap_or(provider.base_url());
        let place = format!("the baseUrl of {}", provider.name());
        let url: Url = text.parse().with_context(|| format!("{place} is no address"))?;
        let is_here = url.host_str().is_some_and(|host| {
            let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        });
        if url.scheme() == "https" || url.scheme() == "http" && is_here {
            return Ok(url);
        }
        bail!("{place} is not https: the key would go over the network in the clear")
    }

    fn settings(&self, provider: Provider) -> &Settings {
        match provider {
            Provider::Anthropic => &self.providers.anthropic,
            Provider::OpenAi => &self.providers.openai,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { model: MODEL.to_owned(), providers: Providers::default() }
    }
}

fn secret<'a, D: Deserializer<'a>>(from: D) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.filter(|text| !text.is_empty()).map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_model_is_named_with_its_provider() {
        assert_eq!(Config::default().model().unwrap(), (Provider::Anthropic, "claude-sonnet-4-5"));
        let other = config(r#"{ "model": "openai/a/b" }"#);
        assert_eq!(other.model().unwrap(), (Provider::OpenAi, "a/b"));
        for wrong in ["", "gpt-5", "unknown/x"] {
            let config = Config { model: wrong.to_owned(), ..Config::default() };
            assert!(config.model().is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_key_goes_over_a_network_in_the_clear() {
        let base_url = |url: &str| {
            let text = format!(r#"{{ "providers": {{ "openai": {{ "baseUrl": "{url}" }} }} }}"#);
            config(&text).base_url(Provider::OpenAi)
        };
        for fine in ["https://api.example.com/v1", "http://localhost:9", "http://[::1]:9"] {
            assert!(base_url(fine).is_ok(), "{fine}");
        }
        for wrong in ["http://api.example.com", "http://192.168.0.1", "ftp://localhost", "api"] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_empty_key_is_none() {
        for none in ["{}", r#"{ "apiKey": "" }"#, r#"{ "apiKey": null }"#] {
            let config = config(&format!(r#"{{ "providers": {{ "openai": {none} }} }}"#));
            assert!(config.key(Provider::OpenAi).is_none(), "{none}");
        }
    }
}
