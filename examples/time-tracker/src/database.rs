//! The settings and the running timer, in SQLite. They are not secret.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::failure::Result;

/// The address of the server, and the user's account.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) email: String,
}

/// A running timer.
#[derive(Debug, Serialize)]
pub(crate) struct Timer {
    pub(crate) issue: String,
    /// The start, in seconds since 1970.
    pub(crate) started: i64,
}

pub(crate) struct Database {
    connection: Mutex<Connection>,
}

/// The tables. Each has a single row, since the application has a single account. Deleted rows are overwritten in the file.
const TABLES: &str = "
    PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS settings (
        id INTEGER PRIMARY KEY CHECK (id = 1), base_url TEXT NOT NULL, email TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS timer (
        id INTEGER PRIMARY KEY CHECK (id = 1), issue TEXT NOT NULL, started INTEGER NOT NULL
    );
";

impl Database {
    pub(crate) fn open(directory: &Path) -> std::result::Result<Self, Box<dyn std::error::Error>> {
        fs::create_dir_all(directory)?;
        let connection = Connection::open(directory.join("tracker.db"))?;
        connection.execute_batch(TABLES)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Returns the settings, which are empty until they are first saved.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let row =
            |row: &rusqlite::Row<'_>| Ok(Settings { base_url: row.get(0)?, email: row.get(1)? });
        let found = self.connection().query_row("SELECT base_url, email FROM settings", [], row);
        Ok(found.optional()?.unwrap_or_default())
    }

    pub(crate) fn save_settings(&self, settings: &Settings) -> Result<()> {
        let values = params![settings.base_url, settings.email];
        self.connection().execute("REPLACE INTO settings VALUES (1, ?, ?)", values)?;
        Ok(())
    }

    pub(crate) fn timer(&self) -> Result<Option<Timer>> {
        let row = |row: &rusqlite::Row<'_>| Ok(Timer { issue: row.get(0)?, started: row.get(1)? });
        let found = self.connection().query_row("SELECT issue, started FROM timer", [], row);
        Ok(found.optional()?)
    }

    /// Starts a timer, unless a timer is running. Returns whether it was started.
    pub(crate) fn start_timer(&self, timer: &Timer) -> Result<bool> {
        let values = params![timer.issue, timer.started];
        let started =
            self.connection().execute("INSERT OR IGNORE INTO timer VALUES (1, ?, ?)", values)?;
        Ok(started == 1)
    }

    pub(crate) fn clear_timer(&self) -> Result<()> {
        self.connection().execute("DELETE FROM timer", [])?;
        Ok(())
    }

    pub(crate) fn forget(&self) -> Result<()> {
        self.connection().execute_batch("DELETE FROM timer; DELETE FROM settings;")?;
        Ok(())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
