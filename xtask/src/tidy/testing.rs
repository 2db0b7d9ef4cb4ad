//! Feature `testing` of `strongroom` stays off: cargo would unify it into every crate's tests, and
//! they would all run on the mock.

use super::{Tree, Violation, tree::Package};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let packages = tree.packages.iter().flat_map(|package| {
        let path = package.manifest();
        let lines = [by_dependencies(tree, package), by_features(tree, package)].concat();
        lines.into_iter().map(move |line| Violation::new(&path, line, MESSAGE))
    });
    packages.chain(by_workspace(tree)).collect()
}

const LIBRARY: &str = "strongroom";

const FEATURE: &str = "testing";

const MESSAGE: &str = "enables feature `testing` of `strongroom`, for every crate's tests: \
                       use `MemoryStore` or `MockKeyringStore`";

fn by_dependencies(tree: &Tree, package: &Package) -> Vec<usize> {
    let manifest = tree.manifest(&package.manifest());
    let library = package.dependencies.iter().filter(|dependency| dependency.name == LIBRARY);
    library
        .filter(|dependency| dependency.features.iter().any(|feature| feature == FEATURE))
        .map(|dependency| manifest.dependency_line(dependency.table(), dependency.alias()))
        .collect()
}

fn by_features(tree: &Tree, package: &Package) -> Vec<usize> {
    let manifest = tree.manifest(&package.manifest());
    let library = package.dependencies.iter().filter(|dependency| dependency.name == LIBRARY);
    let mut names: Vec<String> = library
        .flat_map(|d| [format!("{}/{FEATURE}", d.alias()), format!("{}?/{FEATURE}", d.alias())])
        .collect();
    if package.name == LIBRARY {
        names.push(FEATURE.into());
    }
    let enabling = package.features.iter().filter(|(_, on)| on.iter().any(|f| names.contains(f)));
    enabling.map(|(feature, _)| manifest.line(&["features", feature])).collect()
}

fn by_workspace(tree: &Tree) -> Option<Violation> {
    const ROOT: &str = "Cargo.toml";
    let manifest = tree.manifest(ROOT);
    let features = ["workspace", "dependencies", LIBRARY, "features"];
    let features = manifest.below(&features).next()?;
    let is_on = features.items().iter().any(|feature| feature == FEATURE);
    is_on.then(|| Violation::new(ROOT, features.line, MESSAGE))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            tests::{lines, passes},
            tree::Dependency,
        },
        *,
    };

    fn found(package: Package, manifest: &str) -> Vec<usize> {
        let violations = check(&Tree::default().with_package(package, manifest));
        violations.into_iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn a_dependency_that_enables_it_is_found() {
        let dependency = Dependency { features: vec![FEATURE.into()], ..Dependency::dev(LIBRARY) };
        let cli = Package::named("strongroom-cli").with_dependency(dependency);
        let manifest = "[dependencies]\nstrongroom.workspace = true\n[dev-dependencies]\n\
                        strongroom = { workspace = true, features = [\"testing\"] }\n";
        assert_eq!(found(cli, manifest), [4]);
    }

    #[test]
    fn a_feature_that_enables_it_is_found() {
        let dependency = Dependency { rename: Some("vault".into()), ..Dependency::on(LIBRARY) };
        let cli = Package::named("strongroom-cli").with_dependency(dependency);
        let manifest = "[features]\nfake = [\"vault?/testing\"]\n";
        assert_eq!(found(cli.with_feature("fake", "vault?/testing"), manifest), [2]);
        let library = Package::named(LIBRARY).with_feature("default", FEATURE);
        assert_eq!(found(library, "[features]\ndefault = [\"testing\"]\n"), [2]);
    }

    #[test]
    fn the_workspace_that_enables_it_is_found() {
        let manifest = "[workspace.dependencies]\nstrongroom = { features = [\"testing\"] }\n";
        assert_eq!(lines(check, "Cargo.toml", manifest), [2]);
        assert!(passes(check, "Cargo.toml", &manifest.replace("testing", "keyutils")));
    }

    #[test]
    fn another_feature_passes() {
        let dependency =
            Dependency { features: vec!["keyutils".into()], ..Dependency::on(LIBRARY) };
        let cli = Package::named("strongroom-cli").with_dependency(dependency);
        assert!(found(cli.with_feature("testing", "strongroom/keyutils"), "").is_empty());
        assert!(found(Package::named(LIBRARY).with_feature("testing", "dep:tokio"), "").is_empty());
    }
}
