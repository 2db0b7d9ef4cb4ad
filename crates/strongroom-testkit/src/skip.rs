//! Tests that can't run here.

use std::env;
use std::io::{self, Write as _};

/// Prints to stderr why a test is skipped.
///
/// # Panics
///
/// If `STRONGROOM_REQUIRE_PROVIDERS=1` is set, as in CI, where a skipped test proves nothing.
pub fn skip(reason: &str) {
    let required = env::var_os("STRONGROOM_REQUIRE_PROVIDERS").is_some_and(|value| value == "1");
    assert!(!required, "{reason}");
    // Not `eprintln!`: the test harness captures it and drops it for a test that passes.
    writeln!(io::stderr(), "skipped: {reason}").ok();
}
