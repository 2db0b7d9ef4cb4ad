//! With feature `log`, a program without a subscriber of `tracing` hears of a store that forgets.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Mutex;

use log::{Level, LevelFilter, Log, Metadata, Record};
use strongroom::store::secret_service;
use strongroom::{Config, Fallback};
use strongroom_testkit::{Sandbox, unused_name};

struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_store_that_forgets_is_told_to_programs_that_log() {
    log::set_logger(&LINES).unwrap();
    log::set_max_level(LevelFilter::Warn);
    let sandbox = Sandbox::new();
    let secrets = Config::new(unused_name("log"))
        .environment(|_| None)
        .state_dir(sandbox.state_dir())
        .data_dir(sandbox.data_dir())
        .store_settings(
            secret_service::Config::default()
                .with_bus_address(format!("unix:path={}", sandbox.home().join("no-bus").display())),
        )
        .fallback(Fallback::Session)
        .open_blocking()
        .unwrap();
    let codes: Vec<_> = secrets.warnings().iter().map(|warning| warning.code()).collect();
    assert!(codes.contains(&"not_persistent"), "{codes:?}");
    let lines = LINES.0.lock().unwrap().join("\n");
    assert!(lines.contains("until reboot"), "{lines}");
}
