//! The connection to the session bus of the effective user.

mod failure;

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use strongroom_core::advice::Sentence;
use strongroom_core::{ErrorKind, Reason};
use zbus::Connection;
use zruntime::Shared;

use crate::address::{Address, Unusable, VARIABLE, parse};
use crate::budget::Budget;
use crate::error::Failure;
use crate::runtime::CallerRuntime;
use crate::text::printable;
use failure::{foreign_bus, no_bus, refusing_bus, silent_bus, unreachable_bus, unusable_address};

pub(crate) use failure::foreign_owner;

/// The time limit for checking whether another bus answers.
const INQUIRY: Duration = Duration::from_millis(200);

/// The places to look for the bus.
#[derive(Debug)]
struct Lookup {
    source: Source,
    /// The socket of the login session's bus.
    runtime_bus: PathBuf,
}

/// The origin of the bus addresses.
#[derive(Debug)]
enum Source {
    Caller(String),
    Variable(OsString),
    LoginSession,
}

/// Connects to the bus at this list of addresses, or to the session bus.
///
/// The addresses are tried in order. An address counts only if a process of the effective user listens on its
/// socket; no byte is sent to any other process.
///
/// # Errors
///
/// `NoBackend`, with the most telling reason of all addresses; `TimedOut`.
pub(crate) async fn connect(list: Option<&str>, budget: &Budget) -> Result<Connection, Failure> {
    let lookup = Lookup::of(list, |name| env::var_os(name));
    let mut failures = Vec::new();
    for address in lookup.addresses() {
        let tried = match address {
            Ok(address) => connect_to(&address, budget).await,
            Err(unusable) => Err(unusable_address(&unusable)),
        };
        match tried {
            // A timeout ends the search: no time is left for the next address.
            Err(failure) if failure.kind() != ErrorKind::TimedOut => failures.push(failure),
            result => return result,
        }
    }
    // A bus that exists and must not be used tells more than a missing bus.
    let telling = failures.iter().position(|failure| failure.reason() != Some(Reason::NoBus));
    let failure = match telling.or(failures.len().checked_sub(1)) {
        Some(place) => failures.swap_remove(place),
        None => no_bus(),
    };
    Err(lookup.advise(failure, budget).await)
}

impl Lookup {
    fn of(list: Option<&str>, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let source = match (list, variable(VARIABLE)) {
            (Some(list), _) => Source::Caller(list.to_owned()),
            (None, Some(list)) if !list.is_empty() => Source::Variable(list),
            (None, _) => Source::LoginSession,
        };
        let runtime_dir = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        // An empty path is not absolute, either.
        let runtime_dir = runtime_dir.filter(|dir| dir.is_absolute());
        let runtime_dir =
            runtime_dir.unwrap_or_else(|| format!("/run/user/{}", geteuid().as_raw()).into());
        Self { source, runtime_bus: runtime_dir.join("bus") }
    }

    fn addresses(&self) -> Vec<Result<Address, Unusable>> {
        let list = match &self.source {
            Source::Caller(list) => list.as_bytes(),
            Source::Variable(list) => list.as_bytes(),
            Source::LoginSession => return self.runtime_address().map(Ok).into_iter().collect(),
        };
        parse(list, &self.runtime_bus)
    }

    fn runtime_address(&self) -> Option<Address> {
        Address::at(&self.runtime_bus).ok()
    }

    /// Adds a hint to a failure if the variable names a wrong bus, while the user's own bus is reachable.
    async fn advise(&self, failure: Failure, budget: &Budget) -> Failure {
        let Source::Variable(_) = self.source else { return failure };
        let Some(address) = self.runtime_address() else { return failure };
        if connect_to(&address, &budget.of(INQUIRY)).await.is_err() {
            return failure;
        }
        let bus = printable(&self.runtime_bus.to_string_lossy());
        let failure = match failure.reason() {
            Some(Reason::ForeignOwner) => failure,
            _ => failure.with_reason(Reason::StaleBusAddress),
        };
        let names = format!("Your session bus is {bus}, and {VARIABLE} names another one: ");
        failure.with_hint(Sentence::from(names).shell(format!("unset {VARIABLE}")).text("."))
    }
}

/// Connects to the bus at an address, which must be the user's own.
async fn connect_to(address: &Address, budget: &Budget) -> Result<Connection, Failure> {
    let runtime = budget.runtime();
    let connecting =
        zruntime::net::unix::UnixStream::<Shared>::connect_addr(runtime, &address.socket);
    let stream = budget.run(connecting).await.map_err(|failure| silent_bus(failure, address))?;
    let stream = stream.map_err(|error| unreachable_bus(address, &error))?.into_std();
    // Checked before the handshake, so that a foreign bus gets no byte.
    check_owner(&stream, address)?;
    let builder = zbus::connection::Builder::unix_stream(stream);
    let building = builder.runtime(CallerRuntime(runtime.clone())).build();
    let connection = budget.run(building).await.map_err(|failure| silent_bus(failure, address))?;
    let connection = connection.map_err(|error| refusing_bus(address, &error.to_string()))?;
    match &address.guid {
        Some(guid) if connection.server_guid().as_str() != guid => {
            Err(refusing_bus(address, "its id is not the one in the address"))
        }
        _ => Ok(connection),
    }
}

/// Checks that the listening process belongs to the effective user. The kernel reports the user of the
/// process that called `listen(2)`.
fn check_owner(stream: &UnixStream, address: &Address) -> Result<(), Failure> {
    let owner = socket_peercred(stream).map_err(|error| unreachable_bus(address, &error.into()))?;
    let owner = owner.uid.as_raw();
    if owner == geteuid().as_raw() { Ok(()) } else { Err(foreign_bus(address, owner)) }
}
