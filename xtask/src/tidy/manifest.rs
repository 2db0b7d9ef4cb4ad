//! A manifest as it is written, with inherited settings and line numbers, which `cargo metadata` does not tell.
//!
//! The parser reads the subset of TOML that manifests use, and assumes that cargo accepts the manifest.

/// A manifest, as a flat list of settings.
#[derive(Debug)]
pub(super) struct Manifest {
    settings: Vec<Setting>,
    /// The numbers of the lines that contain only a comment.
    comments: Vec<usize>,
}

/// A setting. `a.b = 1`, `[a]` with `b = 1`, and `a = { b = 1 }` are all the setting of path `a`, `b` and value `1`.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) path: Vec<String>,
    pub(super) value: String,
    pub(super) line: usize,
    /// The line of the table's header, or of the setting if there is no header.
    pub(super) header: usize,
}

/// A dependency that a manifest declares.
#[derive(Debug)]
pub(super) struct Declared<'a> {
    pub(super) table: &'a str,
    pub(super) name: &'a str,
    pub(super) line: usize,
    /// True if it has `workspace = true`.
    pub(super) inherited: bool,
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Self {
        let mut settings = Vec::new();
        let (mut table, mut header) = (Vec::new(), None);
        for (line, statement) in statements(text) {
            if let Some(name) = statement.strip_prefix('[') {
                // An element of an array, `[[bin]]`, counts as a table. No rule tells elements apart.
                let name = name.trim_start_matches('[').trim_end_matches(']');
                (table, header) = (keys(name), Some(line));
            } else if let [key, value @ ..] = &split(&statement, '=')[..] {
                let header = header.unwrap_or(line);
                let setting = |path, value| Setting { path, value, line, header };
                let path = [&table[..], &keys(key)].concat();
                settings
                    .extend(flat(path, &value.join("=")).into_iter().map(|(p, v)| setting(p, v)));
            }
        }
        let comments = (1..).zip(text.lines()).filter(|(_, line)| line.trim().starts_with('#'));
        Self { settings, comments: comments.map(|(line, _)| line).collect() }
    }

    /// Returns the settings below a path.
    pub(super) fn below<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = &'a Setting> {
        self.settings.iter().filter(move |setting| {
            let mut start = setting.path.iter().map(String::as_str);
            path.iter().all(|&key| start.next() == Some(key))
        })
    }

    /// Returns the value at a path.
    pub(super) fn value(&self, path: &[&str]) -> Option<&str> {
        let setting = self.below(path).find(|setting| setting.path.len() == path.len());
        setting.map(|setting| setting.value.as_str())
    }

    /// Returns the line of the first setting below a path, or 1.
    pub(super) fn line(&self, path: &[&str]) -> usize {
        self.below(path).next().map_or(1, |setting| setting.line)
    }

    /// Returns whether the line above is a comment.
    pub(super) fn is_commented(&self, line: usize) -> bool {
        self.comments.contains(&(line - 1))
    }

    /// Returns the dependencies of all kinds and platforms.
    pub(super) fn dependencies(&self) -> Vec<Declared<'_>> {
        let mut found: Vec<(&[String], Declared<'_>)> = Vec::new();
        for setting in &self.settings {
            let Some((path, table, name)) = dependency(&setting.path) else { continue };
            if !found.iter().any(|(known, _)| *known == path) {
                let line = setting.line;
                found.push((path, Declared { table, name, line, inherited: false }));
            }
            let inherits = setting.path.ends_with(&["workspace".into()]) && setting.value == "true";
            let same = found.iter_mut().filter(|(known, _)| *known == path);
            same.for_each(|(_, declared)| declared.inherited |= inherits);
        }
        found.into_iter().map(|(_, declared)| declared).collect()
    }

    /// Returns the line that declares a dependency, or 1.
    pub(super) fn dependency_line(&self, table: &str, name: &str) -> usize {
        let declared = self.dependencies();
        let declared = declared.iter().find(|d| d.table == table && d.name == name);
        declared.map_or(1, |declared| declared.line)
    }
}

const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Returns the path, table and name of the dependency that a setting belongs to.
fn dependency(path: &[String]) -> Option<(&[String], &str, &str)> {
    // `target.'cfg(…)'` precedes the table.
    let above = if path.first()? == "target" { 2 } else { 0 };
    let (table, name) = (path.get(above)?, path.get(above + 1)?);
    TABLES.contains(&table.as_str()).then(|| (&path[..above + 2], table.as_str(), name.as_str()))
}

