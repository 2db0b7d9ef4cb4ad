//! Exports: secrets from the store in a plaintext file.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use strongroom::blocking::SecretManager;
use strongroom::error::Operation;
use strongroom::{Error, ErrorKind, ExposeSecret, Result, Secret, SecretKey, SecretMetadata};
use zeroize::Zeroizing;

use crate::document::{Document, Kind};
use crate::error::{self, Flaw};
use crate::find::{self, Found};
use crate::format::quote;
use crate::replace::write_private;
use crate::rules::Rules;
use crate::source::LARGEST;
use crate::{ConfigPath, Format, FoundBy};

/// An export: its format, and the secrets to write.
///
/// JSON, TOML and YAML contain names, targets, values, providers, scopes and expiry. Dotenv files contain only names and
/// values. No format contains the times at which secrets were created and written; a backup does.
///
/// The file can be read back by [`ConfigFile::import`](crate::ConfigFile::import), and moved back by
/// [`ConfigFile::secure`](crate::ConfigFile::secure), without any rules.
#[derive(Clone, Debug)]
#[must_use]
pub struct Export {
    format: Format,
    only: Option<Vec<SecretKey>>,
}

/// The result of an export, without values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The secrets that were written, by name and target.
    pub secrets: Vec<SecretKey>,
    /// The secrets that were left out because they have expired.
    pub expired: Vec<SecretKey>,
}

/// The text by which an export is recognised.
const MARK: &str = "strongroom-export-1";

/// The comment at the top of an export, in formats with comments.
const WARNING: &str = "Secrets in plain text. Everybody who can read this file can use them: delete it when it is not needed any more.";

impl Export {
    /// Creates an export of all secrets in this format.
    pub fn new(format: Format) -> Self {
        Self { format, only: None }
    }

    /// Limits the export to these secrets.
    pub fn only(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.only = Some(keys.into_iter().collect());
        self
    }

    /// Writes the secrets in the clear.
    ///
    /// # Errors
    ///
    /// `NotFound` or `Expired` if a secret in [`only`](Self::only) is missing or has expired; `Invalid` if the format can't
    /// represent a secret; `TooLarge` for more than 32 MiB, which could not be read back; `Io` if the writer fails; and the
    /// errors of reading the store.
    pub fn write(&self, secrets: &SecretManager, to: &mut dyn Write) -> Result<Exported> {
        let (text, exported) = self.text(secrets)?;
        let written = to.write_all(text.as_bytes()).and_then(|()| to.flush());
        written.map_err(error::output)?;
        Ok(exported)
    }

    /// Writes the secrets in the clear into a file that only its owner can read.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the file exists and `may_replace` is not set; `Io`, `AccessDenied` and `Busy` for the file; and
    /// the errors of [`write`](Self::write).
    pub fn write_file(
        &self,
        secrets: &SecretManager,
        path: &Path,
        may_replace: bool,
    ) -> Result<Exported> {
        // Checked before the store is read, which may ask the user. Writing checks it again.
        if !may_replace && path.symlink_metadata().is_ok() {
            return Err(error::exists(path));
        }
        let (text, exported) = self.text(secrets)?;
        write_private(path, &text, may_replace)?;
        Ok(exported)
    }

    fn text(&self, secrets: &SecretManager) -> Result<(Zeroizing<String>, Exported)> {
        let mut exported = Exported { secrets: Vec::new(), expired: Vec::new() };
        let keys = match &self.only {
            Some(keys) => keys.clone(),
            None => secrets.list()?.into_iter().map(|info| info.key).collect(),
        };
        let mut records = Vec::new();
        for key in keys {
            match secrets.get(&key) {
                Ok(Some(secret)) => records.push((key, secret)),
                // Deleted since it was listed.
                Ok(None) if self.only.is_none() => {}
                Ok(None) => return Err(not_there(&key)),
                // Listed, but the store doesn't return an expired value.
                Err(error) if error.kind() == ErrorKind::Expired && self.only.is_none() => {
                    exported.expired.push(key);
                }
                Err(error) => return Err(error),
            }
        }
        let text = text(self.format, &records)?;
        if text.len() as u64 > LARGEST {
            return Err(too_large());
        }
        exported.secrets = records.into_iter().map(|(key, _)| key).collect();
        Ok((text, exported))
    }
}

