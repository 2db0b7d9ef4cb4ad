//! The rule that no toolchain is pinned: the user chooses it, and `rust-version` states the minimum.

use super::{Tree, Violation};

const NAMES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let paths = tree.files.keys();
    let pins = paths.filter(|path| path.rsplit('/').next().is_some_and(|it| NAMES.contains(&it)));
    pins.map(|path| Violation::new(path, 1, "pins a toolchain: delete it")).collect()
}

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