/// Returns the statements without comments, each with the number of its first line. A list over several lines is a single
/// statement.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut nesting = Nesting::default();
    for (number, line) in (1..).zip(text.lines()) {
        let mut statement = match statements.pop_if(|_| !nesting.is_closed()) {
            Some((_, open)) => open + "\n",
            None => String::new(),
        };
        // The number of the first line: an open statement has a line break for each line before this.
        let number = number - statement.matches('\n').count();
        for c in line.chars() {
            if c == '#' && nesting.quote.is_none() {
                break;
            }
            nesting.step(c);
            statement.push(c);
        }
        statements.push((number, statement));
    }
    statements.iter_mut().for_each(|(_, statement)| *statement = statement.trim().to_owned());
    statements.retain(|(_, statement)| !statement.is_empty());
    statements
}

/// Returns the settings in a value: the value itself, or the settings of an inline table.
fn flat(path: Vec<String>, value: &str) -> Vec<(Vec<String>, String)> {
    let value = value.trim();
    let inside = value.strip_prefix('{').and_then(|value| value.strip_suffix('}'));
    let Some(inside) = inside.filter(|inside| !inside.trim().is_empty()) else {
        return vec![(path, value.to_owned())];
    };
    let setting = |text: &str| {
        let (key, value) = text.split_once('=')?;
        Some(flat([&path[..], &keys(key)].concat(), value))
    };
    split(inside, ',').into_iter().filter_map(setting).flatten().collect()
}

fn keys(text: &str) -> Vec<String> {
    split(text, '.').into_iter().map(unquoted).collect()
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

/// Splits at separators outside of quotes and brackets.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut nesting = Nesting::default();
    let at_separator = |c: char| {
        let found = c == separator && nesting.is_closed();
        nesting.step(c);
        found
    };
    text.split(at_separator).collect()
}

#[derive(Default)]
struct Nesting {
    quote: Option<char>,
    escaped: bool,
    depth: usize,
}

impl Nesting {
    fn step(&mut self, c: char) {
        match (self.quote, c) {
            (Some('"'), _) if self.escaped => self.escaped = false,
            (Some('"'), '\\') => self.escaped = true,
            (Some(quote), _) if quote == c => self.quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => self.quote = Some(c),
            (None, '[' | '{') => self.depth += 1,
            (None, ']' | '}') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
    }

    fn is_closed(&self) -> bool {
        self.quote.is_none() && self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r##"
[package] # a comment
name = "a # b"
edition.workspace = true

[dependencies]
one.workspace = true
two = { workspace = true, features = [
    "x", # a comment, with ]
    "y",
] }
three = "3"

[target.'cfg(target_os = "linux")'.dev-dependencies.four]
version = "4"

# Because.
[lints.rust]
all = { level = "warn", priority = -1 }
"##;

    #[test]
    fn a_setting_is_the_same_however_it_is_written() {
        let manifest = Manifest::parse(MANIFEST);
        assert_eq!(manifest.value(&["package", "name"]), Some("\"a # b\""));
        assert_eq!(manifest.value(&["package", "edition", "workspace"]), Some("true"));
        assert_eq!(manifest.value(&["dependencies", "two", "workspace"]), Some("true"));
        assert_eq!(manifest.value(&["lints", "rust", "all", "level"]), Some("\"warn\""));
        assert_eq!(manifest.value(&["package", "edition"]), None);
    }

    #[test]
    fn a_list_may_span_lines() {
        let manifest = Manifest::parse(MANIFEST);
        let features = manifest.below(&["dependencies", "two", "features"]).next().unwrap();
        assert_eq!(features.line, 8);
        assert_eq!(manifest.line(&["dependencies", "three"]), 12);
    }

    #[test]
    fn a_comment_belongs_to_the_line_below() {
        let manifest = Manifest::parse(MANIFEST);
        let lint = manifest.below(&["lints", "rust"]).next().unwrap();
        assert!(manifest.is_commented(lint.header));
        assert!(!manifest.is_commented(lint.line));
    }

    #[test]
    fn dependencies_of_all_kinds_are_found() {
        let manifest = Manifest::parse(MANIFEST);
        let dependencies = manifest.dependencies();
        let found: Vec<_> = dependencies.iter().map(|d| (d.table, d.name, d.inherited)).collect();
        let expected = [
            ("dependencies", "one", true),
            ("dependencies", "two", true),
            ("dependencies", "three", false),
            ("dev-dependencies", "four", false),
        ];
        assert_eq!(found, expected);
    }
}
