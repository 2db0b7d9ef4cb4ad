//! Whatever a git repository's index and configuration hold, reading them ends well.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    strongroom_config::fuzzing::git(file);
});
