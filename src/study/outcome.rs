//! What a study found: the read model of reports, exports and screens, names joined to results.

use super::{
    graph::{self, Step},
    plan::Plan,
};
use crate::domain::{
    Fault, Key, Result,
    ledger::{CellId, Frequencies, Ledger, Row, ShownAs},
    result::Manifest,
    score::Scores,
};
use std::collections::BTreeMap;

/// Scores of one model at one tap on one comparison; `projection: None` for the features themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScoreOf {
    pub model: usize,
    pub tap: usize,
    pub projection: Option<usize>,
    pub comparison: usize,
}

pub struct Outcome<'a> {
    pub plan: &'a Plan,
    pub scores: BTreeMap<ScoreOf, (Key, Scores)>,
    pub ledger: Ledger,
    pub frequencies: Frequencies,
    pub ranked: Key,
    pub shown: Vec<(CellId, Vec<ShownAs>)>,
}

impl<'a> Outcome<'a> {
    /// # Errors
    /// A study that was not run yet, or objects that are damaged.
    pub fn load(plan: &'a Plan) -> Result<Self> {
        let absent = || Fault::missing("the study has no results to show yet").next("run it first: visavis run STUDY");
        let ledger = plan.ledger()?.ok_or_else(absent)?;
        let frequencies = plan.frequencies()?.ok_or_else(absent)?;
        let mut scores = BTreeMap::new();
        for (step, manifest) in plan.results() {
            if let Step::Score { model, tap, projection, comparison } = step {
                let of = plan.json(step, "scores.json")?.ok_or_else(absent)?;
                scores.insert(ScoreOf { model, tap, projection, comparison }, (manifest.key, of));
            }
        }
        let ranked = plan.result(Step::Rank).ok_or_else(absent)?.key;
        Ok(Outcome { plan, scores, shown: graph::shown(&ledger), ledger, frequencies, ranked })
    }

    /// The result behind a cell's score, and the place of its view in it.
    pub fn cell(&self, cell: &CellId) -> Option<(Key, &Scores, usize)> {
        let (key, scores) = self.scores.get(&ScoreOf {
            model: cell.model,
            tap: cell.tap,
            projection: Some(cell.projection),
            comparison: cell.comparison,
        })?;
        Some((*key, scores, scores.views.iter().position(|view| view.view == cell.view)?))
    }

    /// Why a cell is shown or left out. Results know classes by their places; people by their names.
    pub fn reason(&self, row: &Row) -> String {
        let classes = &self.plan.study.comparisons[row.candidate.cell.comparison].classes;
        // From the last, so that `class 1` does not eat the head of `class 10`.
        let named =
            |text: String, (place, name): (usize, &String)| text.replace(&format!("class {} ", place + 1), &format!("“{name}” "));
        classes.iter().enumerate().rev().fold(row.reason.clone(), named)
    }

    pub fn projected(&self, cell: &CellId) -> Option<&Manifest> {
        self.plan.result(Step::Project { model: cell.model, tap: cell.tap, projection: cell.projection, seed: 0 })
    }
}
