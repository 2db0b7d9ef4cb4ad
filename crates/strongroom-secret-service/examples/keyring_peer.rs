//! A minimal program on the `keyring` crate, for the interoperability tests and the benchmarks.
#![allow(clippy::print_stdout, reason = "it is a program")]

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Read as _;

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

/// The store that it has in common with its peer is on Linux alone.
#[cfg(not(target_os = "linux"))]
fn main() {}
