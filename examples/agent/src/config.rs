//! The configuration file: which model is asked, and where. Its keys are secrets.

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

/// The model that is asked where the file names none.
const MODEL: &str = "anthropic/claude-sonnet-4-5";

/// What the file says.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Who is asked, and which model: `openai/gpt-5`.
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

/// `.agent/config.json` in the user's home.
///
/// # Errors
///
/// If the user has none.
pub(crate) fn default_path() -> anyhow::Result<PathBuf> {
    let home =
        env::home_dir().context("you have no home: name the configuration file with --config")?;
    Ok(home.join(".agent").join("config.json"))
}

/// Where the secrets stand in the file, what they are called in the store, and the mark that they are there.
pub(crate) fn rules() -> Rules {
    let marker = Marker::new(ConfigPath::new(["credentialStorage"]), "keychain");
    Provider::ALL.into_iter().fold(Rules::new().with_marker(marker), |rules, provider| {
        let path = ConfigPath::new(["providers", provider.name(), "apiKey"]);
        rules.with_rule(Rule::new(path, provider.key()).with_provider(provider.name()))
    })
}

impl Config {
    /// Reads the file. Without one, all is as it is by default.
    ///
    /// # Errors
    ///
    /// If it can't be read, with line and column if it is not what it should be.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        serde_json::from_str(&text).map_err(|error| {
            // What the parser says may quote a key.
            let (line, column) = (error.line(), error.column());
            anyhow::anyhow!(
                "{}, line {line}, column {column}: not what it should be",
                path.display()
            )
        })
    }

    /// Who is asked, and the model as they call it.
    ///
    /// # Errors
    ///
    /// If the model is not named so.
    pub(crate) fn model(&self) -> anyhow::Result<(Provider, &str)> {
        let found = self.model.split_once('/').and_then(|(provider, model)| {
            let provider = Provider::ALL.into_iter().find(|known| known.name() == provider)?;
            Some((provider, model))
        });
        found.with_context(|| format!("the model {:?} is not named as {MODEL} is", self.model))
    }

    /// What stands in a provider's `apiKey`, unless that is nothing.
    pub(crate) fn key(&self, provider: Provider) -> Option<&SecretString> {
        self.settings(provider).api_key.as_ref()
    }

    /// Where a provider is.
    ///
    /// # Errors
    ///
    /// If keys would go there in the clear.
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
