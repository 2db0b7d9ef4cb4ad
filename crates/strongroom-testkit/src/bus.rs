//! A private session bus.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use zbus::{Connection, connection, fdo, names::BusName};

use tempfile::TempDir;

use crate::{Sandbox, process::Process};

/// The deadline of a call: longer than a call to a healthy daemon takes, and short enough to detect a hung daemon.
const CALL: Duration = Duration::from_secs(10);

const NO_ACTIVATION: &str = "";
const STOCK_ACTIVATION: &str = "<standard_session_servicedirs/>";

/// The policy rules of every bus.
const ALLOW_ALL: &str = r#"
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>"#;

/// A private `dbus-daemon`, killed when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Bus {
    sandbox: Sandbox,
    address: Arc<str>,
    daemon: Arc<Mutex<Option<Process>>>,
}

/// A builder for a bus with unusual addresses, rules or user.
#[derive(Clone, Debug)]
#[must_use]
pub struct BusBuilder {
    sandbox: Sandbox,
    activation: &'static str,
    listens: Vec<String>,
    rules: String,
    user: Option<u32>,
}

impl Bus {
    /// Starts a bus without activation: a name has an owner only if the test started it.
    ///
    /// # Panics
    ///
    /// If `dbus-daemon` does not start.
    pub fn start(sandbox: &Sandbox) -> Self {
        Self::builder(sandbox).start()
    }

    /// Returns a builder for a bus without activation that listens at a path in the sandbox.
    pub fn builder(sandbox: &Sandbox) -> BusBuilder {
        BusBuilder {
            sandbox: sandbox.clone(),
            activation: NO_ACTIVATION,
            listens: Vec::new(),
            rules: String::new(),
            user: None,
        }
    }

    /// Starts a bus that activates the installed services, as on a desktop.
    ///
    /// Prompters need a screen, so the sandbox must have a `DISPLAY`. Any call to
    /// `org.freedesktop.secrets` starts a provider on this bus.
    ///
    /// # Panics
    ///
    /// If `dbus-daemon` does not start.
    pub fn start_with_activation(sandbox: &Sandbox) -> Self {
        BusBuilder { activation: STOCK_ACTIVATION, ..Self::builder(sandbox) }.start()
    }

    /// Returns the sandbox of the bus.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Returns the address, the value of `DBUS_SESSION_BUS_ADDRESS` for clients.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns a command for a client of this bus. See [`Sandbox::command`].
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.sandbox.command(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
        command
    }

    /// Returns the process id of the owner of `name`, without activating a service.
    ///
    /// # Panics
    ///
    /// If `name` is not a valid bus name, or the bus does not answer.
    pub fn name_owner_pid(&self, name: &str) -> Option<u32> {
        let name = BusName::try_from(name).expect("a valid bus name");
        let reply = self.talk(async |connection| {
            let bus = fdo::DBusProxy::new(&connection).await?;
            Ok(bus.get_connection_unix_process_id(name).await)
        });
        match reply.expect("the bus answers") {
            Ok(pid) => Some(pid),
            Err(fdo::Error::NameHasNoOwner(_)) => None,
            Err(error) => panic!("the bus answers: {error}"),
        }
    }

    /// Kills the bus while its clients are connected.
    pub fn kill(&self) {
        let mut daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner);
        drop(daemon.take());
    }

    /// Runs a conversation on a new connection. Each call in it has a deadline.
    pub(crate) fn talk<T>(
        &self,
        conversation: impl AsyncFnOnce(Connection) -> zbus::Result<T>,
    ) -> zbus::Result<T> {
        zbus::block_on(async {
            let connection =
                connection::Builder::address(self.address()).method_timeout(CALL).build().await?;
            conversation(connection).await
        })
    }
}

