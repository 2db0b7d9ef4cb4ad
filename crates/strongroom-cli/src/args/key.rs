//! The flags of `key`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use strongroom::keys::SlotId;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys that open the file: id, kind, date, label. Takes no key
    List,

    /// Let another passphrase or key file open it
    #[command(after_help = "\
On the backend `file` the first key makes the file. A vault whose key stands in a keyring's entry gets a \
way in for the day when the entry is lost: name the key as for the backend `file`.

Examples:
  {program} key add --passphrase
  {program} key add --key-file /mnt/stick/strongroom.key --new --label stick
  {program} key add --passphrase --backend file --service tracker")]
    Add {
        #[command(flatten)]
        source: NewKey,

        /// Make the key file, for you alone; refuse if it is there
        #[arg(long, requires = "key_file")]
        new: bool,

        /// Its label in the list, which anybody with the file can read
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
    },

    /// Let a passphrase or key file open it no more
    #[command(after_help = "\
The last one stays. Another key has to open the file first: the one at hand, or one that is named here. The \
file's own key may have been read and kept through the removed one, until `key rotate`; and copies of the file \
still open with it.

Examples:
  {program} key remove 3f0a91c2           An id from `{program} key list`
  {program} key remove 3f0a91c2 --passphrase-file recovery.txt")]
    Remove {
        /// The id from the list
        id: SlotId,

        #[command(flatten)]
        others: OtherKeys,

        /// Remove it although no other key is known to open the file
        #[arg(long)]
        force: bool,
    },

    /// Give the file a new key of its own, and seal every secret with it
    #[command(after_help = "\
What opens the file stays the same, so every passphrase and key file has to be at hand: remove those that \
are not. It works in steps, while others read and write; one that was interrupted goes on where it was.

Examples:
  {program} key rotate
  {program} key rotate --key-file /mnt/stick/strongroom.key --passphrase-file recovery.txt")]
    Rotate {
        #[command(flatten)]
        others: OtherKeys,
    },
}

/// Keys that open the file, beside those at hand.
#[derive(ClapArgs, Debug)]
pub(crate) struct OtherKeys {
    /// A key file that opens it, too; can be given several times
    #[arg(long = "key-file", value_name = "PATH")]
    pub(crate) key_files: Vec<PathBuf>,

    /// A file with a passphrase that opens it, too; can be given several times
    #[arg(long = "passphrase-file", value_name = "PATH")]
    pub(crate) passphrase_files: Vec<PathBuf>,

    /// Ask for a passphrase that opens it, too
    #[arg(long)]
    pub(crate) passphrase: bool,
}

/// The key to add to the file.
#[derive(ClapArgs, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct NewKey {
    /// A passphrase, which is asked for
    #[arg(long)]
    pub(crate) passphrase: bool,

    /// The passphrase in this file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// The key in this file
    #[arg(long, value_name = "PATH")]
    pub(crate) key_file: Option<PathBuf>,
}
