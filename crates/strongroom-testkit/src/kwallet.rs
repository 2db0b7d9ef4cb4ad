//! A real KWallet with an open or a closed wallet.

mod pam;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use zbus::Connection;

use self::pam::Login;
use crate::{
    Bus,
    process::Process,
    secret_service::{self, PromptProxy, ServiceProxy, default_collection, default_is_locked},
    wait::{PATIENCE, wait_until},
};

const PROGRAM: &str = "kwalletd5";
const WALLET: &str = "kdewallet";

/// The daemon's configuration. Written before each start, because the daemon edits the file.
const CONFIG: &str = "\
[Wallet]
Enabled=true
First Use=false
Default Wallet=kdewallet
Use One Wallet=true
Close When Idle=false

[org.freedesktop.secrets]
apiEnabled=true
";

#[zbus::proxy(
    interface = "org.kde.KWallet",
    default_service = "org.kde.kwalletd5",
    default_path = "/modules/kwalletd5"
)]
trait Wallet {
    #[zbus(name = "isOpen")]
    async fn is_open(&self, wallet: &str) -> zbus::Result<bool>;
}

/// A `kwalletd5` with a wallet on a private bus, killed on drop.
///
/// Its dialogs show on the `DISPLAY` of the sandbox. Without a `DISPLAY` they are not visible.
#[derive(Debug)]
pub struct KWallet {
    bus: Bus,
    daemon: Option<Process>,
}

impl KWallet {
    /// Starts the daemon with an open wallet, as after a login.
    ///
    /// The wallet has not been used yet, so that its collection still reports that it is locked.
    ///
    /// # Panics
    ///
    /// If the wallet does not open.
    pub fn start(bus: &Bus, password: &str) -> Self {
        let mut kwallet = Self::create(bus, password);
        kwallet.restart(Some(password));
        kwallet
    }

    /// Starts the daemon with a closed wallet.
    ///
    /// # Panics
    ///
    /// If the daemon does not start.
    pub fn start_locked(bus: &Bus, password: &str) -> Self {
        let mut kwallet = Self::create(bus, password);
        kwallet.restart(None);
        kwallet
    }

    /// Creates the wallet by starting the daemon with a password. The daemon offers the wallets that exist when it starts, so
    /// that it must be started again to use the new wallet.
    fn create(bus: &Bus, password: &str) -> Self {
        let mut kwallet = Self { bus: bus.clone(), daemon: None };
        fs::create_dir_all(kwallet.directory()).expect("the sandbox is writable");
        pam::write_salt(&kwallet.salt_file());
        kwallet.launch(Some(password));
        kwallet
    }

    /// Returns the daemon's process id.
    ///
    /// # Panics
    ///
    /// If the daemon was killed.
    pub fn pid(&self) -> u32 {
        self.daemon().pid()
    }

    /// Returns the path of the wallet's file.
    pub fn wallet_file(&self) -> PathBuf {
        self.directory().join(WALLET).with_extension("kwl")
    }

    /// Returns whether the wallet is open, according to KWallet's own interface.
    ///
    /// # Panics
    ///
    /// If the daemon does not answer.
    pub fn is_open(&self) -> bool {
        let open = self.bus.talk(async |connection| {
            let wallet = WalletProxy::new(&connection).await?;
            wallet.is_open(WALLET).await
        });
        open.expect("kwalletd5 answers")
    }

    /// Returns whether the collection reports that it is locked. With an open wallet it does so until
    /// [`unlock`](Self::unlock).
    ///
    /// # Panics
    ///
    /// If the daemon does not answer.
    pub fn is_locked(&self) -> Option<bool> {
        default_is_locked(&self.bus)
    }

    /// Makes the collection notice that its wallet is open, as the first use by a client does.
    ///
    /// # Panics
    ///
    /// If the wallet is not open, since KWallet would prompt for its password.
    pub fn unlock(&self) {
        assert!(self.is_open(), "only a login opens a wallet unasked");
        let prompted = self.bus.talk(async |connection| unlock(&connection).await);
        prompted.expect("kwalletd5 answers");
        wait_until("the collection unlocks", PATIENCE, || self.is_locked() == Some(false));
    }

