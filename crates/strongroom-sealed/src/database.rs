//! The embedded SQLite database: how it is created, opened and set up.

use std::error::Error as _;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, Transaction, TransactionBehavior};
use strongroom_core::{ErrorKind, Fault};
use strongroom_files::{check_own, check_private_dir, create_private_dir, sync_dir};

use crate::access::{self, Access, FileState, OpenFailure};
use crate::error::{self, Result, corrupt, from_sqlite};
use crate::limits::{self, Clock};
use crate::schema;
use crate::sidecar::{self, refuse_orphan};

/// `strm`, the `application_id` that distinguishes a sealed file from other SQLite databases.
pub(crate) const APPLICATION_ID: i32 = 0x7374_726d;

/// The version of the file's format, in the database's `user_version`.
pub(crate) const FORMAT: i32 = 1;

/// The longest time that SQLite can wait: some 24 days.
const MAX_WAIT: Duration = Duration::from_millis(i32::MAX as u64);

/// The time that SQLite waits for the write lock before it is asked again.
///
/// SQLite itself tries again after 1, 2, 5 ms and so on, in the end every 100 ms. A process that has waited
/// for long would hardly ever hit the moment between two writes of other processes.
const TURN: Duration = Duration::from_millis(8);

/// The length of the log from which a change empties it, in bytes. SQLite itself never waits for reads, so the
/// log would grow for as long as there is always a thread or process that reads.
const LONG_LOG: u64 = 8 * 1024 * 1024;

/// The name prefix of files that are being built.
const BUILDING: &str = ".sealed-";

/// The age from which a file under construction counts as abandoned.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// The longest path that SQLite takes on Unix, less the suffixes of the files beside it.
const MAX_PATH: usize = 500;

/// Creates and fills the database at a path that does not exist: complete and durable, or not at all.
///
/// It is built beside its place and moved there. Of several processes a single process succeeds, and no
/// process ever meets an incomplete file.
///
/// # Errors
///
/// `AlreadyExists` if the file exists by now; `AccessDenied`, `QuotaExceeded`, `Io`.
pub(crate) fn create(
    path: &Path,
    deadline: Duration,
    fill: impl FnOnce(&Connection) -> Result<()>,
) -> Result<()> {
    let dir = directory(path);
    check_length(path)?;
    create_private_dir(&dir).map_err(|cause| error::from_io(&dir, cause))?;
    refuse_orphan(path)?;
    remove_abandoned(&dir);
    let temporary = tempfile::Builder::new()
        .prefix(BUILDING)
        .tempfile_in(&dir)
        .map_err(|cause| error::from_io(&dir, cause))?
        .into_temp_path();
    let connection = Connection::open(&temporary).map_err(from_sqlite)?;
    build(&connection, fill).map_err(|fault| explained(fault, &dir))?;
    connection.close().map_err(|(_, cause)| from_sqlite(cause))?;
    // A file system without locks would leave a file that can't be opened, so it is tried before it is moved.
    drop(open(&temporary, deadline)?);
    sidecar::remove_index(&temporary);
    temporary.persist_noclobber(path).map_err(|failed| error::from_io(path, failed.error))?;
    // Without this a crash of the machine could undo the rename.
    sync_dir(&dir).map_err(|cause| error::from_io(&dir, cause))
}

/// An open database, its access mode, and the deadline of its statements.
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    access: Access,
    /// The state of the file before it was opened, if it is read without locks.
    state_before: Option<FileState>,
}

