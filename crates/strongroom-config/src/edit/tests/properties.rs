//! Tests with generated files: each value is read as it was written, and a change leaves all other bytes alone.
//!
//! A generated file knows the bytes of each of its values. So the expected file after a change is written by the same
//! few lines that wrote the file, and needs no parser.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::document::Node;
use crate::edit::{Change, apply_changes, set_text};
use crate::{ConfigPath, Format};

/// A value, or a group of values.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(Leaf),
    Map(Vec<(String, Tree)>),
}

/// A value in the spelling of the file, and its text, if it is a text.
#[derive(Clone, Debug)]
struct Leaf {
    source: String,
    text: Option<String>,
}

/// The layout of a file.
#[derive(Clone, Debug)]
struct Style {
    newline: &'static str,
    mark: &'static str,
    comment: &'static str,
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(file in any_file()) {
        let text = file.render(&[], "");
        let document = file.format.parse(&text).map_err(|flaw| TestCaseError::fail(format!("{flaw:?} {text}")))?;
        let read: Vec<_> = document.nodes.iter().filter(|node| !node.is_group()).collect();
        let written = file.leaves();
        prop_assert_eq!(read.len(), written.len(), "{}", text);
        for (path, leaf) in written {
            let node = &document.nodes[document.find(&path).unwrap()];
            let value = node.text().map(strongroom::ExposeSecret::expose_secret);
            prop_assert_eq!(&text[node.span.clone()], &leaf.source);
            prop_assert_eq!(value, leaf.text.as_deref());
        }
    }

    #[test]
    fn replaced_values_change_their_own_bytes_alone(file in any_file(), which in vec(any::<Index>(), 1..4)) {
        let (text, chosen) = (file.render(&[], ""), file.choose(&which));
        let document = file.format.parse(&text).unwrap();
        let value = "strongroom:NAME";
        let changes = chosen.iter().map(|path| (document.find(path).unwrap(), Change::Text(value)));
        let changed = apply_changes(file.format, &text, &document, &changes.collect::<Vec<_>>());
        prop_assert_eq!(&*changed.unwrap(), &file.render(&chosen, value));
    }

    #[test]
    fn values_that_come_back_bring_the_same_bytes(file in any_file(), which in vec(any::<Index>(), 1..4)) {
        let (text, chosen) = (file.render(&[], ""), file.choose(&which));
        let document = file.format.parse(&text).unwrap();
        let changes = chosen.iter().map(|path| (document.find(path).unwrap(), Change::Text("strongroom:NAME")));
        let secured = apply_changes(file.format, &text, &document, &changes.collect::<Vec<_>>()).unwrap();
        let again = file.format.parse(&secured).unwrap();
        let changes = chosen.iter().map(|path| {
            let value = document.nodes[document.find(path).unwrap()].text().unwrap();
            (again.find(path).unwrap(), Change::Text(strongroom::ExposeSecret::expose_secret(value)))
        });
        let restored = apply_changes(file.format, &secured, &again, &changes.collect::<Vec<_>>()).unwrap();
        // Plain text between brackets of YAML comes back in quotes. The generated files have brackets below three keys.
        let is_in_brackets = |path: &ConfigPath| file.format == Format::Yaml && path.keys().len() > 3;
        prop_assert!(*restored == text || chosen.iter().any(is_in_brackets), "{}\n{}", text, *restored);
    }

    #[test]
    fn removed_entries_leave_all_others(file in any_file(), which in vec(any::<Index>(), 1..4)) {
        let (text, chosen) = (file.render(&[], ""), file.choose(&which));
        let document = file.format.parse(&text).unwrap();
        let changes = chosen.iter().map(|path| (document.find(path).unwrap(), Change::Removal));
        let changed = apply_changes(file.format, &text, &document, &changes.collect::<Vec<_>>());
        let changed = changed.map_err(|flaw| TestCaseError::fail(format!("{flaw:?}\n{text}\n{chosen:?}")))?;
        let comments = |text: &str| text.matches(file.style.comment.trim_start()).count();
        prop_assert!(!file.has_comments() || comments(&changed) == comments(&text), "{}", *changed);
        if file.format == Format::Json && !file.has_comments() {
            let seen: serde_json::Value = serde_json::from_str(changed.trim_start_matches('\u{feff}')).unwrap();
            prop_assert_eq!(seen, file.without(&chosen));
        }
    }

    #[test]
    fn a_marker_is_the_only_thing_that_comes(file in any_file()) {
        let text = file.render(&[], "");
        let marked = set_text(file.format, &text, &ConfigPath::new(["credentialStorage"]), "keychain");
        let marked = marked.map_err(|flaw| TestCaseError::fail(format!("{flaw:?}\n{text}")))?;
        prop_assert!(marked.len() > text.len() && marked.contains("credentialStorage"));
        let again = set_text(file.format, &marked, &ConfigPath::new(["credentialStorage"]), "keychain");
        prop_assert_eq!(&*again.unwrap(), &*marked);
    }

