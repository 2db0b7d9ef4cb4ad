//! Reading the secrets of an export.

use std::collections::HashMap;

use strongroom::{ExposeSecret, SecretKey, SecretMetadata};

use super::text::{EXPIRES_AT, MARK, NAME, PROVIDER, SCOPE, TARGET, VALUE};
use crate::document::{Document, Kind};
use crate::file_secret::{FileSecret, FoundBy};
use crate::flaw::Flaw;
use crate::rules::{Leave, Rules};
use crate::{ConfigPath, Format};

/// Returns the secrets in an export. `None` if the text is not an export.
///
/// # Errors
///
/// A flaw at a record with a missing or invalid field.
pub(crate) fn exported_secrets(
    format: Format,
    text: &str,
    document: &Document,
    rules: &Rules,
) -> Result<Option<Vec<FileSecret>>, Flaw> {
    if format == Format::Env {
        return Ok(is_env_export(text).then(|| variables(text, document, rules.leave)));
    }
    let root = ConfigPath::default();
    if text_at(document, &root.join("format")) != Some(MARK) {
        return Ok(None);
    }
    let Some(list) = document.find(&root.join("secrets")) else { return Ok(Some(Vec::new())) };
    let index = index(document);
    let mut secrets = Vec::new();
    for (number, _) in document.children(list) {
        secrets.push(RecordReader { document, index: &index, number }.secret(text, rules.leave)?);
    }
    Ok(Some(secrets))
}

fn is_env_export(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("# ").is_some_and(|first| first.trim_end() == MARK)
}

/// Returns all variables of a dotenv file as secrets.
fn variables(text: &str, document: &Document, leave: Leave) -> Vec<FileSecret> {
    let mut secrets = Vec::new();
    // Without the first node, which is the whole file.
    for (number, node) in document.nodes.iter().enumerate().skip(1) {
        let key = SecretKey::new(node.path.last().unwrap_or_default());
        let secret = FileSecret::new(node.path.clone(), key, leave, FoundBy::Export);
        secrets.push(secret.at_node(text, document, number));
    }
    secrets
}

/// The numbers of a document's nodes by path. An export has many fields, and each is looked up.
type Index<'a> = HashMap<&'a ConfigPath, usize>;

fn index(document: &Document) -> Index<'_> {
    // In reverse, so that the first of two equal paths replaces the later, and counts.
    document.nodes.iter().enumerate().rev().map(|(number, node)| (&node.path, number)).collect()
}

/// A reader of a record of an export in JSON, TOML or YAML: a map with the fields of a secret.
struct RecordReader<'a> {
    document: &'a Document,
    index: &'a Index<'a>,
    /// The number of the map in the document.
    number: usize,
}

impl RecordReader<'_> {
    fn secret(&self, text: &str, leave: Leave) -> Result<FileSecret, Flaw> {
        for name in [TARGET, PROVIDER, SCOPE, EXPIRES_AT] {
            self.check_text_or_absent(name)?;
        }
        let name = self.field(NAME).ok_or_else(|| self.broken(NAME))?;
        let key = match self.field(TARGET) {
            Some(target) => SecretKey::with_target(name, target),
            None => SecretKey::new(name),
        };
        let mut metadata = SecretMetadata::default();
        (metadata.provider, metadata.scope) = (self.field(PROVIDER), self.field(SCOPE));
        if let Some(expiry) = self.field(EXPIRES_AT) {
            metadata.expires_at = Some(expiry.parse().map_err(|_| self.broken(EXPIRES_AT))?);
        }
        let value = self.node(VALUE).ok_or_else(|| self.broken(VALUE))?;
        let secret = FileSecret::new(self.path().join(VALUE), key, leave, FoundBy::Export);
        Ok(secret.with_metadata(metadata).at_node(text, self.document, value))
    }

    fn check_text_or_absent(&self, name: &str) -> Result<(), Flaw> {
        match self.node(name).map(|number| &self.document.nodes[number].kind) {
            None | Some(Kind::Text(_)) => Ok(()),
            Some(_) => Err(self.broken(name)),
        }
    }

    /// Returns the text of a field.
    fn field(&self, name: &str) -> Option<String> {
        let node = &self.document.nodes[self.node(name)?];
        Some(node.text()?.expose_secret().to_owned())
    }

    /// Returns the number of a field's node.
    fn node(&self, name: &str) -> Option<usize> {
        self.index.get(&self.path().join(name)).copied()
    }

    fn path(&self) -> &ConfigPath {
        &self.document.nodes[self.number].path
    }

    fn broken(&self, name: &str) -> Flaw {
        let at = self.document.nodes[self.number].span.start;
        Flaw::new(at, format!("{name} of {} is missing, or not what it should be", self.path()))
    }
}

fn text_at<'a>(document: &'a Document, path: &ConfigPath) -> Option<&'a str> {
    let node = &document.nodes[document.find(path)?];
    node.text().map(ExposeSecret::expose_secret)
}
