//! The part of `pam_kwallet` that opens a wallet at login: it sends a hash of the
//! password to the daemon through a pipe, and starts it through a socket.

use std::{
    fs,
    io::Write,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha512;

use crate::{Sandbox, process::Process};

const ROUNDS: u32 = 50_000;
const SIZE: usize = 56;

/// Moves both descriptors from the standard streams, which safe code can pass to a child, to other numbers: the daemon
/// takes descriptor 0 for "none".
const SCRIPT: &str = r#"exec "$0" --pam-login 3 4 3<&0 4<&1 </dev/null >&2"#;

pub(super) struct Login {
    hash: [u8; SIZE],
    listener: UnixListener,
    socket: PathBuf,
}

/// Writes a fixed salt of the right length. A wallet in a sandbox needs no random salt.
pub(super) fn write_salt(path: &Path) {
    fs::write(path, [0x5a; SIZE]).expect("the sandbox is writable");
}

impl Login {
    pub(super) fn prepare(sandbox: &Sandbox, password: &str, salt: &Path) -> Self {
        let salt = fs::read(salt).expect("the wallet has a salt");
        let socket = sandbox.runtime().join("kwallet5.socket");
        // The previous login leaves its socket.
        fs::remove_file(&socket).ok();
        Self {
            hash: pbkdf2_hmac_array::<Sha512, SIZE>(password.as_bytes(), &salt, ROUNDS),
            listener: UnixListener::bind(&socket).expect("the sandbox is writable"),
            socket,
        }
    }

    /// Starts `program` through `shell`.
    pub(super) fn spawn(self, shell: &mut Command, program: &str) -> Process {
        // The daemon waits for a connection, from which it reads environment variables until the end of
        // the stream. It has its environment already, so the connection can be closed before the daemon starts.
        let connected = UnixStream::connect(&self.socket);
        drop(connected.expect("the listener has a backlog"));
        shell
            .args(["-c", SCRIPT, program])
            .env("PAM_KWALLET5_LOGIN", &self.socket)
            .stdin(Stdio::piped())
            .stdout(OwnedFd::from(self.listener));
        let mut daemon = Process::spawn(shell);
        // If the daemon has ended already, its log tells the reason.
        daemon.take_stdin().write_all(&self.hash).ok();
        daemon
    }
}
