//! The rule that an application is built with the stores of its platform, and with no stores of other platforms.

use super::{Tree, Violation, layers::Place, tree::Package};

/// The targets to check, each with its `target_os`.
pub(super) const TARGETS: [(&str, &str); 4] = [
    ("aarch64-apple-darwin", "macos"),
    ("x86_64-apple-darwin", "macos"),
    ("x86_64-pc-windows-gnu", "windows"),
    ("x86_64-unknown-linux-gnu", "linux"),
];

/// The crate that applications depend on.
pub(super) const ENGINE: &str = "strongroom";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let stores = || tree.packages.iter().filter_map(|package| Some((package, store_os(package)?)));
    let of_target = |target: &str, os: &str| {
        let built = tree.built.get(target);
        let is_built = |name: &str| built.is_some_and(|names| names.contains(name));
        let wrong = stores().filter(|(store, at)| is_built(&store.name) != (*at == os));
        wrong.map(|(store, at)| violation(&store.name, at, target)).collect::<Vec<_>>()
    };
    TARGETS.iter().flat_map(|(target, os)| of_target(target, os)).collect()
}

fn store_os(package: &Package) -> Option<&'static str> {
    Place::of(package).and_then(Place::os)
}

fn violation(store: &str, os: &str, target: &str) -> Violation {
    let message = format!(
        "`cargo tree --package {ENGINE} --target {target}` and `{store}`: it belongs there if and only \
         if the target is {os}"
    );
    Violation::new(format!("crates/{ENGINE}/Cargo.toml"), 1, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(built: [&[&str]; 4]) -> usize {
        let mut tree = Tree::default()
            .with_package(Package::named("strongroom-keyutils"), "")
            .with_package(Package::named("strongroom-keychain"), "")
            .with_package(Package::named("strongroom-sealed"), "");
        for ((target, _), names) in TARGETS.iter().zip(built) {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            tree.built.insert((*target).to_owned(), names);
        }
        check(&tree).len()
    }

    const MACOS: &[&str] = &["strongroom-keychain", "strongroom-sealed"];
    const LINUX: &[&str] = &["strongroom-keyutils", "strongroom-sealed"];

    #[test]
    fn each_platform_has_its_own_stores_and_those_that_work_anywhere() {
        assert_eq!(found([MACOS, MACOS, &[], LINUX]), 0);
    }

    #[test]
    fn another_platforms_store_and_a_missing_one_are_found() {
        assert_eq!(found([MACOS, MACOS, LINUX, LINUX]), 1);
        assert_eq!(found([MACOS, &[], &[], LINUX]), 1);
    }
}
