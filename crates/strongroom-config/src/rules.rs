//! What an application knows about its configuration file: which values are secrets, and what they are called.

use strongroom::SecretKey;

use crate::ConfigPath;

/// Which values of a file are secrets.
///
/// ```
/// use strongroom_config::{Leave, Marker, Rule, Rules};
///
/// let rules = Rules::new()
///     .with_rule(Rule::new("providers.openai.apiKey".parse()?, "OPENAI_API_KEY").with_provider("openai"))
///     .with_rule(Rule::new("smtp.password".parse()?, "SMTP_PASSWORD").leaving(Leave::Nothing))
///     .with_marker(Marker::new("credentialStorage".parse()?, "keychain"));
/// # let _ = rules;
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use]
pub struct Rules {
    pub(crate) rules: Vec<Rule>,
    pub(crate) marker: Option<Marker>,
    pub(crate) looks: bool,
    pub(crate) leave: Leave,
}

/// One value that is a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Rule {
    pub(crate) path: ConfigPath,
    pub(crate) key: SecretKey,
    pub(crate) provider: Option<String>,
    pub(crate) leave: Option<Leave>,
}

/// What a secret leaves behind in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leave {
    /// A text that names it: `strongroom:NAME`, see [`referenced`](crate::referenced). The default: whoever
    /// reads the file sees where the value went, and so does the next look at it.
    #[default]
    Reference,
    /// An empty text.
    Empty,
    /// Nothing: its key goes, too. Comments stay.
    Nothing,
}

/// A value that tells programs where the secrets are: `"credentialStorage": "keychain"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Marker {
    pub(crate) path: ConfigPath,
    pub(crate) value: String,
}

impl Rules {
    /// None yet: they find nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// No rules, but the look for secrets, as [`looking`](Self::looking) does.
    pub fn of_looks() -> Self {
        Self::default().looking()
    }

    /// The same with one more secret. Of two rules for one path, the first counts.
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The same, finding also what looks like a secret: texts under keys such as `apiKey`, `*_TOKEN` or
    /// `password`, and texts in the form that well-known providers give their keys. Nobody is asked about them.
    ///
    /// Such a secret is called by its path, in capitals: `PROVIDERS_OPENAI_API_KEY`.
    pub fn looking(mut self) -> Self {
        self.looks = true;
        self
    }

    /// The same, with another thing that secrets leave behind, where their rule says nothing else.
    pub fn leaving(mut self, leave: Leave) -> Self {
        self.leave = leave;
        self
    }

    /// The same with a marker, which is set when a secret moves out. None by default.
    pub fn with_marker(mut self, marker: Marker) -> Self {
        self.marker = Some(marker);
        self
    }
}

impl Rule {
    /// The value at this path is the secret of this key.
    pub fn new(path: ConfigPath, key: impl Into<SecretKey>) -> Self {
        Self { path, key: key.into(), provider: None, leave: None }
    }

    /// The same, naming who issued it.
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// The same, with what it leaves behind.
    pub fn leaving(mut self, leave: Leave) -> Self {
        self.leave = Some(leave);
        self
    }
}

impl Marker {
    /// This text at this path. What the path leads through must be in the file; the last key is made.
    pub fn new(path: ConfigPath, value: impl Into<String>) -> Self {
        Self { path, value: value.into() }
    }
}
