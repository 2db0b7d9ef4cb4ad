//! Names that no other test uses.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Returns a service name that starts with `prefix` and is unique among all processes that run at the
/// same time.
pub fn unused_name(prefix: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{count}", process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_the_same_twice() {
        assert_ne!(unused_name("app"), unused_name("app"));
        assert!(unused_name("app").starts_with("app-"));
    }
}
