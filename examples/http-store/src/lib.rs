//! A company's secret server as a store: the complete example of the guide "Write a store".
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /v1` | 204, if the server can be used |
//! | `GET /v1/SERVICE` | 200, a JSON array of users |
//! | `GET`, `HEAD /v1/SERVICE/USER` | 200 and the value's bytes, or 404 |
//! | `PUT /v1/SERVICE/USER` | 204; with `If-None-Match: *`, 412 if it exists |
//! | `DELETE /v1/SERVICE/USER` | 204, or 404 |
//!
//! Each request has a bearer token, and each answer the header `Acme-Secrets`. A sealed server answers 423.

#![forbid(unsafe_code)]

mod client;
mod error;
mod names;

use std::collections::BTreeSet;
use std::fmt;

use strongroom::error::Operation;
use strongroom::store::{
    Capabilities, EntryName, Persistence, Probe, ServiceName, UserName, WriteMode,
};
use strongroom::{Deadlines, Error, ErrorKind, Result, SecretBytes, SecretString, Store};
use ureq::http::{Method, StatusCode};

use crate::client::Client;
use crate::error::refused;
use crate::names::{entry_path, service_path};

/// A store on the company's secret server.
///
/// Values pass through the buffers of the HTTP client, which are not wiped.
pub struct HttpStore {
    client: Client,
}

impl HttpStore {
    /// The store's name, which the secrets of a service are bound to.
    pub const NAME: &str = "acme-secrets";

    /// The largest value, in bytes, from the server's manual.
    pub const MAX_SECRET_LEN: usize = 64 * 1024;

    /// Creates a store. Sends no request. Each later request ends by [`Deadlines::call`].
    ///
    /// # Errors
    ///
    /// `Invalid` for an address that is neither `https` nor on this machine, or for a token that no header can hold.
    pub fn new(url: &str, token: &SecretString, deadlines: Deadlines) -> Result<Self> {
        let client = Client::new(url, token, deadlines);
        Ok(Self { client: client.map_err(|error| error.with_store(Self::NAME))? })
    }
}

impl Store for HttpStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Permanent)
            .with_max_secret_len(Self::MAX_SECRET_LEN)
            .with_binary_safe()
            .with_list()
            .with_user_programs()
            .with_session_encrypted(Some(self.client.is_encrypted()))
    }

    fn probe(&self) -> Result<Probe> {
        let answer = self.client.send(Method::GET, "/v1", Operation::Probe);
        match answer.map_err(of_store)?.status() {
            StatusCode::NO_CONTENT => {
                Ok(Probe::new(format!("the secret server at {}", self.client.base())))
            }
            status => Err(of_store(refused(status, Operation::Probe))),
        }
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        let answer = self.client.send(Method::GET, &entry_path(entry), Operation::Get);
        let read = answer.and_then(|mut answer| match answer.status() {
            StatusCode::OK => client::value(&mut answer, Self::MAX_SECRET_LEN).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refused(status, Operation::Get)),
        });
        read.map_err(|error| of_entry(error, entry))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        let is_new = mode == WriteMode::CreateNew;
        let answer = self.client.put(&entry_path(entry), value, is_new);
        let written = answer.and_then(|answer| match answer.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED if is_new => {
                Err(Error::new(ErrorKind::AlreadyExists, Operation::Set))
            }
            status => Err(refused(status, Operation::Set)),
        });
        written.map_err(|error| of_entry(error, entry))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        let answer = self.client.send(Method::DELETE, &entry_path(entry), Operation::Delete);
        let removed = answer.and_then(|answer| match answer.status() {
            StatusCode::NO_CONTENT => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(refused(status, Operation::Delete)),
        });
        removed.map_err(|error| of_entry(error, entry))
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        let answer = self.client.send(Method::HEAD, &entry_path(entry), Operation::Exists);
        let found = answer.and_then(|answer| match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(refused(status, Operation::Exists)),
        });
        found.map_err(|error| of_entry(error, entry))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let answer = self.client.send(Method::GET, &service_path(service), Operation::List);
        let listed = answer.and_then(|mut answer| match answer.status() {
            StatusCode::OK => client::names(&mut answer),
            status => Err(refused(status, Operation::List)),
        });
        // An invalid name belongs to another program. A set, because a list must not name an entry twice.
        let users = listed.map_err(of_store)?.into_iter().map(UserName::new);
        let users: BTreeSet<_> = users.filter_map(Result::ok).collect();
        Ok(users.into_iter().map(|user| EntryName::from_parts(service.clone(), user)).collect())
    }
}

impl fmt::Debug for HttpStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpStore").field("server", &self.client.base()).finish_non_exhaustive()
    }
}

fn of_store(error: Error) -> Error {
    error.with_store(HttpStore::NAME)
}

fn of_entry(error: Error, entry: &EntryName) -> Error {
    of_store(error).with_entry(entry)
}

/// Tests the examples in the guide, which may use this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/stores.md")]
struct Guide;
