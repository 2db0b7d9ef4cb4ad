//! The rule that manifests inherit fields, dependencies and lints from the workspace's manifest, and that a crate
//! without `sys.rs` forbids `unsafe` code. The lints deny it, which a module could allow.

use super::{
    Tree, Violation,
    manifest::Manifest,
    tree::{Dependency, Package},
};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.packages.iter().flat_map(|package| check_package(tree, package)).collect()
}

const FIELDS: [&str; 3] = ["edition", "license", "rust-version"];

const FORBIDS: &str = "\n#![forbid(unsafe_code)]\n";

fn check_package(tree: &Tree, package: &Package) -> Vec<Violation> {
    let mut violations = match tree.manifest(package) {
        Ok(manifest) => not_inherited(package, &manifest),
        Err(error) => vec![Violation::new(package.manifest(), 1, error.to_string())],
    };
    if !tree.files.contains_key(&package.file("src/sys.rs")) {
        let roots = ["src/lib.rs", "src/main.rs"].map(|root| package.file(root));
        let lax = roots
            .iter()
            .filter(|root| tree.files.get(*root).is_some_and(|it| !it.contains(FORBIDS)));
        violations.extend(lax.map(|root| {
            Violation::new(root, 1, "allows `unsafe` code: write `#![forbid(unsafe_code)]`")
        }));
    }
    violations
}

fn not_inherited(package: &Package, manifest: &Manifest<'_>) -> Vec<Violation> {
    let fields = FIELDS.iter().map(|field| vec!["package", field]).chain([vec!["lints"]]);
    let inheriting = fields.chain(package.dependencies.iter().map(Dependency::path));
    let own = inheriting.filter(|it| !manifest.is(&[&it[..], &["workspace"]].concat(), true));
    own.map(|own| {
        let name = own.last().copied().unwrap_or_default();
        let message = format!(
            "`{name}` is not the workspace's: set it in the workspace's Cargo.toml, and \
             `{name}.workspace = true` here"
        );
        Violation::new(package.manifest(), manifest.line(&own), message)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[package]
edition.workspace = true
license = { workspace = true }
rust-version.workspace = true
[lints]
workspace = true
[dependencies]
b = { workspace = true, optional = true }
[target.'cfg(unix)'.dev-dependencies]
c.workspace = true
";

    fn found(manifest: &str) -> Vec<usize> {
        let on_unix = Dependency { target: Some("cfg(unix)".into()), ..Dependency::dev("c") };
        let package = Package::named("a").with_dependency(Dependency::on("b"));
        let violations =
            check(&Tree::default().with_package(package.with_dependency(on_unix), manifest));
        violations.into_iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn a_manifest_that_inherits_passes() {
        assert!(found(MANIFEST).is_empty());
    }

    #[test]
    fn a_field_of_its_own_is_found() {
        let own = "edition = \"2021\"";
        assert_eq!(found(&MANIFEST.replace("edition.workspace = true", own)), [2]);
        assert_eq!(found(&MANIFEST.replace("rust-version.workspace = true\n", "")), [1]);
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        assert_eq!(found(&MANIFEST.replace("{ workspace = true, optional = true }", "\"1\"")), [8]);
        assert_eq!(found(&MANIFEST.replace("c.workspace = true", "c = { path = \"../c\" }")), [10]);
    }

    #[test]
    fn lints_of_its_own_are_found() {
        let own = "[lints.rust]\nunsafe_code = \"deny\"";
        assert_eq!(found(&MANIFEST.replace("[lints]\nworkspace = true", own)), [5]);
    }

    #[test]
    fn a_crate_that_may_be_unsafe_is_found_unless_it_calls_the_system() {
        let tree = Tree::default().with_package(Package::named("a"), MANIFEST);
        let tree = tree.with_file("crates/a/src/lib.rs", "//! A.\n");
        assert_eq!(check(&tree).len(), 1);
        assert!(check(&tree.with_file("crates/a/src/sys.rs", "")).is_empty());
        let tree = Tree::default().with_package(Package::named("a"), MANIFEST);
        let text = "//! A.\n#![forbid(unsafe_code)]\n";
        assert!(check(&tree.with_file("crates/a/src/main.rs", text)).is_empty());
    }
}
