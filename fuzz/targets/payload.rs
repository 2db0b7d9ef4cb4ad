//! Whatever bytes a vault's entry holds, reading them ends well.
#![no_main]

libfuzzer_sys::fuzz_target!(|entry: &[u8]| {
    strongroom::fuzzing::payload(entry);
});