    #[test]
    fn what_is_quoted_reads_as_it_was(text in "\\PC{0,20}|[\\x00-\\x7f\u{80}-\u{a0}\u{2028}\u{feff}]{0,8}") {
        for format in [Format::Json, Format::Toml, Format::Yaml, Format::Env] {
            let Some(entry) = format.entry("key", &text) else {
                prop_assert_eq!(format, Format::Env);
                continue;
            };
            let source = if format == Format::Json { format!("{{{entry}}}") } else { format!("{entry}\n") };
            let document = format.parse(&source).map_err(|flaw| TestCaseError::fail(format!("{flaw:?}")))?;
            let node = &document.nodes[document.find(&ConfigPath::new(["key"])).unwrap()];
            let value = node.text().map(strongroom::ExposeSecret::expose_secret);
            prop_assert_eq!(value, Some(text.as_str()), "{}", source);
        }
    }

    #[test]
    fn dotenvy_reads_what_is_read_here(lines in vec(("[A-Z]{1,3}", "[ -~]{0,12}"), 1..5)) {
        let text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let Ok(document) = Format::Env.parse(&text) else { return Ok(()) };
        for (number, theirs) in dotenvy::from_read_iter(text.as_bytes()).enumerate() {
            // It refuses some values that node's reader accepts.
            let Ok((name, value)) = theirs else { return Ok(()) };
            let ours = document.nodes.get(number + 1);
            let Some(ours) = ours.and_then(Node::text) else { return Ok(()) };
            prop_assert_eq!(strongroom::ExposeSecret::expose_secret(ours), &value, "{} in {}", name, text);
        }
    }
}

#[derive(Clone, Debug)]
struct File {
    format: Format,
    style: Style,
    tree: Vec<(String, Tree)>,
}

fn any_file() -> impl Strategy<Value = File> {
    let format = select(Format::ALL.to_vec());
    format.prop_flat_map(|format| {
        let style = (select(vec!["\n", "\r\n"]), select(vec!["", "\u{feff}"]), any::<bool>());
        let style = style.prop_map(move |(newline, mark, has_comments)| Style {
            newline,
            mark,
            comment: match (has_comments, format) {
                (false, _) => " ",
                (true, Format::Json) => " // it's \"c\", {",
                (true, _) => " # it's \"c\", {",
            },
        });
        (style, map(format, 3)).prop_map(move |(style, tree)| File { format, style, tree })
    })
}

fn map(format: Format, depth: u32) -> BoxedStrategy<Vec<(String, Tree)>> {
    let tree = if depth == 0 || format == Format::Env {
        leaf(format).boxed()
    } else {
        let inner = map(format, depth - 1).prop_map(Tree::Map);
        prop_oneof![3 => leaf(format), 1 => inner].boxed()
    };
    let unique = |mut entries: Vec<(String, Tree)>| {
        entries.sort_by(|one, two| one.0.cmp(&two.0));
        entries.dedup_by(|one, two| one.0 == two.0);
        entries
    };
    vec(("[a-xA-X][a-zA-Z0-9_]{1,6}", tree), 1..5).prop_map(unique).boxed()
}

fn leaf(format: Format) -> BoxedStrategy<Tree> {
    let words = || "[a-x]{2,8}z".prop_map(|word| (word.clone(), word));
    let json =
        || "[ -~éß𝄞\n\t]{0,12}".prop_map(|text| (serde_json::to_string(&text).unwrap(), text));
    let raw = || "[ -&(-~éß𝄞]{0,12}".prop_map(|text| (format!("'{text}'"), text));
    let single =
        || "[ -~é]{0,12}".prop_map(|text| (format!("'{}'", text.replace('\'', "''")), text));
    let number = (0..9_999u32).prop_map(|number| Leaf { source: number.to_string(), text: None });
    let texts = match format {
        Format::Json => json().boxed(),
        Format::Toml => prop_oneof![json(), raw()].boxed(),
        Format::Yaml => prop_oneof![words(), json(), single()].boxed(),
        _ => return prop_oneof![words(), raw()].prop_map(text_leaf).boxed(),
    };
    prop_oneof![4 => texts.prop_map(text_leaf), 1 => number.prop_map(Tree::Leaf)].boxed()
}

fn text_leaf((source, text): (String, String)) -> Tree {
    Tree::Leaf(Leaf { source, text: Some(text) })
}

impl File {
    /// Returns the file's text, with another text for the values at these paths, in their quotes.
    fn render(&self, at: &[ConfigPath], text: &str) -> String {
        let writer = Writer { file: self, at, text };
        let body = writer.group(&self.tree, &ConfigPath::default(), 0);
        let first = if self.has_comments() { self.style.comment.trim_start() } else { "" };
        [self.style.mark, first, self.style.newline, &body, self.style.newline].concat()
    }

    fn has_comments(&self) -> bool {
        self.style.comment != " "
    }

    fn leaves(&self) -> Vec<(ConfigPath, Leaf)> {
        leaves(&self.tree, &ConfigPath::default())
    }

