//! The rule that manifests inherit fields, dependencies and lints from the workspace's manifest.

use super::{Tree, Violation, layers::Place, manifest::Manifest, tree::Package};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let workspace = tree.manifest(ROOT);
    let check = |package: &Package| {
        let path = package.manifest();
        let manifest = tree.manifest(&path);
        let found = [
            package_fields(&manifest),
            dependencies(&manifest),
            lints(&manifest, &workspace, package),
        ];
        let found = found.into_iter().flatten();
        found.map(|(line, message)| Violation::new(&path, line, message)).collect::<Vec<_>>()
    };
    tree.packages.iter().flat_map(check).collect()
}

const ROOT: &str = "Cargo.toml";

const FIELDS: [&str; 3] = ["edition", "license", "rust-version"];

/// A line of the manifest, and the problem there.
type Found = (usize, String);

fn package_fields(manifest: &Manifest) -> Vec<Found> {
    let own = FIELDS.iter().filter(|f| !is_true(manifest, &["package", f, "workspace"]));
    own.map(|field| {
        let line = manifest.line(&["package", field]);
        (line, format!("`{field}` is not the workspace's: write `{field}.workspace = true`"))
    })
    .collect()
}

fn dependencies(manifest: &Manifest) -> Vec<Found> {
    let declared = manifest.dependencies();
    let own = declared.iter().filter(|declared| !declared.inherited);
    own.map(|dependency| {
        let name = dependency.name;
        let message = format!(
            "`{name}` is not the workspace's: put its version into [workspace.dependencies], \
             and write `{name}.workspace = true` here"
        );
        (dependency.line, message)
    })
    .collect()
}

fn lints(manifest: &Manifest, workspace: &Manifest, package: &Package) -> Vec<Found> {
    if is_true(manifest, &["lints", "workspace"]) {
        return Vec::new();
    }
    if !Place::of(package).is_some_and(Place::may_be_unsafe) {
        let message = "the lints are not the workspace's: write `workspace = true` under [lints]";
        return vec![(manifest.line(&["lints"]), message.into())];
    }
    let mut found = own_lints(manifest, workspace);
    if !states_a_reason(manifest) {
        let message = "the lints are not the workspace's, without a reason: give it in a comment \
                       above, or write `workspace = true` under [lints]";
        found.push((manifest.line(&["lints"]), message.into()));
    }
    found
}

/// Finds lints that differ from the workspace's. A manifest can't inherit lints and change a few of them, so it has to
/// repeat all.
fn own_lints(manifest: &Manifest, workspace: &Manifest) -> Vec<Found> {
    let wanted = workspace.below(&["workspace", "lints"]).map(|lint| &lint.path[1..]);
    let repeated = manifest.below(&["lints"]).map(|lint| &lint.path[..]);
    let mut paths: Vec<&[String]> = wanted.chain(repeated).collect();
    paths.sort_unstable();
    paths.dedup();
    let differs = |path: &&[String]| {
        let own: Vec<&str> = path.iter().map(String::as_str).collect();
        let theirs = [&["workspace"], &own[..]].concat();
        // Platform stores repeat the lints only to allow `unsafe` code.
        own[1..] != ["rust", "unsafe_code"] && manifest.value(&own) != workspace.value(&theirs)
    };
    let message = |path: &[String]| {
        let message = "differs from the workspace's: only `unsafe_code` may";
        format!("`{}` {message}", path.join("."))
    };
    let line = |path: &[String]| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        manifest.below(&path).chain(manifest.below(&["lints"])).next().map_or(1, |lint| lint.line)
    };
    paths.into_iter().filter(differs).map(|path| (line(path), message(path))).collect()
}

fn states_a_reason(manifest: &Manifest) -> bool {
    let first = manifest.below(&["lints"]).next();
    let allowed = manifest.below(&["lints", "rust", "unsafe_code"]).next();
    first.is_some_and(|lint| manifest.is_commented(lint.header))
        || allowed.is_some_and(|lint| manifest.is_commented(lint.line))
}

fn is_true(manifest: &Manifest, path: &[&str]) -> bool {
    manifest.value(path) == Some("true")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = "\
[package]
edition.workspace = true
license = { workspace = true }
rust-version.workspace = true
";

    const WORKSPACE: &str = "\
[workspace.lints.rust]
missing_docs = \"warn\"
unsafe_code = \"forbid\"
";

    fn found(name: &str, manifest: &str) -> Vec<usize> {
        let tree = Tree::default().with_file(ROOT, WORKSPACE);
        let violations = check(&tree.with_package(Package::named(name), manifest));
        violations.into_iter().map(|violation| violation.line).collect()
    }

    fn with_lints(rest: &str) -> String {
        format!("{PACKAGE}lints.workspace = true\n[lints]\nworkspace = true\n{rest}")
    }

    #[test]
    fn a_manifest_that_inherits_passes() {
        let rest = "[dependencies]\na.workspace = true\nb = { workspace = true, optional = true }";
        assert!(found("strongroom-core", &with_lints(rest)).is_empty());
    }

    #[test]
    fn a_field_of_its_own_is_found() {
        let manifest = with_lints("").replace("edition.workspace = true", "edition = \"2021\"");
        assert_eq!(found("strongroom-core", &manifest), [2]);
        let manifest = with_lints("").replace("rust-version.workspace = true\n", "");
        assert_eq!(found("strongroom-core", &manifest), [1]);
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        let rest = "[dependencies]\na = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\n\
                    b = { path = \"../b\" }\n[build-dependencies.c]\nversion = \"1\"\n";
        assert_eq!(found("strongroom-core", &with_lints(rest)), [9, 11, 13]);
    }

    #[test]
    fn lints_of_its_own_are_found() {
        let own = "# Because.\n[lints.rust]\nmissing_docs = \"warn\"\nunsafe_code = \"deny\"\n";
        assert_eq!(found("strongroom-core", &format!("{PACKAGE}{own}")), [7]);
        assert_eq!(found("strongroom-sealed", &format!("{PACKAGE}{own}")), [7]);
        assert_eq!(found("strongroom-core", PACKAGE), [1]);
    }

    #[test]
    fn a_platform_store_may_have_its_own_with_a_reason() {
        let own = "[lints.rust]\nmissing_docs = \"warn\"\nunsafe_code = \"deny\"\n";
        assert_eq!(found("strongroom-keychain", &format!("{PACKAGE}{own}")), [6]);
        assert!(found("strongroom-keychain", &format!("{PACKAGE}# Because.\n{own}")).is_empty());
        let own = own.replace("unsafe", "# Because.\nunsafe");
        assert!(found("strongroom-keychain", &format!("{PACKAGE}{own}")).is_empty());
    }

    #[test]
    fn lints_of_its_own_that_drifted_are_found() {
        let own = "# Because.\n[lints.rust]\nunsafe_code = \"deny\"\n";
        assert_eq!(found("strongroom-keychain", &format!("{PACKAGE}{own}")), [7]);
        let own = format!("{PACKAGE}{own}missing_docs = \"allow\"\nunused = \"allow\"\n");
        assert_eq!(found("strongroom-keychain", &own), [8, 9]);
    }
}
