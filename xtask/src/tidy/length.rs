//! The rule that no file is too long.

use super::{Tree, Violation};

/// The largest number of lines of a test.
const TEST_LINES: usize = 1_000;

/// The largest number of lines of any other file.
const SOURCE_LINES: usize = 500;

/// The suffixes of files with handwritten code.
const SOURCES: [&str; 8] = [".rs", ".css", ".html", ".js", ".mjs", ".py", ".sh", ".ts"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let sources = tree.files.iter().filter(|(path, _)| SOURCES.iter().any(|s| path.ends_with(s)));
    let long = sources.filter_map(|(path, text)| {
        let lines = text.lines().count();
        let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
        let most = if is_test { TEST_LINES } else { SOURCE_LINES };
        let message = format!("{lines} lines, at most {most} are allowed: split it by topic");
        (lines > most).then(|| Violation::new(path, most + 1, message))
    });
    long.collect()
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
    fn a_long_file_is_found() {
        assert_eq!(lines(check, "src/a.rs", &text(501)), [501]);
        assert_eq!(lines(check, "assets/page.js", &text(501)), [501]);
        assert_eq!(lines(check, "tests/a.rs", &text(1_001)), [1_001]);
        assert_eq!(lines(check, "src/a/tests.rs", &text(1_001)), [1_001]);
    }

    #[test]
    fn a_file_at_its_limit_passes() {
        assert!(passes(check, "src/a.rs", &text(500)));
        assert!(passes(check, "src/a/tests/b.rs", &text(1_000)));
        assert!(passes(check, "Cargo.lock", &text(2_000)));
    }
}
