//! Fuzz target: reads bytes as an unencrypted store file. Reading must not panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    strongroom_plaintext::fuzzing::check(file);
});
