//! Secrets out of an application's plaintext configuration files into its credential store, and back.
//!
//! ```no_run
//! use strongroom::Config;
//! use strongroom_config::{ConfigFile, FirstRun, Rule, Rules};
//!
//! let rules = Rules::new().with_rule(Rule::new("openai.apiKey".parse()?, "OPENAI_API_KEY"));
//! let file = ConfigFile::new("/home/user/.agent/config.json", rules)?;
//! match file.first_run(Config::new("agent"))? {
//!     FirstRun::Secured(done) => println!("{} keys are now in {}.", done.secrets.len(), done.backend),
//!     FirstRun::NoStore(error) => println!("Keys stay in the file: {error}"),
//!     _ => {}
//! }
//! # Ok::<(), strongroom::Error>(())
//! ```
//!
//! - [`ConfigFile`] is a file and the [`Rules`] by which its secrets are found. [`status`](ConfigFile::status) says
//!   where each is, [`plan`](ConfigFile::plan) what would be done, [`secure`](ConfigFile::secure) does it, and
//!   [`first_run`](ConfigFile::first_run) is all of that at an application's start.
//! - [`Export`] writes secrets into a file, and [`import`](ConfigFile::import) reads them from one.
//! - What a secret leaves behind in the file is a [reference](reference_to), an empty text or nothing: [`Leave`].
//!
//! # Formats
//!
//! JSON (with comments and trailing commas), TOML, YAML and dotenv files, as UTF-8 with or without a byte order
//! mark, of at most 32 MiB. What programs read differently is refused, with line and column: keys that are there
//! twice, several YAML documents in one file, dotenv values that could name other variables. So are YAML values
//! that an alias shows in other places.
//!
//! # What holds
//!
//! - A value goes out of the file only after the store has returned it.
//! - In the file only the bytes of the values change, and what the [`Marker`] adds. What would be written is read
//!   again first: all other values are as they were. A file that can't be read is refused with line and column.
//! - No program is run, and git's files are read without git, which would obey the settings of the repository.
//! - Everything here blocks. An async application calls it where that is allowed.
//!
//! # Known limits
//!
//! - The parsers keep values in memory that is not wiped; the file on the disk was in the clear anyway.
//! - An editor that writes the file in the instant in which it is replaced loses what it wrote.
//! - An [`Exposure`] is found in the file's permissions, the index of git, its comments and its directory. The history of git and
//!   copies elsewhere are not searched.
//! - Access control lists and extended attributes of the file are not kept.

mod config_file;
mod document;
mod edit;
mod error;
mod export;
mod exposure;
mod find;
mod first_run;
mod format;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod git;
mod look;
mod open;
mod path;
mod plan;
mod reference;
mod replace;
mod rules;
mod secure;
mod source;
mod status;

pub use config_file::ConfigFile;
pub use error::Position;
pub use export::{Export, Exported};
pub use exposure::{Exposure, repository_around};
pub use first_run::FirstRun;
pub use format::Format;
pub use look::looks_like_a_secret;
pub use path::ConfigPath;
pub use plan::{Action, Leaves, Plan, Prefer, Step};
pub use reference::{is_reference, reference_to, referenced};
pub use rules::{Leave, Marker, Rule, Rules};
pub use secure::{Progress, Secured};
pub use status::{Ages, FoundBy, Place, SecretStatus, Status};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
