//! The rules for the store crates: they have the same files, and an application is built with the stores of its
//! platform and with no stores of other platforms.

use super::{Tree, Violation};

/// The store crates, each with the `target_os` of a store that calls the operating system.
pub(super) const STORES: &[(&str, Option<&str>)] = &[
    ("strongroom-credential-manager", Some("windows")),
    ("strongroom-keychain", Some("macos")),
    ("strongroom-keyutils", Some("linux")),
    ("strongroom-plaintext", None),
    ("strongroom-sealed", None),
    ("strongroom-secret-service", Some("linux")),
];

/// The files of each store crate, which are so equally easy to find.
const FILES: [&str; 5] =
    ["src/lib.rs", "src/store.rs", "src/config.rs", "src/error.rs", "tests/conformance.rs"];

/// The targets to check, each with its `target_os`.
pub(super) const TARGETS: [(&str, &str); 4] = [
    ("aarch64-apple-darwin", "macos"),
    ("x86_64-apple-darwin", "macos"),
    ("x86_64-pc-windows-gnu", "windows"),
    ("x86_64-unknown-linux-gnu", "linux"),
];

/// The crate that applications depend on.
pub(super) const ENGINE: &str = "strongroom";

pub(super) fn check_files(tree: &Tree) -> Vec<Violation> {
    let packages = tree.packages.iter();
    let stores = packages.filter(|package| STORES.iter().any(|(name, _)| *name == package.name));
    let files = stores.flat_map(|store| FILES.map(|file| store.file(file)));
    let missing = files.filter(|file| !tree.files.contains_key(file));
    missing
        .map(|file| {
            Violation::new(file, 1, "is missing: every store crate has a file of this name")
        })
        .collect()
}

pub(super) fn check_platforms(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (target, os) in TARGETS {
        for (store, of) in STORES {
            let is_built = tree.built.get(target).is_some_and(|names| names.contains(*store));
            if let Some(of) = of
                && is_built != (*of == os)
            {
                let message = format!(
                    "`cargo tree --package {ENGINE} --target {target}` and `{store}`: it belongs there if and \
                     only if the target is {of}"
                );
                violations.push(Violation::new(format!("crates/{ENGINE}/Cargo.toml"), 1, message));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::{super::tree::Package, *};

    fn store(name: &str, files: &[&str]) -> Tree {
        let package = Package::named(name);
        let paths: Vec<String> = files.iter().map(|file| package.file(file)).collect();
        let tree = Tree::default().with_package(package, "");
        paths.iter().fold(tree, |tree, path| tree.with_file(path, ""))
    }

    #[test]
    fn a_missing_file_is_found() {
        let violations = check_files(&store("strongroom-sealed", &FILES[..4]));
        let paths: Vec<_> = violations.iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths, ["crates/strongroom-sealed/tests/conformance.rs"]);
    }

    #[test]
    fn a_complete_store_passes_and_so_does_another_crate() {
        assert_eq!(check_files(&store("strongroom-keychain", &FILES)), []);
        assert_eq!(check_files(&store("strongroom-core", &[])), []);
    }

    const MACOS: &[&str] = &["strongroom-keychain", "strongroom-sealed"];
    const WINDOWS: &[&str] = &["strongroom-credential-manager"];
    const LINUX: &[&str] = &["strongroom-keyutils", "strongroom-secret-service"];

    fn found(built: [&[&str]; 4]) -> usize {
        let mut tree = Tree::default();
        for ((target, _), names) in TARGETS.iter().zip(built) {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            tree.built.insert((*target).to_owned(), names);
        }
        check_platforms(&tree).len()
    }

    #[test]
    fn each_platform_has_its_own_stores_and_those_that_work_anywhere() {
        assert_eq!(found([MACOS, MACOS, WINDOWS, LINUX]), 0);
    }

    #[test]
    fn another_platforms_store_and_a_missing_one_are_found() {
        assert_eq!(found([MACOS, MACOS, LINUX, LINUX]), 3);
        assert_eq!(found([MACOS, &[], WINDOWS, LINUX]), 1);
    }
}
