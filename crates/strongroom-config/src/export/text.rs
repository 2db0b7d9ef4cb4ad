//! The text of an export, in each format.

use strongroom::{Error, ExposeSecret, Result, Secret, SecretKey};
use zeroize::Zeroizing;

use crate::format::quote;
use crate::{Format, error};

/// A secret of an export, with its key.
pub(super) type Record = (SecretKey, Secret);

/// The text by which an export is recognised.
pub(super) const MARK: &str = "strongroom-export-1";

/// The comment at the top of an export, in formats with comments.
const WARNING: &str = "Secrets in plain text. Everybody who can read this file can use them: delete it when it is not needed any more.";

// The fields of a record.
pub(super) const NAME: &str = "name";
pub(super) const TARGET: &str = "target";
pub(super) const VALUE: &str = "value";
pub(super) const PROVIDER: &str = "provider";
pub(super) const SCOPE: &str = "scope";
pub(super) const EXPIRES_AT: &str = "expires_at";

/// Returns the text of an export.
///
/// # Errors
///
/// `Invalid` if the format can't represent a secret.
pub(super) fn export_text(format: Format, records: &[Record]) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(capacity(records)));
    if format.has_comments() {
        *text += &format!("# {MARK}\n# {WARNING}\n");
    }
    match format {
        Format::Env => write_env(&mut text, records)?,
        Format::Json => write_json(&mut text, records),
        Format::Toml => write_toml(&mut text, records),
        Format::Yaml => write_yaml(&mut text, records),
    }
    Ok(text)
}

fn write_env(text: &mut String, records: &[Record]) -> Result<()> {
    for (key, secret) in records {
        let value = secret.value.expose_secret();
        let entry = key.target().is_none().then(|| Format::Env.entry(key.name(), value)).flatten();
        *text += &Zeroizing::new(entry.ok_or_else(|| not_in_env(key))?);
        *text += "\n";
    }
    Ok(())
}

fn write_json(text: &mut String, records: &[Record]) {
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

fn write_toml(text: &mut String, records: &[Record]) {
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

fn write_yaml(text: &mut String, records: &[Record]) {
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
    let present = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    present.map(|(name, value)| (name, Zeroizing::new(quote::basic(value)))).collect()
}

/// Returns enough room for everything, in bytes, since growing would leave an unwiped copy behind.
fn capacity(records: &[Record]) -> usize {
    // An escaped byte takes up to 6 bytes. The rest is for names and metadata, which are short.
    let values = records.iter().map(|(_, secret)| 6 * secret.value.expose_secret().len() + 4096);
    values.sum::<usize>() + 4096
}

fn not_in_env(key: &SecretKey) -> Error {
    error::invalid(
        format!("{key} can't be written as a line of a dotenv file"),
        "Choose json, toml or yaml: they take every name, target and value.",
    )
}
