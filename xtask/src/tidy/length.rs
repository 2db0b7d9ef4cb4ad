//! The rule that no file is too long.

use super::{Tree, Violation};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    check_against(tree, ALLOWED)
}

/// A file that may have more than [`SOURCE_LINES`], with the reason.
struct Allowed {
    path: &'static str,
    reason: &'static str,
}

const ALLOWED: &[Allowed] = &[];

/// The largest number of lines of a test or an allowed file.
const LINES: usize = 1_000;

/// The largest number of lines of any other file.
const SOURCE_LINES: usize = 500;

/// The suffixes of files with handwritten code.
const SOURCES: [&str; 8] = [".rs", ".css", ".html", ".js", ".mjs", ".py", ".sh", ".ts"];

fn check_against(tree: &Tree, allowed: &[Allowed]) -> Vec<Violation> {
    let sources = tree.files.iter().filter(|(path, _)| SOURCES.iter().any(|s| path.ends_with(s)));
    let long = sources.filter_map(|(path, text)| {
        let lines = text.lines().count();
        let is_allowed = allowed.iter().any(|allowed| allowed.path == path);
        let most = if is_test(path) || is_allowed { LINES } else { SOURCE_LINES };
        let message = || format!("{lines} lines, at most {most} are allowed: split it by topic");
        (lines > most).then(|| Violation::new(path, most + 1, message()))
    });
    // An exception that is not needed is a violation, too, so that the list stays short.
    let stale = allowed.iter().filter(|allowed| !is_long(tree, allowed.path)).map(|allowed| {
        let Allowed { path, reason } = allowed;
        let message = format!("is allowed to be long ({reason}) and is not: {REMOVE}");
        Violation::new(*path, 1, message)
    });
    long.chain(stale).collect()
}

const REMOVE: &str = "take it off the list in xtask/src/tidy/length.rs";

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

fn is_long(tree: &Tree, path: &str) -> bool {
    tree.files.get(path).is_some_and(|text| text.lines().count() > SOURCE_LINES)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{lines, passes},
        *,
    };

    fn text(lines: usize) -> String {
        "//!\n".repeat(lines)
    }

    #[test]
    fn a_long_source_is_found() {
        assert_eq!(lines(check, "src/a.rs", &text(501)), [501]);
        assert_eq!(lines(check, "assets/page.js", &text(501)), [501]);
    }

    #[test]
    fn a_long_test_is_found() {
        assert_eq!(lines(check, "tests/a.rs", &text(1_001)), [1_001]);
        assert_eq!(lines(check, "src/a/tests.rs", &text(1_001)), [1_001]);
    }

    #[test]
    fn a_file_at_its_limit_passes() {
        assert!(passes(check, "src/a.rs", &text(500)));
        assert!(passes(check, "src/a/tests/b.rs", &text(1_000)));
        assert!(passes(check, "Cargo.lock", &text(2_000)));
    }

    #[test]
    fn an_allowed_file_may_be_long_but_not_endless() {
        let allowed = [Allowed { path: "src/a.rs", reason: "a table" }];
        let found = |lines| {
            let tree = Tree::default().with_file("src/a.rs", &text(lines));
            check_against(&tree, &allowed).len()
        };
        assert_eq!(found(1_000), 0);
        assert_eq!(found(1_001), 1);
        assert_eq!(found(500), 1, "the list is stale");
    }
}
