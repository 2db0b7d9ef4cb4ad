//! A secret of a configuration file: its place and its name, and the content of the file there.

use strongroom::{ExposeSecret, SecretKey, SecretMetadata, SecretString};

use crate::ConfigPath;
use crate::document::{Document, Kind, Node};
use crate::flaw::Flaw;
use crate::reference::referenced;
use crate::rules::Leave;

/// A secret of a file, or its place if the file doesn't contain the value.
pub(crate) struct FileSecret {
    pub(crate) path: ConfigPath,
    pub(crate) key: SecretKey,
    /// The metadata from the file or the rules: provider, scope, expiry.
    pub(crate) metadata: SecretMetadata,
    pub(crate) leave: Leave,
    pub(crate) found_by: FoundBy,
    /// The number of its node in the document, if it has a node.
    pub(crate) node: Option<usize>,
    pub(crate) content: Content,
}

/// The reason for taking a value as a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FoundBy {
    /// A rule names it.
    Rule,
    /// The name of its key is typical of secrets, such as `apiKey`.
    KeyName,
    /// The value is a private key, or has the form of a known provider's keys.
    ValueShape,
    /// The file contains a reference to it.
    Reference,
    /// The file is an export of secrets.
    Export,
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

impl FileSecret {
    /// Creates a secret that the file has no place for.
    pub(crate) fn new(path: ConfigPath, key: SecretKey, leave: Leave, found_by: FoundBy) -> Self {
        let metadata = SecretMetadata::default();
        Self { path, key, metadata, leave, found_by, node: None, content: Content::Nothing }
    }

    pub(crate) fn with_metadata(mut self, metadata: SecretMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    pub(crate) fn with_provider(mut self, provider: Option<String>) -> Self {
        self.metadata.provider = provider;
        self
    }

    /// Sets the place of the secret in the document, and reads the content there.
    pub(crate) fn at_node(mut self, text: &str, document: &Document, number: usize) -> Self {
        let node = &document.nodes[number];
        // A reference names its secret itself: the rule's key can have changed since the move.
        let named = node.text().and_then(|value| referenced(value.expose_secret()));
        self.content = match &named {
            Some(_) => Content::Reference,
            None => content(text, node),
        };
        self.key = named.unwrap_or(self.key);
        self.node = Some(number);
        self
    }

    /// Returns whether the file contains a value, or something that could be a value.
    pub(crate) fn may_have_value(&self) -> bool {
        matches!(self.content, Content::Value(_) | Content::Unclear(_))
    }
}

/// Returns the content of a node that is no reference.
fn content(text: &str, node: &Node) -> Content {
    let value = match &node.kind {
        Kind::Text(value) => SecretString::from(value.expose_secret()),
        // As it is spelled in the file: parsing could lose digits, or zeros at the start.
        Kind::Number => SecretString::from(&text[node.span.clone()]),
        Kind::Other("null") => return Content::Nothing,
        Kind::Other(kind) => return unclear(node, &format!("is {kind}"), WRITE_TEXT),
        Kind::Alias => return unclear(node, "is an alias", WRITE_OUT),
        Kind::Map | Kind::List => return unclear(node, "holds other values", WRITE_TEXT),
    };
    if value.expose_secret().is_empty() {
        return Content::Nothing;
    }
    // A change here would also change the places that the alias shows.
    if node.is_shared {
        return unclear(node, "is shown in other places by an alias", WRITE_OUT);
    }
    Content::Value(value)
}

fn unclear(node: &Node, problem: &str, hint: &'static str) -> Content {
    let problem = format!("{} {problem}", node.path);
    Content::Unclear(Flaw::new(node.span.start, problem).with_hint(hint))
}

const WRITE_TEXT: &str = "Nothing was changed. Write the secret as a text, or take its rule away.";

const WRITE_OUT: &str =
    "Nothing was changed. Write the value out at each place, without anchor and alias.";
