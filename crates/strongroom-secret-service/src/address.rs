//! D-Bus addresses: the sockets that a list of addresses names.
//!
//! Follows the [D-Bus specification][spec], with the extensions that GDBus and sd-bus accept:
//!
//! ```text
//! list    = address *( ";" address )        ; empty ones are skipped
//! address = transport ":" [ pair *( "," pair ) ]
//! pair    = key "=" value                   ; each key once
//! value   = *( "%" HEXDIG HEXDIG / byte )   ; byte: any but "%", "," and ";"
//! ```
//!
//! An address never starts a program and never opens a network connection: of the transports only `unix` is
//! used, and `autolaunch` stands for the bus of the login session.
//!
//! [spec]: https://dbus.freedesktop.org/doc/dbus-specification.html#addresses

use std::ffi::OsString;
use std::fmt;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::slice;

use crate::text::printable;

/// The variable with the addresses of the session bus.
pub(crate) const VARIABLE: &str = "DBUS_SESSION_BUS_ADDRESS";

/// The longest list that is read, in bytes. A real list has a few hundred.
const MAX_BYTES: usize = 1 << 16;

/// A socket that a bus listens on.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The socket.
    pub(crate) socket: SocketAddr,
    /// The id of the bus, in lower case, if the address has it.
    pub(crate) guid: Option<String>,
}

/// An address that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// The address, escaped for display.
    pub(crate) address: String,
    /// The reason, as a clause.
    pub(crate) problem: &'static str,
}

/// A key and its unescaped value.
type Pair<'a> = (&'a [u8], Vec<u8>);

/// Parses a list of addresses, in the order in which they are to be tried.
///
/// `runtime_bus` is the socket of the login session's bus, which `unix:runtime=yes` and `autolaunch:`
/// stand for.
pub(crate) fn parse(list: &[u8], runtime_bus: &Path) -> Vec<Result<Address, Unusable>> {
    if list.len() > MAX_BYTES {
        return vec![Err(unusable(&list[..64], "it is too long"))];
    }
    list.split(|byte| *byte == b';')
        .filter(|address| !address.is_empty())
        .map(|address| {
            parse_one(address, runtime_bus).map_err(|problem| unusable(address, problem))
        })
        .collect()
}

impl Address {
    /// Creates the address of the socket at a path.
    ///
    /// # Errors
    ///
    /// Fails if the path is relative, or too long for a socket.
    pub(crate) fn at(path: &Path) -> Result<Self, &'static str> {
        if !path.is_absolute() {
            return Err("its path is not absolute");
        }
        let socket = SocketAddr::from_pathname(path).map_err(|_| "its path is no socket's path")?;
        Ok(Self { socket, guid: None })
    }

    /// Returns the path of the socket; `None` for an abstract socket.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.socket.as_pathname()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path(), self.socket.as_abstract_name()) {
            (Some(path), _) => f.write_str(&printable(&path.to_string_lossy())),
            (None, name) => {
                let name = String::from_utf8_lossy(name.unwrap_or_default());
                write!(f, "abstract socket {}", printable(&name))
            }
        }
    }
}

fn unusable(address: &[u8], problem: &'static str) -> Unusable {
    Unusable { address: printable(&String::from_utf8_lossy(address)), problem }
}

fn parse_one(address: &[u8], runtime_bus: &Path) -> Result<Address, &'static str> {
    let (transport, rest) = split_at_byte(address, b':').ok_or("it names no transport")?;
    let keys = keys(rest)?;
    match transport {
        b"unix" => unix(&keys, runtime_bus),
        b"autolaunch" => Address::at(runtime_bus),
        b"tcp" | b"nonce-tcp" | b"vsock" => {
            Err("a network connection doesn't tell whose bus it is")
        }
        b"unixexec" => Err("it would start a program"),
        _ => Err("its transport is not supported"),
    }
}

fn unix(keys: &[Pair<'_>], runtime_bus: &Path) -> Result<Address, &'static str> {
    let address = match (value(keys, b"path"), value(keys, b"abstract"), value(keys, b"runtime")) {
        (Some(path), None, None) => Address::at(&PathBuf::from(OsString::from_vec(path.clone()))),
        (None, Some(name), None) => SocketAddr::from_abstract_name(name)
            .map(|socket| Address { socket, guid: None })
            .map_err(|_| "its name is too long for a socket"),
        (None, None, Some(yes)) if yes == b"yes" => Address::at(runtime_bus),
        (None, None, None) if value(keys, b"dir").or(value(keys, b"tmpdir")).is_some() => {
            Err("it is for a bus to listen at, not to connect to")
        }
        (None, None, _) => Err("it names no socket"),
        _ => Err("it names more than one socket"),
    }?;
    let guid = value(keys, b"guid").map(|guid| bus_id(guid)).transpose()?;
    Ok(Address { guid, ..address })
}

fn value<'a>(keys: &'a [Pair<'_>], name: &[u8]) -> Option<&'a Vec<u8>> {
    keys.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Splits the pairs of key and value, and unescapes the values. Unknown keys are allowed: they are meant for
/// other clients.
fn keys(pairs: &[u8]) -> Result<Vec<Pair<'_>>, &'static str> {
    let mut keys: Vec<Pair<'_>> = Vec::new();
    if pairs.is_empty() {
        return Ok(keys);
    }
    for pair in pairs.split(|byte| *byte == b',') {
        let (key, value) = split_at_byte(pair, b'=').ok_or("it has a key without a value")?;
        if key.is_empty() {
            return Err("it has a value without a key");
        }
        if keys.iter().any(|(known, _)| *known == key) {
            return Err("it has a key twice");
        }
        keys.push((key, unescape(value)?));
    }
    Ok(keys)
}

fn unescape(value: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (Some(high), Some(low)) = (next_digit(&mut rest), next_digit(&mut rest)) else {
            return Err("a % in it is not followed by two hexadecimal digits");
        };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    Ok(bytes)
}

/// Returns the value of the next byte as a hexadecimal digit.
fn next_digit(bytes: &mut slice::Iter<'_, u8>) -> Option<u32> {
    char::from(*bytes.next()?).to_digit(16)
}

/// Parses a bus id, 32 hexadecimal digits, to lower case.
fn bus_id(guid: &[u8]) -> Result<String, &'static str> {
    let is_id = guid.len() == 32 && guid.iter().all(u8::is_ascii_hexdigit);
    match std::str::from_utf8(guid) {
        Ok(text) if is_id => Ok(text.to_ascii_lowercase()),
        _ => Err("its guid is not 32 hexadecimal digits"),
    }
}

fn split_at_byte(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == separator)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

#[cfg(test)]
mod tests;
