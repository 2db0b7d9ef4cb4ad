//! A configuration file as all formats show it: values with their paths, and the bytes where they stand.

use std::collections::BTreeMap;
use std::ops::Range;

use strongroom::{ExposeSecret, SecretString};

use crate::ConfigPath;
use crate::error::Flaw;

/// How deep values may lie in each other. More is no configuration, but an attack on somebody's stack.
pub(crate) const MAX_DEPTH: usize = 64;

/// What was read from a text.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// All values, each after the one that it stands in. The first is the whole file.
    pub(crate) nodes: Vec<Node>,
    /// Where commas stand between entries.
    pub(crate) commas: Vec<usize>,
}

/// A value, or a group of values.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: ConfigPath,
    pub(crate) kind: Kind,
    /// The bytes of the value, with its quotes or brackets. Of a group without brackets: the start of its
    /// header or first entry.
    pub(crate) span: Range<usize>,
    /// The same from the key's first byte on.
    pub(crate) entry: Range<usize>,
    pub(crate) parent: Option<usize>,
    /// A comment that stands within the value: behind the sign of YAML's block scalars.
    pub(crate) comment: Option<Range<usize>>,
    /// What commas and brackets hold together, instead of lines.
    pub(crate) is_flow: bool,
    /// A group that has a line of its own before its entries: TOML's `[table]`.
    pub(crate) has_header: bool,
    /// Whether an alias shows this value in another place, too.
    pub(crate) is_shared: bool,
}

/// What kind of value it is.
pub(crate) enum Kind {
    Text(SecretString),
    Number,
    /// Neither text nor number, or not certainly so; with what to call it.
    Other(&'static str),
    /// A value that stands in another place.
    Alias,
    Map,
    List,
}

impl Document {
    /// Adds a node, and returns its number.
    pub(crate) fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The value at a path.
    pub(crate) fn find(&self, path: &ConfigPath) -> Option<usize> {
        self.nodes.iter().position(|node| node.path == *path)
    }

    /// The values that stand directly in a group, in the order of the text.
    pub(crate) fn children(&self, of: usize) -> impl DoubleEndedIterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.parent == Some(of))
    }

    /// The first comma in these bytes.
    pub(crate) fn comma_in(&self, range: Range<usize>) -> Option<usize> {
        self.commas.iter().copied().find(|comma| range.contains(comma))
    }

    /// All single values by their path, in a form that can be compared between texts.
    pub(crate) fn leaves<'a>(&'a self, text: &'a str) -> BTreeMap<&'a ConfigPath, Leaf<'a>> {
        let leaf = |node: &'a Node| {
            Some(match &node.kind {
                Kind::Text(value) => Leaf::Text(value.expose_secret()),
                Kind::Map | Kind::List => return None,
                _ => Leaf::Source(&text[node.span.clone()]),
            })
        };
        self.nodes.iter().filter_map(|node| Some((&node.path, leaf(node)?))).collect()
    }
}

/// A single value. It can be compared, and shows nothing.
#[derive(PartialEq, Eq)]
pub(crate) enum Leaf<'a> {
    Text(&'a str),
    Source(&'a str),
}

impl Node {
    /// Whether a secret can stand in it.
    pub(crate) fn is_group(&self) -> bool {
        matches!(self.kind, Kind::Map | Kind::List)
    }

    /// The text in it, if it is one.
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
            Self::Other(what) => what,
            Self::Alias => "Alias",
            Self::Map => "Map",
            Self::List => "List",
        })
    }
}

pub(crate) fn duplicate(path: &ConfigPath, at: usize) -> Flaw {
    Flaw::new(at, format!("{path} is there for the second time")).with_hint(
        "Nothing was changed. Programs differ in which of the two they read: delete one of them.",
    )
}

pub(crate) fn too_deep(at: usize) -> Flaw {
    Flaw::new(at, format!("values lie in each other more than {MAX_DEPTH} deep"))
}
