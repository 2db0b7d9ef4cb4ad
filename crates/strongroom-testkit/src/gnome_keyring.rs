//! A real gnome-keyring, in any state a user's may be in.

use std::{io::Write, process::Stdio};

use zbus::{Connection, ObjectPath, Variant};

use crate::{
    Bus,
    process::Process,
    secret_service::{self, ServiceProxy, default_collection, default_is_locked},
    wait::{PATIENCE, wait_until},
};

const PROGRAM: &str = "gnome-keyring-daemon";

#[zbus::proxy(
    interface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface",
    default_service = "org.freedesktop.secrets",
    default_path = "/org/freedesktop/secrets"
)]
trait Internal {
    async fn unlock_with_master_password(
        &self,
        collection: &ObjectPath<'_>,
        master: &(ObjectPath<'_>, &[u8], &[u8], &str),
    ) -> zbus::Result<()>;
}

/// A `gnome-keyring-daemon` on a private bus, killed on drop.
#[derive(Debug)]
pub struct GnomeKeyring {
    bus: Bus,
    daemon: Option<Process>,
}

impl GnomeKeyring {
    /// Starts one.
    ///
    /// With a password, as after a login: its default collection, `login`, exists and is unlocked.
    /// Without, as in a session that nobody logged in to: it runs, but has no collection.
    ///
    /// # Panics
    ///
    /// When it doesn't reach that state.
    pub fn start(bus: &Bus, password: Option<&str>) -> Self {
        let mut keyring = Self { bus: bus.clone(), daemon: None };
        keyring.launch(password);
        keyring
    }

    /// Its process.
    ///
    /// # Panics
    ///
    /// When it was killed.
    pub fn pid(&self) -> u32 {
        self.daemon().pid()
    }

    /// What its default collection says; `None` where there is none.
    ///
    /// # Panics
    ///
    /// When it doesn't answer.
    pub fn is_locked(&self) -> Option<bool> {
        default_is_locked(&self.bus)
    }

    /// Locks its default collection.
    ///
    /// # Panics
    ///
    /// When there's none, or the daemon doesn't answer.
    pub fn lock(&self) {
        let locked = self.bus.talk(async |connection| {
            let collection = default_collection(&connection).await?;
            let collection = collection.expect("there's a default collection to lock");
            let service = ServiceProxy::new(&connection).await?;
            service.lock(&[collection.as_ref()]).await
        });
        locked.expect("gnome-keyring locks a collection without asking");
        assert_eq!(self.is_locked(), Some(true), "locked at once");
    }

    /// Unlocks its default collection without a prompt.
    ///
    /// # Panics
    ///
    /// When the password is wrong, or the daemon doesn't answer.
    pub fn unlock(&self, password: &str) {
        let unlocked = self.bus.talk(async |connection| unlock(&connection, password).await);
        unlocked.expect("the password opens the default collection");
        assert_eq!(self.is_locked(), Some(false), "unlocked at once");
    }

    /// Kills it, and returns once it's gone from the bus too. What it acknowledged is kept.
    pub fn kill(&mut self) {
        let Some(daemon) = self.daemon.take() else {
            return;
        };
        let pid = Some(daemon.pid());
        drop(daemon);
        wait_until("gnome-keyring has left the bus", PATIENCE, || {
            self.bus.name_owner_pid(secret_service::NAME) != pid
        });
    }

    /// Kills it if it runs, and starts it again on the files that it left.
    ///
    /// Without a password, what was stored is there, and locked.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start) does; also when the password is wrong.
    pub fn restart(&mut self, password: Option<&str>) {
        self.kill();
        self.launch(password);
    }

    /// Hangs it: calls to it are delivered and not answered.
    ///
    /// # Panics
    ///
    /// When it was killed.
    pub fn stop(&self) {
        self.daemon().stop();
    }

    /// Ends [`stop`](Self::stop).
    ///
    /// # Panics
    ///
    /// When it was killed.
    pub fn cont(&self) {
        self.daemon().cont();
    }

    fn daemon(&self) -> &Process {
        self.daemon.as_ref().expect("gnome-keyring was not killed")
    }

    fn launch(&mut self, password: Option<&str>) {
        let mut command = self.bus.command(PROGRAM);
        command
            .args(["--foreground", "--components=secrets"])
            .stdin(Stdio::null())
            .stdout(self.bus.sandbox().log(PROGRAM))
            .stderr(self.bus.sandbox().log(PROGRAM));
        if password.is_some() {
            command.arg("--unlock").stdin(Stdio::piped());
        }
        let daemon = self.daemon.insert(Process::spawn(&mut command));
        if let Some(password) = password {
            let mut stdin = daemon.take_stdin();
            // If it's gone already, its log says why.
            stdin.write_all(password.as_bytes()).ok();
        }
        self.wait_for_start(password.is_some());
    }

    fn wait_for_start(&self, unlocked: bool) {
        wait_until("gnome-keyring is on the bus", PATIENCE, || {
            let log = || self.bus.sandbox().read_log(PROGRAM);
            assert!(!self.daemon().has_ended(), "gnome-keyring died: {}", log());
            self.bus.name_owner_pid(secret_service::NAME) == Some(self.pid())
        });
        if unlocked {
            wait_until("the password unlocks gnome-keyring", PATIENCE, || {
                self.is_locked() == Some(false)
            });
        }
    }
}

async fn unlock(connection: &Connection, password: &str) -> zbus::Result<()> {
    let collection = default_collection(connection).await?;
    let collection = collection.expect("there's a default collection to unlock");
    let service = ServiceProxy::new(connection).await?;
    let (_, session) = service.open_session("plain", &Variant::from("")).await?;
    let master = (session.as_ref(), &b""[..], password.as_bytes(), "text/plain");
    let internal = InternalProxy::new(connection).await?;
    internal.unlock_with_master_password(&collection.as_ref(), &master).await
}
