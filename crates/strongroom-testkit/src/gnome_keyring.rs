//! A real gnome-keyring in the states that occur for users.

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
    /// Starts the daemon.
    ///
    /// With a password, as after a login: the default collection, `login`, exists and is unlocked.
    /// Without a password, as in a session without a login: the daemon runs, but has no collection.
    ///
    /// # Panics
    ///
    /// If the daemon does not reach this state.
    pub fn start(bus: &Bus, password: Option<&str>) -> Self {
        let mut keyring = Self { bus: bus.clone(), daemon: None };
        keyring.launch(password);
        keyring
    }

    /// Returns the daemon's process id.
    ///
    /// # Panics
    ///
    /// If the daemon was killed.
    pub fn pid(&self) -> u32 {
        self.daemon().pid()
    }

    /// Returns whether the default collection reports that it is locked. `None` if there is no default collection.
    ///
    /// # Panics
    ///
    /// If the daemon does not answer.
    pub fn is_locked(&self) -> Option<bool> {
        default_is_locked(&self.bus)
    }

    /// Locks the default collection.
    ///
    /// # Panics
    ///
    /// If there is no default collection, or the daemon does not answer.
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

    /// Unlocks the default collection without a prompt.
    ///
    /// # Panics
    ///
    /// If the password is wrong, or the daemon does not answer.
    pub fn unlock(&self, password: &str) {
        let unlocked = self.bus.talk(async |connection| unlock(&connection, password).await);
        unlocked.expect("the password opens the default collection");
        assert_eq!(self.is_locked(), Some(false), "unlocked at once");
    }

    /// Kills the daemon, and returns when it has left the bus. Acknowledged writes are kept.
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

    /// Kills the daemon if it runs, and starts it again with the same files.
    ///
    /// Without a password the stored items exist and are locked.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), and if the password is wrong.
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
            // If the daemon has ended already, its log tells the reason.
            stdin.write_all(password.as_bytes()).ok();
        }
        self.wait_for_start(password.is_some());
    }

    fn wait_for_start(&self, unlocked: bool) {
        wait_until("gnome-keyring is on the bus", PATIENCE, || {
            if self.daemon().has_ended() {
                panic!("gnome-keyring died: {}", self.bus.sandbox().read_log(PROGRAM));
            }
            self.bus.name_owner_pid(secret_service::NAME) == Some(self.pid())
        });
        // The daemon may take its name before it has processed the password.
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
    // The password may go unencrypted: the bus is private, and the password is the test's own.
    let (_, session) = service.open_session("plain", &Variant::from("")).await?;
    let master = (session.as_ref(), &b""[..], password.as_bytes(), "text/plain");
    let internal = InternalProxy::new(connection).await?;
    internal.unlock_with_master_password(&collection.as_ref(), &master).await
}