    /// Closes the wallet through the Secret Service.
    ///
    /// # Panics
    ///
    /// If the wallet is not open, or the daemon does not answer.
    pub fn lock(&self) {
        // A collection that has not noticed that its wallet is open can't close it.
        if self.is_locked() != Some(false) {
            self.unlock();
        }
        let locked = self.bus.talk(async |connection| {
            let collection = default_collection(&connection).await?;
            let collection = collection.expect("there's a default collection to lock");
            let service = ServiceProxy::new(&connection).await?;
            service.lock(&[collection.as_ref()]).await
        });
        locked.expect("KWallet closes a wallet without asking");
        assert!(!self.is_open(), "closed at once");
    }

    /// Kills the daemon, and returns when it has left the bus. Values that were set in the last seconds
    /// are lost.
    pub fn kill(&mut self) {
        let Some(daemon) = self.daemon.take() else {
            return;
        };
        let pid = Some(daemon.pid());
        drop(daemon);
        wait_until("kwalletd5 has left the bus", PATIENCE, || {
            self.bus.name_owner_pid(secret_service::NAME) != pid
        });
    }

    /// Kills the daemon if it runs, and starts it again with the same files. Opens the wallet if a password is given.
    ///
    /// # Panics
    ///
    /// If the daemon does not start, or the password is wrong.
    pub fn restart(&mut self, password: Option<&str>) {
        self.kill();
        self.launch(password);
    }

    /// Stops the daemon by SIGSTOP: calls are delivered but not answered.
    ///
    /// # Panics
    ///
    /// If the daemon was killed.
    pub fn stop(&self) {
        self.daemon().stop();
    }

    /// Continues the daemon after [`stop`](Self::stop).
    ///
    /// # Panics
    ///
    /// If the daemon was killed.
    pub fn cont(&self) {
        self.daemon().cont();
    }

    fn daemon(&self) -> &Process {
        self.daemon.as_ref().expect("kwalletd5 was not killed")
    }

    fn directory(&self) -> PathBuf {
        self.bus.sandbox().home().join(".local/share/kwalletd")
    }

    fn salt_file(&self) -> PathBuf {
        self.directory().join(WALLET).with_extension("salt")
    }

    fn launch(&mut self, password: Option<&str>) {
        write_config(&self.bus.sandbox().home());
        let daemon = match password {
            Some(password) => self.launch_with_login(password),
            None => Process::spawn(self.prepare(PROGRAM).stdin(Stdio::null())),
        };
        self.daemon = Some(daemon);
        self.wait_for_start(password.is_some());
    }

    fn launch_with_login(&self, password: &str) -> Process {
        let login = Login::prepare(self.bus.sandbox(), password, &self.salt_file());
        login.spawn(&mut self.prepare("sh"), PROGRAM)
    }

    fn prepare(&self, program: &str) -> Command {
        let mut command = self.bus.command(program);
        let sandbox = self.bus.sandbox();
        // Qt ends a program that finds no screen.
        if !sandbox.has_env("DISPLAY") {
            command.env("QT_QPA_PLATFORM", "offscreen");
        }
        command.stdout(sandbox.log(PROGRAM)).stderr(sandbox.log(PROGRAM));
        command
    }

    fn wait_for_start(&self, open: bool) {
        wait_until("kwalletd5 is on the bus", PATIENCE, || {
            if self.daemon().has_ended() {
                panic!("kwalletd5 died: {}", self.bus.sandbox().read_log(PROGRAM));
            }
            self.bus.name_owner_pid(secret_service::NAME) == Some(self.pid())
        });
        // This call is answered only after the daemon has processed the login.
        assert_eq!(self.is_open(), open, "whether the wallet is open");
    }
}

fn write_config(home: &Path) {
    let directory = home.join(".config");
    fs::create_dir_all(&directory).expect("the sandbox is writable");
    fs::write(directory.join("kwalletrc"), CONFIG).expect("the sandbox is writable");
}

async fn unlock(connection: &Connection) -> zbus::Result<()> {
    let collection = default_collection(connection).await?;
    let collection = collection.expect("there's a default collection to unlock");
    let service = ServiceProxy::new(connection).await?;
    let (_, prompt) = service.unlock(&[collection.as_ref()]).await?;
    if prompt.as_str() == "/" {
        return Ok(());
    }
    let prompt = PromptProxy::new(connection, prompt).await?;
    prompt.prompt("").await
}
