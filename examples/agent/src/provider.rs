//! The supported services: their names, their addresses and their protocols.

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::{Value, json};
use strongroom::{ExposeSecret as _, SecretString};

/// The largest answer of a model, in tokens. Anthropic's API requires a limit.
const MAX_TOKENS: u32 = 4096;

/// A service with language models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// <https://docs.claude.com/en/api/messages>
    Anthropic,
    /// <https://platform.openai.com/docs/api-reference/chat/create>
    OpenAi,
}

impl Provider {
    pub(crate) const ALL: [Self; 2] = [Self::Anthropic, Self::OpenAi];

    /// Returns the name in the configuration file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
        }
    }

    /// Returns the name of the service's key in the store.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Anthropic => "ANTHROPIC_API_KEY",
            Self::OpenAi => "OPENAI_API_KEY",
        }
    }

    /// Returns the name of the key for people.
    pub(crate) fn key_title(self) -> &'static str {
        match self {
            Self::Anthropic => "Anthropic API key",
            Self::OpenAi => "OpenAI API key",
        }
    }

    /// Returns the address of the API, unless the configuration file has another.
    pub(crate) fn base_url(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenAi => "https://api.openai.com/v1",
        }
    }

    /// Returns the path for questions, below the address.
    pub(crate) fn endpoint(self) -> [&'static str; 2] {
        match self {
            Self::Anthropic => ["v1", "messages"],
            Self::OpenAi => ["chat", "completions"],
        }
    }

    /// Returns the headers of a request, including the key. `None` if a header can't hold the key.
    pub(crate) fn headers(self, key: &SecretString) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let key = key.expose_secret();
        match self {
            Self::Anthropic => Some(vec![
                (HeaderName::from_static("x-api-key"), sensitive(key)?),
                (
                    HeaderName::from_static("anthropic-version"),
                    HeaderValue::from_static("2023-06-01"),
                ),
            ]),
            Self::OpenAi => Some(vec![(AUTHORIZATION, sensitive(&format!("Bearer {key}"))?)]),
        }
    }

    /// Returns the body of a request.
    pub(crate) fn question(self, model: &str, question: &str) -> Value {
        let messages = json!([{ "role": "user", "content": question }]);
        match self {
            Self::Anthropic => {
                json!({ "model": model, "max_tokens": MAX_TOKENS, "messages": messages })
            }
            Self::OpenAi => json!({ "model": model, "messages": messages }),
        }
    }

    /// Returns the text of an answer.
    pub(crate) fn answer(self, answer: &Value) -> Option<&str> {
        match self {
            // A part with the model's thoughts, which has no text, may come first.
            Self::Anthropic => {
                answer["content"].as_array()?.iter().find_map(|part| part["text"].as_str())
            }
            Self::OpenAi => answer["choices"][0]["message"]["content"].as_str(),
        }
    }
}

/// Returns a header value that the HTTP library doesn't show in its log.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