    /// Returns the paths of some texts, without duplicates.
    fn choose(&self, which: &[Index]) -> Vec<ConfigPath> {
        let texts: Vec<_> =
            self.leaves().into_iter().filter(|(_, leaf)| leaf.text.is_some()).collect();
        let mut chosen: Vec<_> = match texts.is_empty() {
            true => Vec::new(),
            false => which.iter().map(|index| index.get(&texts).0.clone()).collect(),
        };
        chosen.sort();
        chosen.dedup();
        chosen
    }

    /// Returns the content of a JSON file without the values at these paths.
    fn without(&self, gone: &[ConfigPath]) -> serde_json::Value {
        fn value(
            tree: &[(String, Tree)],
            path: &ConfigPath,
            gone: &[ConfigPath],
        ) -> serde_json::Value {
            let kept = tree.iter().filter(|(key, _)| !gone.contains(&path.join(key.as_str())));
            let entries = kept.map(|(key, tree)| {
                let inner = match tree {
                    Tree::Leaf(leaf) => serde_json::from_str(&leaf.source).unwrap(),
                    Tree::Map(tree) => value(tree, &path.join(key.as_str()), gone),
                };
                (key.clone(), inner)
            });
            serde_json::Value::Object(entries.collect())
        }
        value(&self.tree, &ConfigPath::default(), gone)
    }
}

fn leaves(tree: &[(String, Tree)], path: &ConfigPath) -> Vec<(ConfigPath, Leaf)> {
    let inner = tree.iter().flat_map(|(key, tree)| match tree {
        Tree::Leaf(leaf) => vec![(path.join(key.as_str()), leaf.clone())],
        Tree::Map(tree) => leaves(tree, &path.join(key.as_str())),
    });
    inner.collect()
}

struct Writer<'a> {
    file: &'a File,
    at: &'a [ConfigPath],
    text: &'a str,
}

impl Writer<'_> {
    /// Returns the entries of a group, each on its own line.
    fn group(&self, tree: &[(String, Tree)], path: &ConfigPath, depth: usize) -> String {
        let File { format, style: Style { newline, comment, .. }, .. } = self.file;
        let (indent, is_toml) = ("  ".repeat(depth), *format == Format::Toml);
        let entry = |(index, (key, tree)): (usize, &(String, Tree)), len: usize| {
            let path = path.join(key.as_str());
            match (format, tree) {
                (Format::Json, _) => {
                    let comma = if index + 1 < len { "," } else { "" };
                    let value = self.value(tree, &path, depth + 1, true);
                    format!("{indent}  \"{key}\": {value}{comma}{comment}{newline}")
                }
                (Format::Toml, Tree::Map(inner)) if depth == 0 => {
                    format!("[{key}]{comment}{newline}{}", self.group(inner, &path, 1))
                }
                (Format::Yaml, Tree::Map(inner)) if depth < 2 => {
                    format!(
                        "{indent}{key}:{comment}{newline}{}",
                        self.group(inner, &path, depth + 1)
                    )
                }
                _ => {
                    let equals = self.equals();
                    format!(
                        "{indent}{key}{equals}{}{comment}{newline}",
                        self.value(tree, &path, depth, false)
                    )
                }
            }
        };
        // In TOML, entries outside of tables come before all tables.
        let is_late = |tree: &Tree| is_toml && depth == 0 && matches!(tree, Tree::Map(_));
        let (late, early): (Vec<_>, Vec<_>) = tree.iter().partition(|(_, tree)| is_late(tree));
        let entries = early.into_iter().chain(late).enumerate();
        let entries: String = entries.map(|numbered| entry(numbered, tree.len())).collect();
        if *format == Format::Json { format!("{{{newline}{entries}{indent}}}") } else { entries }
    }

    /// Returns the source of a value. `is_flow` is set between brackets.
    fn value(&self, tree: &Tree, path: &ConfigPath, depth: usize, is_flow: bool) -> String {
        match tree {
            Tree::Leaf(leaf) if self.at.contains(path) => self.in_quotes_of(leaf, is_flow),
            Tree::Leaf(leaf) => leaf.source.clone(),
            Tree::Map(inner) if self.file.format == Format::Json && depth < 2 => {
                self.group(inner, path, depth)
            }
            Tree::Map(inner) => {
                let (quote, equals) = (self.quote(), self.equals());
                let entry = |(key, tree): &(String, Tree)| {
                    let value = self.value(tree, &path.join(key.as_str()), depth + 1, true);
                    format!("{quote}{key}{quote}{equals}{value}")
                };
                format!("{{ {} }}", inner.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn in_quotes_of(&self, leaf: &Leaf, is_flow: bool) -> String {
        let (format, text) = (self.file.format, self.text);
        let has_single = leaf.source.starts_with('\'');
        let is_plain = !leaf.source.starts_with(['\'', '"']);
        match format {
            _ if has_single => format!("'{text}'"),
            Format::Env => text.to_owned(),
            Format::Yaml if is_plain && !is_flow => text.to_owned(),
            _ => format!("\"{text}\""),
        }
    }

    fn quote(&self) -> &'static str {
        if self.file.format == Format::Json { "\"" } else { "" }
    }

    fn equals(&self) -> &'static str {
        match self.file.format {
            Format::Toml => " = ",
            Format::Env => "=",
            _ => ": ",
        }
    }
}
