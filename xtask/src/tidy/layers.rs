//! The allowed dependencies between the crates of the workspace.

use super::{
    Tree, Violation,
    tree::{Dependency, Package},
};

/// The place of a crate in the architecture.
#[derive(Debug)]
pub(super) struct Place {
    name: &'static str,
    role: Role,
    /// The crates of the workspace that it may depend on.
    uses: &'static [&'static str],
    /// The crates of the workspace that its tests may depend on in addition.
    tests_use: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    Other,
    /// A store that calls the operating system of this `target_os`. No other crate may contain `unsafe`
    /// code.
    PlatformStore(&'static str),
    Store,
}

use Role::{Other, PlatformStore, Store};

/// All crates, from the bottom up: a crate may depend only on crates before it in the list.
const PLACES: &[Place] = &[
    place("strongroom-core", Other, &[]),
    place("strongroom-conformance", Other, &["strongroom-core"]),
    place("strongroom-files", Other, &["strongroom-core"]),
    place("strongroom-credential-manager", PlatformStore("windows"), CORE),
    place("strongroom-keychain", PlatformStore("macos"), CORE),
    place("strongroom-keyutils", PlatformStore("linux"), CORE),
    place("strongroom-plaintext", Store, CORE),
    place("strongroom-sealed", Store, CORE),
    place("strongroom-secret-service", PlatformStore("linux"), CORE),
    place("strongroom", Other, CORE_AND_STORES),
    place("strongroom-config", Other, &["strongroom", "strongroom-files"]),
    place("strongroom-settings", Other, &["strongroom", "strongroom-config", "strongroom-files"]),
    place(
        "strongroom-cli",
        Other,
        &["strongroom", "strongroom-config", "strongroom-files", "strongroom-settings"],
    ),
    place("tauri-plugin-strongroom", Other, &["strongroom"]),
    Place { tests_use: &[], ..place("strongroom-testkit", Other, &[]) },
    Place { tests_use: &[], ..place("docs", Other, &["strongroom", "tauri-plugin-strongroom"]) },
    Place { tests_use: &[], ..place("xtask", Other, &[]) },
];

/// The place of the packages in `examples/`: applications, which no package may depend on.
const EXAMPLE: Place = place("an example", Other, FOR_APPLICATIONS);

const FOR_APPLICATIONS: &[&str] = &[
    "strongroom",
    "strongroom-cli",
    "strongroom-config",
    "strongroom-settings",
    "tauri-plugin-strongroom",
];

const CORE: &[&str] = &["strongroom-core", "strongroom-files"];

const CORE_AND_STORES: &[&str] = &[
    "strongroom-core",
    "strongroom-credential-manager",
    "strongroom-files",
    "strongroom-keychain",
    "strongroom-keyutils",
    "strongroom-plaintext",
    "strongroom-sealed",
    "strongroom-secret-service",
];

const TESTS_USE: &[&str] = &["strongroom-conformance", "strongroom-testkit"];

const fn place(name: &'static str, role: Role, uses: &'static [&'static str]) -> Place {
    Place { name, role, uses, tests_use: TESTS_USE }
}

impl Place {
    pub(super) fn of(package: &Package) -> Option<&'static Self> {
        if package.is_example() { Some(&EXAMPLE) } else { Self::named(&package.name) }
    }

    pub(super) fn is_store(&self) -> bool {
        self.role != Other
    }

    pub(super) fn may_be_unsafe(&self) -> bool {
        self.os().is_some()
    }

    /// Returns the `target_os` of a platform store.
    pub(super) fn os(&self) -> Option<&'static str> {
        if let PlatformStore(os) = self.role { Some(os) } else { None }
    }

    fn named(name: &str) -> Option<&'static Self> {
        PLACES.iter().find(|place| place.name == name)
    }

    fn may_use(&self, dependency: &Dependency) -> bool {
        let name = dependency.name.as_str();
        let is_dev = dependency.kind.as_deref() == Some("dev");
        self.uses.contains(&name) || is_dev && self.tests_use.contains(&name)
    }
}

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.packages.iter().flat_map(|package| check_package(tree, package)).collect()
}

