//! The formats of configuration files.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use strongroom::{Error, Result};

use crate::document::Document;
use crate::error;
use crate::flaw::Flaw;

mod dotenv;
mod json;
pub(crate) mod quote;
mod spelling;
mod toml;
mod yaml;

/// The format of a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JSON. Comments and trailing commas are accepted, too.
    Json,
    /// TOML 1.1.
    Toml,
    /// YAML 1.2, one document.
    Yaml,
    /// Lines of `NAME=value`, as in `.env`.
    Env,
}

impl Format {
    /// All formats.
    pub const ALL: &[Self] = &[Self::Json, Self::Toml, Self::Yaml, Self::Env];

    /// Returns the name: `json`, `toml`, `yaml` or `env`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Toml => "toml",
            Self::Yaml => "yaml",
            Self::Env => "env",
        }
    }

    /// Returns the format by a file's name: by its extension, or for `.env` and `.env.…`.
    pub fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        if name == ".env" || name.starts_with(".env.") {
            return Some(Self::Env);
        }
        match name.rsplit_once('.')?.1 {
            "json" | "jsonc" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            "env" => Some(Self::Env),
            _ => None,
        }
    }

    /// Returns whether all readers of the format accept comments.
    pub(crate) const fn has_comments(self) -> bool {
        !matches!(self, Self::Json)
    }

    /// Parses a text.
    ///
    /// # Errors
    ///
    /// A flaw at the first place that can't be read.
    pub(crate) fn parse(self, text: &str) -> Result<Document, Flaw> {
        match self {
            Self::Json => json::parse(text),
            Self::Toml => toml::parse(text),
            Self::Yaml => yaml::parse(text),
            Self::Env => dotenv::parse(text),
        }
    }

    /// Returns a text as a value of a file. `None` if the format can't represent it.
    pub(crate) fn quoted(self, text: &str) -> Option<String> {
        match self {
            Self::Env => quote::env(text),
            _ => Some(quote::basic(text)),
        }
    }

    /// Returns a text as a value of a file: in the quotes of another value, if they can hold it, or else as
    /// [`quoted`](Self::quoted). `is_flow` is set for a value between brackets.
    pub(crate) fn quoted_like(self, text: &str, sample: &str, is_flow: bool) -> Option<String> {
        let alike = match self {
            Self::Json => None,
            Self::Toml => spelling::like_toml(text, sample),
            Self::Yaml => spelling::like_yaml(text, sample, is_flow),
            Self::Env => spelling::like_env(text, sample),
        };
        alike.or_else(|| self.quoted(text))
    }

    /// Returns an entry as the text of a file, without a comma or line break after it. `None` if the format can't represent it.
    pub(crate) fn entry(self, key: &str, value: &str) -> Option<String> {
        let value = self.quoted(value)?;
        Some(match self {
            Self::Json => format!("{}: {value}", quote::basic(key)),
            Self::Toml => format!("{} = {value}", quote::bare_or_basic(key)),
            Self::Yaml => format!("{}: {value}", quote::bare_or_basic(key)),
            Self::Env => {
                dotenv::is_name(key).then_some(())?;
                format!("{key}={value}")
            }
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let format = Self::ALL.iter().find(|format| format.name() == name);
        format.copied().ok_or_else(|| unknown_name(name))
    }
}

fn unknown_name(name: &str) -> Error {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
    let problem = format!("\"{}\" is no format of configuration files", name.escape_debug());
    error::invalid(problem, &format!("Take one of {}.", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_format() {
        for (name, format) in [
            ("a/config.json", Some(Format::Json)),
            ("settings.JSONC", Some(Format::Json)),
            ("Cargo.toml", Some(Format::Toml)),
            ("a.yml", Some(Format::Yaml)),
            (".env", Some(Format::Env)),
            (".env.local", Some(Format::Env)),
            ("prod.env", Some(Format::Env)),
            ("README", None),
            ("a.txt", None),
        ] {
            assert_eq!(Format::of_file(Path::new(name)), format, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_tells_the_format_too() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        let name = OsStr::from_bytes(b"x\xff.env");
        assert_eq!(Format::of_file(Path::new(name)), Some(Format::Env));
    }

    #[test]
    fn a_format_is_read_by_its_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), *format);
        }
        assert!("ini".parse::<Format>().unwrap_err().hint().contains("json, toml"));
    }
}
