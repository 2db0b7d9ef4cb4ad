//! Dotenv files. Existing readers don't return the bytes of a value, and differ in the syntax that they accept. This reader
//! accepts the syntax that `dotenvy`, node's `dotenv` and a shell agree on, and reports the rest.

use std::collections::HashSet;
use std::ops::Range;

use strongroom::SecretString;

use crate::ConfigPath;
use crate::document::{Document, Kind, Node, duplicate};
use crate::flaw::Flaw;

pub(super) fn parse(text: &str) -> Result<Document, Flaw> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { text, at: start };
    let mut document = Document::default();
    document.push(root(text, start));
    let mut names = HashSet::new();
    while !reader.is_at_end() {
        if let Some(node) = reader.entry()? {
            if !names.insert(node.path.clone()) {
                return Err(duplicate(&node.path, node.entry.start));
            }
            document.push(node);
        }
    }
    Ok(document)
}

/// Returns whether a text can be the name of a variable.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-'
}

/// Returns the node for the whole file.
fn root(text: &str, start: usize) -> Node {
    let span = start..text.len();
    node(ConfigPath::default(), Kind::Map, span.clone(), span, None)
}

fn node(
    path: ConfigPath,
    kind: Kind,
    span: Range<usize>,
    entry: Range<usize>,
    parent: Option<usize>,
) -> Node {
    let (is_flow, has_header, is_shared) = (false, false, false);
    Node { path, kind, span, entry, comment: None, parent, is_flow, has_header, is_shared }
}

/// A reader of entries, at a position in the text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads a line with its entry, which has several lines if its quoted value has. `None` for a line without an entry.
    fn entry(&mut self) -> Result<Option<Node>, Flaw> {
        self.skip_blanks();
        if self.skip_line_end() {
            return Ok(None);
        }
        let start = self.at;
        let mut name = self.take_while(is_name_char);
        if name == "export" && self.rest().starts_with([' ', '\t']) {
            self.skip_blanks();
            name = self.take_while(is_name_char);
        }
        if !is_name(name) {
            return Err(Flaw::new(start, "the line does not begin with the name of a variable"));
        }
        self.skip_blanks();
        if !self.skip_char('=') {
            return Err(Flaw::new(self.at, "there is no = behind the name"));
        }
        let after_equals = self.at;
        self.skip_blanks();
        let (kind, span) = match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote)?,
            _ => self.bare(after_equals),
        };
        let entry = start..span.end;
        Ok(Some(node(ConfigPath::new([name]), kind, span, entry, Some(0))))
    }

    /// Reads a value in quotes, and the rest of its last line, which has to be blank or a comment.
    fn quoted(&mut self, quote: char) -> Result<(Kind, Range<usize>), Flaw> {
        let start = self.at;
        let inside = &self.text[start + 1..];
        let mut is_escaped = false;
        let end = inside.find(|c: char| {
            let ends = c == quote && !is_escaped;
            is_escaped = quote == '"' && c == '\\' && !is_escaped;
            ends
        });
        let end = end.ok_or_else(|| Flaw::new(start, "the quote is not closed"))?;
        let (inside, span) = (&inside[..end], start..start + end + 2);
        self.at = span.end;
        // For a shell, a `#` directly after the quote belongs to the value. Other readers see a comment.
        let touches_comment = self.rest().starts_with('#');
        self.skip_blanks();
        if touches_comment || !self.skip_line_end() {
            return Err(Flaw::new(self.at, "something follows the closing quote"));
        }
        let kind = match quote {
            '"' => double_quoted(inside),
            _ => Kind::Text(SecretString::from(inside)),
        };
        Ok((kind, span))
    }

    /// Reads a value without quotes. It ends with the line, or before white space and `#`.
    fn bare(&mut self, after_equals: usize) -> (Kind, Range<usize>) {
        let line = self.rest().lines().next().unwrap_or_default();
        let before = self.text[after_equals..self.at].chars().next_back();
        let mut last = before;
        let comment = line.find(|c: char| {
            let begins = c == '#' && last.is_some_and(char::is_whitespace);
            last = Some(c);
            begins
        });
        let value = line[..comment.unwrap_or(line.len())].trim_end();
        // The place of an empty value is directly after the equals sign, before any white space.
        let start = if value.is_empty() { after_equals } else { self.at };
        self.at += line.len();
        self.skip_char('\r');
        self.skip_char('\n');
        let kind = match value.contains(['\'', '"', '\\', '#']) || has_substitution(value) {
            true => Kind::Other(UNCLEAR),
            false => Kind::Text(SecretString::from(value)),
        };
        (kind, start..start + value.len())
    }

    /// Skips the rest of the line if it is blank or a comment. Returns whether it did.
    fn skip_line_end(&mut self) -> bool {
        let rest = self.rest();
        let line = &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)];
        let is_end =
            line.trim_start_matches('\r').starts_with(['\n', '#']) || line.trim().is_empty();
        if is_end {
            self.at += line.len();
        }
        is_end
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let part = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.at += part.len();
        part
    }

    fn skip_blanks(&mut self) {
        self.take_while(|c| c == ' ' || c == '\t');
    }

    /// Skips a character, if it is next. Returns whether it was.
    fn skip_char(&mut self, c: char) -> bool {
        let is_there = self.rest().starts_with(c);
        self.at += if is_there { c.len_utf8() } else { 0 };
        is_there
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }
}

