//! The rule that no toolchain is pinned: the user chooses it, and `rust-version` states the minimum.

use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let pinned = tree.files.keys().filter(|path| {
        let name = path.rsplit('/').next();
        name.is_some_and(|name| matches!(name, "rust-toolchain" | "rust-toolchain.toml"))
    });
    pinned.map(|path| Violation::new(path, 1, MESSAGE)).collect()
}

const MESSAGE: &str =
    "pins a toolchain: delete it, `rust-version` in Cargo.toml says what is enough";

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{lines, passes},
        *,
    };

    #[test]
    fn a_pinned_toolchain_is_found() {
        assert_eq!(lines(check, "rust-toolchain.toml", ""), [1]);
        assert_eq!(lines(check, "examples/tray/rust-toolchain", ""), [1]);
    }

    #[test]
    fn another_file_passes() {
        assert!(passes(check, "docs/rust-toolchain.md", ""));
    }
}
