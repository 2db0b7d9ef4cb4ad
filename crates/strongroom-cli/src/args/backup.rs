//! The flags of `backup` and `restore`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[derive(ClapArgs, Debug)]
pub(crate) struct Backup {
    /// The file to write; - is standard output
    pub(crate) file: PathBuf,

    /// Let the owner of this key open it; can be given several times
    #[arg(long = "recipient", value_name = "AGE", group = "protection")]
    pub(crate) recipients: Vec<String>,

    /// Let a passphrase open it, and ask for it
    #[arg(long, group = "protection")]
    pub(crate) passphrase: bool,

    /// Let the passphrase in this file open it
    #[arg(long, value_name = "PATH", group = "protection")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Restore {
    /// The backup; - is standard input
    pub(crate) file: PathBuf,

    /// Add missing secrets, and keep the later of two values (the default)
    #[arg(long, conflicts_with = "replace")]
    pub(crate) merge: bool,

    /// Restore the vault as it was: secrets that are not in the backup are removed
    #[arg(long)]
    pub(crate) replace: bool,

    /// Show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Open it with the keys in this file, which rage-keygen wrote; can be given several times
    #[arg(long = "identity", value_name = "FILE")]
    pub(crate) identities: Vec<PathBuf>,

    /// Open it with the passphrase in this file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Allow its passphrase to take up to 2^N steps of work, 20 by default and 22 at most: each increment doubles
    /// the time and memory, a second and 256 MiB at 18
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=22))]
    pub(crate) max_work_factor: Option<u8>,

    /// Take the backup of another application
    #[arg(long)]
    pub(crate) any_service: bool,

    /// Don't ask before secrets are replaced or removed by --replace
    #[arg(long)]
    pub(crate) yes: bool,
}