/// Opens an existing database for reading, and checks that its tables are those of the format.
///
/// Nothing is written to the file until [`Database::trust`] is called.
///
/// # Errors
///
/// `NotFound` if there is no file; `AccessDenied` if it is not the user's alone; `Corrupt` if it is not a
/// sealed file, or has an unknown format; `Busy` and `TimedOut` past the deadline; `Io`.
pub(crate) fn open(path: &Path, deadline: Duration) -> Result<Database> {
    check_length(path)?;
    let dir = directory(path);
    // In a directory that other users can write, any file could be exchanged after its check.
    check_private_dir(&dir).map_err(|cause| absent_dir(path, &dir, cause))?;
    check_own(path).map_err(|cause| error::from_io(path, cause))?;
    sidecar::check(path)?;
    let path = resolved(path)?;
    let clock = Clock::new(deadline);
    let shared = Database::open(&path, Access::Shared, &clock, deadline);
    let opened = shared.or_else(|fault| {
        match open_failure(&fault).and_then(|failure| failure.fallback_access(&path)) {
            Some(Access::Exclusive) => open_exclusively(&path, &clock),
            Some(access) => Database::open(&path, access, &clock, deadline),
            None => Err(fault),
        }
    });
    opened.map_err(|fault| explained(fault, &path))
}

/// Returns the fault, with an explanation if the file system lacks locks.
fn explained(fault: Fault, path: &Path) -> Fault {
    match open_failure(&fault).is_some_and(OpenFailure::lacks_locks) {
        true => error::no_locks(access::file_system_of(path), fault),
        false => fault,
    }
}

/// Returns the SQLite error that caused this fault, if there is any.
fn open_failure(fault: &Fault) -> Option<OpenFailure<'_>> {
    fault.source().and_then(|cause| cause.downcast_ref()).map(OpenFailure)
}

/// Opens a file exclusively, once all other processes have closed it. Waiting processes that stay connected
/// lock each other out, so each attempt uses a new connection.
fn open_exclusively(path: &Path, clock: &Clock) -> Result<Database> {
    loop {
        match Database::open(path, Access::Exclusive, clock, TURN) {
            Err(fault) if fault.kind() == ErrorKind::Busy && !clock.is_over() => {
                access::back_off();
            }
            Err(fault) if fault.kind() == ErrorKind::Busy => {
                return Err(error::exclusively_open(fault));
            }
            opened => return opened,
        }
    }
}

impl Database {
    /// Opens the file, and waits at most `wait` for other processes that hold it.
    fn open(path: &Path, access: Access, clock: &Clock, wait: Duration) -> Result<Self> {
        let state_before = (access == Access::ReadOnly).then(|| FileState::of(path));
        let mut connection = access.connect(path).map_err(from_sqlite)?;
        set_up(&mut connection, clock, wait).map_err(from_sqlite)?;
        if sidecar::has_log(path) {
            // Without this SQLite would write the log into the file at the close, even if no key opens the
            // file.
            let kept = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            kept.map_err(from_sqlite)?;
        }
        check_format(&connection)?;
        schema::check(&connection).map_err(|fault| foreign_schema(fault, clock))?;
        limits::set_for_tables(&mut connection, clock).map_err(from_sqlite)?;
        // Only after the check, because these pragmas read the schema.
        connection
            .execute_batch(
                "PRAGMA cache_size = -2000; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;",
            )
            .map_err(from_sqlite)?;
        Ok(Self { connection, clock: clock.clone(), access, state_before })
    }

    /// Allows writes to a file that its key has opened. From then on SQLite may write the log into it.
    pub(crate) fn trust(&self) -> Result<()> {
        if self.access == Access::ReadOnly {
            return Ok(());
        }
        let config = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        let allowed = self.connection.set_db_config(config, false);
        allowed.and_then(|_| use_log(&self.connection)).map_err(from_sqlite)
    }

    /// Returns a number that changes when another connection changes the file.
    pub(crate) fn version(&self, path: &Path) -> rusqlite::Result<i64> {
        match self.may_stay_open() {
            true => data_version(&self.connection),
            false => Ok(FileState::of(path).number()),
        }
    }

    /// Returns whether the database may stay open between operations. Otherwise it would lock other processes
    /// out, or not notice their writes.
    pub(crate) fn may_stay_open(&self) -> bool {
        self.access == Access::Shared
    }

