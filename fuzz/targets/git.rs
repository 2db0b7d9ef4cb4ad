//! Fuzz target: reads bytes as a git repository's index and as its configuration. Reading must not panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    strongroom_config::fuzzing::git(file);
});
