//! The log, on standard error.

use std::io::{IsTerminal as _, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging at this level.
///
/// Only this server and Strongroom log more than warnings, because they log no value at any level. Other libraries don't
/// promise that: an HTTP library that logs its requests at `trace` logs tokens.
pub(crate) fn start(level: LevelFilter) {
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_target("strongroom", level);
    let lines = layer().with_ansi(stderr().is_terminal()).with_writer(stderr);
    tracing_subscriber::registry().with(lines).with(targets).init();
}
