//! Properties of all inputs, for the fuzzer and for the test that runs its seeds.

use super::config::Config;
use super::index::Index;

/// Reads bytes as the kind of file that the first byte names: an index (`i`, or `I` with SHA-256), or a configuration (`c`).
/// Returns whether they are valid.
///
/// # Panics
///
/// When a property is violated.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else { return false };
    match first {
        b'i' => index(rest, 20),
        b'I' => index(rest, 32),
        b'c' => Config::default().with(rest).is_some(),
        _ => false,
    }
}

fn index(bytes: &[u8], hash: usize) -> bool {
    // A path outside of ASCII could be spelled like any name with as many parts.
    let Some(index) = Index::read(bytes, hash, "\u{e9}/\u{e9}".as_bytes()) else { return false };
    for entry in index.matches {
        let again = Index::read(bytes, hash, &entry.name).expect("an index stays one");
        assert!(again.matches.iter().any(|other| other.number == entry.number));
        if let Some(shared) = &index.shared {
            shared.deleted.has(entry.number);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/git");

    #[test]
    fn each_seed_of_the_fuzzer_is_what_its_name_says() {
        let mut counts = [0; 2];
        for seed in fs::read_dir(SEEDS).expect("the repository has the seeds") {
            let path = seed.expect("a directory can be read").path();
            let is_one = check(&fs::read(&path).expect("a seed can be read"));
            let kind = if is_one { "valid" } else { "broken" };
            let name = path.file_name().expect("a file has a name").to_string_lossy();
            assert!(name.starts_with(kind), "{name} is {kind}");
            counts[usize::from(is_one)] += 1;
        }
        assert!(counts.iter().all(|count| *count > 0), "seeds of both kinds: {counts:?}");
    }

    #[test]
    fn an_index_that_ends_early_is_none() {
        for seed in fs::read_dir(SEEDS).expect("the repository has the seeds") {
            let path = seed.expect("a directory can be read").path();
            if path.to_string_lossy().contains("valid-index") {
                let bytes = fs::read(&path).expect("a seed can be read");
                let early = (0..bytes.len()).filter(|end| check(&bytes[..*end])).count();
                // A cut before an optional extension is not noticed without the checksum.
                assert!(early <= 4, "{}: {early}", path.display());
            }
        }
    }
}
