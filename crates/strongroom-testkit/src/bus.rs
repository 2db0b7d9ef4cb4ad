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

/// Longer than any healthy call takes, and short enough to tell that a daemon hangs.
const CALL: Duration = Duration::from_secs(10);

const NO_ACTIVATION: &str = "";
const STOCK_ACTIVATION: &str = "<standard_session_servicedirs/>";

/// What every bus allows.
const ALLOW_ALL: &str = r#"
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>"#;

/// A `dbus-daemon` that only this test knows, ended with its last handle.
#[derive(Clone, Debug)]
pub struct Bus {
    sandbox: Sandbox,
    address: Arc<str>,
    daemon: Arc<Mutex<Option<Process>>>,
}

/// A bus in the making, for what tests ask of none but the strangest.
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
    /// Starts a bus that activates nothing: a name has an owner when a test gave it one.
    ///
    /// # Panics
    ///
    /// When `dbus-daemon` doesn't start.
    pub fn start(sandbox: &Sandbox) -> Self {
        Self::builder(sandbox).start()
    }

    /// Begins a bus that activates nothing and listens at one path of the sandbox.
    pub fn builder(sandbox: &Sandbox) -> BusBuilder {
        BusBuilder {
            sandbox: sandbox.clone(),
            activation: NO_ACTIVATION,
            listens: Vec::new(),
            rules: String::new(),
            user: None,
        }
    }

    /// Starts a bus that activates the installed services, as a desktop's does.
    ///
    /// Prompters need a screen: give the sandbox a `DISPLAY` first. A mere look-up of
    /// `org.freedesktop.secrets` starts a provider here.
    ///
    /// # Panics
    ///
    /// When `dbus-daemon` doesn't start.
    pub fn start_with_activation(sandbox: &Sandbox) -> Self {
        BusBuilder { activation: STOCK_ACTIVATION, ..Self::builder(sandbox) }.start()
    }

    /// The sandbox it runs in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// What `DBUS_SESSION_BUS_ADDRESS` is for its clients.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// [`Sandbox::command`] for a client of this bus.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.sandbox.command(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
        command
    }

    /// The process that owns `name`, without starting one.
    ///
    /// # Panics
    ///
    /// When `name` is no bus name, or the bus doesn't answer.
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

    /// Kills the bus under its clients.
    pub fn kill(&self) {
        let mut daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner);
        drop(daemon.take());
    }

    /// Holds a conversation on a connection of its own, no call in which takes for ever.
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
    /// Listens at this address, too, in place of the sandbox's path.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listens.push(address.into());
        self
    }

    /// Adds a rule to the policy, such as `<deny …/>`, after those that allow all.
    pub fn rule(mut self, rule: &str) -> Self {
        self.rules += rule;
        self
    }

    /// Runs the daemon as this user, which takes root, and admits all users.
    pub fn user(mut self, user: u32) -> Self {
        self.user = Some(user);
        self.rule(r#"<allow user="*"/>"#)
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When `dbus-daemon` doesn't start.
    pub fn start(self) -> Bus {
        let readable = open_directory();
        let config = match self.user {
            Some(_) => readable.path().join("bus.conf"),
            None => self.sandbox.path().join("bus.conf"),
        };
        fs::write(&config, self.configuration()).expect("the sandbox is writable");
        let mut command = self.sandbox.command("dbus-daemon");
        command
            .args(["--nofork", "--nopidfile", "--print-address=1", "--config-file"])
            .arg(config)
            // Activated prompters would otherwise activate the accessibility bus, and its
            // launcher's children outlive this bus.
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

/// A directory that any user can look into.
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
