//! House rules that run.
fn main() {}
