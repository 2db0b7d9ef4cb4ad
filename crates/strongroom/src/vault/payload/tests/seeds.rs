//! The fuzzer's seeds pass the fuzzer's check, without a fuzzer.

use std::fs;

use super::super::check::check;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/payload");

#[test]
fn each_seed_is_what_its_name_says() {
    let mut counts = [0; 2];
    for seed in fs::read_dir(SEEDS).expect("the repository has the seeds") {
        let path = seed.expect("a directory can be read").path();
        let is_valid = check(&fs::read(&path).expect("a seed can be read"));
        let kind = if is_valid { "valid" } else { "broken" };
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        assert!(name.starts_with(kind), "{name} is {kind}");
        counts[usize::from(is_valid)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 0), "seeds of both kinds: {counts:?}");
}
