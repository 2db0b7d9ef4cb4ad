//! The commands on the secrets of one application.

use clap::Subcommand;

#[cfg(feature = "settings")]
use super::SettingsPage;
#[cfg(feature = "backup")]
use super::{Backup, Restore};
use super::{
    ConfigCommand, Get, Key, KeyCommand, List, Move, Rename, Repair, Run, Set, Setup, Update,
};

/// A command on the secrets of an application.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store secrets and say where they are: asks for each, or takes a single value from a pipe
    #[command(after_help = "\
Examples:
  {program} setup API_KEY               Ask for the value, hidden
  {program} setup API_KEY TOKEN         Ask for both
  pass show api-key | {program} setup API_KEY
                                         Take the value from another program

On a machine without a keyring it offers an encrypted file, or the kernel's memory; where nobody can be \
asked it takes the file if there is a key to it, else the kernel's memory, with a warning.

Each is read back from the store before it counts as stored. A secret of that name that is there \
already is replaced, as by `set`, whose help says how values are taken.")]
    Setup(Setup),

    /// Store a secret, or replace it
    #[command(after_help = "\
The value is never an argument: other users could see it. It comes from a hidden prompt, or from \
standard input if that is not a terminal. An empty value is an error, unless it comes from a file: \
`--from-file /dev/null`. It is text; encode what is not, or keep it with `entry set`.

The newline at the end of a single line is dropped, and a byte order mark in front. A value of several \
lines, such as a private key, keeps its last newline, and gets one if it is pasted at the prompt \
without: OpenSSH wants it. With --exact every byte stays.

What is not named here is not kept: without --expires the secret never expires, whatever held for \
the one before. `update` keeps what it is not told to change.

A time without a zone is the one where you are; a date alone is valid to the end of that day.

Examples:
  {program} set API_KEY --provider openai --expires 90d
  openssl rand -hex 32 | {program} set SESSION_KEY
  {program} set API_KEY --target production --from-env PRODUCTION_KEY
  {program} set DEPLOY_KEY --from-file deploy.pem --create-new")]
    Set(Set),

    /// Print a secret
    #[command(after_help = "\
The value alone goes to standard output, with --json too. A newline follows only on a terminal. A \
secret that has expired is not printed: the exit code is 6.

Examples:
  {program} get API_KEY
  KEY=$({program} get API_KEY --target production)")]
    Get(Get),

    /// List the secrets, without a value
    #[command(after_help = "\
On a terminal a table. AGE is the time since the value was last written.

In a pipe one line per secret, without a title. Tabs separate name, target, provider, scope, when \
the value was last written, and when it expires. What a secret doesn't have is empty. Times are \
UTC by RFC 3339. Control characters in names are escaped.

