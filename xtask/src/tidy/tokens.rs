//! The rule that certain tokens do not occur in the code, or only in certain crates.

use super::{
    Tree, Violation,
    code::{code, lines_with},
    layers::Place,
};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let files = tree.rust().map(|(path, text)| (path, code(text)));
    files.flat_map(|(path, code)| check_file(tree, path, &code)).collect()
}

fn check_file(tree: &Tree, path: &str, code: &str) -> Vec<Violation> {
    let may_be_unsafe = tree.package_of(path).and_then(Place::of).is_some_and(Place::may_be_unsafe);
    let found = [
        (lines_with(code, "dbg", is_macro), DBG),
        (lines_with(code, "todo", is_macro), TODO),
        (lines_with(code, "unsafe", |_| !may_be_unsafe), UNSAFE),
        (ignored(code), IGNORE),
    ];
    let violations = |(lines, message): (Vec<usize>, &'static str)| {
        lines.into_iter().map(move |line| Violation::new(path, line, message))
    };
    found.into_iter().flat_map(violations).collect()
}

const DBG: &str = "`dbg!` prints what may be secret: remove it";

const IGNORE: &str = "a test is ignored without a reason: write `#[ignore = \"the reason\"]`";

const TODO: &str = "`todo!` is a panic that waits for a user: write it, or return `Unsupported`";

const UNSAFE: &str = "`unsafe` outside the platform's stores: use a safe crate, or move it there";

fn is_macro(after: &str) -> bool {
    after.starts_with('!') && !after.starts_with("!=")
}

/// Returns the lines of attributes that ignore a test without a reason, directly or through `cfg_attr`.
fn ignored(code: &str) -> Vec<usize> {
    let bare = lines_with(code, "ignore", |after| {
        let reason = after.strip_prefix('=').map(str::trim_start);
        after.starts_with([']', ')']) || reason.is_some_and(|reason| reason.starts_with("\"\""))
    });
    // `ignore` is also a plain identifier, so that only lines of attributes count.
    let lines: Vec<&str> = code.lines().collect();
    bare.into_iter().filter(|line| lines[line - 1].trim_start().starts_with("#[")).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            tests::{lines, passes},
            tree::Package,
        },
        *,
    };

    #[test]
    fn macros_for_work_in_progress_are_found() {
        assert_eq!(lines(check, "a.rs", "fn a() {\n    todo!()\n}"), [2]);
        assert_eq!(lines(check, "a.rs", "fn a() {\n    std::dbg!(1);\n}"), [2]);
    }

    #[test]
    fn the_words_in_text_and_names_pass() {
        let text = "// todo!() and unsafe\nlet a = \"dbg!(1) unsafe #[ignore]\";\n";
        assert!(passes(check, "a.rs", text));
        assert!(passes(check, "a.rs", "#![forbid(unsafe_code)]\nif todo != my_dbg!() {}"));
    }

    #[test]
    fn a_test_ignored_without_a_reason_is_found() {
        let text = "#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"\"]\n#[cfg_attr(miri, ignore)]\n";
        assert_eq!(lines(check, "a.rs", text), [2, 4, 5]);
    }

    #[test]
    fn a_test_ignored_with_a_reason_passes() {
        let text = "#[ignore = \"needs a desktop\"]\nfn a(ignore: bool) {\n    b(ignore)\n}\n";
        assert!(passes(check, "a.rs", text));
    }

    #[test]
    fn unsafe_outside_the_platform_stores_is_found() {
        let found = |name: &str| {
            let package = Package::named(name);
            let path = package.file("src/sys.rs");
            let tree = Tree::default().with_package(package, "");
            check(&tree.with_file(&path, "//! Calls.\nunsafe fn a() {}\n")).len()
        };
        assert_eq!(found("strongroom-keychain"), 0);
        assert_eq!(found("strongroom-sealed"), 1);
        assert_eq!(found("strongroom"), 1);
        assert_eq!(lines(check, "examples/a.rs", "unsafe {}"), [1]);
    }
}
