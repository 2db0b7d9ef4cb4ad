//! An application's knowledge of its configuration file: the values that are secrets, and their names in the store.

use strongroom::SecretKey;

use crate::ConfigPath;

/// The rules by which the secrets of a file are found.
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
    /// Set if values that look like secrets are found, too.
    pub(crate) detects: bool,
    pub(crate) leave: Leave,
}

/// A rule for a single secret: its path in the file, and its key in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Rule {
    pub(crate) path: ConfigPath,
    pub(crate) key: SecretKey,
    pub(crate) provider: Option<String>,
    pub(crate) leave: Option<Leave>,
}

/// The content of the file in a secret's place after a move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leave {
    /// A text that names the secret: `strongroom:NAME`, see [`referenced`](crate::referenced). The default, because
    /// it tells people and programs that read the file where the value is. It stands in the quotes of the value.
    #[default]
    Reference,
    /// An empty text.
    Empty,
    /// Nothing. The key is removed, too. Comments stay.
    Nothing,
}

/// A value that tells programs where the secrets are: `"credentialStorage": "keychain"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Marker {
    pub(crate) path: ConfigPath,
    pub(crate) value: String,
}

impl Rules {
    /// Creates an empty set of rules, which finds no secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates rules that only detect secrets, as [`with_detection`](Self::with_detection) does.
    pub fn detecting() -> Self {
        Self::default().with_detection()
    }

    /// Adds a rule. Of two rules for the same path, the first applies.
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Also finds values that look like secrets: texts under keys such as `apiKey`, `*_TOKEN` or `password`, and texts
    /// in the form of a well-known provider's keys. They are treated as secrets without a question to the user.
    ///
    /// Such a secret is named after its path, in capitals: `PROVIDERS_OPENAI_API_KEY`.
    pub fn with_detection(mut self) -> Self {
        self.detects = true;
        self
    }

    /// Sets the content that secrets leave behind, unless their rule sets another. [`Leave::Reference`] by default.
    pub fn leaving(mut self, leave: Leave) -> Self {
        self.leave = leave;
        self
    }

    /// Adds a marker, which is set when a secret moves out. None by default.
    pub fn with_marker(mut self, marker: Marker) -> Self {
        self.marker = Some(marker);
        self
    }
}

impl Rule {
    /// Creates a rule: the value at `path` is the secret `key`.
    pub fn new(path: ConfigPath, key: impl Into<SecretKey>) -> Self {
        Self { path, key: key.into(), provider: None, leave: None }
    }

    /// Sets the provider that issued the secret.
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets the content that the secret leaves behind.
    pub fn leaving(mut self, leave: Leave) -> Self {
        self.leave = Some(leave);
        self
    }
}

impl Marker {
    /// Creates a marker: the text `value` at `path`. The groups on the path must be in the file; the last key is added.
    pub fn new(path: ConfigPath, value: impl Into<String>) -> Self {
        Self { path, value: value.into() }
    }
}
