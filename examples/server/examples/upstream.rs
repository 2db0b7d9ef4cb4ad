//! An upstream to try the server with, on this machine. Its tokens last 40 seconds.
//!
//! It takes the client `example-server` with the secret `demo-client-secret`.

#[path = "../tests/support/upstream.rs"]
mod upstream;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use upstream::Upstream;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], 9000));
    let upstream = Upstream::start(address, Duration::from_secs(40), Duration::ZERO).await?;
    writeln!(io::stdout(), "upstream on {}", upstream.url())?;
    tokio::signal::ctrl_c().await
}
