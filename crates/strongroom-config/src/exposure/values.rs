//! A search for the values of secrets in other texts.

use memchr::{memmem, memrchr2};
use strongroom::ExposeSecret;
use zeroize::Zeroizing;

use crate::ConfigPath;
use crate::file_secret::Content;
use crate::format::quote;
use crate::recognition;
use crate::snapshot::Snapshot;
use crate::stored::StoredSecrets;

/// The shortest text to find, in bytes. Shorter texts are everywhere.
const MIN_LEN: usize = 4;

/// The length from which a value is unmistakable, in bytes. A shorter value counts only after its key.
const CERTAIN_LEN: usize = 12;

/// The limit for the texts to find.
const MAX_FORMS: usize = 1024;

/// Values, in all forms that copies of a file can contain.
#[derive(Default)]
pub(super) struct Values {
    forms: Vec<Form>,
    /// Set if the limit left some out.
    pub(super) is_incomplete: bool,
}

/// A text to find.
#[derive(PartialEq, Eq)]
struct Form {
    bytes: Zeroizing<Vec<u8>>,
    /// The key of a short value, which has to precede it in the same line.
    name: Option<String>,
}

impl Values {
    /// Collects the values in a file, and the stored values of the secrets that belong to it.
    pub(super) fn of(snapshot: &Snapshot, stored: &StoredSecrets) -> Self {
        let mut values = Self::default();
        for secret in &snapshot.secrets {
            let name = name_in(&secret.path);
            if let Content::Value(value) = &secret.content {
                values.add(name, value.expose_secret());
            }
            let node = snapshot.node(secret);
            if let Some(node) = node.filter(|node| secret.may_have_value() && !node.is_group()) {
                // The spelling of the file, which can have escapes.
                let text = snapshot.source.text[node.span.clone()].trim_matches(['"', '\'']);
                values.add_text(name, text);
            }
            if let Some(value) = stored.value(&secret.key) {
                values.add(name, value.expose_secret());
            }
        }
        values
    }

    /// Returns the number of texts to find.
    pub(super) fn count(&self) -> usize {
        self.forms.len()
    }

    /// Returns the positions of all values in these bytes, unsorted.
    pub(super) fn positions_in<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        self.forms.iter().flat_map(move |form| {
            memmem::find_iter(bytes, &form.bytes[..]).filter(|at| form.stands_at(bytes, *at))
        })
    }

    /// Adds a value in all its forms. `name` is its key.
    fn add(&mut self, name: &str, value: &str) {
        self.add_text(name, value);
        let line = longest_line(value);
        let escaped = Zeroizing::new(quote::basic(line));
        let escaped = &escaped[1..escaped.len() - 1];
        self.add_text(name, escaped);
        // Some writers of JSON escape slashes. With room for everything: growing would leave an unwiped copy behind.
        let mut slashed = Zeroizing::new(String::with_capacity(2 * escaped.len()));
        for c in escaped.chars() {
            slashed.extend((c == '/').then_some('\\').into_iter().chain([c]));
        }
        self.add_text(name, &slashed);
        // Windows programs can save text as UTF-16.
        if line.len() >= CERTAIN_LEN {
            for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let mut bytes = Zeroizing::new(Vec::with_capacity(2 * line.len()));
                line.encode_utf16().for_each(|unit| bytes.extend(to_bytes(unit)));
                self.add_form(Form { bytes, name: None });
            }
        }
    }

    /// Adds the longest line of a text as it is.
    fn add_text(&mut self, name: &str, text: &str) {
        let line = longest_line(text);
        if line.len() >= MIN_LEN && !recognition::is_placeholder(line) {
            let name = (line.len() < CERTAIN_LEN).then(|| name.to_owned());
            self.add_form(Form { bytes: Zeroizing::new(line.as_bytes().to_vec()), name });
        }
    }

    fn add_form(&mut self, form: Form) {
        if self.forms.contains(&form) {
            return;
        }
        self.is_incomplete = self.forms.len() >= MAX_FORMS;
        if !self.is_incomplete {
            self.forms.push(form);
        }
    }
}

impl Form {
    /// Returns whether a match is the value, and not part of a longer word or another entry.
    fn stands_at(&self, bytes: &[u8], at: usize) -> bool {
        let Some(name) = &self.name else { return true };
        let before = &bytes[..at];
        let start = memrchr2(b'\n', 0, before).map_or(0, |end| end + 1);
        let is_in_word = [before.last(), bytes.get(at + self.bytes.len())]
            .into_iter()
            .flatten()
            .any(u8::is_ascii_alphanumeric);
        !is_in_word && memmem::find(&before[start..], name.as_bytes()).is_some()
    }
}

/// Returns the last key of a path that names something. The index of a list's item doesn't.
fn name_in(path: &ConfigPath) -> &str {
    let mut names = path.keys().iter().rev().filter(|key| key.parse::<usize>().is_err());
    names.next().map_or("", String::as_str)
}

/// Returns the line to find in place of a text: the longest, since swap files separate lines. Of several longest lines the
/// last is taken, because all private keys begin alike.
fn longest_line(text: &str) -> &str {
    text.lines().map(str::trim).max_by_key(|line| line.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_in(value: &str, bytes: impl AsRef<[u8]>) -> bool {
        let mut values = Values::default();
        values.add("NAME", value);
        values.positions_in(bytes.as_ref()).next().is_some()
    }

    #[test]
    fn a_value_is_found_in_each_form() {
        let value = "p\u{e4}ss/\"w\"ord";
        assert!(are_in(value, format!("\0\x01{value}\0")));
        assert!(are_in(value, "{\"a\":\"p\u{e4}ss/\\\"w\\\"ord\"}"));
        assert!(are_in(value, "{\"a\":\"p\u{e4}ss\\/\\\"w\\\"ord\"}"));
        let units: Vec<u16> = value.encode_utf16().collect();
        assert!(are_in(
            value,
            units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>()
        ));
        assert!(are_in(
            value,
            units.iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<_>>()
        ));
        assert!(!are_in(value, "p\u{e4}ss"));
    }

    #[test]
    fn a_value_of_several_lines_is_found_by_one() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nAbCdEfGhIjKlMnOpQrStUvWxYz012345\nAbCd\n";
        assert!(are_in(key, "\0AbCdEfGhIjKlMnOpQrStUvWxYz012345\0MIIE"));
        assert!(!are_in(key, "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n"));
    }

    #[test]
    fn a_short_value_is_found_behind_its_name_alone() {
        for found in ["NAME=root\n", "a\0\"NAME\": \"root\",", "x\n# NAME was root."] {
            assert!(are_in("root", found), "{found}");
        }
        for text in ["OTHER=root\n", "NAME=\nOTHER=root", "NAME=rooted", "NAME=chroot", "root NAME"]
        {
            assert!(!are_in("root", text), "{text}");
        }
        for value in ["", "abc", "********", "changeme"] {
            assert!(!are_in(value, format!("NAME={value}")), "{value}");
        }
    }
}
