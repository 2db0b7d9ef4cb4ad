//! Whatever bytes a file without encryption holds, reading it ends well.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    strongroom::fuzzing::plaintext(file);
});
