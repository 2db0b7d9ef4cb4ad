//! The limits of a connection: its deadline, and the sizes that SQLite takes from a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::limits::Limit;

use crate::MAX_VALUE_BYTES;
use crate::schema::{MAX_COLUMNS, MAX_OBJECTS};

/// The least time for one statement, however short the deadline is.
const LEAST: Duration = Duration::from_millis(100);

/// The longest value or row, in bytes: the largest secret, and what is kept beside it.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "17 MiB")]
pub(crate) const LONGEST_ROW: i32 = (MAX_VALUE_BYTES + 1024 * 1024) as i32;

/// The longest statement, in bytes, ours and those of a file's schema.
const LONGEST_SQL: i32 = 4096;

/// How many of SQLite's instructions run between two looks at the clock: less than a millisecond.
const LOOK_AFTER: i32 = 1000;

/// How many instructions it may take to read the schema: some hundred rows. The format has five.
const SCHEMA_LOOK_AFTER: i32 = 100;
const SCHEMA_LOOKS: u32 = 50;

/// The deadline of the statement that runs on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    limit: Duration,
    origin: Instant,
    /// In microseconds after the origin.
    until: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn new(limit: Duration) -> Self {
        let clock = Self { limit, origin: Instant::now(), until: Arc::default() };
        clock.restart();
        clock
    }

    /// Gives what follows the whole limit. Called for each statement, and within one for each row that was
    /// authenticated: honest files may be large.
    pub(crate) fn restart(&self) {
        let until = self.origin.elapsed().saturating_add(self.limit.max(LEAST));
        self.until.store(micros(until), Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        micros(self.origin.elapsed()) > self.until.load(Ordering::Relaxed)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Bounds what reading a file that nobody vouches for may take. To be called before the first statement.
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
    let (clock, mut looks) = (clock.clone(), 0);
    let is_over = move || {
        looks += 1;
        looks > SCHEMA_LOOKS || clock.is_over()
    };
    connection.progress_handler(SCHEMA_LOOK_AFTER, Some(is_over))
}

/// Lets statements run until the deadline. To be called once the schema was checked.
pub(crate) fn set_for_tables(connection: &mut Connection, clock: &Clock) -> rusqlite::Result<()> {
    let clock = clock.clone();
    connection.progress_handler(LOOK_AFTER, Some(move || clock.is_over()))
}
