//! File names that are unique for each service, also on file systems that ignore case.
//!
//! The names are a stable format: if a name changed, the files under the old name would not be found.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The largest length of a path component below the state directory, in bytes. Encrypted home directories limit a name to
/// 143 bytes.
const LONGEST_PART: usize = 100;

/// The largest length of the encoded name of a sealed file, in bytes. SQLite appends a suffix for each file beside it.
const LONGEST_SEALED: usize = 120;

/// The length of the readable start of a longer name, in bytes.
const START: usize = 60;

/// Returns the path of a service's files in the state directory, without a suffix. A long name continues in a subdirectory.
pub fn state_files(dir: &Path, service: &str) -> PathBuf {
    let mut path = dir.to_path_buf();
    let mut part = String::from("vault-");
    for byte in service.bytes() {
        if part.len() >= LONGEST_PART {
            // No encoded name contains a plus sign, so the directory can't collide with a file of another service.
            part.push('+');
            path.push(std::mem::take(&mut part));
        }
        push_encoded(&mut part, byte);
    }
    path.join(part)
}

/// Returns the path of a service's sealed file in a directory.
pub fn sealed_file(dir: &Path, service: &str) -> PathBuf {
    let mut name = String::with_capacity(LONGEST_SEALED);
    service.bytes().for_each(|byte| push_encoded(&mut name, byte));
    if name.len() > LONGEST_SEALED {
        // SQLite limits a path to 512 bytes, so a long name can't continue in a subdirectory. The plus sign, which no encoded
        // name contains, keeps hashed names apart from encoded names.
        name.truncate(START);
        name.push('+');
        let hash = Sha256::digest(service);
        hash[..16].iter().for_each(|byte| name.push_str(&format!("{byte:02x}")));
    }
    dir.join(name + ".sealed")
}

fn push_encoded(name: &mut String, byte: u8) {
    // Upper case is encoded, too, so that names differ on file systems that ignore case.
    match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
        other => name.push_str(&format!("%{other:02x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &Path) -> String {
        path.to_str().expect("names are ASCII").replace('\\', "/")
    }

    fn both(service: &str) -> [String; 2] {
        let dir = Path::new("/s");
        [shown(&state_files(dir, service)), shown(&sealed_file(dir, service))]
    }

    #[test]
    fn names_are_safe_and_readable() {
        assert_eq!(both("side-seat_2"), ["/s/vault-side-seat_2", "/s/side-seat_2.sealed"]);
        assert_eq!(both("A"), ["/s/vault-%41", "/s/%41.sealed"]);
        assert_eq!(both("a/b"), ["/s/vault-a%2fb", "/s/a%2fb.sealed"]);
        assert_eq!(both(".."), ["/s/vault-%2e%2e", "/s/%2e%2e.sealed"]);
        assert_eq!(both("é%"), ["/s/vault-%c3%a9%25", "/s/%c3%a9%25.sealed"]);
        assert!(both(&"x".repeat(255))[1].starts_with(&format!("/s/{}+", "x".repeat(60))));
    }

    #[test]
    fn no_two_services_share_a_file_whatever_the_file_system_makes_of_case() {
        let long =
            ["", "a", "A", ".lock", ".sealed"].map(|end| format!("{}{end}", "X".repeat(240)));
        let edge = [94, 95, 119, 120, 121].map(|length| "x".repeat(length));
        let short = [
            "a", "A", "a/b", "a%2fb", "a%2Fb", "..", ".", "a.lock", "a.sealed", "con", "é",
            "e\u{301}",
        ];
        let services: Vec<_> =
            short.into_iter().chain(long.iter().chain(&edge).map(String::as_str)).collect();
        for kind in [0, 1] {
            let mut names: Vec<_> =
                services.iter().map(|service| both(service)[kind].to_lowercase()).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }

    #[test]
    fn the_longest_name_fits_in_any_file_system() {
        for service in ["\u{ff}".repeat(127), "x".repeat(120), "X".repeat(40)] {
            for (name, ending) in
                both(&service).iter().zip([".refresh-".len() + 32, "-journal".len()])
            {
                let path = Path::new(name);
                assert!(path.iter().all(|part| part.len() <= 143), "{name}");
                assert!(path.file_name().unwrap().len() + ending <= 143, "{name}");
            }
        }
    }
}
