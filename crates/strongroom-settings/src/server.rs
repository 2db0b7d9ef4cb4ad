//! The page served alone, on this machine's loopback address.

use std::fmt;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use futures_lite::future::or;
use strongroom::{Error, ErrorKind, Operation, Result};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::Settings;

/// How long answers that are under way may take once the server ends.
const GRACE: Duration = Duration::from_secs(5);

/// A page that listens. Made by [`Settings::bind`].
///
/// It ends with what [`run`](Self::run) is told to wait for, or once its sessions have ended and its
/// link was not used in time.
pub struct Server {
    settings: Settings,
    listener: TcpListener,
    link: String,
}

impl Settings {
    /// Listens on a loopback address; port 0 takes one that is free.
    ///
    /// # Errors
    ///
    /// `Invalid` for an address that other machines can reach; `Io` if it can't be had.
    pub fn bind(&self, address: impl Into<SocketAddr>) -> Result<Server> {
        let address = address.into();
        if !address.ip().is_loopback() {
            return Err(Error::new(ErrorKind::Invalid, Operation::Choose)
                .with_message(format!("{address} can be reached from other machines"))
                .with_hint("Take a loopback address, such as 127.0.0.1."));
        }
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let link = self.link(&format!("http://{}/", listener.local_addr().map_err(failed)?))?;
        Ok(Server { settings: self.clone(), listener, link })
    }
}

impl Server {
    /// The link that opens the page, once. It is for the user's terminal or browser alone, and not for
    /// a log.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Serves until `shutdown`, or until nobody uses it any more. Needs tokio's runtime, with its time
    /// and network.
    ///
    /// # Errors
    ///
    /// `Io` if the listener can't be used.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self { settings, listener, link: _ } = self;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let (ending, ended) = oneshot::channel();
        let router = settings.router();
        let end = async move {
            or(shutdown, settings.access().abandoned()).await;
            // The streams of changes end with their sessions.
            settings.close();
            ending.send(()).ok();
        };
        let serve = async { axum::serve(listener, router).with_graceful_shutdown(end).await };
        let grace = async {
            ended.await.ok();
            sleep(GRACE).await;
            Ok(())
        };
        or(serve, grace).await.map_err(failed)
    }

    /// The same for programs without a runtime: blocks the thread until `shutdown`, or until nobody uses it any
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

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, Operation::Choose)
        .with_message("the settings page can't listen")
        .with_source(error)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}
