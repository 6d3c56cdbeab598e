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
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    pub view: String,
    pub score: String,
    pub estimate: Estimate,
}

/// What is taken from one result.
struct Held {
    manifest: Manifest,
    scores: Option<Scores>,
    svg: Option<Vec<u8>>,
}

impl Index {
    /// Takes in results, with their scores and figures, in one transaction.
    pub fn take_results(&mut self, manifests: Vec<Manifest>, objects: &Objects) -> Result<()> {
        let held = manifests.into_iter().map(|manifest| Held::of(manifest, objects)).collect::<Result<Vec<_>>>()?;
        let outcome = (|| {
            let transaction = self.connection.transaction()?;
            held.iter().try_for_each(|held| insert(&transaction, held))?;
            transaction.commit()
        })();
        self.ran(outcome)
    }

    /// Takes in every result that is not here yet, and forgets those that are there no more. What is damaged is left out:
    /// `store check` names it.
    pub fn match_results(&mut self, results: &Results, objects: &Objects) -> Result<()> {
        let known: BTreeSet<Key> = self.keys()?.into_iter().collect();
        let there: BTreeSet<Key> = results.all().into_iter().collect();
        let gone: Vec<Key> = known.difference(&there).copied().collect();
        let outcome = (|| {
            let transaction = self.connection.transaction()?;
            for key in &gone {
                transaction.execute("DELETE FROM result WHERE key = ?1", [key.to_string()])?;
            }
            transaction.commit()
        })();
        self.ran(outcome)?;
        let new: Vec<Key> = there.difference(&known).copied().collect();
        for keys in new.chunks(500) {
            let manifests = keys.iter().filter_map(|&key| results.get(key).ok().flatten());
            let mut sound = Vec::new();
            for manifest in manifests {
                match Held::of(manifest, objects) {
                    Ok(held) => sound.push(held),
                    Err(fault) if fault.ending == Ending::Unexpected => return Err(fault),
                    Err(_) => {}
                }
            }
            let outcome = (|| {
                let transaction = self.connection.transaction()?;
                sound.iter().try_for_each(|held| insert(&transaction, held))?;
                transaction.commit()
            })();
            self.ran(outcome)?;
        }
        Ok(())
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
    fn of(manifest: Manifest, objects: &Objects) -> Result<Self> {
        let bytes = |name: &str| manifest.output(name).map(|output| objects.get(output.digest)).transpose();
        let scores = bytes("scores.json")?.and_then(|bytes| serde_json::from_slice::<Scores>(&bytes).ok());
        let svg = bytes("figure.svg")?;
        Ok(Held { manifest, scores, svg })
    }
}

fn insert(transaction: &Transaction, Held { manifest, scores, svg }: &Held) -> rusqlite::Result<()> {
    let key = manifest.key.to_string();
    let provenance = &manifest.provenance;
    // A result made again (--force) takes the place of the first, with its scores.
    transaction.prepare_cached("DELETE FROM result WHERE key = ?1")?.execute([&key])?;
    transaction.prepare_cached("INSERT INTO result VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(params![
        key,
        manifest.stage.word(),
        manifest.work.alike(),
        manifest.content().to_string(),
        manifest.outputs.iter().map(|output| output.bytes).sum::<u64>() as i64,
        provenance.worker,
        provenance.attempt,
        provenance.started as i64,
        provenance.seconds
    ])?;
    for row in scores.as_ref().map(rows).unwrap_or_default() {
        let Estimate { value, low, high } = row.estimate;
        transaction
            .prepare_cached("INSERT INTO score VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![key, row.view, row.score, value, low, high])?;
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