fn text(format: Format, records: &[(SecretKey, Secret)]) -> Result<Zeroizing<String>> {
    // Enough room for everything, since growing would leave an unwiped copy behind. An escaped byte takes up to 6 bytes.
    let room = |secret: &Secret| 6 * secret.value.expose_secret().len() + 4096;
    let room = records.iter().map(|(_, secret)| room(secret)).sum::<usize>() + 4096;
    let mut text = Zeroizing::new(String::with_capacity(room));
    if format.has_comments() {
        *text += &format!("# {MARK}\n# {WARNING}\n");
    }
    match format {
        Format::Env => env(&mut text, records)?,
        Format::Json => json(&mut text, records),
        Format::Toml => toml(&mut text, records),
        Format::Yaml => yaml(&mut text, records),
    }
    Ok(text)
}

fn env(text: &mut String, records: &[(SecretKey, Secret)]) -> Result<()> {
    for (key, secret) in records {
        let value = secret.value.expose_secret();
        let entry = key.target().is_none().then(|| Format::Env.entry(key.name(), value)).flatten();
        *text += &Zeroizing::new(entry.ok_or_else(|| not_in_env(key))?);
        *text += "\n";
    }
    Ok(())
}

fn json(text: &mut String, records: &[(SecretKey, Secret)]) {
    *text += &format!("{{\n  \"format\": \"{MARK}\",\n  \"secrets\": [");
    for (index, (key, secret)) in records.iter().enumerate() {
        *text += if index == 0 { "\n    {" } else { ",\n    {" };
        for (index, (name, value)) in fields(key, secret).into_iter().enumerate() {
            *text += if index == 0 { "\n      " } else { ",\n      " };
            // Without the value, because `format!` would leave an unwiped copy of it behind.
            *text += &format!("\"{name}\": ");
            *text += &value;
        }
        *text += "\n    }";
    }
    *text += if records.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" };
}

fn toml(text: &mut String, records: &[(SecretKey, Secret)]) {
    *text += &format!("format = \"{MARK}\"\n");
    if records.is_empty() {
        *text += "secrets = []\n";
    }
    for (key, secret) in records {
        *text += "\n[[secrets]]\n";
        for (name, value) in fields(key, secret) {
            *text += &format!("{name} = ");
            *text += &value;
            *text += "\n";
        }
    }
}

fn yaml(text: &mut String, records: &[(SecretKey, Secret)]) {
    *text += &format!("format: \"{MARK}\"\nsecrets:");
    *text += if records.is_empty() { " []\n" } else { "\n" };
    for (key, secret) in records {
        for (index, (name, value)) in fields(key, secret).into_iter().enumerate() {
            *text += if index == 0 { "  - " } else { "    " };
            *text += &format!("{name}: ");
            *text += &value;
            *text += "\n";
        }
    }
}

const NAME: &str = "name";
const TARGET: &str = "target";
const VALUE: &str = "value";
const PROVIDER: &str = "provider";
const SCOPE: &str = "scope";
const EXPIRES_AT: &str = "expires_at";

/// Returns the fields of a record, with quoted values.
fn fields(key: &SecretKey, secret: &Secret) -> Vec<(&'static str, Zeroizing<String>)> {
    let metadata = &secret.metadata;
    let expiry = metadata.expires_at.map(|at| at.to_string());
    let fields = [
        (NAME, Some(key.name())),
        (TARGET, key.target()),
        (VALUE, Some(secret.value.expose_secret())),
        (PROVIDER, metadata.provider.as_deref()),
        (SCOPE, metadata.scope.as_deref()),
        (EXPIRES_AT, expiry.as_deref()),
    ];
    let quoted =
        |(name, value): (_, Option<&str>)| Some((name, Zeroizing::new(quote::basic(value?))));
    fields.into_iter().filter_map(quoted).collect()
}

