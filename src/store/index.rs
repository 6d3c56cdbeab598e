//! The index `data/visavis.db`: SQLite, rebuildable from results and journals. The only SQL of Visavis.
//!
//! Migrations are only ever appended; `user_version` says how many were applied.

use super::{Objects, Results, journal};
use crate::domain::{
    Ending, Fault, Key, Result,
    event::Event,
    result::Manifest,
    score::{Estimate, Scores},
};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::{collections::BTreeSet, path::Path, time::Duration};

const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE result (key TEXT PRIMARY KEY, stage TEXT NOT NULL, content TEXT NOT NULL, started INTEGER NOT NULL, seconds REAL NOT NULL) STRICT;
    CREATE TABLE score (
        key TEXT NOT NULL REFERENCES result ON DELETE CASCADE, view TEXT NOT NULL, score TEXT NOT NULL,
        value REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, PRIMARY KEY (key, view, score)
    ) STRICT;
    CREATE TABLE figure (key TEXT PRIMARY KEY REFERENCES result ON DELETE CASCADE, svg BLOB NOT NULL) STRICT;
    CREATE TABLE journal (name TEXT PRIMARY KEY, events INTEGER NOT NULL) STRICT;
    CREATE TABLE event (journal TEXT NOT NULL REFERENCES journal, number INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (journal, number)) STRICT;
"];

pub struct Index {
    connection: Connection,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    pub view: String,
    pub score: String,
    pub estimate: Estimate,
}

impl Index {
    /// Opens the index for writing, made or brought up to date as needed. The caller holds the workspace's lock.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Fault::io("create the folder", folder, &error))?;
        }
        let refused = |error| told(path, &error);
        let mut connection = Connection::open(path).map_err(refused)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(refused)?;
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(refused)?;
        let applied = version(&connection, path)?;
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive).map_err(refused)?;
        for migration in MIGRATIONS.iter().skip(applied) {
            transaction.execute_batch(migration).map_err(refused)?;
        }
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(refused)?;
        transaction.commit().map_err(refused)?;
        Ok(Index { connection })
    }

    /// Opens an index that is there, for reading.
    pub fn look(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| told(path, &error))?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(|error| told(path, &error))?;
        version(&connection, path)?;
        Ok(Some(Index { connection }))
    }

    fn path(&self) -> std::path::PathBuf {
        self.connection.path().unwrap_or("visavis.db").into()
    }

    fn ran<T>(&self, outcome: rusqlite::Result<T>) -> Result<T> {
        outcome.map_err(|error| told(&self.path(), &error))
    }

    /// Takes in every journal's events that are not here yet; each exactly once, for its number is part of its key.
    pub fn ingest(&mut self, journals: &Path) -> Result<()> {
        let mut files: Vec<_> = std::fs::read_dir(journals).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "journal"));
        files.sort();
        for path in files {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let events = journal::read(&path)?.events;
            let outcome = self.take_in(&name, &events);
            self.ran(outcome)?;
        }
        Ok(())
    }

    fn take_in(&mut self, journal: &str, events: &[Event]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let known: i64 = transaction
            .query_row("SELECT events FROM journal WHERE name = ?1", [journal], |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        if known as usize >= events.len() {
            return Ok(());
        }
        transaction.execute(
            "INSERT INTO journal VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET events = ?2",
            params![journal, events.len() as i64],
        )?;
        for (number, event) in events.iter().enumerate().skip(known as usize) {
            let body = serde_json::to_string(event).expect("an event that was read can be written");
            transaction
                .execute("INSERT INTO event VALUES (?1, ?2, ?3, ?4)", params![journal, number as i64, event.at as i64, body])?;
        }
        transaction.commit()
    }

    /// Takes in one event as it is journaled, so that a second process sees it at once. One that does not follow on what is
    /// known is left for [`Index::ingest`].
    pub fn take_event(&mut self, journal: &str, number: usize, event: &Event) -> Result<()> {
        let outcome = self.insert_event(journal, number as i64, event);
        self.ran(outcome)
    }

    fn insert_event(&mut self, journal: &str, number: i64, event: &Event) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("INSERT INTO journal VALUES (?1, 0) ON CONFLICT DO NOTHING", [journal])?;
        let follows = transaction
            .execute("UPDATE journal SET events = ?2 + 1 WHERE name = ?1 AND events = ?2", params![journal, number])?;
        if follows == 1 {
            let body = serde_json::to_string(event).expect("an event can be written");
            transaction.execute("INSERT INTO event VALUES (?1, ?2, ?3, ?4)", params![journal, number, event.at as i64, body])?;
        }
        transaction.commit()
    }

    /// Takes in a result, with its scores or its figure.
    pub fn take_result(&mut self, manifest: &Manifest, objects: &Objects) -> Result<()> {
        let bytes = |name: &str| manifest.output(name).map(|output| objects.get(output.digest)).transpose();
        let scores = bytes("scores.json")?.and_then(|bytes| serde_json::from_slice::<Scores>(&bytes).ok());
        let svg = bytes("figure.svg")?;
        let outcome = self.insert(manifest, scores.as_ref(), svg.as_deref());
        self.ran(outcome)
    }

    /// Takes in every result that is not here yet. What is damaged is left out: `store check` names it.
    pub fn take_results(&mut self, results: &Results, objects: &Objects) -> Result<()> {
        let known: BTreeSet<Key> = self.keys()?.into_iter().collect();
        for key in results.all().into_iter().filter(|key| !known.contains(key)) {
            if let Ok(Some(manifest)) = results.get(key) {
                self.take_result(&manifest, objects)
                    .or_else(|fault| if fault.ending == Ending::Unexpected { Err(fault) } else { Ok(()) })?;
            }
        }
        Ok(())
    }

    fn insert(&mut self, manifest: &Manifest, scores: Option<&Scores>, svg: Option<&[u8]>) -> rusqlite::Result<()> {
        let key = manifest.key.to_string();
        let transaction = self.connection.transaction()?;
        // A result made again (--force) takes the place of the first, with its scores.
        transaction.execute("DELETE FROM result WHERE key = ?1", [&key])?;
        transaction.execute(
            "INSERT INTO result VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                key,
                manifest.stage.word(),
                manifest.content().to_string(),
                manifest.provenance.started as i64,
                manifest.provenance.seconds
            ],
        )?;
        for row in scores.map(rows).unwrap_or_default() {
            let Estimate { value, low, high } = row.estimate;
            transaction.execute(
                "INSERT INTO score VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![key, row.view, row.score, value, low, high],
            )?;
        }
        if let Some(svg) = svg {
            transaction.execute("INSERT INTO figure VALUES (?1, ?2)", params![key, svg])?;
        }
        transaction.commit()
    }

    /// Every event, in the order of their times.
    pub fn events(&self) -> Result<Vec<Event>> {
        let outcome = (|| {
            let mut statement = self.connection.prepare("SELECT body FROM event ORDER BY at, journal, number")?;
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<String>>>()
        })();
        Ok(self.ran(outcome)?.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
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
            found.extend((foreign > 0).then(|| format!("{foreign} rows point to rows that are not there")));
            Ok(found)
        })();
        self.ran(outcome)
    }

    /// The keys of the results it knows.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let outcome = (|| {
            let mut statement = self.connection.prepare("SELECT key FROM result ORDER BY key")?;
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<String>>>()
        })();
        Ok(self.ran(outcome)?.iter().filter_map(|key| key.parse().ok()).collect())
    }
}