    /// Checks that the file can be written.
    ///
    /// # Errors
    ///
    /// `QuotaExceeded` if the disk is full, `AccessDenied` if the file or its directory can't be written.
    pub(crate) fn check_writable(&self, path: &Path) -> Result<()> {
        let is_read_only = self.connection.is_readonly(MAIN_DB).map_err(from_sqlite)?;
        if self.access != Access::ReadOnly && !is_read_only {
            return Ok(());
        }
        let directory = directory(path);
        Err(match access::is_writable(&directory) {
            false => error::read_only("the directory ", &directory),
            true if self.access == Access::ReadOnly => error::disk_full(&directory),
            true => error::read_only("", path),
        })
    }

    /// Empties a long log after a change. If a read takes longer than a moment, a later change does it.
    pub(crate) fn shorten_log(&self, path: &Path, deadline: Duration) {
        if sidecar::log_len(path) > LONG_LOG && self.connection.busy_timeout(TURN).is_ok() {
            flush_log(&self.connection);
            drop(self.connection.busy_timeout(deadline.min(MAX_WAIT)));
        }
    }

    /// Checks, after a read without locks, that no other process has written the file meanwhile.
    ///
    /// # Errors
    ///
    /// `Busy`.
    pub(crate) fn check_unchanged(&self, path: &Path) -> Result<()> {
        match &self.state_before {
            Some(state_before) if *state_before != FileState::of(path) => Err(error::fault(
                ErrorKind::Busy,
                "it was written meanwhile, from where it can be written",
            )),
            _ => Ok(()),
        }
    }
}

/// Begins a read transaction. Its snapshot is taken by the first statement.
pub(crate) fn begin_reading(connection: &Connection) -> Result<Transaction<'_>> {
    Transaction::new_unchecked(connection, TransactionBehavior::Deferred).map_err(from_sqlite)
}

/// Begins a write transaction, once no other process has the write lock.
///
/// # Errors
///
/// `Busy` if the deadline passes before that.
pub(crate) fn begin_writing(
    connection: &Connection,
    deadline: Duration,
) -> Result<Transaction<'_>> {
    let start = Instant::now();
    connection.busy_timeout(deadline.min(TURN)).map_err(from_sqlite)?;
    let begun = loop {
        let begun = Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
        match begun.map_err(from_sqlite) {
            Err(fault) if fault.kind() == ErrorKind::Busy && start.elapsed() < deadline => {}
            begun => break begun,
        }
    };
    // The short wait is for the write lock alone.
    connection.busy_timeout(deadline.min(MAX_WAIT)).map_err(from_sqlite)?;
    begun
}

/// Returns a number that changes when another connection changes the file.
pub(crate) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// Moves the log into the file and empties it, so that deleted data is gone from both. If another process is
/// reading, a later commit of any process does it.
pub(crate) fn flush_log(connection: &Connection) {
    drop(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
}

fn build(connection: &Connection, fill: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
    let transaction = connection.unchecked_transaction().map_err(from_sqlite)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(from_sqlite)?;
    transaction.pragma_update(None, "user_version", FORMAT).map_err(from_sqlite)?;
    schema::create(&transaction).map_err(from_sqlite)?;
    fill(&transaction)?;
    transaction.commit().map_err(from_sqlite)?;
    use_log(connection).map_err(from_sqlite)
}

/// Removes unfinished files of killed processes. No caller was told that their content is stored.
fn remove_abandoned(dir: &Path) {
    for file in fs::read_dir(dir).into_iter().flatten().flatten().filter(is_abandoned) {
        drop(fs::remove_file(file.path()));
    }
}

fn is_abandoned(file: &DirEntry) -> bool {
    let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
    file.file_name().as_encoded_bytes().starts_with(BUILDING.as_bytes())
        && modified.is_some_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED_AFTER))
}

