//! The flaws of values that can't be changed.

use crate::ConfigPath;
use crate::flaw::Flaw;

pub(super) fn unwritable(at: usize) -> Flaw {
    Flaw::new(at, "what is to stand there can't be written in this format").with_hint(BY_HAND)
}

pub(super) fn inseparable(at: usize) -> Flaw {
    Flaw::new(at, "the value can't be changed without changing others").with_hint(BY_HAND)
}

pub(super) fn not_a_text(path: &ConfigPath, at: usize) -> Flaw {
    Flaw::new(at, format!("{path} holds other values, and was to be a text")).with_hint(BY_HAND)
}

const BY_HAND: &str =
    "Nothing was changed. Leave a reference in the value's place, or take it out by hand.";
