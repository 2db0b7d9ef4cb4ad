//! Fuzz target: reads bytes as a vault's entry. Reading must not panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|entry: &[u8]| {
    strongroom::fuzzing::payload(entry);
});
