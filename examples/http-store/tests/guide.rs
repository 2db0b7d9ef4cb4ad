//! The guide shows this example as it is.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

const GUIDE: &str = include_str!("../../../docs/stores.md");

/// The files that the guide shows parts of.
const FILES: [(&str, &str); 5] = [
    ("src/client.rs", include_str!("../src/client.rs")),
    ("src/error.rs", include_str!("../src/error.rs")),
    ("src/lib.rs", include_str!("../src/lib.rs")),
    ("src/names.rs", include_str!("../src/names.rs")),
    ("tests/conformance.rs", include_str!("conformance.rs")),
];

#[test]
fn each_part_that_the_guide_shows_is_in_its_file() {
    let mut shown = 0;
    for block in GUIDE.split("```rust,ignore\n").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        let (name, part) = block.strip_prefix("// ").unwrap().split_once('\n').unwrap();
        let (_, file) = FILES.iter().find(|(known, _)| *known == name).expect(name);
        assert!(without_indentation(file).contains(&without_indentation(part)), "{name}:\n{part}");
        shown += 1;
    }
    assert_eq!(shown, 7, "blocks that are not compiled are parts of files");
}

fn without_indentation(text: &str) -> String {
    text.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}