/// Returns the secrets in an export. `None` if the text is not an export.
pub(crate) fn entries(
    format: Format,
    text: &str,
    document: &Document,
    rules: &Rules,
) -> Result<Option<Vec<Found>>, Flaw> {
    if format == Format::Env {
        let first = text.lines().next().unwrap_or_default();
        let is_export = first.strip_prefix("# ").is_some_and(|first| first.trim_end() == MARK);
        // Without the first node, which is the whole file.
        let nodes = 1..document.nodes.len();
        return Ok(
            is_export.then(|| nodes.map(|node| variable(text, document, node, rules)).collect())
        );
    }
    let root = ConfigPath::default();
    if text_at(document, &root.join("format")) != Some(MARK) {
        return Ok(None);
    }
    let Some(list) = document.find(&root.join("secrets")) else { return Ok(Some(Vec::new())) };
    let index = index(document);
    let records: Vec<usize> = document.children(list).map(|(number, _)| number).collect();
    records
        .into_iter()
        .map(|number| record(text, document, &index, number, rules))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn variable(text: &str, document: &Document, node: usize, rules: &Rules) -> Found {
    let path = document.nodes[node].path.clone();
    let key = SecretKey::new(path.last().unwrap_or_default());
    let place = (path, key, SecretMetadata::default(), rules.leave);
    find::at(text, document, Some(node), place, FoundBy::Export)
}

/// The numbers of a document's nodes by path. An export has many fields, and each is looked up.
type Index<'a> = HashMap<&'a ConfigPath, usize>;

fn index(document: &Document) -> Index<'_> {
    // In reverse, so that the first of two equal paths replaces the later, and counts.
    document.nodes.iter().enumerate().rev().map(|(number, node)| (&node.path, number)).collect()
}

fn record(
    text: &str,
    document: &Document,
    index: &Index<'_>,
    number: usize,
    rules: &Rules,
) -> Result<Found, Flaw> {
    let node = &document.nodes[number];
    let broken = |what: &str| {
        Flaw::new(
            node.span.start,
            format!("{what} of {} is missing, or not what it should be", node.path),
        )
    };
    let find = |name: &str| index.get(&node.path.join(name)).copied();
    let field = |name: &str| Some(document.nodes[find(name)?].text()?.expose_secret().to_owned());
    let is_text_or_absent = |name: &&str| {
        let found = find(name).map(|number| &document.nodes[number].kind);
        found.is_none_or(|kind| matches!(kind, Kind::Text(_)))
    };
    if let Some(name) =
        [TARGET, PROVIDER, SCOPE, EXPIRES_AT].iter().find(|name| !is_text_or_absent(name))
    {
        return Err(broken(name));
    }
    let name = field(NAME).ok_or_else(|| broken(NAME))?;
    let key = match field(TARGET) {
        Some(target) => SecretKey::with_target(name, target),
        None => SecretKey::new(name),
    };
    let mut metadata = SecretMetadata::default();
    (metadata.provider, metadata.scope) = (field(PROVIDER), field(SCOPE));
    if let Some(expiry) = field(EXPIRES_AT) {
        metadata.expires_at = Some(expiry.parse().map_err(|_| broken(EXPIRES_AT))?);
    }
    let path = node.path.join(VALUE);
    let value = find(VALUE).ok_or_else(|| broken(VALUE))?;
    Ok(find::at(text, document, Some(value), (path, key, metadata, rules.leave), FoundBy::Export))
}

fn text_at<'a>(document: &'a Document, path: &ConfigPath) -> Option<&'a str> {
    let node = &document.nodes[document.find(path)?];
    node.text().map(ExposeSecret::expose_secret)
}

fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, Operation::Get)
        .with_message(format!(
            "the export would have more than {} MiB, and could not be read back",
            LARGEST >> 20
        ))
        .with_hint("Nothing was written. Take a backup, or name the secrets that are meant.")
}

fn not_there(key: &SecretKey) -> Error {
    Error::new(ErrorKind::NotFound, Operation::Get)
        .with_message(format!("there is no secret {key}"))
}

fn not_in_env(key: &SecretKey) -> Error {
    error::invalid(
        format!("{key} can't be written as a line of a dotenv file"),
        "Choose json, toml or yaml: they take every name, target and value.",
    )
}
