//! A minimal program on the `keyring` crate, for the interoperability tests and the benchmarks.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "it is a program")]

use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [action, service, user] = args.as_slice() else {
        return Err("usage: keyring_peer get|set SERVICE USER".into());
    };
    let entry = keyring::Entry::new(service, user)?;
    if action == "get" {
        println!("{}", entry.get_password()?);
    } else {
        let mut value = String::new();
        std::io::stdin().read_to_string(&mut value)?;
        entry.set_password(&value)?;
    }
    Ok(())
}
