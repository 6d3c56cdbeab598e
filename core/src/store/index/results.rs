//! Results into tables: what was made, and what it took. One that cannot be taken in is set aside with the reason, and is never
//! in the way of others. Its scores and its figure stay in their objects; here it is only seen to that they can be used.

use super::{Index, schema};
use crate::{
    domain::{
        Ending, Fault, Key, Result,
        result::Manifest,
        score::Scores,
        stage::{Figure, ScoreViews},
    },
    store::{Objects, Results},
};
use rusqlite::{ErrorCode, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

/// A result that could not be taken in, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Aside {
    /// The result's key.
    pub key: Key,
    /// A sentence for people.
    pub why: String,
}

/// A result that can be used, and when its file was put in its place.
struct SoundResult {
    manifest: Manifest,
    stamp: u64,
}

impl Index {
    /// Takes in results, in one transaction.
    pub fn take_results(&mut self, manifests: Vec<Manifest>, results: &Results, objects: &Objects) -> Result<()> {
        let held = |manifest: Manifest| {
            let (key, stamp) = (manifest.key, results.stamp(manifest.key));
            SoundResult::of(manifest, stamp, objects).map_or_else(|fault| Aside::of(key, fault).map(Err), |held| Ok(Ok(held)))
        };
        let held = manifests.into_iter().map(held).collect::<Result<Vec<_>>>()?;
        self.insert(&held, &[])
    }

    /// Takes in every result that is not here yet or was replaced, and forgets those that are there no more. Those that
    /// cannot be read or taken in are set aside, and tried again the next time.
    pub fn match_results(&mut self, results: &Results, objects: &Objects) -> Result<()> {
        let known = self.stamps()?;
        let there: BTreeMap<Key, u64> = results.all()?.into_iter().map(|key| (key, results.stamp(key))).collect();
        let aside = self.set_aside()?.into_iter().map(|aside| aside.key);
        let gone: BTreeSet<Key> = known.keys().copied().chain(aside).filter(|key| !there.contains_key(key)).collect();
        self.insert(&[], &gone.into_iter().collect::<Vec<_>>())?;
        let new: Vec<(Key, u64)> = there.into_iter().filter(|(key, stamp)| known.get(key) != Some(stamp)).collect();
        for some in new.chunks(500) {
            let mut held = Vec::new();
            for &(key, stamp) in some {
                match results.get(key).and_then(|manifest| manifest.map(|of| SoundResult::of(of, stamp, objects)).transpose()) {
                    Ok(sound) => held.extend(sound.map(Ok)),
                    Err(fault) => held.push(Err(Aside::of(key, fault)?)),
                }
            }
            self.insert(&held, &[])?;
        }
        Ok(())
    }

