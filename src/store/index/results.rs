//! Results into tables: what was made, its scores, its figure.

use super::Index;
use crate::{
    domain::{
        Ending, Key, Result,
        result::Manifest,
        score::{Estimate, Scores},
    },
    store::{Objects, Results},
};
use rusqlite::{Transaction, params};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    pub view: String,
    pub score: String,
    pub estimate: Estimate,
}

/// What is taken from one result.
struct Held {
    manifest: Manifest,
    stamp: u64,
    scores: Option<Scores>,
    svg: Option<Vec<u8>>,
}

impl Index {
    /// Takes in results, with their scores and figures, in one transaction.
    pub fn take_results(&mut self, manifests: Vec<Manifest>, results: &Results, objects: &Objects) -> Result<()> {
        let held = |manifest: Manifest| {
            let stamp = results.stamp(manifest.key);
            Held::of(manifest, stamp, objects)
        };
        let held = manifests.into_iter().map(held).collect::<Result<Vec<_>>>()?;
        self.insert(&held, &[])
    }

    /// Takes in every result that is not here yet or was replaced, and forgets those that are there no more. Those that
    /// cannot be read are left out, and returned: `store check` says what is wrong with them.
    pub fn match_results(&mut self, results: &Results, objects: &Objects) -> Result<Vec<Key>> {
        let known = self.stamps()?;
        let there: BTreeMap<Key, u64> = results.all()?.into_iter().map(|key| (key, results.stamp(key))).collect();
        let gone: Vec<Key> = known.keys().filter(|key| !there.contains_key(key)).copied().collect();
        self.insert(&[], &gone)?;
        let new: Vec<(Key, u64)> = there.into_iter().filter(|(key, stamp)| known.get(key) != Some(stamp)).collect();
        let mut damaged = Vec::new();
        for some in new.chunks(500) {
            let mut sound = Vec::new();
            for &(key, stamp) in some {
                let held = results.get(key).and_then(|manifest| manifest.map(|of| Held::of(of, stamp, objects)).transpose());
                match held {
                    Ok(held) => sound.extend(held),
                    Err(fault) if fault.ending == Ending::Unexpected => return Err(fault),
                    Err(_) => damaged.push(key),
                }
            }
            self.insert(&sound, &damaged)?;
        }
        Ok(damaged)
    }

    fn insert(&mut self, held: &[Held], gone: &[Key]) -> Result<()> {
        let outcome = (|| {
            let transaction = self.connection.transaction()?;
            for key in gone {
                transaction.prepare_cached("DELETE FROM result WHERE key = ?1")?.execute([key.to_string()])?;
            }
            held.iter().try_for_each(|held| insert(&transaction, held))?;
            transaction.commit()
        })();
        self.ran(outcome)
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

impl Held {
    fn of(manifest: Manifest, stamp: u64, objects: &Objects) -> Result<Self> {
        let bytes = |name: &str| manifest.output(name).map(|output| objects.get(output.digest)).transpose();
        let scores = bytes("scores.json")?.and_then(|bytes| serde_json::from_slice::<Scores>(&bytes).ok());
        let svg = bytes("figure.svg")?;
        Ok(Held { manifest, stamp, scores, svg })
    }
}

fn insert(transaction: &Transaction, Held { manifest, stamp, scores, svg }: &Held) -> rusqlite::Result<()> {
    let key = manifest.key.to_string();
    let provenance = &manifest.provenance;
    // A result made again (--force) takes the place of the first, with its scores.
    transaction.prepare_cached("DELETE FROM result WHERE key = ?1")?.execute([&key])?;
    transaction.prepare_cached("INSERT INTO result VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(params![
        key,
        manifest.stage.word(),
        manifest.work.alike(),
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
