//! Finding the secrets of a file, by rules and by their looks.

use std::collections::BTreeSet;

use strongroom::{ExposeSecret, SecretKey, SecretMetadata, SecretString};

use crate::document::{Document, Kind, Node};
use crate::error::Flaw;
use crate::reference::referenced;
use crate::rules::{Leave, Rules};
use crate::{ConfigPath, Format, FoundBy, export, look};

/// A secret of a file, or its place if the file doesn't contain the value.
pub(crate) struct Found {
    pub(crate) path: ConfigPath,
    pub(crate) key: SecretKey,
    /// The metadata from the file or the rules: provider, scope, expiry.
    pub(crate) metadata: SecretMetadata,
    pub(crate) leave: Leave,
    pub(crate) by: FoundBy,
    /// The number of its node in the document, if it has a node.
    pub(crate) node: Option<usize>,
    pub(crate) content: Content,
}

/// The content of the file in a secret's place.
pub(crate) enum Content {
    Value(SecretString),
    /// A reference to the secret that the key names.
    Reference,
    /// Nothing, or an empty text.
    Nothing,
    /// Something that can't be taken for a value, with the reason.
    Unclear(Flaw),
}

impl Found {
    /// Returns whether the file contains a value, or something that could be a value.
    pub(crate) fn holds_something(&self) -> bool {
        matches!(self.content, Content::Value(_) | Content::Unclear(_))
    }
}

/// Returns all secrets of a text, first in the order of the rules, then in the order of the text.
pub(crate) fn find(
    format: Format,
    text: &str,
    document: &Document,
    rules: &Rules,
) -> Result<Vec<Found>, Flaw> {
    if let Some(found) = export::entries(format, text, document, rules)? {
        return Ok(found);
    }
    let mut paths = BTreeSet::new();
    let mut all = Vec::new();
    for rule in &rules.rules {
        // Of two rules for the same path, the first applies.
        if paths.insert(&rule.path) {
            let mut metadata = SecretMetadata::default();
            metadata.provider = rule.provider.clone();
            let node = document.find(&rule.path);
            let leave = rule.leave.unwrap_or(rules.leave);
            let found = (rule.path.clone(), rule.key.clone(), metadata, leave);
            all.push(at(text, document, node, found, FoundBy::Rule));
        }
    }
    let looked =
        (0..document.nodes.len()).filter(|number| !paths.contains(&document.nodes[*number].path));
    all.extend(looked.filter_map(|number| looked_up(text, document, number, rules)));
    Ok(all)
}

/// Returns the secret at a known place.
pub(crate) fn at(
    text: &str,
    document: &Document,
    node: Option<usize>,
    (path, key, metadata, leave): (ConfigPath, SecretKey, SecretMetadata, Leave),
    by: FoundBy,
) -> Found {
    let content = node.map_or(Content::Nothing, |number| content(text, &document.nodes[number]));
    // A reference names its secret itself: the rule's key can have changed since the move.
    let key = match (&content, node.and_then(|number| document.nodes[number].text())) {
        (Content::Reference, Some(value)) => referenced(value.expose_secret()).unwrap_or(key),
        _ => key,
    };
    Found { path, key, metadata, leave, by, node, content }
}

/// Returns a value that no rule names, if it looks like a secret, or is a reference.
fn looked_up(text: &str, document: &Document, number: usize, rules: &Rules) -> Option<Found> {
    let node = &document.nodes[number];
    let value = node.text()?.expose_secret();
    let provider = look::provider_of(value);
    // A placeholder is not a value, even under the name of a secret.
    let by = if referenced(value).is_some() {
        FoundBy::Reference
    } else if !rules.looks || look::is_placeholder(value) {
        return None;
    } else if node.path.last().is_some_and(look::is_secret_name) {
        FoundBy::KeyName
    } else if provider.is_some() || look::is_private_key(value) {
        FoundBy::ValueShape
    } else {
        return None;
    };
    let mut metadata = SecretMetadata::default();
    metadata.provider = provider.map(str::to_owned);
    let (path, key) = (node.path.clone(), look::key_of(&node.path));
    Some(at(text, document, Some(number), (path, key, metadata, rules.leave), by))
}

fn content(text: &str, node: &Node) -> Content {
    let unclear = |problem: String, hint| {
        Content::Unclear(Flaw::new(node.span.start, problem).with_hint(hint))
    };
    let value = match &node.kind {
        Kind::Text(value) => SecretString::from(value.expose_secret()),
        // As it is spelled in the file: parsing could lose digits, or zeros at the start.
        Kind::Number => SecretString::from(&text[node.span.clone()]),
        Kind::Other("null") => return Content::Nothing,
        Kind::Other(what) => return unclear(format!("{} is {what}", node.path), WRITE_TEXT),
        Kind::Alias => return unclear(format!("{} is an alias", node.path), WRITE_OUT),
        Kind::Map | Kind::List => {
            return unclear(format!("{} holds other values", node.path), WRITE_TEXT);
        }
    };
    if referenced(value.expose_secret()).is_some() {
        return Content::Reference;
    }
    if value.expose_secret().is_empty() {
        return Content::Nothing;
    }
    // A change here would also change the places that the alias shows.
    if node.is_shared {
        return unclear(format!("{} is shown in other places by an alias", node.path), WRITE_OUT);
    }
    Content::Value(value)
}

const WRITE_TEXT: &str = "Nothing was changed. Write the secret as a text, or take its rule away.";

const WRITE_OUT: &str =
    "Nothing was changed. Write the value out at each place, without anchor and alias.";