With --json {\"version\": 1, \"secrets\": [...]}. A field may be added without another version.

Examples:
  {program} list
  {program} list --expiring 30d         What must be renewed soon, and what should have been
  {program} list | cut -f1              Names
  {program} list --json | jq '.secrets[] | select(.expired) | .name'")]
    List(List),

    /// Start a program with the secrets in its environment
    #[command(after_help = "\
Each secret becomes a variable: the prefix, then its name. Without --target those without a target \
are taken. With --target those are taken as well, and where a name has a value for the target, that \
one wins. The values are nowhere but in the environment of the program, over what is there already.

If a secret of --only is missing (3), or one that is taken has expired (6), the program is not \
started.

The program takes the place of this one (elsewhere than on Unix it is waited for): it gets every \
signal itself, and its exit code is the result; for one that a signal ended, shells say 128 and the \
signal's number. 127: there is no such program; 126: it can't be executed.

Examples:
  {program} run -- npm start
  {program} run --target production -- ./deploy
  {program} run --only API_KEY,TOKEN --prefix APP_ -- env")]
    Run(Run),

    /// Change the value or the metadata of a secret, and keep the rest
    #[command(after_help = "\
Provider, scope and expiry stay as they are, unless they are named. For a secret that has expired, \
say how long the new value is valid. Values come from where they come from for `set`.

Examples:
  {program} update API_KEY
  {program} update API_KEY --expires 90d < new-key.txt")]
    Update(Update),

    /// Delete a secret
    #[command(after_help = "\
Examples:
  {program} delete API_KEY
  {program} delete API_KEY --target staging")]
    Delete {
        #[command(flatten)]
        key: Key,
    },

    /// Give a secret another name or target
    #[command(after_help = "\
Value, expiry and all else stay. If there is a secret under the new name, nothing is changed.

Examples:
  {program} rename API_KEY OPENAI_API_KEY
  {program} rename API_KEY API_KEY --new-target production
  {program} rename API_KEY API_KEY --target production --new-target ''")]
    Rename(Rename),

    /// Tell by the exit code whether a secret is there: 0 yes, 3 no
    #[command(after_help = "\
One that has expired is there.

Example:
  {program} exists API_KEY || {program} setup API_KEY")]
    Exists {
        #[command(flatten)]
        key: Key,
    },

    /// Write all secrets into an encrypted file
    #[cfg(feature = "backup")]
    #[command(after_help = "\
The file is one of age's (https://age-encryption.org), as text: `rage -d FILE` shows what is in \
it, without this program. It holds the secrets of one moment, expired ones too. Say who shall be \
able to open it:

  --recipient age1…  Who has the key. `rage-keygen -o key.txt` makes one: keep that file elsewhere
  --passphrase       Who knows a passphrase, which is asked for. --passphrase-file takes it from a
                     file

The file is there whole or not at all, and only you may read it. One that is there already is \
replaced with --force only.

Examples:
  {program} backup secrets.age --passphrase
  {program} backup secrets.age --recipient age1… --recipient age1…
  {program} backup - --recipient age1… | ssh host 'cat > secrets.age'")]
    Backup(Backup),

    /// Put the secrets of a backup back
    #[cfg(feature = "backup")]
    #[command(after_help = "\
What the backup has and the vault lacks is added. Where they differ, the secret that was written \
last stays. With --replace the vault becomes what it was. All of it is stored, or nothing, and with \
the times that it had.

It prints what it does, by secret and never with a value: add, replace (the backup's takes the place \
of the vault's), keep (the vault's stays, although the backup's is another), remove. What is the same \
in both is not printed. With --json {\"version\": 1, \"secrets\": [...]}, all of them.

A passphrase is asked for, on a terminal.

Examples:
  {program} restore secrets.age --dry-run
  {program} restore secrets.age --identity key.txt
  {program} restore secrets.age --replace --yes --passphrase-file pass.txt
  {program} restore secrets.age --service tracker-test --any-service")]
    Restore(Restore),

    /// Move secrets out of configuration files, and back
    #[command(subcommand)]
    Config(ConfigCommand),

    /// Open the settings page in the browser
    #[cfg(feature = "settings")]
    #[command(after_help = "\
It shows where the secrets are, adds, replaces, renames and deletes them, and reveals one for ten \
seconds. It listens on this machine alone, on an address that is new each time, and its link works \
once.

It ends with Ctrl-C, with the terminal, and after ten minutes without use.

Examples:
  {program} settings
  {program} settings --no-browser       Print the link, and open nothing
  {program} settings --no-browser --port 8080
                                         For a tunnel: ssh -L 8080:127.0.0.1:8080
  {program} settings --config .env      Offer to move the secrets of this file")]
    Settings(SettingsPage),

    /// Delete everything that is stored for the application
    #[command(after_help = "\
It deletes all secrets, and every other entry of the service, those of other programs too. It \
shows the entries and asks first.

Examples:
  {program} purge --service tracker
  {program} purge --service tracker --yes
                                         Where nobody can be asked, as in an uninstaller")]
    Purge {
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },

    /// Move the vault to another backend
    #[command(after_help = "\
It copies the vault, reads it back and compares, and only then deletes the old one. One that was \
stopped in between is run again. Applications that have the vault open must open it again.

Examples:
  {program} move --to file              Into an encrypted file, for a machine without a keyring
  {program} move --to secret-service    Into the desktop's keyring")]
    Move(Move),

    /// Diagnose and repair a vault that can't be read
    #[command(after_help = "\
Without a flag it changes nothing and shows what is known: sizes, generations, names, never a value. \
It ends with 0 if the vault is in order, 8 if it can't be read, 1 if there are several.

A vault that can't be read stays as it is until --reset. That first writes a copy of it into a file \
that only you can read, beside the vault's lock: in ~/.local/state/strongroom on Linux.

Of a damaged encrypted file --salvage takes out what can be read, into a new file. The old one is put \
aside, beside it. Passphrases and keys that are not at hand have to be added to the new file again.

If another program made a second entry of the vault's name, --merge makes one of them: where both \
have a secret, that of the higher generation stays.

Examples:
  {program} repair
  {program} repair --merge
  {program} repair --salvage
  {program} repair --reset --service tracker")]
    Repair(Repair),

    /// Manage the keys of an encrypted file: passphrases, key files
    #[command(subcommand)]
    Key(KeyCommand),

    /// Show the stores that can keep secrets
    #[command(after_help = "\
Examples:
  {program} backends                    As a table
  {program} backends --json             For a program")]
    Backends,

    /// Find problems, and the commands that mend them
    #[command(after_help = "\
It begins with the secrets of the service: where they are, whether they can be read, how long they \
last, how many have expired, and the command that moves them into a store that keeps them. Then come \
the stores that could keep them. Changes nothing and asks nobody.

It ends as a command that reads the secrets would: with 0 if they can be read, or if nothing is \
stored yet and a store that lasts would keep it; 4 if the store is locked, 5 if there is none, 7 if \
it does not answer, 8 if they are unreadable or gone.")]
    Doctor,
}
