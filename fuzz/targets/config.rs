//! Whatever a configuration file holds, reading it ends well, and changing it changes what is meant.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    strongroom_config::fuzzing::config(file);
});