impl BusBuilder {
    /// Adds an address. The first address replaces the path in the sandbox.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listens.push(address.into());
        self
    }

    /// Adds a rule to the policy, such as `<deny …/>`. Later rules override the default rules, which allow all.
    pub fn rule(mut self, rule: &str) -> Self {
        self.rules += rule;
        self
    }

    /// Runs the daemon as this user, which needs root, and admits all users.
    pub fn user(mut self, user: u32) -> Self {
        self.user = Some(user);
        self.rule(r#"<allow user="*"/>"#)
    }

    /// Starts the bus.
    ///
    /// # Panics
    ///
    /// If `dbus-daemon` does not start.
    pub fn start(self) -> Bus {
        let readable = open_directory();
        // Another user can't read the sandbox.
        let config = match self.user {
            Some(_) => readable.path().join("bus.conf"),
            None => self.sandbox.path().join("bus.conf"),
        };
        fs::write(&config, self.configuration()).expect("the sandbox is writable");
        let mut command = self.sandbox.command("dbus-daemon");
        command
            .args(["--nofork", "--nopidfile", "--print-address=1", "--config-file"])
            .arg(config)
            // Without this, activated prompters activate the accessibility bus, and the
            // children of its launcher outlive this bus.
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.sandbox.log("dbus-daemon"));
        if let Some(user) = self.user {
            command.current_dir("/").uid(user).gid(user);
        }
        let mut daemon = Process::spawn(&mut command);
        Bus {
            sandbox: self.sandbox,
            address: daemon.first_line().into(),
            daemon: Arc::new(Mutex::new(Some(daemon))),
        }
    }

    fn configuration(&self) -> String {
        let socket = format!("unix:path={}", self.sandbox.path().join("bus.socket").display());
        let listens = if self.listens.is_empty() { &vec![socket] } else { &self.listens };
        let listens: String =
            listens.iter().map(|address| format!("<listen>{address}</listen>")).collect();
        configuration(&listens, self.activation, &self.rules)
    }
}

/// Creates a directory that all users can read.
fn open_directory() -> TempDir {
    let permissions = fs::Permissions::from_mode(0o755);
    let directory = tempfile::Builder::new().permissions(permissions).tempdir();
    directory.expect("the temporary directory is writable")
}

fn configuration(listens: &str, activation: &str, rules: &str) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  {listens}
  <auth>EXTERNAL</auth>
  {activation}
  <policy context="default">{ALLOW_ALL}
    {rules}
  </policy>
</busconfig>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider_or_skip;

    #[test]
    fn knows_the_owner_of_a_name() {
        if !provider_or_skip("dbus-daemon") {
            return;
        }
        let bus = Bus::start(&Sandbox::new());
        assert_eq!(bus.name_owner_pid("org.example.App"), None);
        let owner = bus.talk(async |connection| {
            connection.request_name("org.example.App").await?;
            Ok(bus_owner(&connection).await)
        });
        assert_eq!(owner.expect("the bus answers"), std::process::id());
    }

    async fn bus_owner(connection: &Connection) -> u32 {
        let bus = fdo::DBusProxy::new(connection).await.expect("a proxy");
        let name = BusName::try_from("org.example.App").expect("a valid name");
        let pid = bus.get_connection_unix_process_id(name).await;
        pid.expect("the name has an owner")
    }

    #[test]
    fn activates_only_when_asked_to() {
        if !provider_or_skip("dbus-daemon") || !provider_or_skip("gnome-keyring-daemon") {
            return;
        }
        let activatable = |bus: &Bus| {
            let names = bus.talk(async |connection| {
                let bus = fdo::DBusProxy::new(&connection).await?;
                Ok(bus.list_activatable_names().await?)
            });
            let names = names.expect("the bus answers");
            names.iter().any(|name| *name == "org.freedesktop.secrets")
        };
        assert!(!activatable(&Bus::start(&Sandbox::new())));
        assert!(activatable(&Bus::start_with_activation(&Sandbox::new())));
    }

    #[test]
    fn can_be_killed_under_its_clients() {
        if !provider_or_skip("dbus-daemon") {
            return;
        }
        let bus = Bus::start(&Sandbox::new());
        bus.kill();
        assert!(bus.talk(async |_| Ok(())).is_err());
    }
}