fn set_up(connection: &mut Connection, clock: &Clock, wait: Duration) -> rusqlite::Result<()> {
    limits::set(connection, clock)?;
    connection.busy_timeout(wait.min(MAX_WAIT))?;
    // A schema that another program has written must not run code here.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.execute_batch(
        // Rows must not reach a temporary file, nor may SQLite trust a page of a hostile file.
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0;",
    )
}

/// Reports a schema that exceeds the limits of the connection as damage, but not a deadline that has passed.
fn foreign_schema(fault: Fault, clock: &Clock) -> Fault {
    match fault.kind() {
        ErrorKind::TimedOut if clock.is_over() => fault,
        ErrorKind::Other | ErrorKind::TimedOut | ErrorKind::TooLarge => {
            schema::foreign().with_source(fault)
        }
        _ => fault,
    }
}

fn check_format(connection: &Connection) -> Result<()> {
    let application: i32 = schema::pragma(connection, "application_id").map_err(from_sqlite)?;
    if application != APPLICATION_ID {
        return Err(corrupt("the file is not a sealed file"));
    }
    match schema::pragma(connection, "user_version").map_err(from_sqlite)? {
        FORMAT => Ok(()),
        other => Err(corrupt(format!(
            "the sealed file has format version {other}, and this program knows versions up to \
             {FORMAT}"
        ))
        .with_hint(
            "Nothing was changed. Another version of this program wrote it: update this one.",
        )),
    }
}

/// Sets the WAL mode: changes go into a log first. A file keeps the mode, unless it is a copy that SQLite
/// itself has made.
fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    if schema::pragma::<String>(connection, "journal_mode")? == "wal" {
        return Ok(());
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
}

/// Returns the path with the links in its directory resolved, because SQLite is told to follow none.
fn resolved(path: &Path) -> Result<PathBuf> {
    let dir = directory(path).canonicalize().map_err(|cause| error::from_io(path, cause))?;
    Ok(dir.join(path.file_name().unwrap_or_default()))
}

fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn check_length(path: &Path) -> Result<()> {
    if std::path::absolute(path).is_ok_and(|path| path.as_os_str().len() > MAX_PATH) {
        let message = format!("the path of a sealed file has at most {MAX_PATH} bytes");
        return Err(error::fault(ErrorKind::Invalid, message));
    }
    Ok(())
}

/// Returns the error of a directory that can't be used. If it does not exist, that is `NotFound` for the
/// file, which the caller asked for.
fn absent_dir(path: &Path, dir: &Path, cause: io::Error) -> Fault {
    if cause.kind() != io::ErrorKind::NotFound {
        return error::from_io(dir, cause);
    }
    error::from_io(path, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_is_synced_and_nothing_goes_to_a_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("files/a.sealed");
        create(&path, Duration::ZERO, |_| Ok(())).unwrap();
        let Database { connection, .. } = open(&path, Duration::from_millis(1500)).unwrap();
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        // FULL, MEMORY and ON.
        let pragmas = [("synchronous", 2), ("temp_store", 2), ("secure_delete", 1)];
        for (name, value) in [("busy_timeout", 1500)].into_iter().chain(pragmas) {
            assert_eq!(number(name).unwrap(), value, "{name}");
        }
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        assert_eq!(connection.pragma_query_value(None, "journal_mode", mode).unwrap(), "wal");
    }

    #[test]
    fn what_a_killed_process_was_building_is_removed_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("files");
        create_private_dir(&dir).unwrap();
        let old = std::time::SystemTime::now() - 2 * ABANDONED_AFTER;
        for (name, time) in [(".sealed-a", Some(old)), (".sealed-b", None), ("c", Some(old))] {
            let file = fs::File::create(dir.join(name)).unwrap();
            time.map_or(Ok(()), |time| file.set_modified(time)).unwrap();
        }
        create(&dir.join("d.sealed"), Duration::ZERO, |_| Ok(())).unwrap();
        let left = [".sealed-a", ".sealed-b", "c", "d.sealed"].map(|name| dir.join(name).exists());
        assert_eq!(left, [false, true, true, true]);
    }
}
