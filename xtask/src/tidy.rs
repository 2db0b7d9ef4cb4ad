//! The rules of the repository. Each rule is a function from the [`Tree`] to its violations.

use std::fmt;

pub(crate) use tree::Tree;

mod files;
mod header;
mod layers;
mod length;
mod manifest;
mod manifests;
mod published;
mod stores;
mod toolchain;
mod tree;

/// Returns all violations, sorted by path and line.
pub(crate) fn violations(tree: &Tree) -> Vec<Violation> {
    let mut violations: Vec<Violation> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    violations.sort();
    violations
}

/// A violation of a rule. The message states the problem and the remedy.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

type Rule = fn(&Tree) -> Vec<Violation>;

const RULES: &[Rule] = &[
    files::check,
    header::check,
    layers::check,
    length::check,
    manifests::check,
    published::check,
    stores::check_files,
    stores::check_platforms,
    toolchain::check,
];

#[cfg(test)]
mod tests {
    use super::{tree::Package, *};

    /// Returns the lines at which a rule finds violations in a file.
    pub(super) fn lines(rule: Rule, path: &str, text: &str) -> Vec<usize> {
        let tree = Tree::default().with_file(path, text);
        rule(&tree).into_iter().map(|violation| violation.line).collect()
    }

    pub(super) fn passes(rule: Rule, path: &str, text: &str) -> bool {
        lines(rule, path, text).is_empty()
    }

    #[test]
    fn a_violation_reads_as_path_line_message() {
        let violation = Violation::new("a/b.rs", 7, "is wrong: do better");
        assert_eq!(violation.to_string(), "a/b.rs:7: is wrong: do better");
    }

    #[test]
    fn violations_come_by_path_and_line() {
        let package = Package::named("b");
        let tree = Tree::default().with_package(package, "[package]\nname = \"b\"\n");
        let places: Vec<_> =
            violations(&tree.with_file("a.rs", "")).into_iter().map(|v| (v.path, v.line)).collect();
        assert_eq!(places.first(), Some(&("a.rs".into(), 1)));
        assert!(places.len() > 2 && places.is_sorted(), "{places:?}");
    }
}
