//! Calls to the Secret Service over the session bus.

use futures_lite::future;
use rustix::process::geteuid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use strongroom_core::ErrorKind;
use zbus::message::Message;
use zbus::names::{BusName, OwnedUniqueName};
use zbus::{Connection, DynamicType, ObjectPath, OwnedObjectPath, OwnedVariant, Type};
use zruntime::SharedRuntime;

use crate::budget::Budget;
use crate::connect::{connect, foreign_owner};
use crate::error::Failure;
use crate::protocol::{BUS_NAME, DBUS, DBUS_PATH, PROPERTIES};

/// A connection to the user's bus, and the process on it that serves secrets.
///
/// All calls go to the same process, by its unique name. Its successor does not know the session, and might
/// accept a value that is sealed for the old process.
pub(crate) struct Bus {
    connection: Connection,
    runtime: SharedRuntime,
    owner: Option<Owner>,
    /// The collection that lasts until logout, once it was looked up; the inner `None` means that the
    /// provider has no such collection.
    pub(crate) session_collection: Option<Option<OwnedObjectPath>>,
}

/// The process that serves secrets.
struct Owner {
    name: OwnedUniqueName,
    /// Its process id, if the bus reports it.
    pid: Option<u32>,
    /// Set once it answered a call: the bus lets calls through.
    has_answered: bool,
}

impl Bus {
    /// Connects to the bus at these addresses; to the session bus if there are none.
    pub(crate) async fn connect(list: Option<&str>, budget: &Budget) -> Result<Self, Failure> {
        let connection = connect(list, budget).await?;
        let runtime = budget.runtime().clone();
        Ok(Self { connection, runtime, owner: None, session_collection: None })
    }

    /// Returns the connection, to listen for signals.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the runtime of the connection.
    pub(crate) fn runtime(&self) -> &SharedRuntime {
        &self.runtime
    }

    /// Returns the unique bus name of the process that serves secrets, once it is known.
    pub(crate) fn owner(&self) -> Option<&OwnedUniqueName> {
        self.owner.as_ref().map(|owner| &owner.name)
    }

    /// Forgets the process that serves secrets, so that the next call looks it up again.
    pub(crate) fn forget_owner(&mut self) {
        self.owner = None;
        self.session_collection = None;
    }

    /// Calls a method of the Secret Service.
    pub(crate) async fn call<B, R>(
        &mut self,
        budget: &Budget,
        path: &ObjectPath<'_>,
        (interface, method): (&str, &str),
        body: &B,
    ) -> Result<R, Failure>
    where
        B: Serialize + DynamicType,
        R: DeserializeOwned + Type,
    {
        let owner = match &mut self.owner {
            Some(owner) => owner,
            None => self.owner.insert(find_owner(&self.connection, budget).await?),
        };
        let destination = Some(BusName::Unique(owner.name.as_ref()));
        let call = self.connection.call_method(destination, path, Some(interface), method, body);
        match budget.run(call).await?.map_err(Failure::from) {
            // Before the first answer, the bus or a sandbox's proxy may have refused the call instead of the
            // provider.
            Err(failure) if failure.kind() == ErrorKind::AccessDenied && !owner.has_answered => {
                match owner.is_out_of_reach(&self.connection, budget).await {
                    true => Err(failure.refused_by_bus()),
                    false => Err(failure),
                }
            }
            reply => {
                let reply = reply?;
                owner.has_answered = true;
                parse_body(&reply)
            }
        }
    }

    /// Reads a property of an object of the Secret Service.
    pub(crate) async fn property<T>(
        &mut self,
        budget: &Budget,
        path: &ObjectPath<'_>,
        (interface, name): (&str, &str),
    ) -> Result<T, Failure>
    where
        T: TryFrom<OwnedVariant>,
    {
        let body = &(interface, name);
        let value: OwnedVariant = self.call(budget, path, (PROPERTIES, "Get"), body).await?;
        T::try_from(value).map_err(|_| Failure::unexpected(&format!("a strange {name} property")))
    }

