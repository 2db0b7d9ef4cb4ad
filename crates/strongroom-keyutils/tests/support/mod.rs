//! Namespaces of their own, clean-up, and this test program started again in other sessions.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of it is test code")]

use std::env;
use std::fs::{self, Permissions};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use linux_keyutils::{Key, KeyRingIdentifier, KeySerialId};
use strongroom_core::{ExposeSecret, KeyringStore, WriteMode, secret_bytes};
use strongroom_keyutils::{Config, KeyutilsStore};
use strongroom_testkit::child::{self, Child};
use strongroom_testkit::{provider_or_skip, root_or_skip};
use tempfile::TempDir;

/// Where the namespace of the test that started this process stands.
const NAMESPACE: &str = "STRONGROOM_TEST_NAMESPACE";
const SERVICE: &str = "svc";

/// A store in a namespace of its own, emptied when dropped.
pub(crate) struct Store {
    pub(crate) namespace: String,
    store: KeyutilsStore,
    owned: bool,
}

impl Store {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self::in_namespace(format!("test-{}-{count}", process::id()), true)
    }

    /// The store of the test that started this process.
    pub(crate) fn inherited() -> Self {
        Self::in_namespace(env::var(NAMESPACE).unwrap(), false)
    }

    fn in_namespace(namespace: String, owned: bool) -> Self {
        let is_apart = env::var_os("STRONGROOM_TEST_KEYRING").is_some();
        assert!(is_apart, "run tests with cargo, or with `.cargo/test-runner PROGRAM`");
        let config = Config::default().namespace(namespace.clone());
        let store = KeyutilsStore::with_config(config).unwrap();
        Self { namespace, store, owned }
    }

    pub(crate) fn set(&self, user: &str, value: impl AsRef<[u8]>) -> strongroom_core::Result<()> {
        self.write(user, value, WriteMode::Overwrite)
    }

    pub(crate) fn create(
        &self,
        user: &str,
        value: impl AsRef<[u8]>,
    ) -> strongroom_core::Result<()> {
        self.write(user, value, WriteMode::CreateNew)
    }

    pub(crate) fn get(&self, user: &str) -> Option<Vec<u8>> {
        let value = self.store.get_bytes(SERVICE, user).unwrap();
        value.map(|value| value.expose_secret().to_vec())
    }

    pub(crate) fn has(&self, user: &str) -> bool {
        self.store.exists(SERVICE, user).unwrap()
    }

    pub(crate) fn delete(&self, user: &str) -> bool {
        self.store.delete_password(SERVICE, user).unwrap()
    }

    pub(crate) fn users(&self) -> Vec<String> {
        let users = self.store.list(SERVICE).unwrap();
        users.iter().map(|user| user.as_str().to_owned()).collect()
    }

    pub(crate) fn description(&self, user: &str) -> String {
        format!("{}:{SERVICE}:{user}", self.namespace)
    }

    pub(crate) fn write(
        &self,
        user: &str,
        value: impl AsRef<[u8]>,
        mode: WriteMode,
    ) -> strongroom_core::Result<()> {
        self.store.write_bytes(SERVICE, user, &secret_bytes(value.as_ref().to_vec()), mode)
    }
}

impl Deref for Store {
    type Target = KeyutilsStore;

    fn deref(&self) -> &KeyutilsStore {
        &self.store
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.owned {
            for user in self.store.list(SERVICE).unwrap_or_default() {
                let _ = self.store.delete_password(SERVICE, user.as_str());
            }
        }
    }
}

/// A key in the user keyring that `keyctl` made, gone when dropped.
pub(crate) struct Foreign(String);

impl Foreign {
    pub(crate) fn new(description: &str, value: &str) -> Self {
        Self(keyctl(&["add", "user", description, value, "@u"]))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // It fails where the store has deleted the key.
        let _ = with_arguments("keyctl", &["unlink", &self.0, "@u"]).output();
    }
}

/// What a process has for a session keyring.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Session {
    /// The one of this process.
    Same,
    /// A new, anonymous one, which doesn't link the user keyring.
    Fresh,
    /// One that was revoked, in a session of its own: what is left after a logout.
    Revoked,
}

impl Session {
    /// Runs a program in this session.
    fn command(self, program: &Path) -> Command {
        const REVOKED: &str = "keyctl revoke @s && exec \"$0\" \"$@\"";
        let mut command = match self {
            Self::Same => return Command::new(program),
            Self::Fresh => with_arguments("keyctl", &["session", "-"]),
            Self::Revoked => {
                with_arguments("setsid", &["-w", "keyctl", "session", "-", "sh", "-c", REVOKED])
            }
        };
        command.arg(program);
        command
    }
}

/// This test program, as a copy that any user can run.
pub(crate) struct Program {
    path: PathBuf,
    uid: Option<u32>,
    _dir: TempDir,
}

impl Program {
    pub(crate) fn of_this_user() -> Self {
        Self::new(None)
    }

    /// As another user. `None` if this process may not become one.
    pub(crate) fn of_user(uid: u32) -> Option<Self> {
        root_or_skip().then(|| Self::new(Some(uid)))
    }

    fn new(uid: Option<u32>) -> Self {
        let dir = TempDir::new().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let path = dir.path().join("test-program");
        fs::copy(child::program(), &path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self { path, uid, _dir: dir }
    }

    /// Runs the tests of a module. They must pass, and there must be some.
    pub(crate) fn passes(&self, session: Session, store: &Store, module: &str) {
        let output = child::output(self.command(session, store).arg(module));
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        let passed = output.status.success() && printed.contains("test result: ok");
        assert!(passed && !printed.contains(" 0 passed"), "{module} in {session:?}: {printed}");
    }

    /// Runs a function of this program, which must succeed.
    pub(crate) fn runs(&self, function: &str, session: Session, store: &Store) {
        let mut command = self.command(session, store);
        child::enter(&mut command, function);
        child::succeeds(&mut command);
    }

    /// Starts a function of this program.
    pub(crate) fn starts(&self, function: &str, store: &Store) -> Child {
        let mut command = self.command(Session::Same, store);
        child::enter(&mut command, function);
        Child::start(command)
    }

    fn command(&self, session: Session, store: &Store) -> Command {
        let mut command = session.command(&self.path);
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        command.env(NAMESPACE, &store.namespace).env("RUST_BACKTRACE", "0").current_dir("/");
        command
    }
}

/// Runs `keyctl`, which must succeed, and returns what it printed without the last newline.
pub(crate) fn keyctl(arguments: &[&str]) -> String {
    let output = with_arguments("keyctl", arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "keyctl {arguments:?}: {errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.trim_end_matches('\n').to_owned()
}

/// Returns whether `keyctl` and `setsid` are there. Without them the test is skipped, or fails in CI.
pub(crate) fn have_tools() -> bool {
    provider_or_skip("keyctl") && provider_or_skip("setsid")
}

/// The numbers of the keys that this thread's own keyring links.
pub(crate) fn left_in_thread_keyring() -> usize {
    let keyring = Key::from_id(KeySerialId::new(KeyRingIdentifier::Thread as i32));
    keyring.read(&mut vec![0u8; 4096]).unwrap_or(0)
}

fn with_arguments(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
