//! The content of a configuration file, in the same form for all formats: values with their paths and byte ranges.

use std::collections::BTreeMap;
use std::ops::Range;

use strongroom::{ExposeSecret, SecretString};

use crate::ConfigPath;
use crate::flaw::Flaw;

/// The largest depth of nested values. A file with more is an attack on the stack, and no configuration.
pub(crate) const MAX_DEPTH: usize = 64;

/// A parsed text.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// All values, each after the group that contains it. The first is the whole file.
    pub(crate) nodes: Vec<Node>,
    /// The positions of the commas between entries.
    pub(crate) commas: Vec<usize>,
}

/// A value, or a group of values.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: ConfigPath,
    pub(crate) kind: Kind,
    /// The bytes of the value, with its quotes or brackets. For a group without brackets, the start is that of its header
    /// or its first entry.
    pub(crate) span: Range<usize>,
    /// The bytes of the entry, from the first byte of the key to the end of the value.
    pub(crate) entry: Range<usize>,
    pub(crate) parent: Option<usize>,
    /// A comment inside of the value: after the indicator of a YAML block scalar.
    pub(crate) comment: Option<Range<usize>>,
    /// Set for a value between brackets, with commas between entries in place of lines.
    pub(crate) is_flow: bool,
    /// Set for a group with a line of its own before its entries: TOML's `[table]`.
    pub(crate) has_header: bool,
    /// Set if an alias shows this value in another place, too.
    pub(crate) is_shared: bool,
}

/// The kind of a value.
pub(crate) enum Kind {
    Text(SecretString),
    Number,
    /// Something that is not, or not certainly, a text or a number, with a name for messages.
    Other(&'static str),
    /// A reference to a value in another place of the file.
    Alias,
    Map,
    List,
}

impl Document {
    /// Appends a node, and returns its number.
    pub(crate) fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Returns the number of the value at a path.
    pub(crate) fn find(&self, path: &ConfigPath) -> Option<usize> {
        self.nodes.iter().position(|node| node.path == *path)
    }

    /// Returns the direct entries of a group, in the order of the text.
    pub(crate) fn children(
        &self,
        group: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, &Node)> + Clone {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.parent == Some(group))
    }

    /// Returns the first comma in these bytes.
    pub(crate) fn comma_in(&self, range: Range<usize>) -> Option<usize> {
        self.commas.iter().copied().find(|comma| range.contains(comma))
    }

    /// Returns all single values by their path, in a form that can be compared between texts.
    pub(crate) fn leaves<'a>(&'a self, text: &'a str) -> BTreeMap<&'a ConfigPath, Leaf<'a>> {
        let leaves = self.nodes.iter().filter_map(|node| Some((&node.path, node.leaf(text)?)));
        leaves.collect()
    }
}

/// A single value, for comparing. Without `Debug`, since it can be a secret.
#[derive(PartialEq, Eq)]
pub(crate) enum Leaf<'a> {
    Text(&'a str),
    /// A value of another kind, as it is spelled in the file.
    Source(&'a str),
}

impl Node {
    /// Returns whether the node is a map or a list.
    pub(crate) fn is_group(&self) -> bool {
        matches!(self.kind, Kind::Map | Kind::List)
    }

    /// Returns a single value. `None` for a group.
    fn leaf<'a>(&'a self, text: &'a str) -> Option<Leaf<'a>> {
        match &self.kind {
            Kind::Text(value) => Some(Leaf::Text(value.expose_secret())),
            Kind::Map | Kind::List => None,
            _ => Some(Leaf::Source(&text[self.span.clone()])),
        }
    }

    /// Returns the value, if it is a text.
    pub(crate) fn text(&self) -> Option<&SecretString> {
        match &self.kind {
            Kind::Text(value) => Some(value),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Number => "Number",
            Self::Other(name) => name,
            Self::Alias => "Alias",
            Self::Map => "Map",
            Self::List => "List",
        })
    }
}

/// Returns the flaw of a key that its group already has.
pub(crate) fn duplicate(path: &ConfigPath, at: usize) -> Flaw {
    Flaw::new(at, format!("{path} is there for the second time")).with_hint(
        "Nothing was changed. Programs differ in which of the two they read: delete one of them.",
    )
}

/// Returns the flaw of a value deeper than [`MAX_DEPTH`].
pub(crate) fn too_deep(at: usize) -> Flaw {
    Flaw::new(at, format!("values lie in each other more than {MAX_DEPTH} deep"))
}
