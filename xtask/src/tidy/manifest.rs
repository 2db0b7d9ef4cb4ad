//! A manifest as it is written, with inherited settings and line numbers, which `cargo metadata` does not tell.

use anyhow::Context as _;
use toml_edit::{Document, Item, TableLike};

/// A manifest. `a.b = 1`, `[a]` with `b = 1`, and `a = { b = 1 }` are all the setting of path `a`, `b`.
#[derive(Debug)]
pub(super) struct Manifest<'a> {
    text: &'a str,
    document: Document<&'a str>,
}

impl<'a> Manifest<'a> {
    pub(super) fn parse(text: &'a str) -> anyhow::Result<Self> {
        let document = Document::parse(text).context("not TOML")?;
        Ok(Self { text, document })
    }

    /// Returns the setting at a path.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Item> {
        path.iter().try_fold(self.document.as_item(), |item, key| item.get(key))
    }

    /// Returns whether the setting at a path is this truth value.
    pub(super) fn is(&self, path: &[&str], value: bool) -> bool {
        self.get(path).and_then(Item::as_bool) == Some(value)
    }

    /// Returns the line of the setting at a path, or of the innermost table that exists, or 1.
    pub(super) fn line(&self, path: &[&str]) -> usize {
        let mut table: Option<&dyn TableLike> = Some(self.document.as_table());
        let mut line = 1;
        for key in path {
            let Some((key, item)) = table.and_then(|table| table.get_key_value(key)) else { break };
            if let Some(span) = key.span() {
                line = self.text[..span.start].matches('\n').count() + 1;
            }
            table = item.as_table_like();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "a"
edition.workspace = true

[dependencies]
two = { workspace = true, features = [
    "x",
] }
three = "3"
"#;

    #[test]
    fn a_setting_is_found_however_it_is_written() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        assert!(manifest.is(&["package", "edition", "workspace"], true));
        assert!(manifest.is(&["dependencies", "two", "workspace"], true));
        assert!(!manifest.is(&["dependencies", "three", "workspace"], true));
        assert!(manifest.get(&["package", "licence"]).is_none());
    }

    #[test]
    fn a_setting_has_its_line_and_a_missing_one_its_tables() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        assert_eq!(manifest.line(&["package", "edition"]), 4);
        assert_eq!(manifest.line(&["dependencies", "three"]), 10);
        assert_eq!(manifest.line(&["package", "licence"]), 2);
        assert_eq!(manifest.line(&["lints"]), 1);
    }
}
