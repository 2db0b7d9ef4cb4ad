//! The settings of a repository that concern its index and its work tree.
//!
//! The syntax: <https://git-scm.com/docs/git-config#_syntax>. Included files are not read: git takes these settings
//! only from the repository's own file.

/// The settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    /// `core.worktree`.
    pub(super) work_tree: Option<Vec<u8>>,
    /// `extensions.objectFormat`, if it is SHA-256.
    pub(super) is_sha256: bool,
    /// `extensions.worktreeConfig`.
    pub(super) has_worktree_config: bool,
}

/// The extensions that are supported here, or don't change the index.
const EXTENSIONS: [&[u8]; 9] = [
    b"compatobjectformat",
    b"noop",
    b"noop-v1",
    b"objectformat",
    b"partialclone",
    b"preciousobjects",
    b"refstorage",
    b"relativeworktrees",
    b"worktreeconfig",
];

impl Config {
    /// Applies the settings in a text. `None` if the text is invalid, or describes an unknown kind of repository.
    pub(super) fn with(mut self, text: &[u8]) -> Option<Self> {
        let mut reader = Reader { rest: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) };
        let mut section = Vec::new();
        loop {
            reader.skip_blank();
            match reader.rest.first() {
                None => return Some(self),
                Some(b'[') => section = reader.section()?,
                Some(_) => {
                    let (name, value) = reader.setting()?;
                    self.apply(&section, &name, value)?;
                }
            }
        }
    }

    fn apply(&mut self, section: &[u8], name: &[u8], value: Option<Vec<u8>>) -> Option<()> {
        let text = value.as_deref().unwrap_or(b"true");
        match (section, name) {
            (b"core", b"worktree") => self.work_tree = Some(value?),
            (b"core", b"repositoryformatversion") if !matches!(text, b"0" | b"1") => return None,
            (b"extensions", b"objectformat") => {
                self.is_sha256 = match text {
                    b"sha1" => false,
                    b"sha256" => true,
                    _ => return None,
                };
            }
            (b"extensions", b"worktreeconfig") => {
                self.has_worktree_config = !matches!(
                    &text.to_ascii_lowercase()[..],
                    b"false" | b"no" | b"off" | b"0" | b""
                );
            }
            (b"extensions", name) if !EXTENSIONS.contains(&name) => return None,
            _ => {}
        }
        Some(())
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> &[u8] {
        let end = self.rest.iter().position(|byte| !is_part(*byte)).unwrap_or(self.rest.len());
        let (part, rest) = self.rest.split_at(end);
        self.rest = rest;
        part
    }

    fn skip_spaces(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    }

    /// Skips blank lines and comments.
    fn skip_blank(&mut self) {
        self.take_while(|byte| byte.is_ascii_whitespace() || byte == b'\x0b');
        while matches!(self.rest.first(), Some(b'#' | b';')) {
            self.take_while(|byte| byte != b'\n');
            self.take_while(|byte| byte.is_ascii_whitespace() || byte == b'\x0b');
        }
    }

    /// Reads `[name]` or `[name "subsection"]`. A name with a subsection ends with a quote, which no other name does.
    fn section(&mut self) -> Option<Vec<u8>> {
        self.next();
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let mut name = name.to_ascii_lowercase();
        self.skip_spaces();
        if self.rest.first() == Some(&b'"') {
            self.next();
            name.push(b'"');
            loop {
                match self.next()? {
                    b'"' => break,
                    b'\n' => return None,
                    b'\\' => drop(self.next()?),
                    _ => {}
                }
            }
        }
        (self.next()? == b']').then_some(name)
    }

    /// Reads `name = value`, or only a name.
    fn setting(&mut self) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let name = name.to_ascii_lowercase();
        if !name.first()?.is_ascii_alphabetic() {
            return None;
        }
        self.skip_spaces();
        match self.rest.first() {
            None | Some(b'\n' | b'#' | b';') => Some((name, None)),
            Some(b'=') => {
                self.next();
                Some((name, Some(self.value()?)))
            }
            Some(_) => None,
        }
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        let (mut value, mut keep, mut is_quoted) = (Vec::new(), 0, false);
        self.skip_spaces();
        loop {
            match self.next() {
                None | Some(b'\n') if is_quoted => return None,
                None | Some(b'\n') => break,
                Some(b'#' | b';') if !is_quoted => {
                    self.take_while(|byte| byte != b'\n');
                    continue;
                }
                Some(b'"') => is_quoted = !is_quoted,
                Some(b'\\') => match self.escaped()? {
                    Some(byte) => value.push(byte),
                    None => continue,
                },
                Some(b'\r') if self.rest.first().is_none_or(|next| *next == b'\n') => continue,
                Some(byte) => {
                    value.push(byte);
                    if !is_quoted && byte.is_ascii_whitespace() {
                        continue;
                    }
                }
            }
            // Trailing spaces don't belong to the value.
            keep = value.len();
        }
        value.truncate(keep);
        Some(value)
    }

    /// Reads the rest of an escape sequence: a character, or a line break, which stands for nothing.
    fn escaped(&mut self) -> Option<Option<u8>> {
        Some(Some(match self.next()? {
            b'\n' => return Some(None),
            b'\r' if self.rest.first() == Some(&b'\n') => {
                self.next();
                return Some(None);
            }
            b't' => b'\t',
            b'b' => b'\x08',
            b'n' => b'\n',
            byte @ (b'\\' | b'"') => byte,
            _ => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work_tree(text: &str) -> Option<String> {
        let config = Config::default().with(text.as_bytes())?;
        Some(String::from_utf8(config.work_tree.unwrap_or_default()).unwrap())
    }

    #[test]
    fn a_value_is_read_as_git_reads_it() {
        for (text, value) in [
            ("[core]\n\tworktree = ../a b \t# c\n", "../a b"),
            ("[CORE]WorkTree=/x", "/x"),
            ("[core]\nworktree = \"a # \\\"b\\\\ \" c\r\n", "a # \"b\\  c"),
            ("[core]\nworktree = a\\\n  b\n", "a  b"),
            ("[core] ; c\n[core] bare\n worktree=a\nworktree=b", "b"),
            ("\u{feff}# c\n[core \"x\"]\nworktree = a\n[core.x]\nworktree = b\n", ""),
        ] {
            assert_eq!(work_tree(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn a_repository_of_a_kind_that_is_not_known_is_none() {
        for text in [
            "[core]\nrepositoryformatversion = 2",
            "[extensions]\nnew = true",
            "[extensions]\nobjectFormat = sha512",
            "[core",
            "[core]\nworktree",
            "[core]\nworktree = \"a",
            "[core]\nworktree = \\x",
            "[core]\n= a",
            "garbage \0",
        ] {
            assert_eq!(Config::default().with(text.as_bytes()), None, "{text}");
        }
        let sha256 = Config::default().with(b"[extensions]\nobjectformat=sha256\nworktreeConfig\n");
        let expected = Config { work_tree: None, is_sha256: true, has_worktree_config: true };
        assert_eq!(sha256, Some(expected));
    }
}
