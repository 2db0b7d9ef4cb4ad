//! The runtime of the connection, which uses the thread that calls the store and no other.
//!
//! The default runtime of zbus starts a thread for work that is left between two calls, and panics if no
//! thread can be started. This store has no such work: messages that arrive between calls are read by the
//! next call.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::process::{Command, ExitStatus, Stdio};
use std::task::{Context, Poll};
use std::time::Duration;

use zbus::runtime::{Interest, IoSource, traits};
use zruntime::{Shared, SharedRuntime, Sleep};

/// A runtime that makes progress only inside [`SharedRuntime::block_on`].
#[derive(Clone)]
pub(crate) struct CallerRuntime(pub(crate) SharedRuntime);

pub(crate) struct Registration(zruntime::Registration<Shared>);

pub(crate) struct Task<T>(zruntime::Task<T, Shared>);

impl traits::Runtime for CallerRuntime {
    type RegisteredIoSource = Registration;
    type Sleep = Sleep<Shared>;
    type Task<T>
        = Task<T>
    where
        T: Send + 'static;

    fn register_io_source(&self, source: IoSource) -> io::Result<Registration> {
        self.0.register(source).map(Registration)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn spawn<T>(&self, name: &str, future: impl Future<Output = T> + Send + 'static) -> Task<T>
    where
        T: Send + 'static,
    {
        Task(self.0.spawn(name.to_owned(), future))
    }

    /// Not supported: the connection is given a connected socket.
    async fn connect_tcp(&self, _address: SocketAddr) -> io::Result<IoSource> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Not supported: the connection is given a connected socket.
    async fn connect_unix(&self, _path: &Path) -> io::Result<IoSource> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Not supported: no address starts a program.
    fn spawn_process(
        &self,
        _command: Command,
        _stdin: Stdio,
        _stdout: Stdio,
        _stderr: Stdio,
    ) -> io::Result<Pin<Box<dyn Future<Output = io::Result<ExitStatus>> + Send + 'static>>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl traits::PollIo for Registration {
    fn poll_io<T>(
        &self,
        context: &mut Context<'_>,
        interest: Interest,
        operation: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let interest = match interest {
            Interest::Writable => zruntime::Interest::Writable,
            _ => zruntime::Interest::Readable,
        };
        self.0.poll_io(context, interest, operation)
    }
}

impl<T> Future for Task<T> {
    type Output = io::Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.get_mut().0).poll(context)
    }
}

impl<T: Send + 'static> traits::TaskHandle<T> for Task<T> {
    fn detach(self) {
        self.0.detach();
    }
}
