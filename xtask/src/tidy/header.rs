//! The rule that each Rust file starts with a description of its content.

use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let bare = tree.rust().filter(|(_, text)| !text.starts_with("//!"));
    bare.map(|(path, _)| Violation::new(path, 1, MESSAGE)).collect()
}

const MESSAGE: &str = "opens without `//!`: say on the first line what this file is";

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{lines, passes},
        *,
    };

    #[test]
    fn a_file_without_a_header_is_found() {
        assert_eq!(lines(check, "a.rs", "use std::fmt;\n//! Late.\n"), [1]);
        assert_eq!(lines(check, "a.rs", "\n//! Late.\n"), [1]);
        assert_eq!(lines(check, "a.rs", ""), [1]);
    }

    #[test]
    fn a_file_with_a_header_passes() {
        assert!(passes(check, "a.rs", "//! A.\n"));
        assert!(passes(check, "a.sh", "#!/bin/sh\n"));
    }
}
