//! Asking a model over HTTP.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;
use strongroom::SecretString;

use crate::config::Config;
use crate::first_run;
use crate::keys::{COMMANDS, Keys};
use crate::provider::Provider;
use crate::say;

/// The deadline for an answer. Models may think for a while.
const DEADLINE: Duration = Duration::from_secs(120);

/// The largest answer that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// Asks a question and prints the answer.
///
/// # Errors
///
/// As [`first_run::run`]; if the key is missing, or the provider doesn't answer, or answers with an error.
pub(crate) async fn run(keys: &Keys, question: &str) -> anyhow::Result<()> {
    first_run::run(keys).await?;
    let config = Config::read(keys.file.path())?;
    let (provider, model) = config.model()?;
    let url = config.base_url(provider)?;
    let key = keys.get(&config, provider).await?;
    let answer = ask(provider, url, &key, provider.question(model, question)).await?;
    say::answer(&answer);
    Ok(())
}

async fn ask(
    provider: Provider,
    mut url: Url,
    key: &SecretString,
    question: Value,
) -> anyhow::Result<String> {
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(provider.endpoint());
    }
    let headers = provider.headers(key).with_context(|| {
        format!("{} has a line break in it, or other characters that no key has", provider.key())
    })?;
    let request = client()?.post(url).header(CONTENT_TYPE, "application/json");
    let request =
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let sent = request.body(question.to_string()).send().await;
    let response = sent.map_err(reqwest::Error::without_url);
    let response = response.with_context(|| format!("{} does not answer", provider.name()))?;
    let answer = read(provider, response).await?;
    let answer: Option<Value> = serde_json::from_slice(&answer).ok();
    let text = answer.as_ref().and_then(|answer| provider.answer(answer)).map(str::to_owned);
    text.with_context(|| format!("there is no text in the answer of {}", provider.name()))
}

fn client() -> anyhow::Result<Client> {
    // Only the first call has an effect. It fails if a provider is installed already.
    rustls::crypto::ring::default_provider().install_default().ok();
    // A redirect would send the key to another server.
    let client = Client::builder().timeout(DEADLINE).redirect(Policy::none()).build();
    client.context("no client for HTTP")
}

/// Reads a successful answer. The text of a refusal is not shown, because it may quote the key.
async fn read(provider: Provider, mut response: Response) -> anyhow::Result<Vec<u8>> {
    let (name, key) = (provider.name(), provider.key());
    match response.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            bail!("{name} refuses the key. Store another one: `{COMMANDS} set {key}`")
        }
        status => bail!("{name} answers {status}"),
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if bytes.len() + chunk.len() > LARGEST {
            bail!("the answer of {name} has more than {LARGEST} bytes");
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
