//! Requests to the agent's server, as a browser on this machine sends them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use strongroom_testkit::PATIENCE;

/// A browser with this server's cookie.
pub(crate) struct Browser {
    pub(crate) here: SocketAddr,
    cookie: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn at(here: SocketAddr) -> Self {
        Self { here, cookie: String::new() }
    }

    /// Exchanges the token of a link for a session, whose status this is.
    pub(crate) fn open(&mut self, token: &str) -> u16 {
        let answer = self.post("/settings/api/session", &serde_json::json!({ "token": token }));
        let cookie = answer.headers.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        if let Some(cookie) = cookie.and_then(|cookie| cookie.split(';').next()) {
            self.cookie = cookie.to_owned();
        }
        answer.status
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\n"), "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let here = self.here;
        self.send(&format!("POST {path} HTTP/1.1\r\nOrigin: http://{here}\r\n"), &body.to_string())
    }

    fn send(&self, head: &str, body: &str) -> Answer {
        let mut stream = self.start(head, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, headers: headers.to_owned(), body: body.to_owned() }
    }

    /// Sends a request, and leaves the answer to be read.
    pub(crate) fn start(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.here).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (here, cookie, length) = (self.here, &self.cookie, body.len());
        let request = format!(
            "{head}Host: {here}\r\nCookie: {cookie}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
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
