//! A provider to try the agent with, for who has no account: it gives one answer to all questions.

use std::io::{self, Write as _};
use std::thread;

#[path = "../tests/support/api.rs"]
mod api;

const PORT: u16 = 8095;

fn main() -> io::Result<()> {
    let api = api::Api::start_at(PORT);
    writeln!(io::stderr(), "listening on {}", api.url())?;
    loop {
        thread::park();
    }
}
