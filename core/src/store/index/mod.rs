//! The index `data/visavis.db`: SQLite, rebuildable from results and journals. The only SQL of Visavis.
//!
//! One process at a time writes it (the workspace's lock says which); any number read. It is told by [`Index::follow`] what
//! journals say, each record exactly once, and by [`Index::take_results`] what results hold.

mod dump;
mod fold;
mod journals;
mod read;
mod rebuild;
mod results;
mod schema;

pub use journals::IngestedEvent;
pub use read::{AttemptRow, JobRow, LogRow, RunCounts, RunRow, SeriesRow, Spent};
pub use rebuild::{Before, Rebuilt};
pub use results::{Aside, check_scores};

use crate::domain::{Fault, Result};
use rusqlite::{Connection, OpenFlags};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// The store's tables, open for reading, or for writing by the one process that may.
pub struct Index {
    connection: Connection,
    /// Journals that nothing will be added to, and when the folder was last listed.
    closed: Option<HashSet<String>>,
    open: Vec<String>,
    listed: Option<SystemTime>,
    /// Journals that are known to be over, whatever their locks say here.
    over: HashSet<String>,
    /// This process holds the workspace's lease: dispatchers of other machines are gone, and their workers with them.
    alone: bool,
    /// How far journals were that are not closed, and since when.
    still: HashMap<String, (u64, Instant)>,
}

impl Index {
    /// Opens the index for writing, made or brought up to date as needed. The caller holds the workspace's lock.
    pub fn open(path: &Path) -> Result<Self> {
        sound_sqlite()?;
        if let Some(folder) = path.parent() {
            super::disk::make_folder(folder)?;
        }
        is_a_file(path)?;
        let refused = |error| told(path, &error);
        let mut connection = Connection::open(path).map_err(refused)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(refused)?;
        // A store of a later visavis is left as it is.
        schema::version(&connection, path)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000;",
            )
            .map_err(refused)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut connection, path)?;
        Ok(Index::of(connection))
    }

    /// Opens an index that is there, for reading.
    pub fn open_to_read(path: &Path) -> Result<Option<Self>> {
        sound_sqlite()?;
        if !path.exists() {
            return Ok(None);
        }
        is_a_file(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let open = |name: &str| {
            let connection = Connection::open_with_flags(name, flags)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            // Opening alone touches nothing: a log that cannot be opened shows only when something is read.
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
            Ok(connection)
        };
        let uri = uri(path);
        let connection = open(&uri).or_else(|error: rusqlite::Error| match error.sqlite_error_code() {
            // Where nothing can be written, nobody else writes either.
            Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly) => open(&format!("{uri}?immutable=1")),
            _ => Err(error),
        });
        let connection = connection.map_err(|error| told(path, &error))?;
        // Somebody is just making it: nothing is in it yet.
        if schema::version(&connection, path)? == 0 {
            return Ok(None);
        }
        Ok(Some(Index::of(connection)))
    }

    fn of(connection: Connection) -> Self {
        Index { connection, closed: None, open: vec![], listed: None, over: HashSet::new(), alone: false, still: HashMap::new() }
    }

    fn path(&self) -> PathBuf {
        self.connection.path().unwrap_or("visavis.db").into()
    }

    fn ran<T>(&self, outcome: rusqlite::Result<T>) -> Result<T> {
        outcome.map_err(|error| told(&self.path(), &error))
    }

    /// What is wrong with the index itself; empty when nothing is.
    pub fn check(&self) -> Result<Vec<String>> {
        let outcome = (|| {
            let mut found: Vec<String> = self
                .connection
                .prepare("PRAGMA integrity_check")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            found.retain(|line| line != "ok");
            let foreign =
                self.connection.prepare("PRAGMA foreign_key_check")?.query_map([], |row| row.get::<_, String>(0))?.count();
            found.extend(schema::defects(&self.connection)?);
            found.extend((foreign > 0).then(|| format!("{foreign} rows point to rows that are not there")));
            Ok(found)
        })();
        self.ran(outcome)
    }

    /// A number that changes whenever another process has changed the index.
    pub fn data_version(&self) -> Result<i64> {
        self.ran(self.connection.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }

    /// Moves everything into the one file, so that it can be renamed.
    pub fn settle(self) -> Result<()> {
        let path = self.path();
        let outcome = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
        outcome.and_then(|()| self.connection.close().map_err(|(_, error)| error)).map_err(|error| told(&path, &error))
    }
}

/// # Errors
/// A folder, a pipe or a device in the store's place: SQLite would wait for it.
fn is_a_file(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(about) if !about.is_file() => Err(Fault::asked("the store is no file: something else is in its place")
            .in_file(path)
            .next("remove it, or name another file with --store FILE")),
        _ => Ok(()),
    }
}

/// SQLite 3.7.0 to 3.51.2 can lose a commit when a log is reset by two connections at once.
fn sound_sqlite() -> Result<()> {
    if rusqlite::version_number() < 3_051_003 {
        return Err(Fault::unexpected(format!(
            "this visavis was built with SQLite {}, which can lose data; 3.51.3 or later is needed",
            rusqlite::version()
        )));
    }
    Ok(())
}

/// The version of the bundled SQLite.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// `file:` and the path, with what a URI gives a meaning spelled out.
fn uri(path: &Path) -> String {
    use std::{fmt::Write, os::unix::ffi::OsStrExt};
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = "file:".to_owned();
    for &byte in absolute.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02x}").ok();
        }
    }
    uri
}

fn told(path: &Path, error: &rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode as Code;
    let fault = Fault::unexpected(format!("the store cannot be used: {error}")).in_file(path);
    // What SQLite keeps beside the file may be what does not fit: it then knows of an error only.
    let room = || rustix::fs::statvfs(path.parent().unwrap_or(path)).map_or(u64::MAX, |about| about.f_bavail * about.f_frsize);
    match error.sqlite_error_code() {
        Some(Code::SystemIoFailure) if room() < 1 << 20 => Fault::unexpected("the store cannot be used: the disk is full")
            .in_file(path)
            .next("free some space and run the same command again: what was finished is kept"),
        Some(Code::DiskFull) => fault.next("free some space and run the same command again: what was finished is kept"),
        Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
            fault.next("check the permissions, or put the store elsewhere with --store FILE")
        }
        Some(Code::Unknown) if ["no such table", "no such column"].iter().any(|of| error.to_string().contains(of)) => {
            fault.next("`visavis store rebuild` makes it again from results and journals")
        }
        Some(Code::NotADatabase | Code::DatabaseCorrupt) => {
            fault.next("`visavis store rebuild` makes it again from results and journals")
        }
        _ => fault,
    }
}