/// The name for a value that readers disagree on.
const UNCLEAR: &str = "a value that programs read differently (put it into single quotes)";

/// Reads the text between double quotes. Readers agree on three escapes there; any other makes the value unclear.
fn double_quoted(inside: &str) -> Kind {
    let mut value = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some(c @ ('"' | '\\')) => c,
                _ => return Kind::Other(UNCLEAR),
            },
            c => c,
        };
        value.push(c);
    }
    if has_substitution(inside) {
        Kind::Other(UNCLEAR)
    } else {
        Kind::Text(SecretString::from(value))
    }
}

/// Returns whether a reader could substitute a variable or a command in the value.
fn has_substitution(value: &str) -> bool {
    value.contains(['$', '`'])
}

#[cfg(test)]
mod tests {
    use strongroom::ExposeSecret;

    use super::*;

    #[test]
    fn values_have_their_bytes() {
        let text =
            "\u{feff}# c\r\nexport A=x # d\r\n B = 'y #z'\r\nC=\"1\\n\\\"2\r\n3\"\r\nD=\r\nF= # g";
        let document = parse(text).unwrap();
        let seen: Vec<_> = document.nodes[1..]
            .iter()
            .map(|node| (&text[node.entry.clone()], node.text().unwrap().expose_secret()))
            .collect();
        assert_eq!(
            seen,
            [
                ("export A=x", "x"),
                ("B = 'y #z'", "y #z"),
                ("C=\"1\\n\\\"2\r\n3\"", "1\n\"2\r\n3"),
                ("D=", ""),
                ("F=", ""),
            ]
        );
    }

    #[test]
    fn what_readers_differ_about_is_no_text() {
        for text in ["A=a\\b", "A=it's", "A=$B", "A=\"${B}\"", "A=\"\\t\"", "A=$", "A=`b`", "A=a#b"]
        {
            assert!(parse(text).unwrap().nodes[1].text().is_none(), "{text}");
        }
        for text in ["A='$B'", "A='`$5`'", "A=5 6"] {
            assert!(parse(text).unwrap().nodes[1].text().is_some(), "{text}");
        }
    }

    #[test]
    fn a_broken_line_is_refused_where_it_breaks() {
        for (text, at) in [("A", 1), ("A=1\n=2", 4), ("A='1\n", 2), ("A=\"1\" 2", 6), ("1A=2", 0)] {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
