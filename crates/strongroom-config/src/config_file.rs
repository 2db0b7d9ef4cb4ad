//! A configuration file with its rules, and the comparison of its secrets with the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use strongroom::blocking::SecretManager;
use strongroom::{ErrorKind, ExposeSecret, Result, Secret, SecretKey, SecretString, Timestamp};

use crate::document::Document;
use crate::error::{self, Flaw, Lines};
use crate::find::{Content, Found, find};
use crate::source::Source;
use crate::{Ages, Format, Place, Position, Rules, SecretStatus, Status, exposure};

/// A configuration file, and the rules by which its secrets are found.
///
/// Creating a `ConfigFile` doesn't access the file system. Each call reads the file again, and none opens a store by
/// itself, except [`first_run`](Self::first_run).
///
/// ```
/// use strongroom_config::{ConfigFile, Rules};
///
/// let file = ConfigFile::new("/etc/example/config.toml", Rules::of_looks())?;
/// assert_eq!(file.format().name(), "toml");
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) rules: Rules,
    pub(crate) takes_forgetful_stores: bool,
}

/// The content of a file, with the secrets that were found in it.
pub(crate) struct Read {
    pub(crate) source: Source,
    lines: Lines,
    pub(crate) document: Document,
    pub(crate) found: Vec<Found>,
}

impl ConfigFile {
    /// Creates a handle for the file at this path. The file's name determines the format: see [`Format::of_file`].
    ///
    /// # Errors
    ///
    /// `Invalid` if the name doesn't determine a format.
    pub fn new(path: impl Into<PathBuf>, rules: Rules) -> Result<Self> {
        let path = path.into();
        let format = Format::of_file(&path).ok_or_else(|| error::unknown_format(&path))?;
        Ok(Self::with_format(path, format, rules))
    }

    /// Creates a handle for the file at this path, in this format.
    pub fn with_format(path: impl Into<PathBuf>, format: Format, rules: Rules) -> Self {
        Self { path: path.into(), format, rules, takes_forgetful_stores: false }
    }

    /// Allows moving secrets into a store that loses them at a restart. They are then lost for good.
    #[must_use]
    pub fn taking_forgetful_stores(mut self) -> Self {
        self.takes_forgetful_stores = true;
        self
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the format of the file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the secrets of the file, and the place of each: the file, the store, or both. Changes nothing. Without a
    /// store, only the places in the file are known.
    ///
    /// # Errors
    ///
    /// `Invalid`, with line and column, if the file doesn't have its format; `NotFound`, `AccessDenied`, `Io` or
    /// `TooLarge` if it can't be read at all; and the errors of reading the store.
    pub fn status(&self, secrets: Option<&SecretManager>) -> Result<Status> {
        let read = self.read()?;
        let stored = Stored::of(secrets, read.found.iter().map(|found| &found.key))?;
        Ok(Status {
            format: self.format,
            is_marked: self.is_marked(&read.document),
            exposures: exposure::of(&self.path, &read, &stored),
            secrets: read.found.iter().map(|found| read.status(found, &stored)).collect(),
        })
    }

    pub(crate) fn read(&self) -> Result<Read> {
        let source = Source::read(&self.path)?;
        let parsed = self.format.parse(&source.text).and_then(|document| {
            let found = find(self.format, &source.text, &document, &self.rules)?;
            Ok((document, found))
        });
        let (document, found) = parsed.map_err(|flaw| self.flaw(&source, flaw))?;
        let lines = Lines::of(&source.text);
        Ok(Read { source, lines, document, found })
    }

    pub(crate) fn flaw(&self, source: &Source, flaw: Flaw) -> strongroom::Error {
        flaw.in_text(&source.text, &error::shown(&self.path))
    }

    /// Returns an error for a store that loses its secrets at a restart, unless that is allowed.
    pub(crate) fn check_lasts(&self, secrets: &SecretManager) -> Result<()> {
        if secrets.is_persistent() || self.takes_forgetful_stores {
            return Ok(());
        }
        Err(error::forgetful(secrets.backend().name()))
    }

    fn is_marked(&self, document: &Document) -> bool {
        self.rules.marker.as_ref().is_some_and(|marker| {
            let node = document.find(&marker.path).map(|number| &document.nodes[number]);
            let text = node.and_then(|node| node.text());
            text.is_some_and(|text| text.expose_secret() == marker.value)
        })
    }
}

impl Read {
    fn status(&self, found: &Found, stored: &Stored) -> SecretStatus {
        let problem = match &found.content {
            Content::Unclear(flaw) => Some(flaw.problem.clone()),
            _ => None,
        };
        SecretStatus {
            key: found.key.clone(),
            provider: found.metadata.provider.clone(),
            path: found.path.clone(),
            position: self.position(found),
            found_by: found.by,
            place: self.place(found, stored),
            problem,
        }
    }

