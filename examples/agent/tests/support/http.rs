//! Requests to the agent's server, as a browser on this machine sends them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use strongroom_testkit::{PATIENCE, PageSession};

/// A browser with a session of this server's settings page.
pub(crate) struct Browser {
    pub(crate) here: SocketAddr,
    session: Option<PageSession>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn at(here: SocketAddr) -> Self {
        Self { here, session: None }
    }

    /// Exchanges the token of a link for a session, whose status this is.
    pub(crate) fn open(&mut self, token: &str) -> u16 {
        let answer = self.post("/settings/api/session", &serde_json::json!({ "token": token }));
        if answer.status == 200 {
            self.session = Some(PageSession::in_answer(&answer.body));
        }
        answer.status
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\n"), b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let (here, body) = (self.here, body.to_string());
        let body = match &self.session {
            Some(session) => session.sealed(path, &body),
            None => body.into_bytes(),
        };
        self.send(&format!("POST {path} HTTP/1.1\r\nOrigin: http://{here}\r\n"), &body)
    }

    fn send(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = self.start(head, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, body: body.to_owned() }
    }

    /// Sends a request, and leaves the answer to be read.
    pub(crate) fn start(&self, head: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.here).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (here, length) = (self.here, body.len());
        let bearer =
            self.session.as_ref().map(|it| format!("Authorization: Bearer {}\r\n", it.bearer));
        let bearer = bearer.unwrap_or_default();
        let head = format!(
            "{head}Host: {here}\r\n{bearer}Connection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        stream
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}
