//! The connection to the session bus of the effective user.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use strongroom_core::advice::Sentence;
use strongroom_core::{ErrorKind, Reason};
use zbus::Connection;
use zruntime::Shared;

use crate::address::{Address, Unusable, parse};
use crate::budget::Budget;
use crate::error::Failure;
use crate::runtime::CallerRuntime;
use crate::text::printable;

/// The variable that names the session bus.
const VARIABLE: &str = "DBUS_SESSION_BUS_ADDRESS";

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
            Ok(address) => open(&address, budget).await,
            Err(unusable) => Err(cannot_use(&unusable)),
        };
        match tried {
            // A timeout ends the search: no time is left for the next address.
            Err(failure) if failure.kind != ErrorKind::TimedOut => failures.push(failure),
            result => return result,
        }
    }
    // A bus that exists and must not be used tells more than a missing bus.
    let telling = failures.iter().position(|failure| failure.reason != Some(Reason::NoBus));
    let failure = match telling.or(failures.len().checked_sub(1)) {
        Some(place) => failures.swap_remove(place),
        None => no_bus(),
    };
    Err(lookup.advise(failure, budget).await)
}

impl Lookup {
    fn of(list: Option<&str>, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let source = match (list, variable(VARIABLE)) {
            (Some(list), _) => Source::Caller(list.to_owned()),
            (None, Some(list)) => Source::Variable(list),
            (None, None) => Source::LoginSession,
        };
        let runtime_dir = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
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
        if open(&address, &budget.of(INQUIRY)).await.is_err() {
            return failure;
        }
        let bus = printable(&self.runtime_bus.to_string_lossy());
        let failure = match failure.reason {
            Some(Reason::ForeignOwner) => failure,
            _ => failure.reason(Reason::StaleBusAddress),
        };
        let names = format!("Your session bus is {bus}, and {VARIABLE} names another one: ");
        failure.hint(Sentence::from(names).shell(format!("unset {VARIABLE}")).text("."))
    }
}

/// Connects to the bus at an address, which must be the user's own.
async fn open(address: &Address, budget: &Budget) -> Result<Connection, Failure> {
    let runtime = budget.runtime();
    let connecting =
        zruntime::net::unix::UnixStream::<Shared>::connect_addr(runtime, &address.socket);
    let stream = budget.run(connecting).await.map_err(|failure| silent(failure, address))?;
    let stream = stream.map_err(|error| unreachable(address, &error))?.into_std();
    // Checked before the handshake, so that a foreign bus gets no byte.
    must_be_own(&stream, address)?;
    let builder = zbus::connection::Builder::unix_stream(stream);
    let building = builder.runtime(CallerRuntime(runtime.clone())).build();
    let connection = budget.run(building).await.map_err(|failure| silent(failure, address))?;
    let connection = connection.map_err(|error| refused(address, &error.to_string()))?;
    match &address.guid {
        Some(guid) if connection.server_guid().as_str() != guid => {
            Err(refused(address, "its id is not the one in the address"))
        }
        _ => Ok(connection),
    }
}

/// Checks that the listening process belongs to the effective user. The kernel reports the user of the
/// process that called `listen(2)`.
fn must_be_own(stream: &UnixStream, address: &Address) -> Result<(), Failure> {
    let owner = socket_peercred(stream).map_err(|error| unreachable(address, &error.into()))?;
    let owner = owner.uid.as_raw();
    if owner == geteuid().as_raw() { Ok(()) } else { Err(foreign_bus(address, owner)) }
}

fn no_bus() -> Failure {
    Failure::new(ErrorKind::NoBackend)
        .reason(Reason::NoBus)
        .message("there is no D-Bus session bus to reach a Secret Service on")
        .hint(
            Sentence::from("Log in to a desktop session, or run the command under ")
                .shell("dbus-run-session")
                .text("."),
        )
}

fn silent(failure: Failure, address: &Address) -> Failure {
    failure
        .silent_bus()
        .message(format!("the session bus at {address} did not answer in time"))
        .hint("See whether its dbus-daemon or dbus-broker is stopped, or log in again.")
}

fn unreachable(address: &Address, error: &io::Error) -> Failure {
    // A socket in another user's directory can't be reached at all: that user is the better explanation.
    if error.kind() == io::ErrorKind::PermissionDenied
        && let Some(owner) = address.path().and_then(closed_by)
    {
        return foreign_bus(address, owner);
    }
    no_bus()
        .message(format!("there is no D-Bus session bus at {address}"))
        .caused_by(&error.to_string())
}

fn refused(address: &Address, cause: &str) -> Failure {
    no_bus()
        .message(format!("the session bus at {address} doesn't take this process"))
        .caused_by(cause)
}

fn cannot_use(unusable: &Unusable) -> Failure {
    Failure::new(ErrorKind::NoBackend)
        .message(format!(
            "the address of the session bus can't be used: {} ({})",
            unusable.problem, unusable.address
        ))
        .hint("Name your own bus by its socket: unix:path=… with its absolute path.")
}

/// Creates the failure for a bus of another user, to whom secrets must not go.
fn foreign_bus(address: &Address, owner: u32) -> Failure {
    foreign(format!("the session bus at {address} belongs to"), owner)
}

/// Creates the failure for a bus or a provider of another user. Nothing was sent to it.
pub(crate) fn foreign(what: String, owner: u32) -> Failure {
    let (own, named) =
        (strongroom_files::user_name(geteuid().as_raw()), strongroom_files::user_name(owner));
    Failure::new(ErrorKind::NoBackend)
        .reason(Reason::ForeignOwner)
        .message(format!("{what} {named}, and this process runs as {own}; nothing was sent"))
        .hint(way_home(owner))
}

fn way_home(owner: u32) -> Sentence {
    let way = match strongroom_files::login_name(owner) {
        Some(name) if geteuid().as_raw() == 0 => {
            Sentence::from(format!("Run it as {name}: without sudo, or in a shell of that user, "))
                .shell(format!("su - {name}"))
                .text(". For secrets of root's own, do without that bus: ")
        }
        _ => Sentence::from(
            "This shell comes from another user's session: begin one of your own, by ssh or by su with \
             a dash. Or do without that bus: ",
        ),
    };
    way.shell(format!("unset {VARIABLE} XDG_RUNTIME_DIR")).text(".")
}

/// Returns the other user that keeps this user out of a path: the owner of the deepest part of it that can be
/// seen. `None` if that is this user or root.
fn closed_by(path: &Path) -> Option<u32> {
    let seen = path.ancestors().find_map(|part| part.symlink_metadata().ok())?;
    let owner = seen.uid();
    (owner != geteuid().as_raw() && owner != 0).then_some(owner)
}
