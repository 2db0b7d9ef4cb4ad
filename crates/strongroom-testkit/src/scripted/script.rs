//! What a [`Script`] can make the service do, and which real provider does it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How the service behaves. The default is a well-behaved provider with one unlocked collection,
/// `/org/freedesktop/secrets/collection/login`, which has the alias `default`.
///
/// A call is named by the last part of its interface and its method: `Service.SearchItems`,
/// `Item.SetSecret`, `Peer.Ping`. Properties are `Get:Collection.Locked`, `Set:Item.Label` and
/// `GetAll:Item`.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Calls that get no answer until [`answer_hung`](super::ScriptedService::answer_hung), and are
    /// carried out only then. Any provider stopped by SIGSTOP; KWallet reading a locked wallet.
    pub hang: BTreeSet<String>,
    /// Calls that are carried out and answered late. Any provider on a loaded machine.
    pub delay: BTreeMap<String, Duration>,
    /// Calls that fail, with the D-Bus error's name and text. oo7-daemon fails reads while locked;
    /// a bus that can't start a service answers every call so.
    pub fail: BTreeMap<String, (String, String)>,
    /// Everything is locked. Completing Unlock's prompt clears it, `Service.Lock` sets it.
    pub locked: bool,
    /// What reading does while [`locked`](Self::locked).
    pub locked_reads: LockedReads,
    /// What writing does while [`locked`](Self::locked).
    pub locked_writes: LockedWrites,
    /// KWallet: everything says `Locked = true`, and is found as locked, until the prompt of an
    /// Unlock was used, though it reads and writes. That prompt completes at once whatever
    /// [`prompts`](Self::prompts) says.
    pub locked_property_lies: bool,
    /// WSL, fresh machines, and gnome-keyring activated by the bus: `ReadAlias("default")` is `/`.
    /// Set from the start, there is no collection at all. `CreateCollection` with the alias
    /// `default` gives a prompt that makes it, which clears this.
    pub no_default_collection: bool,
    /// How `OpenSession` agrees on a key.
    pub dh: DhBehaviour,
    /// KWallet after a crash: every value is empty, with success.
    pub empty_answers: bool,
    /// gnome-keyring 50: an `OpenSession` that arrives while another is unanswered (so give it a
    /// [`delay`](Self::delay)) ends the process.
    pub crash_on_concurrent_open_session: bool,
    /// KeePassXC: `CreateItem` with `replace` hangs where it has something to replace.
    pub replace_hangs: bool,
    /// What happens to a prompt once the client has called `Prompt`.
    pub prompts: PromptBehaviour,
    /// KeePassXC asking for confirmation: `CreateItem` and `Delete` give a prompt, and happen when
    /// it completes.
    pub prompt_on_write: bool,
    /// The daemon was restarted, as a long-lived client sees it: after this many uses a session
    /// answers `NoSession`.
    pub drop_session_after: Option<u32>,
    /// KWallet: bytes from 0x80 up are damaged when written, unless the content type is text.
    pub damage_high_bytes: bool,
}

/// What reading does while the service is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockedReads {
    /// The specification: searches list the items as locked.
    #[default]
    ListedAsLocked,
    /// gnome-keyring and KeePassXC: searches find nothing, without an error.
    EmptyResult,
    /// oo7-daemon: searches and `GetSecrets` answer `IsLocked`.
    ErrorIsLocked,
}

/// What writing does while the service is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockedWrites {
    /// gnome-keyring: the error `IsLocked`.
    #[default]
    IsLocked,
    /// KWallet, KeePassXC and oo7-daemon: no answer until
    /// [`answer_hung`](super::ScriptedService::answer_hung).
    Hang,
}

/// How `OpenSession` agrees on a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DhBehaviour {
    /// gnome-keyring: as specified, every number padded to 128 bytes.
    #[default]
    Proper,
    /// A provider built without cryptography: `NotSupported` for anything but `plain`.
    Refused,
    /// This D-Bus error for anything but `plain`.
    FailsWith(&'static str),
    /// KWallet: the server's public key always has a leading zero byte, which is not sent.
    PublicKeyStripped,
    /// KWallet: the key is derived from the shared secret without its leading zero bytes.
    SharedSecretUnpadded {
        /// This many sessions from now on have a shared secret with a leading zero byte; those
        /// after them never do. Counts down in the script.
        unlucky_sessions: u32,
    },
    /// KWallet 5: a client key of fewer than 128 bytes is `InvalidArgs`, "Client public key size is
    /// invalid".
    ShortClientKeyRefused,
    /// KWallet: this many sessions from now on have a wrong key on the server's side, so that
    /// what is read decrypts to garbage or not at all. Counts down in the script.
    GarbageSession(u32),
    /// KWallet: the server's public key is an empty byte array.
    EmptyAnswer,
}

/// What happens to a prompt once the client has called `Prompt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptBehaviour {
    /// Somebody agrees at once.
    #[default]
    Complete,
    /// Somebody dismisses it at once.
    Dismiss,
    /// Nobody answers, as on every real provider without a person at the screen. The client's
    /// `Dismiss` ends it.
    Never,
    /// Somebody agrees after a while.
    CompleteAfter(Duration),
}
