//! The allowed dependencies between the crates of the workspace.

use super::{
    Tree, Violation,
    tree::{Dependency, Package},
};

/// All crates, from the bottom up, each with the crates of the workspace that it may depend on.
const PLACES: &[(&str, &[&str])] = &[
    ("strongroom-core", &[]),
    ("strongroom-conformance", &["strongroom-core"]),
    ("strongroom-files", &["strongroom-core"]),
    ("strongroom-credential-manager", BELOW_STORES),
    ("strongroom-keychain", BELOW_STORES),
    ("strongroom-keyutils", BELOW_STORES),
    ("strongroom-plaintext", BELOW_STORES),
    ("strongroom-sealed", BELOW_STORES),
    ("strongroom-secret-service", BELOW_STORES),
    ("strongroom", BELOW_ENGINE),
    ("strongroom-config", &["strongroom", "strongroom-files"]),
    ("strongroom-settings", &["strongroom", "strongroom-config", "strongroom-files"]),
    (
        "strongroom-cli",
        &["strongroom", "strongroom-config", "strongroom-files", "strongroom-settings"],
    ),
    ("tauri-plugin-strongroom", &["strongroom"]),
    ("strongroom-testkit", &[]),
    ("docs", &["strongroom", "tauri-plugin-strongroom"]),
    ("xtask", &[]),
];

const BELOW_STORES: &[&str] = &["strongroom-core", "strongroom-files"];

const BELOW_ENGINE: &[&str] = &[
    "strongroom-core",
    "strongroom-credential-manager",
    "strongroom-files",
    "strongroom-keychain",
    "strongroom-keyutils",
    "strongroom-plaintext",
    "strongroom-sealed",
    "strongroom-secret-service",
];

/// The crates that the packages in `examples/` may depend on. No package may depend on an example.
const FOR_APPLICATIONS: &[&str] = &[
    "strongroom",
    "strongroom-cli",
    "strongroom-config",
    "strongroom-settings",
    "tauri-plugin-strongroom",
];

/// The crates that tests may depend on in addition.
const FOR_TESTS: &[&str] = &["strongroom-conformance", "strongroom-testkit"];

/// The packages whose tests may not, since they are no part of the library.
const TOOLS: &[&str] = &["docs", "strongroom-testkit", "xtask"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.packages.iter().flat_map(|package| check_package(tree, package)).collect()
}

fn check_package(tree: &Tree, package: &Package) -> Vec<Violation> {
    let Some(uses) = uses(package) else {
        return vec![tree.violation(package, &["package", "name"], NO_PLACE)];
    };
    let tests_use = if TOOLS.contains(&&*package.name) { &[][..] } else { FOR_TESTS };
    let ours = package.dependencies.iter().filter(|dependency| is_ours(dependency));
    let wrong = ours.filter(|dependency| {
        let name = &&*dependency.name;
        !(uses.contains(name) || dependency.is_for_tests() && tests_use.contains(name))
    });
    wrong
        .map(|dependency| {
            let name = &dependency.name;
            let message = format!("`{name}` is not below this crate, which may use {uses:?}");
            tree.violation(package, &dependency.path(), message)
        })
        .collect()
}

const NO_PLACE: &str = "has no place in the house: give it one in xtask/src/tidy/layers.rs";

fn uses(package: &Package) -> Option<&'static [&'static str]> {
    if package.directory.starts_with("examples/") {
        return Some(FOR_APPLICATIONS);
    }
    PLACES.iter().find(|(name, _)| *name == package.name).map(|(_, uses)| *uses)
}

/// Returns whether a dependency is in the workspace. By path, too, so that an example or a package without a place
/// is found.
fn is_ours(dependency: &Dependency) -> bool {
    dependency.directory.is_some() || PLACES.iter().any(|(name, _)| *name == dependency.name)
}

#[cfg(test)]
mod tests {
    use super::{super::stores::STORES, *};

    fn found(package: Package, manifest: &str) -> Vec<usize> {
        let violations = check(&Tree::default().with_package(package, manifest));
        violations.into_iter().map(|violation| violation.line).collect()
    }

    fn passes(package: Package) -> bool {
        found(package, "").is_empty()
    }

    #[test]
    fn the_table_points_down_only() {
        for (index, (name, uses)) in PLACES.iter().enumerate() {
            for used in *uses {
                assert!(PLACES[..index].iter().any(|(below, _)| below == used), "{name}");
            }
        }
        assert!(FOR_APPLICATIONS.iter().all(|used| PLACES.iter().any(|(name, _)| name == used)));
    }

    #[test]
    fn the_engine_uses_every_store() {
        let below = BELOW_ENGINE.iter().filter(|name| !BELOW_STORES.contains(name));
        assert!(below.eq(STORES.iter().map(|(store, _)| store)));
    }

    #[test]
    fn an_arrow_upwards_is_found_on_its_line() {
        let core = Package::named("strongroom-core").with_dependency(Dependency::on("strongroom"));
        let manifest = "[dependencies]\nzeroize.workspace = true\nstrongroom.workspace = true\n";
        assert_eq!(found(core, manifest), [3]);
    }

    #[test]
    fn an_arrow_sideways_or_out_of_the_table_is_found() {
        let store = || Package::named("strongroom-sealed");
        assert!(!passes(store().with_dependency(Dependency::on("strongroom-keyutils"))));
        assert!(!passes(store().with_dependency(Dependency::dev("strongroom"))));
        let directory = Some("/elsewhere".into());
        assert!(!passes(store().with_dependency(Dependency { directory, ..Dependency::on("x") })));
    }

    #[test]
    fn an_arrow_downwards_passes() {
        let cli = Package::named("strongroom-cli");
        assert!(passes(cli.with_dependency(Dependency::on("strongroom-settings"))));
        let store = Package::named("strongroom-keychain");
        assert!(passes(store.with_dependency(Dependency::on("strongroom-core"))));
        assert!(passes(Package::named("xtask").with_dependency(Dependency::on("serde"))));
    }

    #[test]
    fn only_tests_use_the_crates_for_tests() {
        let core = || Package::named("strongroom-core");
        assert!(passes(core().with_dependency(Dependency::dev("strongroom-conformance"))));
        assert!(!passes(core().with_dependency(Dependency::on("strongroom-conformance"))));
        let testkit = Package::named("strongroom-testkit");
        assert!(!passes(testkit.with_dependency(Dependency::dev("strongroom-conformance"))));
    }

    #[test]
    fn an_example_uses_what_applications_use_and_nothing_uses_an_example() {
        let example = || Package::example("server");
        assert!(passes(example().with_dependency(Dependency::on("strongroom-cli"))));
        assert!(passes(example().with_dependency(Dependency::dev("strongroom-testkit"))));
        assert!(!passes(example().with_dependency(Dependency::on("strongroom-testkit"))));
        assert!(!passes(example().with_dependency(Dependency::on("strongroom-core"))));
        let directory = || Some("/examples/server".into());
        let server = || Dependency { directory: directory(), ..Dependency::on("server") };
        assert!(!passes(Package::named("strongroom-cli").with_dependency(server())));
        assert!(!passes(Package::example("agent").with_dependency(server())));
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let manifest = "[package]\nname = \"strongroom-new\"\n";
        assert_eq!(found(Package::named("strongroom-new"), manifest), [2]);
    }
}
