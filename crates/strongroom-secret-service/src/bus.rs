//! Calls to the Secret Service over the session bus.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zbus::message::Message;
use zbus::names::{BusName, OwnedUniqueName};
use zbus::{Address, Connection, DynamicType, ObjectPath, OwnedVariant, Type};

use crate::budget::Budget;
use crate::error::Failure;
use crate::protocol::{BUS_NAME, PROPERTIES};

/// The name of the bus itself, and its object.
const DBUS: &str = "org.freedesktop.DBus";
const DBUS_PATH: &str = "/org/freedesktop/DBus";

/// A connection to the bus, and the process on it that serves secrets.
///
/// Once somebody answered, all further calls go to that process and no other: a session means
/// nothing to its successor, which might take a value sealed for the old one.
#[derive(Debug)]
pub(crate) struct Bus {
    connection: Connection,
    owner: Option<OwnedUniqueName>,
}

impl Bus {
    /// Connects to the bus at this address, or to the session bus.
    pub(crate) async fn connect(address: Option<&str>, budget: &Budget) -> Result<Self, Failure> {
        let address = match address {
            Some(address) => address.parse::<Address>(),
            None => Address::session(),
        };
        let address = address.map_err(|error| Failure::no_bus(&error))?;
        let connecting = zbus::connection::Builder::address(address).build();
        let connection = budget.run(connecting).await?.map_err(|error| Failure::no_bus(&error))?;
        Ok(Self { connection, owner: None })
    }

    /// The connection, to listen for signals.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The process that answered, by its name on the bus.
    pub(crate) fn owner(&self) -> Option<&OwnedUniqueName> {
        self.owner.as_ref()
    }

    /// Forgets who served secrets: the next call finds out again.
    pub(crate) fn forget_owner(&mut self) {
        self.owner = None;
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
        let destination = match &self.owner {
            Some(owner) => BusName::Unique(owner.as_ref()),
            None => BusName::try_from(BUS_NAME)?,
        };
        let call =
            self.connection.call_method(Some(destination), path, Some(interface), method, body);
        let reply = budget.run(call).await??;
        if self.owner.is_none() {
            self.owner = reply.header().sender().map(|sender| sender.to_owned().into());
        }
        body_of(&reply)
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

    /// Whether this name is on the bus, or would be once it is called.
    pub(crate) async fn can_reach(&self, budget: &Budget, name: &str) -> bool {
        for method in ["ListNames", "ListActivatableNames"] {
            let call = self.connection.call_method(Some(DBUS), DBUS_PATH, Some(DBUS), method, &());
            let Ok(Ok(reply)) = budget.run(call).await else {
                return false;
            };
            let names: Vec<String> = body_of(&reply).unwrap_or_default();
            if names.iter().any(|known| known == name) {
                return true;
            }
        }
        false
    }

    /// The id of the process that serves secrets, if the bus tells.
    pub(crate) async fn owner_pid(&self) -> Option<u32> {
        let name = self.owner.as_ref().map_or(BUS_NAME, |owner| owner.as_str());
        let call = self.connection.call_method(
            Some(DBUS),
            DBUS_PATH,
            Some(DBUS),
            "GetConnectionUnixProcessID",
            &name,
        );
        body_of(&call.await.ok()?).ok()
    }
}

fn body_of<R: DeserializeOwned + Type>(reply: &Message) -> Result<R, Failure> {
    reply.body().deserialize().map_err(|_| {
        let signature = reply.body().signature().to_string();
        Failure::unexpected(&format!("with the type \"{signature}\""))
    })
}