    /// Returns whether this name is on the bus, or can be activated by a call.
    pub(crate) async fn can_reach(&self, budget: &Budget, name: &str) -> bool {
        for method in ["ListNames", "ListActivatableNames"] {
            let names: Result<Vec<String>, _> =
                call_bus(&self.connection, budget, method, &()).await;
            match names {
                Ok(names) if names.iter().any(|known| known == name) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        false
    }

    /// Returns the id of the process that serves secrets, if the bus reports it. The bus answers even if that
    /// process hangs, or was never called.
    pub(crate) async fn owner_pid(&self, budget: &Budget) -> Option<u32> {
        match &self.owner {
            Some(owner) => owner.pid,
            None => process_id_of(&self.connection, budget, BUS_NAME).await,
        }
    }
}

impl Owner {
    /// Returns whether the bus delivers nothing to the process. A process answers every ping that it
    /// receives, so a refused ping is the bus's doing.
    async fn is_out_of_reach(&self, connection: &Connection, budget: &Budget) -> bool {
        let name = Some(self.name.as_ref());
        let ping =
            connection.call_method(name, "/", Some("org.freedesktop.DBus.Peer"), "Ping", &());
        let pong = budget.run(ping).await.map(|pong| pong.map_err(Failure::from));
        matches!(pong, Ok(Err(failure)) if failure.kind() == ErrorKind::AccessDenied)
    }
}

/// Finds the process that serves secrets, and starts it if necessary. It must be the user's own, since a bus
/// may admit processes of other users.
async fn find_owner(connection: &Connection, budget: &Budget) -> Result<Owner, Failure> {
    let name = match owner_name(connection, budget).await {
        Err(failure) if failure.is_absence() => {
            let start = &(BUS_NAME, 0_u32);
            call_bus::<_, u32>(connection, budget, "StartServiceByName", start).await?;
            owner_name(connection, budget).await?
        }
        name => name?,
    };
    // Sent together, for a single round trip.
    let (user, pid) = future::zip(
        call_bus(connection, budget, "GetConnectionUnixUser", &name.as_str()),
        process_id_of(connection, budget, name.as_str()),
    )
    .await;
    let user = user?;
    if user != geteuid().as_raw() {
        return Err(foreign_owner("the Secret Service on the session bus", user));
    }
    Ok(Owner { name, pid, has_answered: false })
}

async fn process_id_of(connection: &Connection, budget: &Budget, name: &str) -> Option<u32> {
    call_bus(connection, budget, "GetConnectionUnixProcessID", &name).await.ok()
}

async fn owner_name(connection: &Connection, budget: &Budget) -> Result<OwnedUniqueName, Failure> {
    let name: String = call_bus(connection, budget, "GetNameOwner", &BUS_NAME).await?;
    OwnedUniqueName::try_from(name).map_err(|_| {
        Failure::new(ErrorKind::Other)
            .with_message("the session bus named no process for its owner")
    })
}

/// Calls a method of the bus itself.
async fn call_bus<B, R>(
    connection: &Connection,
    budget: &Budget,
    method: &str,
    body: &B,
) -> Result<R, Failure>
where
    B: Serialize + DynamicType,
    R: DeserializeOwned + Type,
{
    let call = connection.call_method(Some(DBUS), DBUS_PATH, Some(DBUS), method, body);
    match budget.run(call).await?.map_err(Failure::from) {
        Err(failure) if failure.kind() == ErrorKind::AccessDenied => Err(failure.refused_by_bus()),
        reply => parse_body(&reply?),
    }
}

fn parse_body<R: DeserializeOwned + Type>(reply: &Message) -> Result<R, Failure> {
    reply.body().deserialize().map_err(|_| {
        let signature = reply.body().signature().to_string();
        Failure::unexpected(&format!("with the type \"{signature}\""))
    })
}