    fn insert(&mut self, held: &[std::result::Result<SoundResult, Aside>], gone: &[Key]) -> Result<()> {
        let outcome = (|| {
            let mut transaction = self.connection.transaction()?;
            gone.iter().try_for_each(|key| forget(&transaction, *key))?;
            for held in held {
                match held {
                    Ok(held) => {
                        // What one result breaks is undone for that one alone.
                        let savepoint = transaction.savepoint()?;
                        match insert(&savepoint, held) {
                            Ok(()) => savepoint.commit()?,
                            Err(error) if of_the_row(&error) => {
                                savepoint.finish()?;
                                let why = format!("the store refuses it: {error}");
                                set_aside(&transaction, &Aside { key: held.manifest.key, why })?;
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    Err(aside) => set_aside(&transaction, aside)?,
                }
            }
            transaction.commit()
        })();
        self.ran(outcome)
    }

    /// The results that could not be taken in, by key.
    pub fn set_aside(&self) -> Result<Vec<Aside>> {
        // Made by an earlier release and only looked at: it knows of none.
        if schema::version(&self.connection, &self.path())? < 3 {
            return Ok(vec![]);
        }
        let outcome = (|| {
            let mut statement = self.connection.prepare("SELECT key, why FROM set_aside ORDER BY key")?;
            let row = |row: &rusqlite::Row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
            statement.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()
        })();
        Ok(self.ran(outcome)?.into_iter().filter_map(|(key, why)| Some(Aside { key: key.parse().ok()?, why })).collect())
    }

    fn stamps(&self) -> Result<BTreeMap<Key, u64>> {
        let outcome = (|| {
            let mut statement = self.connection.prepare("SELECT key, stamp FROM result")?;
            let row = |row: &rusqlite::Row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
            statement.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()
        })();
        Ok(self.ran(outcome)?.iter().filter_map(|(key, stamp)| Some((key.parse().ok()?, *stamp as u64))).collect())
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

impl Aside {
    /// A fault of the machine is not the result's, and is passed on.
    fn of(key: Key, fault: Fault) -> Result<Self> {
        if fault.ending == Ending::Unexpected {
            return Err(fault);
        }
        Ok(Aside { key, why: fault.what })
    }
}

impl SoundResult {
    /// # Errors
    /// Scores that cannot be used; a figure that is not there, or damaged.
    fn of(manifest: Manifest, stamp: u64, objects: &Objects) -> Result<Self> {
        check_scores(&manifest, objects)?;
        if let Some(figure) = manifest.output(Figure::SVG) {
            objects.get(figure.digest)?;
        }
        Ok(SoundResult { manifest, stamp })
    }
}

/// Can the scores of a result be used, if it has any?
///
/// # Errors
/// Scores that are not there, cannot be read, are of a later format, or hold one view twice.
pub fn check_scores(manifest: &Manifest, objects: &Objects) -> Result<()> {
    let Some(output) = manifest.output(ScoreViews::SCORES) else { return Ok(()) };
    let wrong = |why: String| Fault::differs(format!("its scores cannot be used: {why}"));
    let bytes = objects.get(output.digest)?;
    #[derive(serde::Deserialize)]
    struct FormatField {
        format: u32,
    }
    let FormatField { format } = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if format > Scores::FORMAT {
        return Err(wrong(format!("they are of format {format}, and this visavis reads up to {}", Scores::FORMAT)));
    }
    let scores: Scores = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = scores.views.iter().map(|scored| scored.view).find(|view| !seen.insert(*view)) {
        return Err(wrong(format!("the view {twice} is in them twice")));
    }
    Ok(())
}

/// Is it this row that the store refuses, and not the disk or the file?
pub(super) fn of_the_row(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
        }
        rusqlite::Error::ToSqlConversionFailure(_) => true,
        _ => false,
    }
}

fn set_aside(transaction: &Transaction, Aside { key, why }: &Aside) -> rusqlite::Result<()> {
    forget(transaction, *key)?;
    transaction.prepare_cached("INSERT INTO set_aside VALUES (?1, ?2)")?.execute([key.to_string(), why.clone()]).map(|_| ())
}

/// Neither taken in nor set aside.
fn forget(connection: &rusqlite::Connection, key: Key) -> rusqlite::Result<()> {
    for query in ["DELETE FROM result WHERE key = ?1", "DELETE FROM set_aside WHERE key = ?1"] {
        connection.prepare_cached(query)?.execute([key.to_string()])?;
    }
    Ok(())
}

fn insert(connection: &rusqlite::Connection, SoundResult { manifest, stamp }: &SoundResult) -> rusqlite::Result<()> {
    let provenance = &manifest.provenance;
    // A result made again (--force) takes the place of the first.
    forget(connection, manifest.key)?;
    connection.prepare_cached("INSERT INTO result VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
        manifest.key.to_string(),
        manifest.work.cost_class(),
        manifest.content().to_string(),
        manifest.outputs.iter().map(|output| output.bytes).sum::<u64>() as i64,
        provenance.worker,
        provenance.attempt,
        provenance.seconds,
        *stamp as i64
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Digest,
        result::{Facts, Provenance},
        stage::{self, Work},
    };

    /// A result that took so many seconds; the table takes any number of them, and refuses what is none.
    fn result(name: &str, seconds: f64) -> SoundResult {
        let manifest = Manifest {
            format: 1,
            key: Key(Digest::of(name.as_bytes())),
            stage: stage::Kind::Index,
            version: 1,
            work: Work::Index(stage::IndexImages { take: None }),
            inputs: vec![],
            outputs: vec![],
            facts: Facts::new(),
            provenance: Provenance { seconds, ..Provenance::unknown() },
        };
        SoundResult { manifest, stamp: 1 }
    }

    /// Whatever a constraint refuses is that result's own affair.
    #[test]
    fn a_result_that_breaks_a_constraint_is_set_aside_and_the_others_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut index = Index::open(&folder.path().join("visavis.db")).unwrap();
        let keys = |names: &[&str]| {
            let mut keys: Vec<Key> = names.iter().map(|name| Key(Digest::of(name.as_bytes()))).collect();
            keys.sort();
            keys
        };
        let all = [result("a", 1.0), result("b", f64::NAN), result("c", 3.0)];
        index.insert(&all.map(Ok), &[]).unwrap();
        assert_eq!(index.keys().unwrap(), keys(&["a", "c"]));
        let aside = index.set_aside().unwrap();
        assert!(aside.len() == 1 && aside[0].key == keys(&["b"])[0] && aside[0].why.contains("NOT NULL"), "{aside:?}");
        // Made again without its fault it is taken in; and one that was there may be refused later.
        index.insert(&[Ok(result("b", 2.0)), Ok(result("a", f64::NAN))], &[]).unwrap();
        assert_eq!(index.keys().unwrap(), keys(&["b", "c"]));
        assert_eq!(index.set_aside().unwrap()[0].key, keys(&["a"])[0]);
        index.insert(&[], &keys(&["a"])).unwrap();
        assert_eq!(index.set_aside().unwrap(), vec![]);
        assert_eq!(index.check().unwrap(), Vec::<String>::new());
    }
}
