//! A page served alone, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use strongroom::{Backend, Config, SecretManager};
use strongroom_settings::Settings;
use strongroom_testkit::{PageSession, unused_name};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A loaded machine sets the measure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server, the parts of its link, and what stops it.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    /// The page's directory, with a slash at both ends.
    pub(crate) path: String,
    pub(crate) token: String,
    pub(crate) manager: SecretManager,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) run: JoinHandle<strongroom::Result<()>>,
}

/// Serves a page whose link and sessions last so long without use.
pub(crate) async fn serve(idle: Duration) -> Served {
    let manager = Config::new(unused_name("app")).backend(Backend::Memory).open().await.unwrap();
    let settings = Settings::builder(manager.clone()).idle(idle).build().unwrap();
    let server = settings.bind(([127, 0, 0, 1], 0)).unwrap();
    let (base, token) = server.link().split_once("#token=").unwrap();
    let (address, path) = base["http://".len()..].split_once('/').unwrap();
    let (address, path) = (address.parse().unwrap(), format!("/{path}"));
    let token = token.to_owned();
    let (stop, stopped) = oneshot::channel();
    let run = tokio::spawn(server.run(async { drop(stopped.await) }));
    Served { address, path, token, manager, stop, run }
}

impl Served {
    /// The answer to these bytes, until the server closes the connection.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that has seen enough closes before it has read all.
        stream.write_all(request.as_ref()).await.ok();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The head of a request of the page, without the empty line.
    pub(crate) fn head(&self, method: &str, path: &str, session: Option<&PageSession>) -> String {
        let (here, directory) = (self.address, &self.path);
        let bearer = session.map(|session| format!("Authorization: Bearer {}\r\n", session.bearer));
        let bearer = bearer.unwrap_or_default();
        format!(
            "{method} {directory}{path} HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\n{bearer}"
        )
    }

    /// The answer to a body that is sealed.
    pub(crate) async fn post(&self, path: &str, session: &PageSession, body: &str) -> String {
        let body = session.sealed(&format!("/{path}"), body);
        let head = self.head("POST", path, Some(session));
        let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
        self.raw([head.as_bytes(), &body].concat()).await
    }

    pub(crate) async fn exchange(&self, token: &str) -> String {
        let body = format!("{{\"token\":\"{token}\"}}");
        let head = self.head("POST", "api/session", None);
        self.raw(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await
    }

    pub(crate) async fn session(&self) -> PageSession {
        PageSession::in_answer(&self.exchange(&self.token).await)
    }

    pub(crate) async fn ends(self) {
        timeout(PATIENCE, self.run).await.unwrap().unwrap().unwrap();
    }
}

/// Reads until this was heard.
pub(crate) async fn hear(stream: &mut TcpStream, heard: &mut String, awaited: &str) {
    let mut bytes = [0; 1024];
    while !heard.contains(awaited) {
        let read = timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
        assert_ne!(read, 0, "the stream ended: {heard}");
        *heard += &String::from_utf8_lossy(&bytes[..read]);
    }
}