    pub(crate) fn position(&self, found: &Found) -> Option<Position> {
        let node = &self.document.nodes[found.node?];
        Some(self.lines.position(&self.source.text, node.span.start))
    }

    fn place(&self, found: &Found, stored: &Stored) -> Place {
        let is_in_file = found.holds_something();
        match (&found.content, stored.get(&found.key)) {
            // Without a store, an empty place in the file says nothing about the secret.
            _ if !stored.is_known => {
                if is_in_file {
                    Place::File
                } else {
                    Place::Unknown
                }
            }
            (Content::Value(_) | Content::Unclear(_), None) => Place::File,
            (Content::Reference | Content::Nothing, None) => Place::Nowhere,
            (Content::Reference | Content::Nothing, Some(_)) => Place::Store,
            (Content::Value(value), Some(theirs)) if theirs.is(value.expose_secret()) => {
                Place::Both
            }
            (_, Some(theirs)) => Place::Differs(self.ages(theirs)),
        }
    }

    pub(crate) fn ages(&self, theirs: &Theirs) -> Ages {
        let (store, store_expired) = match theirs {
            Theirs::Secret(secret) => (secret.metadata.updated_at, false),
            Theirs::Expired { updated_at } => (*updated_at, true),
        };
        Ages { file: self.source.modified(), store, store_expired }
    }
}

/// The store's side of a file's secrets.
#[derive(Default)]
pub(crate) struct Stored {
    /// Set if there was a store to ask.
    is_known: bool,
    secrets: BTreeMap<SecretKey, Theirs>,
}

/// The store's side of a single secret.
pub(crate) enum Theirs {
    Secret(Secret),
    /// An expired secret. The store doesn't return its value.
    Expired {
        updated_at: Option<Timestamp>,
    },
}

impl Stored {
    /// Reads the secrets of these keys from the store, if there is one.
    pub(crate) fn of<'a>(
        secrets: Option<&SecretManager>,
        keys: impl Iterator<Item = &'a SecretKey>,
    ) -> Result<Self> {
        let Some(secrets) = secrets else { return Ok(Self::default()) };
        let mut stored = BTreeMap::new();
        for key in keys {
            let theirs = match secrets.get(key) {
                Ok(found) => found.map(Theirs::Secret),
                Err(error) if error.kind() == ErrorKind::Expired => {
                    // `get` refuses an expired secret. The list has its metadata, and doesn't read its value.
                    let mut list = secrets.list()?.into_iter();
                    let info = list.find(|info| info.key == *key);
                    info.map(|info| Theirs::Expired { updated_at: info.metadata.updated_at })
                }
                Err(error) => return Err(error),
            };
            stored.extend(theirs.map(|theirs| (key.clone(), theirs)));
        }
        Ok(Self { is_known: true, secrets: stored })
    }

    pub(crate) fn get(&self, key: &SecretKey) -> Option<&Theirs> {
        self.secrets.get(key)
    }

    /// Returns the stored value, unless it has expired.
    pub(crate) fn value(&self, key: &SecretKey) -> Option<&SecretString> {
        match self.get(key)? {
            Theirs::Secret(secret) => Some(&secret.value),
            Theirs::Expired { .. } => None,
        }
    }
}

impl Theirs {
    pub(crate) fn is(&self, value: &str) -> bool {
        matches!(self, Self::Secret(secret) if secret.value.expose_secret() == value)
    }
}
