//! The rule that all store crates have the same files, so that they are equally easy to find in each crate.

use super::{Tree, Violation, layers::Place, tree::Package};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let stores = tree.packages.iter().filter(|p| Place::of(p).is_some_and(Place::is_store));
    let missing = |package: &Package| {
        let files = FILES.iter().filter(|file| !tree.files.contains_key(&package.file(file)));
        files.map(|file| Violation::new(package.file(file), 1, MESSAGE)).collect::<Vec<_>>()
    };
    stores.flat_map(missing).collect()
}

const FILES: [&str; 5] =
    ["src/lib.rs", "src/store.rs", "src/config.rs", "src/error.rs", "tests/conformance.rs"];

const MESSAGE: &str = "is missing: every store crate has a file of this name";

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: &str, files: &[&str]) -> Tree {
        let package = Package::named(name);
        let paths: Vec<String> = files.iter().map(|file| package.file(file)).collect();
        let tree = Tree::default().with_package(package, "");
        paths.iter().fold(tree, |tree, path| tree.with_file(path, ""))
    }

    #[test]
    fn a_missing_file_is_found() {
        let violations = check(&store("strongroom-sealed", &FILES[..4]));
        let paths: Vec<_> = violations.iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths, ["crates/strongroom-sealed/tests/conformance.rs"]);
    }

    #[test]
    fn a_complete_store_passes_and_so_does_another_crate() {
        assert_eq!(check(&store("strongroom-keychain", &FILES)), []);
        assert_eq!(check(&store("strongroom-core", &[])), []);
    }
}
