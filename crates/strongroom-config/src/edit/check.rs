//! Properties of edits to any text, for the fuzzer and for the test that runs its seeds.

use super::{Change, apply_changes, set_text};
use crate::{ConfigPath, Format};

/// The largest number of values that are changed in a text. Without it, a long text would take minutes.
const MAX_CHANGES: usize = 24;

/// Reads bytes as a file of the format that the first byte names (`j`, `t`, `y`, `e`), and changes its values in turn.
/// Returns whether the file is valid.
///
/// # Panics
///
/// If a property is violated.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else { return false };
    let format = match first {
        b'j' => Format::Json,
        b't' => Format::Toml,
        b'y' => Format::Yaml,
        b'e' => Format::Env,
        _ => return false,
    };
    std::str::from_utf8(rest).is_ok_and(|text| check_text(format, text))
}

fn check_text(format: Format, text: &str) -> bool {
    let document = match format.parse(text) {
        Ok(document) => document,
        Err(flaw) => {
            assert!(flaw.at <= text.len(), "a flaw has a place");
            return false;
        }
    };
    for node in &document.nodes {
        assert!(text.get(node.span.clone()).is_some() && text.get(node.entry.clone()).is_some());
    }
    let texts = document.nodes.iter().enumerate().filter(|(_, node)| node.text().is_some());
    for (number, node) in texts.take(MAX_CHANGES) {
        let change = [(number, Change::Text("strongroom:A"))];
        let new = apply_changes(format, text, &document, &change)
            .expect("a value that is found can be replaced");
        assert!(new.starts_with(&text[..node.span.start]) && new.ends_with(&text[node.span.end..]));
        // A removal may be refused. If it isn't, its result was already checked.
        apply_changes(format, text, &document, &[(number, Change::Removal)]).ok();
    }
    set_text(format, text, &ConfigPath::new(["m"]), "on").ok();
    true
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/config");

    #[test]
    fn each_seed_of_the_fuzzer_is_what_its_name_says() {
        let mut counts = [0; 2];
        for seed in fs::read_dir(SEEDS).expect("the repository has the seeds") {
            let path = seed.expect("a directory can be read").path();
            let is_file = check(&fs::read(&path).expect("a seed can be read"));
            let kind = if is_file { "valid" } else { "broken" };
            let name = path.file_name().expect("a file has a name").to_string_lossy();
            assert!(name.starts_with(kind), "{name} is {kind}");
            counts[usize::from(is_file)] += 1;
        }
        assert!(counts.iter().all(|count| *count > 0), "seeds of both kinds: {counts:?}");
    }
}
