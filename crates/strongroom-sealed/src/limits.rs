//! The limits of a connection: its deadline, and the sizes that SQLite accepts from a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::limits::Limit;

use crate::schema::{MAX_COLUMNS, MAX_OBJECTS};

/// The largest value, in bytes: 16 MiB. A value is held in memory as a whole, both sealed and in the clear.
pub const MAX_VALUE_BYTES: usize = 16 * 1024 * 1024;

/// The shortest time for a statement, however short the deadline is.
const MIN_TIME: Duration = Duration::from_millis(100);

/// The longest value or row, in bytes: the largest secret, and its metadata.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "17 MiB")]
pub(crate) const LONGEST_ROW: i32 = (MAX_VALUE_BYTES + 1024 * 1024) as i32;

/// The longest statement, in bytes, both of this crate and of a file's schema.
const LONGEST_SQL: i32 = 4096;

/// The number of SQLite's instructions between two checks of the clock: less than a millisecond.
const CHECK_INTERVAL: i32 = 1000;

/// The number of instructions between two checks while the schema is read, and the number of checks: enough
/// for some hundred rows. The format has six objects.
const SCHEMA_CHECK_INTERVAL: i32 = 100;
const SCHEMA_CHECKS: u32 = 50;

/// The deadline of the statements on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    limit: Duration,
    origin: Instant,
    /// The deadline, in microseconds after the origin.
    until: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn new(limit: Duration) -> Self {
        let clock = Self { limit, origin: Instant::now(), until: Arc::default() };
        clock.restart();
        clock
    }

    /// Restarts the deadline. Called for each statement, and within a statement after each authentic row,
    /// because honest files may be large.
    pub(crate) fn restart(&self) {
        let until = self.origin.elapsed().saturating_add(self.limit.max(MIN_TIME));
        self.until.store(micros(until), Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        micros(self.origin.elapsed()) > self.until.load(Ordering::Relaxed)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Limits the resources that an untrusted file can use up. Must be called before the first statement.
pub(crate) fn set(connection: &mut Connection, clock: &Clock) -> rusqlite::Result<()> {
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, LONGEST_ROW),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL),
        (Limit::SQLITE_LIMIT_COLUMN, MAX_COLUMNS),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 20),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 1),
        (Limit::SQLITE_LIMIT_VDBE_OP, 2000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 4),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, MAX_COLUMNS),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_SCHEMA, MAX_OBJECTS),
    ] {
        connection.set_limit(limit, most)?;
    }
    let (clock, mut checks) = (clock.clone(), 0);
    connection.progress_handler(
        SCHEMA_CHECK_INTERVAL,
        Some(move || {
            checks += 1;
            checks > SCHEMA_CHECKS || clock.is_over()
        }),
    )
}

/// Lets statements run until the deadline. Must be called once the schema is checked.
pub(crate) fn set_for_tables(connection: &mut Connection, clock: &Clock) -> rusqlite::Result<()> {
    let clock = clock.clone();
    connection.progress_handler(CHECK_INTERVAL, Some(move || clock.is_over()))
}