fn check_package(tree: &Tree, package: &Package) -> Vec<Violation> {
    let path = package.manifest();
    let manifest = tree.manifest(&path);
    let Some(place) = Place::of(package) else {
        let message = format!(
            "`{}` has no place in the house: give it one in xtask/src/tidy/layers.rs",
            package.name
        );
        return vec![Violation::new(path, manifest.line(&["package", "name"]), message)];
    };
    // By path, too, so that a dependency on an example or on a package without a place is found.
    let ours = |d: &&Dependency| d.path.is_some() || Place::named(&d.name).is_some();
    let wrong = package.dependencies.iter().filter(ours).filter(|d| !place.may_use(d));
    wrong
        .map(|dependency| {
            let line = manifest.dependency_line(dependency.table(), dependency.alias());
            Violation::new(&path, line, message(&package.name, place, dependency))
        })
        .collect()
}

fn message(package: &str, place: &Place, dependency: &Dependency) -> String {
    let (name, table) = (&dependency.name, dependency.table());
    let mut allowed = place.uses.to_vec();
    if table == "dev-dependencies" {
        allowed.extend(place.tests_use);
    }
    let allowed = if allowed.is_empty() { "no crate of ours".into() } else { allowed.join(", ") };
    format!("`{package}` may not have `{name}` in its {table}: it may use {allowed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(package: Package, manifest: &str) -> Vec<(usize, String)> {
        let violations = check(&Tree::default().with_package(package, manifest));
        violations.into_iter().map(|violation| (violation.line, violation.message)).collect()
    }

    fn passes(package: Package) -> bool {
        found(package, "").is_empty()
    }

    #[test]
    fn the_table_points_down_only() {
        for (index, place) in PLACES.iter().enumerate() {
            for used in place.uses {
                assert!(PLACES[..index].iter().any(|p| p.name == *used), "{}", place.name);
            }
        }
    }

    #[test]
    fn an_arrow_upwards_is_found_on_its_line() {
        let core = Package::named("strongroom-core").with_dependency(Dependency::on("strongroom"));
        let message = "`strongroom-core` may not have `strongroom` in its dependencies: \
                       it may use no crate of ours";
        let manifest = "[dependencies]\nzeroize.workspace = true\nstrongroom.workspace = true\n";
        assert_eq!(found(core, manifest), [(3, message.into())]);
    }

    #[test]
    fn an_arrow_sideways_or_out_of_the_table_is_found() {
        let store = || Package::named("strongroom-sealed");
        assert!(!passes(store().with_dependency(Dependency::on("strongroom-keyutils"))));
        assert!(!passes(store().with_dependency(Dependency::dev("strongroom"))));
        let path = Some("/elsewhere".into());
        assert!(!passes(store().with_dependency(Dependency { path, ..Dependency::on("x") })));
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
    fn an_example_uses_what_applications_use() {
        let example = || Package::example("server");
        for name in FOR_APPLICATIONS {
            assert!(Place::named(name).is_some(), "{name}");
            assert!(passes(example().with_dependency(Dependency::on(name))));
        }
        assert!(passes(example().with_dependency(Dependency::dev("strongroom-testkit"))));
        assert!(!passes(example().with_dependency(Dependency::on("strongroom-testkit"))));
        assert!(!passes(example().with_dependency(Dependency::on("strongroom-core"))));
    }

    #[test]
    fn nothing_uses_an_example() {
        let server =
            || Dependency { path: Some("/examples/server".into()), ..Dependency::on("server") };
        assert!(!passes(Package::named("strongroom-cli").with_dependency(server())));
        assert!(!passes(Package::example("agent").with_dependency(server())));
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let manifest = "[package]\nname = \"strongroom-new\"\n";
        assert_eq!(found(Package::named("strongroom-new"), manifest)[0].0, 2);
    }
}
