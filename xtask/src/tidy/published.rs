//! The rule that a published crate has an address, a README, the licence texts and settings for docs.rs, and excludes its tests.

use super::{Tree, Violation, manifest::Manifest, tree::Package};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.packages.iter().flat_map(|package| check_package(tree, package)).collect()
}

fn check_package(tree: &Tree, package: &Package) -> Vec<Violation> {
    let path = package.manifest();
    let manifest = tree.manifest(&path);
    if manifest.value(&["package", "publish"]) == Some("false") {
        return Vec::new();
    }
    let line = manifest.line(&["package", "name"]);
    let messages = [settings(&manifest), texts(tree, package)].concat();
    messages.into_iter().map(|message| Violation::new(&path, line, message)).collect()
}

/// The settings that cargo does not require, each with its description for the message.
const SETTINGS: [(&[&str], &str); 3] = [
    (&["package", "repository", "workspace"], "`repository.workspace = true`, the crate's address"),
    (&["package", "include"], "`include`, without which tests and fixtures are published, too"),
    (&["package", "metadata", "docs", "rs"], "`[package.metadata.docs.rs]`, with all features"),
];

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

fn settings(manifest: &Manifest) -> Vec<String> {
    let missing = SETTINGS.iter().filter(|(path, _)| manifest.below(path).next().is_none());
    missing
        .map(|(_, what)| format!("is published without {what}: add it, or `publish = false`"))
        .collect()
}

fn texts(tree: &Tree, package: &Package) -> Vec<String> {
    let mut messages = Vec::new();
    if !tree.files.contains_key(&package.file("README.md")) {
        messages.push("is published without a README.md: write one".to_owned());
    }
    for licence in LICENCES {
        // By content: a checkout without symbolic links has files with the target's path, and would publish these.
        if tree.files.get(&package.file(licence)) != tree.files.get(licence) {
            messages.push(format!(
                "is published without the text of {licence}: link it (`ln -s ../../{licence}`)"
            ));
        }
    }
    messages
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
        for line in
            ["repository.workspace = true\n", "include.workspace = true\n", "all-features = true\n"]
        {
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
