//! The page served alone, on this machine's loopback address.

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

/// A page that listens. Made by [`Settings::bind`] and [`Settings::bind_fresh`].
///
/// It ends when [`run`](Self::run) is told to, or once its sessions have ended and its link was not used in time.
///
/// - The page lies below a random path, so that nothing that a browser remembers of the address is taken for it.
/// - A connection has one request, and 15 seconds if it shows no session. Of 64 connections the oldest one without a
///   session makes room for a new one.
pub struct Server {
    settings: Settings,
    listener: TcpListener,
    path: String,
    link: String,
}

impl Settings {
    /// Listens on a loopback address; port 0 takes one that is free.
    ///
    /// Programs of any account may have listened on the address before, and left a service worker in the user's
    /// browser, which would see all that the page shows: prefer [`bind_fresh`](Self::bind_fresh).
    ///
    /// # Errors
    ///
    /// `Invalid` for an address that other machines can reach; `Io` if it can't be had.
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

    /// Listens on a loopback address that the user's browser has no memory of, most likely: a random one of
    /// 127.0.0.0/8 where all of it is loopback (Linux and Windows), else 127.0.0.1; on a free port.
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
    /// The link that opens the page, once. It is for the user's terminal or browser alone, and not for
    /// a log.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// The document that opens the page in a browser: see [`entry_page`].
    pub fn entry_page(&self) -> String {
        entry_page(&self.link)
    }

    /// Serves until `shutdown`, or until the page is not used any more. Needs tokio's runtime, with its time
    /// and network.
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
        // The end is looked for first: connections may come without a pause.
        while let Some(accepted) = or(end.as_mut(), async { Some(listener.accept().await) }).await {
            match accepted {
                Ok((stream, _)) => connections.take(stream),
                // Most likely the process has no descriptor left.
                Err(_) if connections.make_room() => {}
                Err(_) => connections.one_ended().await,
            }
            // The new one is looked at before the next one may take its place.
            yield_now().await;
        }
        drop(listener);
        // The streams of changes end with their sessions.
        settings.close();
        connections.finish().await;
        Ok(())
    }

    /// The same for programs without a runtime: blocks the thread until `shutdown`, or until the page is not used any
    /// more.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(failed)?.block_on(self.run(shutdown))
    }
}

/// A random loopback address; `None` where 127.0.0.1 is the only one.
fn fresh_address() -> Result<Option<Ipv4Addr>> {
    let is_all_loopback = cfg!(any(target_os = "linux", windows));
    // There the browser is another system's, which forwards 127.0.0.1 alone.
    let is_guest = std::env::var_os("WSL_DISTRO_NAME").is_some();
    if !is_all_loopback || is_guest {
        return Ok(None);
    }
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
