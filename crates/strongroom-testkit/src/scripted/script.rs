//! The behaviour that a [`Script`] can demand, with the real providers that show it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The behaviour of the service. The default is a correct provider with an unlocked collection,
/// `/org/freedesktop/secrets/collection/login`, which has the alias `default`.
///
/// The name of a call is the last part of its interface and its method: `Service.SearchItems`,
/// `Item.SetSecret`, `Peer.Ping`. Properties are `Get:Collection.Locked`, `Set:Item.Label` and
/// `GetAll:Item`.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Calls that are carried out and answered only after [`answer_hung`](super::ScriptedService::answer_hung).
    /// Like any provider that is stopped by SIGSTOP, and KWallet while it reads a locked wallet.
    pub hang: BTreeSet<String>,
    /// Calls that are carried out and answered after a delay. Like any provider on a loaded machine.
    pub delay: BTreeMap<String, Duration>,
    /// Calls that fail, with the name and text of the D-Bus error. For example reads of a locked oo7-daemon, and
    /// all calls on a bus that can't start a service.
    pub fail: BTreeMap<String, (String, String)>,
    /// All collections and items are locked. Set by `Service.Lock`, cleared when the prompt of an Unlock completes.
    pub locked: bool,
    /// The behaviour of reads while [`locked`](Self::locked).
    pub locked_reads: LockedReads,
    /// The behaviour of writes while [`locked`](Self::locked).
    pub locked_writes: LockedWrites,
    /// Like KWallet: all objects report `Locked = true`, and searches list them as locked, although they can be read and written.
    /// This ends when the prompt of an Unlock completes. That prompt completes at once, independently of
    /// [`prompts`](Self::prompts).
    pub locked_property_lies: bool,
    /// Like WSL, fresh machines, and gnome-keyring when the bus activates it: `ReadAlias("default")` is `/`.
    /// If set from the start, there are no collections. `CreateCollection` with the alias
    /// `default` returns a prompt. The flag is cleared when the prompt completes and the collection is created.
    pub no_default_collection: bool,
    /// The key agreement of `OpenSession`.
    pub dh: DhBehaviour,
    /// Like KWallet after a crash: reads succeed, with empty values.
    pub empty_answers: bool,
    /// Like gnome-keyring 50: an `OpenSession` that arrives while another call of it is unanswered ends the process. Needs
    /// a [`delay`](Self::delay) for `OpenSession`.
    pub crash_on_concurrent_open_session: bool,
    /// Like KeePassXC: `CreateItem` with `replace` hangs if there is an item to replace.
    pub replace_hangs: bool,
    /// The outcome of prompts after the client has called `Prompt`.
    pub prompts: PromptBehaviour,
    /// Like KeePassXC with confirmation: `CreateItem` and `Delete` return a prompt, and are carried out when
    /// it completes.
    pub prompt_on_write: bool,
    /// Like a restarted daemon for a long-lived client: after this number of uses a session
    /// answers `NoSession`.
    pub drop_session_after: Option<u32>,
    /// Like KWallet: bytes from 0x80 are damaged by a write, unless the content type is text.
    pub damage_high_bytes: bool,
}

/// The behaviour of reads while the service is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockedReads {
    /// As specified: searches list the items as locked.
    #[default]
    ListedAsLocked,
    /// Like gnome-keyring and KeePassXC: searches find no items, without an error.
    EmptyResult,
    /// Like oo7-daemon: searches and `GetSecrets` answer `IsLocked`.
    ErrorIsLocked,
}

/// The behaviour of writes while the service is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockedWrites {
    /// Like gnome-keyring: the error `IsLocked`.
    #[default]
    IsLocked,
    /// Like KWallet, KeePassXC and oo7-daemon: no answer until
    /// [`answer_hung`](super::ScriptedService::answer_hung).
    Hang,
}

/// The key agreement of `OpenSession`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DhBehaviour {
    /// As specified, and like gnome-keyring: all numbers are padded to 128 bytes.
    #[default]
    Proper,
    /// Like a provider built without cryptography: `NotSupported` for all algorithms but `plain`.
    Refused,
    /// This D-Bus error for all algorithms but `plain`.
    FailsWith(&'static str),
    /// Like KWallet: the server's public key has a leading zero byte, which is not sent. Here this is always the case.
    PublicKeyStripped,
    /// Like KWallet: the key is derived from the shared secret without its leading zero bytes.
    SharedSecretUnpadded {
        /// The number of next sessions whose shared secret has a leading zero byte. Later sessions
        /// never have it. Counts down in the script.
        unlucky_sessions: u32,
    },
    /// Like KWallet 5: a client key of fewer than 128 bytes is `InvalidArgs`, "Client public key size is
    /// invalid".
    ShortClientKeyRefused,
    /// Like KWallet: this number of next sessions have a wrong key on the server's side, so that
    /// values decrypt to garbage or not at all. Counts down in the script.
    GarbageSession(u32),
    /// Like KWallet: the server's public key is an empty byte array.
    EmptyAnswer,
}

/// The outcome of a prompt after the client has called `Prompt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptBehaviour {
    /// The user agrees at once.
    #[default]
    Complete,
    /// The user dismisses the prompt at once.
    Dismiss,
    /// The user does not answer, as on every real provider with an unattended screen. The client's
    /// `Dismiss` ends the prompt.
    Never,
    /// The user agrees after this time.
    CompleteAfter(Duration),
}
