//! Results into tables: what was made, its scores, its figure. One that cannot be taken in is set aside with the reason, and is
//! never in the way of others.

use super::{Index, schema};
use crate::{
    domain::{
        Ending, Fault, Key, Result,
        result::Manifest,
        score::{Estimate, Scores},
        stage::{Figure, ScoreViews},
    },
    store::{Objects, Results},
};
use rusqlite::{ErrorCode, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

/// One score of one view.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    /// As views display.
    pub view: String,
    /// Such as `knn_auc_b`.
    pub score: String,
    /// The value with its interval.
    pub estimate: Estimate,
}

/// A result that could not be taken in, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Aside {
    /// The result's key.
    pub key: Key,
    /// A sentence for people.
    pub why: String,
}

/// What is taken from one result.
struct LoadedResult {
    manifest: Manifest,
    stamp: u64,
    scores: Option<Scores>,
    svg: Option<Vec<u8>>,
}

impl Index {
    /// Takes in results, with their scores and figures, in one transaction.
    pub fn take_results(&mut self, manifests: Vec<Manifest>, results: &Results, objects: &Objects) -> Result<()> {
        let held = |manifest: Manifest| {
            let (key, stamp) = (manifest.key, results.stamp(manifest.key));
            LoadedResult::of(manifest, stamp, objects).map_or_else(|fault| Aside::of(key, fault).map(Err), |held| Ok(Ok(held)))
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
                match results.get(key).and_then(|manifest| manifest.map(|of| LoadedResult::of(of, stamp, objects)).transpose()) {
                    Ok(sound) => held.extend(sound.map(Ok)),
                    Err(fault) => held.push(Err(Aside::of(key, fault)?)),
                }
            }
            self.insert(&held, &[])?;
        }
        Ok(())
    }

    fn insert(&mut self, held: &[std::result::Result<LoadedResult, Aside>], gone: &[Key]) -> Result<()> {
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
                            Err(error) if of_the_result(&error) => {
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

impl LoadedResult {
    fn of(manifest: Manifest, stamp: u64, objects: &Objects) -> Result<Self> {
        let scores = scores_of(&manifest, objects)?;
        let svg = manifest.output(Figure::SVG).map(|output| objects.get(output.digest)).transpose()?;
        Ok(LoadedResult { manifest, stamp, scores, svg })
    }
}

/// The scores of a result, if it has any.
///
/// # Errors
/// Scores that are not there, cannot be read, are of a later format, or hold one view's score twice.
pub fn scores_of(manifest: &Manifest, objects: &Objects) -> Result<Option<Scores>> {
    let Some(output) = manifest.output(ScoreViews::SCORES) else { return Ok(None) };
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
    if let Some(row) = rows(&scores).into_iter().find(|row| !seen.insert((row.view.clone(), row.score.clone()))) {
        return Err(wrong(format!("the view {} is in them twice", row.view)));
    }
    Ok(Some(scores))
}

/// Is it this row that the store refuses, and not the disk or the file?
fn of_the_result(error: &rusqlite::Error) -> bool {
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

fn insert(
    transaction: &rusqlite::Connection,
    LoadedResult { manifest, stamp, scores, svg }: &LoadedResult,
) -> rusqlite::Result<()> {
    let key = manifest.key.to_string();
    let provenance = &manifest.provenance;
    // A result made again (--force) takes the place of the first, with its scores.
    forget(transaction, manifest.key)?;
    transaction.prepare_cached("INSERT INTO result VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(params![
        key,
        manifest.stage.word(),
        manifest.work.cost_class(),
        manifest.content().to_string(),
        manifest.outputs.iter().map(|output| output.bytes).sum::<u64>() as i64,
        provenance.worker,
        provenance.attempt,
        provenance.started as i64,
        provenance.seconds,
        *stamp as i64
    ])?;
    for row in scores.as_ref().map(rows).unwrap_or_default() {
        transaction.prepare_cached("INSERT INTO score VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
            key,
            row.view,
            row.score,
            row.estimate.value,
            row.estimate.low(),
            row.estimate.high()
        ])?;
    }
    if let Some(svg) = svg {
        transaction.prepare_cached("INSERT INTO figure VALUES (?1, ?2)")?.execute(params![key, svg])?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Digest,
        result::{Facts, Provenance},
        stage::{self, Work},
    };

    fn held(name: &str, views: &[&str]) -> LoadedResult {
        let manifest = Manifest {
            format: 1,
            key: Key(Digest::of(name.as_bytes())),
            stage: stage::Kind::Index,
            version: 1,
            work: Work::Index(stage::IndexImages { take: None }),
            inputs: vec![],
            outputs: vec![],
            facts: Facts::new(),
            provenance: Provenance {
                program: String::new(),
                host: String::new(),
                cpu: String::new(),
                system: String::new(),
                threads: 1,
                worker: String::new(),
                attempt: 1,
                started: 0,
                seconds: 0.0,
            },
        };
        let estimate = serde_json::json!({ "value": 0.5, "low": 0.4, "high": 0.6 });
        let view = |view: &&str| serde_json::json!({ "view": view, "whole": estimate, "a": null, "b": null, "least": null, "monotone": null });
        let counts = serde_json::json!({ "n": 1, "classes": [1, 1], "exclusive": [1, 1], "identities": [1, 1], "people": 2, "several": 0, "none": 0 });
        let scores = serde_json::json!({
            "format": 1, "counts": counts, "counts_a": counts, "counts_b": counts, "unranked": null, "seeds": 1,
            "views": views.iter().map(view).collect::<Vec<_>>(),
        });
        LoadedResult { manifest, stamp: 1, scores: Some(serde_json::from_value(scores).unwrap()), svg: None }
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
        let all = [held("a", &["map"]), held("b", &["map", "features", "map"]), held("c", &["features", "map"])];
        index.insert(&all.map(Ok), &[]).unwrap();
        assert_eq!(index.keys().unwrap(), keys(&["a", "c"]));
        let aside = index.set_aside().unwrap();
        assert!(aside.len() == 1 && aside[0].key == keys(&["b"])[0] && aside[0].why.contains("UNIQUE"), "{aside:?}");
        // Made again without its fault it is taken in; and one that was there may be refused later.
        index.insert(&[Ok(held("b", &["map"])), Ok(held("a", &["map", "map"]))], &[]).unwrap();
        assert_eq!(index.keys().unwrap(), keys(&["b", "c"]));
        assert_eq!(index.set_aside().unwrap()[0].key, keys(&["a"])[0]);
        index.insert(&[], &keys(&["a"])).unwrap();
        assert_eq!(index.set_aside().unwrap(), vec![]);
        assert_eq!(index.check().unwrap(), Vec::<String>::new());
    }
}
