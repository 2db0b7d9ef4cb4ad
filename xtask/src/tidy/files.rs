//! The rule that files are opened, created and replaced by `strongroom-files` alone, which checks their owners.

use super::{Tree, Violation};

/// The types and functions that access a file by its path.
const WAYS: &[&str] = &[
    "DirBuilder",
    "File::create",
    "File::create_new",
    "File::open",
    "File::options",
    "OpenOptions",
    "fs::copy",
    "fs::hard_link",
    "fs::read",
    "fs::read_dir",
    "fs::read_to_string",
    "fs::write",
];

/// The paths of code that is exempt from the rule, with the reason.
const EXCUSED: &[(&str, &str)] = &[
    ("crates/strongroom-cli/src/ask/unix/dispositions.rs", "reads /proc"),
    ("crates/strongroom-cli/src/ask/unix/group.rs", "reads /proc"),
    ("crates/strongroom-config/src/exposure/copies.rs", "lists the names beside a file"),
    ("crates/strongroom-conformance/", "is for tests"),
    ("crates/strongroom-files/", "is the guarded way"),
    ("crates/strongroom-sealed/src/access.rs", "reads /proc"),
    (
        "crates/strongroom-sealed/src/database.rs",
        "lists the names in a directory that it has checked",
    ),
    ("crates/strongroom-sealed/src/vectors.rs", "is for tests"),
    ("crates/strongroom-testkit/", "is for tests"),
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let ours = tree.rust().filter(|(path, _)| {
        let is_excused = EXCUSED.iter().any(|(excused, _)| path.starts_with(excused));
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        path.starts_with("crates/") && path.contains("/src/") && !is_excused && !is_test
    });
    ours.flat_map(|(path, text)| {
        lines(text).map(|line| Violation::new(path, line, MESSAGE)).collect::<Vec<_>>()
    })
    .collect()
}

/// Returns the numbers of the lines that access a file. Assumes that modules of tests are at the end of their
/// files.
fn lines(text: &str) -> impl Iterator<Item = usize> {
    let before_tests = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = (1..).zip(before_tests.lines());
    let code = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.filter(|(_, line)| WAYS.iter().any(|way| has(line, way))).map(|(number, _)| number)
}

/// Returns whether a line contains a path as whole words.
fn has(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(in_word) && !line[at + path.len()..].starts_with(in_word)
    })
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

const MESSAGE: &str = "a file is opened without a look at what it is: take `strongroom_files`, or excuse it by \
                       name in xtask/src/tidy/files.rs";

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{lines, passes},
        *,
    };

    const PATH: &str = "crates/strongroom/src/a.rs";

    #[test]
    fn every_way_to_a_file_is_found() {
        for way in WAYS {
            let text = format!("//! A.\nlet a = {way}(path);\n");
            assert_eq!(lines(check, PATH, &text), [2], "{way}");
        }
        assert_eq!(lines(check, PATH, "use std::fs::{self, OpenOptions};\n"), [1]);
    }

    #[test]
    fn the_guarded_way_tests_and_other_types_pass() {
        assert!(passes(check, PATH, "let file = SealedFile::open(&config);\n// fs::read\n"));
        assert!(passes(check, PATH, "fn a() {}\n#[cfg(test)]\nmod tests {\n    fs::read(a);\n}\n"));
        let text = "fs::read(path)\n";
        assert!(passes(check, "crates/strongroom-files/src/open.rs", text));
        assert!(passes(check, "crates/strongroom/src/a/tests.rs", text));
        assert!(passes(check, "crates/strongroom/tests/a.rs", text));
        assert!(passes(check, "examples/agent/src/a.rs", text));
    }
}
