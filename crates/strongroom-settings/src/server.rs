//! A server for the page alone, on a loopback address of this machine.

use std::fmt;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use futures_lite::future::or;
use strongroom::error::Operation;
use strongroom::{Error, ErrorKind, ExposeSecret as _, Result};
use tokio::task::yield_now;

use crate::access::{random, random_bytes};
use crate::connections::Connections;
use crate::{Settings, api, entry_page};

/// A server for the page, which listens already. Created by [`Settings::bind`] and [`Settings::bind_fresh`].
///
/// It ends with the `shutdown` of [`run`](Self::run), or once its sessions have ended and its link was not used in time.
///
/// - The page is below a random path, so that content that a browser remembers of the address is not taken for the page.
/// - A connection serves a single request, and has 15 seconds if it shows no session. If there are 64 connections, the oldest
///   without a session makes room for a new connection.
pub struct Server {
    settings: Settings,
    listener: TcpListener,
    path: String,
    link: String,
}

impl Settings {
    /// Listens on a loopback address. Port 0 takes a free port.
    ///
    /// A program of any account may have listened on the address before, and left a service worker in the user's browser,
    /// which would see everything that the page shows: prefer [`bind_fresh`](Self::bind_fresh).
    ///
    /// # Errors
    ///
    /// `Invalid` for an address that other machines can reach; `Io` if listening fails.
    pub fn bind(&self, address: impl Into<SocketAddr>) -> Result<Server> {
        let address = address.into();
        if !address.ip().is_loopback() {
            return Err(Error::new(ErrorKind::Invalid, Operation::Serve)
                .with_message(format!("{address} can be reached from other machines"))
                .with_hint("Take a loopback address, such as 127.0.0.1."));
        }
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let path = format!("/{}", random::<16>()?.expose_secret());
        let here = listener.local_addr().map_err(failed)?;
        let link = self.link(&format!("http://{here}{path}/"))?;
        Ok(Server { settings: self.clone(), listener, path, link })
    }

    /// Listens on a loopback address and a free port that the user's browser most likely hasn't seen before. The address is
    /// a random address of 127.0.0.0/8 on systems where that whole network is loopback (Linux and Windows), or else
    /// 127.0.0.1.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_fresh(&self) -> Result<Server> {
        match fresh_address()? {
            Some(address) => {
                self.bind((address, 0)).or_else(|_| self.bind((Ipv4Addr::LOCALHOST, 0)))
            }
            None => self.bind((Ipv4Addr::LOCALHOST, 0)),
        }
    }
}

impl Server {
    /// Returns the link that opens the page once. Show it only in the user's terminal or browser, and never in a log.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Returns an HTML document that opens the page in a browser: see [`entry_page`].
    pub fn entry_page(&self) -> String {
        entry_page(&self.link)
    }

    /// Serves until `shutdown`, or until the page is no longer used. Needs a tokio runtime with time and network.
    ///
    /// # Errors
    ///
    /// `Io` if the listener can't be used.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self { settings, listener, path, link: _ } = self;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let router = Router::new().nest_service(&path, settings.router());
        let router = router.fallback_service(api::nowhere());
        let mut connections = Connections::new(Arc::clone(settings.shared()), router);
        let mut end = pin!(async {
            or(shutdown, settings.access().abandoned()).await;
            None
        });
        // Polls the end first, because connections may come without a pause.
        while let Some(accepted) = or(end.as_mut(), async { Some(listener.accept().await) }).await {
            match accepted {
                Ok((stream, _)) => connections.take(stream),
                // Most likely the process has no file descriptor left. Closing a connection frees a descriptor.
                Err(_) if connections.make_room() => {}
                Err(_) => connections.one_ended().await,
            }
            // Lets the new connection show its session before the next may take its place.
            yield_now().await;
        }
        drop(listener);
        // The streams of changes end with their sessions.
        settings.close();
        connections.finish().await;
        Ok(())
    }

    /// Runs the server in programs without a runtime. Blocks the thread until `shutdown`, or until the page is no longer
    /// used.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(failed)?.block_on(self.run(shutdown))
    }
}

/// Returns a random loopback address. `None` on systems where only 127.0.0.1 works.
fn fresh_address() -> Result<Option<Ipv4Addr>> {
    let is_all_loopback = cfg!(any(target_os = "linux", windows));
    // In WSL, the browser is that of Windows, which forwards only 127.0.0.1.
    let is_guest = std::env::var_os("WSL_DISTRO_NAME").is_some();
    if !is_all_loopback || is_guest {
        return Ok(None);
    }
    // Without the first and the last address of the network, and without 127.0.0.0/16, which holds the usual addresses.
    let [a, b, c] = *random_bytes()?;
    Ok(Some(Ipv4Addr::new(127, a % 254 + 1, b, c % 254 + 1)))
}

fn failed(error: std::io::Error) -> Error {
    let failed = Error::new(ErrorKind::Io, Operation::Serve);
    let failed = match error.kind() {
        std::io::ErrorKind::AddrInUse => failed
            .with_message("another program listens on this port")
            .with_hint("Choose another port, or none: a free one is found."),
        _ => failed.with_message("it can't listen"),
    };
    failed.with_source(error)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}
