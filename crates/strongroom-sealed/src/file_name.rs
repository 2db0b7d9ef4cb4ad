//! Names of files that no two services share.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The longest encoded name. Encrypted home directories take 143 bytes in a name, and SQLite adds
/// an ending for each file beside it.
const LONGEST: usize = 120;

/// How much of a longer one is kept, for the reader.
const START: usize = 60;

/// The file of a service in a directory: no two services have the same, nor one that differs in case only.
pub fn path(dir: &Path, service: &str) -> PathBuf {
    let mut name = String::with_capacity(LONGEST);
    for byte in service.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    if name.len() > LONGEST {
        // SQLite takes 512 bytes in a path. No encoded name holds a plus sign.
        name.truncate(START);
        name.push('+');
        let hash = Sha256::digest(service);
        hash[..16].iter().for_each(|byte| name.push_str(&format!("{byte:02x}")));
    }
    dir.join(name + ".sealed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(service: &str) -> String {
        path(Path::new("/s"), service).to_str().unwrap().replace('\\', "/")
    }

    #[test]
    fn names_are_safe_and_readable() {
        assert_eq!(name("side-seat_2"), "/s/side-seat_2.sealed");
        assert_eq!(name("A"), "/s/%41.sealed");
        assert_eq!(name("a/b"), "/s/a%2fb.sealed");
        assert_eq!(name(".."), "/s/%2e%2e.sealed");
        assert_eq!(name("é%"), "/s/%c3%a9%25.sealed");
        assert!(name(&"x".repeat(255)).starts_with(&format!("/s/{}+", "x".repeat(60))));
    }

    #[test]
    fn no_two_services_share_a_file_whatever_the_file_system_makes_of_case() {
        let long = ["", "a", "A", ".sealed"].map(|ending| format!("{}{ending}", "X".repeat(240)));
        let short = ["a", "A", "a/b", "a%2fb", "..", ".", "a.sealed", "con", "é", "e\u{301}"];
        let edge = ["x".repeat(119), "x".repeat(120), "x".repeat(121)];
        let services = short.into_iter().chain(long.iter().chain(&edge).map(String::as_str));
        let mut names: Vec<_> = services.map(|service| name(service).to_lowercase()).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn the_longest_name_fits_in_any_file_system() {
        for service in ["\u{ff}".repeat(127), "x".repeat(120), "X".repeat(40)] {
            let name = name(&service);
            let ending = "-journal";
            assert!(Path::new(&name).iter().all(|part| part.len() + ending.len() <= 143), "{name}");
        }
    }
}
