//! Moves secrets from an application's plaintext configuration files into its credential store, and back.
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
//! - [`ConfigFile`] is a file and the [`Rules`] by which its secrets are found. [`status`](ConfigFile::status) returns
//!   the place of each secret, [`plan`](ConfigFile::plan) the steps of a move, [`secure`](ConfigFile::secure) carries
//!   them out, and [`first_run`](ConfigFile::first_run) does all of that at an application's start.
//! - [`restore`](ConfigFile::restore) replaces the references of a file by their values, as
//!   [planned](ConfigFile::plan_restore).
//! - [`Export`] writes secrets into a file, and [`import`](ConfigFile::import) reads them from a file.
//! - A secret leaves a [reference](reference_to), an empty text or nothing behind in the file: [`Leave`].
//!
//! # Formats
//!
//! JSON (with comments and trailing commas), TOML, YAML and dotenv files, as UTF-8 with or without a byte order
//! mark, of at most 32 MiB. Text that programs read in different ways is refused, with line and column: duplicate keys,
//! several YAML documents in a file, dotenv values that could name other variables. YAML values that an alias shows in
//! other places are refused, too.
//!
//! # Guarantees
//!
//! - A value is removed from the file only after the store has returned it.
//! - Only the bytes of the values and of the [`Marker`] change in the file. The new text is parsed before it is written, to
//!   check that all other values are unchanged. A file that can't be read is refused with line and column.
//! - No program is run. git's files are read without git, which would obey the settings of the repository.
//! - All functions block. An async application calls them where blocking is allowed.
//!
//! # Known limits
//!
//! - The parsers keep values in memory that is not wiped. The file on the disk was in the clear anyway.
//! - If an editor writes the file in the instant of its replacement, that write is lost.
//! - An [`Exposure`] is found in the file's permissions, the index of git, its comments and its directory. The history of git and
//!   copies in other directories are not searched.
//! - The replaced file loses its access control lists and extended attributes.

mod config_file;
mod document;
mod edit;
mod error;
mod export;
mod exposure;
mod file_secret;
mod find;
mod first_run;
mod flaw;
mod format;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod git;
mod naming;
mod path;
mod plan;
mod planning;
mod position;
mod recognition;
mod reference;
mod replace;
mod restore;
mod rules;
mod secure;
mod snapshot;
mod source;
mod status;
mod stored;
mod untrusted;
mod words;

pub use config_file::ConfigFile;
pub use export::{Export, Exported};
pub use exposure::{Exposure, repository_around};
pub use file_secret::FoundBy;
pub use first_run::FirstRun;
pub use format::Format;
pub use path::ConfigPath;
pub use plan::{Action, Leaves, Plan, Prefer, Step};
pub use position::Position;
pub use recognition::looks_like_a_secret;
pub use reference::{is_reference, reference_to, referenced};
pub use restore::{DanglingReference, RestorePlan, RestoreStep, Restored};
pub use rules::{Leave, Marker, Rule, Rules};
pub use secure::{Progress, Secured};
pub use status::{Place, SecretStatus, Status};
pub use stored::Ages;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
