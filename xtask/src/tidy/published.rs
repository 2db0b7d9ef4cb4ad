//! The rule that a published crate has an address, a README, the licence texts and settings for docs.rs, and excludes its tests.

use super::{Tree, Violation, tree::Package};

/// The settings that cargo does not require, each with its description for the message.
const SETTINGS: [(&[&str], &str); 3] = [
    (&["package", "repository", "workspace"], "`repository.workspace = true`, the crate's address"),
    (&["package", "include"], "`include`, without which tests and fixtures are published, too"),
    (&["package", "metadata", "docs", "rs"], "`[package.metadata.docs.rs]`, with all features"),
];

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &tree.packages {
        for missing in missing(tree, package) {
            let message = format!("is published without {missing}: add it, or `publish = false`");
            violations.push(tree.violation(package, &["package", "name"], message));
        }
    }
    violations
}

fn missing(tree: &Tree, package: &Package) -> Vec<&'static str> {
    // Another rule finds a manifest that can't be read.
    let manifest = tree.manifest(package).ok();
    let Some(manifest) = manifest.filter(|it| !it.is(&["package", "publish"], false)) else {
        return Vec::new();
    };
    let settings = SETTINGS.into_iter().filter(|(path, _)| manifest.get(path).is_none());
    let readme = tree.files.contains_key(&package.file("README.md"));
    // By content: a checkout without symbolic links has files with the target's path, and would publish these.
    let licences = LICENCES
        .into_iter()
        .filter(|licence| tree.files.get(&package.file(licence)) != tree.files.get(*licence));
    let texts = (!readme).then_some("README.md").into_iter().chain(licences);
    settings.map(|(_, description)| description).chain(texts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[package]
name = \"strongroom-core\"
repository.workspace = true
include.workspace = true

[package.metadata.docs.rs]
all-features = true
";

    fn tree(manifest: &str) -> Tree {
        let mut tree = Tree::default().with_package(Package::named("strongroom-core"), manifest);
        for path in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            tree = tree
                .with_file(path, path)
                .with_file(&format!("crates/strongroom-core/{path}"), path);
        }
        tree
    }

    #[test]
    fn a_crate_with_everything_passes() {
        assert!(check(&tree(MANIFEST)).is_empty());
    }

    #[test]
    fn each_missing_setting_is_found() {
        for line in [
            "repository.workspace = true\n",
            "include.workspace = true\n",
            "[package.metadata.docs.rs]\nall-features = true\n",
        ] {
            let found = check(&tree(&MANIFEST.replace(line, "")));
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(found[0].line, 2, "{line}");
        }
    }

    #[test]
    fn a_missing_readme_is_found() {
        let mut tree = tree(MANIFEST);
        tree.files.remove("crates/strongroom-core/README.md");
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn a_missing_or_other_licence_is_found() {
        let path = "crates/strongroom-core/LICENSE-MIT";
        assert_eq!(check(&tree(MANIFEST).with_file(path, "../../LICENSE-MIT")).len(), 1);
        let mut tree = tree(MANIFEST);
        tree.files.remove(path);
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn a_crate_that_is_not_published_needs_none_of_it() {
        let manifest = "[package]\nname = \"strongroom-core\"\npublish = false\n";
        let package = Package::named("strongroom-core");
        assert!(check(&Tree::default().with_package(package, manifest)).is_empty());
    }
}
