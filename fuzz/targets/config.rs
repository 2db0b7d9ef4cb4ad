//! Fuzz target: reads bytes as a configuration file, and changes it. Reading must not panic, and a change must affect the
//! intended values only.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    strongroom_config::fuzzing::config(file);
});