fn version(connection: &Connection, path: &Path) -> Result<usize> {
    let applied: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| told(path, &error))?;
    if applied as usize > MIGRATIONS.len() {
        return Err(Fault::asked("the store was written by a later visavis")
            .in_file(path)
            .next("use that visavis, or another store with --store FILE"));
    }
    Ok(applied as usize)
}

/// One row a score of a view, under the names that exports use.
pub fn rows(scores: &Scores) -> Vec<ScoreRow> {
    let named = |view: &crate::domain::score::ViewScore| {
        let gradient = if scores.counts.classes.len() == 1 { "spearman" } else { "monotone_auc" };
        let all = [
            ("knn_auc", view.whole),
            ("knn_auc_a", view.a),
            ("knn_auc_b", view.b),
            ("knn_auc_least", view.least),
            (gradient, view.monotone),
        ];
        let name = view.view.to_string();
        all.into_iter()
            .filter_map(move |(score, estimate)| {
                Some(ScoreRow { view: name.clone(), score: score.to_owned(), estimate: estimate? })
            })
            .collect::<Vec<_>>()
    };
    scores.views.iter().flat_map(named).collect()
}

fn told(path: &Path, error: &rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode as Code;
    let fault = Fault::unexpected(format!("the store cannot be used: {error}")).in_file(path);
    match error.sqlite_error_code() {
        Some(Code::DiskFull) => fault.next("free some space and run the same command again: what was finished is kept"),
        Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
            fault.next("check the permissions, or put the store elsewhere with --store FILE")
        }
        Some(Code::NotADatabase | Code::DatabaseCorrupt) => {
            fault.next("`visavis store rebuild` makes it again from results and journals")
        }
        _ => fault,
    }
}

/// The version of the bundled SQLite.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
