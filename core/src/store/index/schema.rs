//! The tables, and how a store from an earlier release is brought up to date. Migrations are only ever appended;
//! `user_version` says how many were applied. `tests/fixtures` keeps a store of every release.

use super::told;
use crate::domain::{Fault, Result};
use rusqlite::{Connection, TransactionBehavior};
use std::{collections::BTreeSet, path::Path};

const MIGRATIONS: [&str; 7] = [
    "
    -- How far each journal was taken in: exactly once, for this row changes in the same transaction.
    CREATE TABLE journal (
        name TEXT PRIMARY KEY, offset INTEGER NOT NULL, chain BLOB NOT NULL, closed INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE damage (
        journal TEXT NOT NULL REFERENCES journal, offset INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (journal, offset)
    ) STRICT, WITHOUT ROWID;

    -- What journals say. Points are as `domain/metric.rs` writes them.
    CREATE TABLE event (
        journal TEXT NOT NULL REFERENCES journal, offset INTEGER NOT NULL, clock INTEGER NOT NULL, at INTEGER NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (journal, offset)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX event_by_clock ON event (clock);
    CREATE TABLE metric (
        journal TEXT NOT NULL REFERENCES journal, offset INTEGER NOT NULL, key TEXT NOT NULL, attempt INTEGER NOT NULL,
        series TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, least REAL, greatest REAL,
        points BLOB NOT NULL, PRIMARY KEY (journal, offset)
    ) STRICT;
    CREATE INDEX metric_by_key ON metric (key, series);
    CREATE TABLE log (
        journal TEXT NOT NULL REFERENCES journal, offset INTEGER NOT NULL, key TEXT, attempt INTEGER NOT NULL,
        at INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (journal, offset)
    ) STRICT;
    CREATE INDEX log_by_key ON log (key);
    CREATE TABLE act (
        journal TEXT NOT NULL REFERENCES journal, offset INTEGER NOT NULL, clock INTEGER NOT NULL, at INTEGER NOT NULL,
        job TEXT, act TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (journal, offset)
    ) STRICT, WITHOUT ROWID;

    -- The timeline: what the events come to.
    CREATE TABLE run (
        journal TEXT PRIMARY KEY REFERENCES journal, clock INTEGER NOT NULL, study TEXT NOT NULL, file TEXT NOT NULL,
        text TEXT NOT NULL, devices TEXT NOT NULL, origin TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER,
        ran INTEGER, stored INTEGER, failed INTEGER, interrupted INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE job (
        id TEXT PRIMARY KEY, run TEXT NOT NULL, clock INTEGER NOT NULL, study TEXT NOT NULL, stage TEXT NOT NULL,
        label TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL, seconds REAL, why TEXT,
        -- Its result's key, or its latest attempt's, and the clock of the event that said so.
        key TEXT, key_clock INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX job_by_state ON job (run, state);
    CREATE TABLE attempt (
        run TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, job TEXT NOT NULL, device TEXT NOT NULL,
        slot INTEGER NOT NULL, threads INTEGER NOT NULL, seed INTEGER, worker TEXT NOT NULL, started INTEGER NOT NULL,
        ended INTEGER, seconds REAL, cause TEXT, why TEXT, exit TEXT, log TEXT, PRIMARY KEY (run, key, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX attempt_by_job ON attempt (job);

    -- What results hold.
    CREATE TABLE result (
        key TEXT PRIMARY KEY, stage TEXT NOT NULL, alike TEXT NOT NULL, content TEXT NOT NULL, bytes INTEGER NOT NULL,
        worker TEXT NOT NULL, attempt INTEGER NOT NULL, started INTEGER NOT NULL, seconds REAL NOT NULL,
        -- When its file was put in its place: another time, another result.
        stamp INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE score (
        key TEXT NOT NULL REFERENCES result ON DELETE CASCADE, view TEXT NOT NULL, score TEXT NOT NULL,
        value REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, PRIMARY KEY (key, view, score)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE figure (key TEXT PRIMARY KEY REFERENCES result ON DELETE CASCADE, svg BLOB NOT NULL) STRICT;
",
    "
    -- Figures that people want in a report. One that was taken off stays, without a note, so that the latest act is known.
    CREATE TABLE pin (
        study TEXT NOT NULL, figure TEXT NOT NULL, note TEXT, by TEXT NOT NULL, at INTEGER NOT NULL, clock INTEGER NOT NULL,
        -- Two people at once have one clock: then the journal decides, in whatever order they are taken in.
        journal TEXT NOT NULL, offset INTEGER NOT NULL,
        PRIMARY KEY (study, figure)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- Results that could not be taken in, and why: tried again whenever results are taken in.
    CREATE TABLE set_aside (key TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT, WITHOUT ROWID;
    -- A score of too few has no interval.
    CREATE TABLE told (
        key TEXT NOT NULL REFERENCES result ON DELETE CASCADE, view TEXT NOT NULL, score TEXT NOT NULL,
        value REAL NOT NULL, low REAL, high REAL, PRIMARY KEY (key, view, score)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO told SELECT * FROM score;
    DROP TABLE score;
    ALTER TABLE told RENAME TO score;
",
    "
    -- What nothing reads: scores and figures are read from their objects, damage from the journals, the rest from events.
    DROP TABLE score;
    DROP TABLE figure;
    DROP TABLE damage;
    ALTER TABLE event DROP COLUMN at;
    ALTER TABLE metric DROP COLUMN first;
    ALTER TABLE metric DROP COLUMN last;
    ALTER TABLE metric DROP COLUMN least;
    ALTER TABLE metric DROP COLUMN greatest;
    ALTER TABLE act DROP COLUMN at;
    ALTER TABLE act DROP COLUMN by;
    ALTER TABLE run DROP COLUMN ran;
    ALTER TABLE run DROP COLUMN stored;
    ALTER TABLE run DROP COLUMN failed;
    ALTER TABLE result DROP COLUMN stage;
    ALTER TABLE result DROP COLUMN started;
",
    "
    -- Journals that are passed over as a whole (these have no row in `journal`), or of which some records are; and why.
    CREATE TABLE journal_aside (name TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT, WITHOUT ROWID;
",
    "
    -- What annotators said of pictures: the latest of each on each picture, also if it was taken back.
    CREATE TABLE label (
        attribute TEXT NOT NULL, annotator TEXT NOT NULL, picture TEXT NOT NULL, image TEXT NOT NULL, by TEXT NOT NULL,
        choice TEXT NOT NULL, asked TEXT NOT NULL, at INTEGER NOT NULL, clock INTEGER NOT NULL, journal TEXT NOT NULL,
        offset INTEGER NOT NULL,
        -- The clock of the first answer on the picture.
        first INTEGER NOT NULL,
        PRIMARY KEY (attribute, annotator, picture)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- How the workers of a run stand that come by themselves, as it was told last.
    CREATE TABLE cluster (run TEXT PRIMARY KEY, at INTEGER NOT NULL, workers TEXT NOT NULL) STRICT, WITHOUT ROWID;
",
];

/// The tables, with the columns that tell their rows apart; in the order of what refers to what.
pub(super) const TABLES: [(&str, &str); 14] = [
    ("journal", "name"),
    ("event", "journal, offset"),
    ("metric", "journal, offset"),
    ("log", "journal, offset"),
    ("act", "journal, offset"),
    ("run", "journal"),
    ("job", "id"),
    ("attempt", "run, key, number"),
    ("result", "key"),
    ("pin", "study, figure"),
    ("label", "attribute, annotator, picture"),
    ("set_aside", "key"),
    ("journal_aside", "name"),
    ("cluster", "run"),
];

pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let refused = |error| told(path, &error);
    if version(connection, path)? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(refused)?;
    // Read again: another process may have migrated while this one waited.
    for migration in MIGRATIONS.iter().skip(version(&transaction, path)?) {
        transaction.execute_batch(migration).map_err(refused)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(refused)?;
    transaction.commit().map_err(refused)
}

/// Tables and columns that a store of its version has, and this one has not.
pub(super) fn defects(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let applied: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let whole = Connection::open_in_memory()?;
    MIGRATIONS.iter().take(applied.max(0) as usize).try_for_each(|migration| whole.execute_batch(migration))?;
    let (wanted, found) = (columns(&whole)?, columns(connection)?);
    let tables = |of: &BTreeSet<(String, String)>| of.iter().map(|(table, _)| table.clone()).collect::<BTreeSet<_>>();
    let there = tables(&found);
    let absent = tables(&wanted)
        .into_iter()
        .filter(|table| !there.contains(table))
        .map(|table| format!("the database lacks the table {table}"));
    let cut = wanted.difference(&found).filter(|(table, _)| there.contains(table));
    let cut = cut.map(|(table, column)| format!("the table {table} of the database lacks the column {column}"));
    Ok(absent.chain(cut).collect())
}

/// Every table with each of its columns.
fn columns(connection: &Connection) -> rusqlite::Result<BTreeSet<(String, String)>> {
    let query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";
    connection.prepare(query)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn version(connection: &Connection, path: &Path) -> Result<usize> {
    let applied: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| told(path, &error))?;
    let tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table'";
    if applied == 0 && connection.query_row(tables, [], |row| row.get::<_, i64>(0)).map_err(|error| told(path, &error))? > 0 {
        return Err(Fault::asked("this is the database of another program, and no store")
            .in_file(path)
            .next("name another file with --store FILE"));
    }
    if applied < 0 || applied as usize > MIGRATIONS.len() {
        return Err(Fault::asked("the store was written by a later visavis")
            .in_file(path)
            .next("use that visavis, or another store with --store FILE"));
    }
    Ok(applied as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Index;

    #[test]
    fn a_store_that_lost_a_table_or_a_column_is_told_from_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("visavis.db");
        assert_eq!(Index::open(&path).unwrap().check().unwrap(), Vec::<String>::new());
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("DROP TABLE pin; ALTER TABLE result DROP COLUMN seconds;").unwrap();
        let defects = Index::open_to_read(&path).unwrap().unwrap().check().unwrap();
        assert_eq!(defects, ["the database lacks the table pin", "the table result of the database lacks the column seconds"]);
    }

    #[test]
    fn the_database_of_another_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE photo (id INTEGER);").unwrap();
        let before = std::fs::read(&path).unwrap();
        for fault in [Index::open(&path).err(), Index::open_to_read(&path).err()] {
            assert!(fault.is_some_and(|fault| fault.what.contains("another program")));
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
