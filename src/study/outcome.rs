//! What a study found: the read model of reports, exports and screens, names joined to results.

use super::{
    plan::Plan,
    steps::{Step, projected},
};
use std::collections::BTreeMap;
use visavis_core::{
    dataset::faces::Truth,
    domain::{
        Fault, Key, Result,
        contrast::{self, ContrastSides},
        index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
        ledger::{CellId, Frequencies, Ledger, LedgerRow, ShownAs},
        result::Manifest,
        score::{FeatureScore, FeatureScores, ProbeScore, Scores},
        simultaneous::{CellTest, DifferenceVerdict, SimultaneousTests},
        stage::{Ranking, ScoreFeatures, ScoreViews, Simultaneous, Work},
    },
};

/// Scores of one model at one layer on one comparison; `projection: None` for the features themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScoreOf {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub projection: Option<ProjectionIx>,
    pub comparison: ComparisonIx,
}

/// Scores, and where they stand: an output of a result, from this JSON pointer on.
pub struct ScoreSource {
    pub key: Key,
    pub output: &'static str,
    pub pointer: String,
    pub scores: Scores,
    /// Of features alone.
    pub probe: Option<ProbeScore>,
}

/// What is said of a ranked cell, all cells that are tested together considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellVerdict {
    Separates,
    AboveChance,
    Inconclusive,
}

impl CellVerdict {
    pub fn word(self) -> &'static str {
        match self {
            CellVerdict::Separates => "separates",
            CellVerdict::AboveChance => "above chance",
            CellVerdict::Inconclusive => "inconclusive",
        }
    }
}

/// Why a ranked cell is in the report, or is not.
fn reason_of_ranked(row: &LedgerRow, separates: bool) -> String {
    let reason = match (row.picked, row.chosen, separates) {
        (true, ..) => "picked: separates",
        (false, false, _) => "not picked: another view of this model scores higher on the selection half",
        (false, true, false) => "not picked: the simultaneous lower bound is below the threshold",
        (false, true, true) => "not picked: separates, and enough figures rank higher",
    };
    let stands_for: Vec<&str> = row.shown_as.iter().filter(|shown| **shown != ShownAs::Best).map(|shown| shown.word()).collect();
    if stands_for.is_empty() { reason.to_owned() } else { format!("{reason}; shown as the {}", stands_for.join(" and the ")) }
}

pub struct StudyOutcome<'a> {
    pub plan: &'a Plan,
    pub scores: BTreeMap<ScoreOf, ScoreSource>,
    pub grid: SimultaneousTests,
    pub gridded: Key,
    /// The sides of contrasts that the grid's differences are of.
    pub held: Vec<ContrastSides>,
    /// What is said of each difference of the grid.
    pub verdicts: Vec<DifferenceVerdict>,
    pub ledger: Ledger,
    /// By model and comparison: the place in the ledger of the view that was chosen on the selection half.
    pub chosen: BTreeMap<(ModelIx, ComparisonIx), usize>,
    pub frequencies: Frequencies,
    pub ranked: Key,
    /// What was planted in drawn faces.
    pub truth: Option<Truth>,
    pub shown: Vec<(CellId, Vec<ShownAs>)>,
}

impl<'a> StudyOutcome<'a> {
    /// # Errors
    /// A study that was not run yet, or objects that are damaged.
    pub fn load(plan: &'a Plan) -> Result<Self> {
        let absent = || Fault::missing("the study has no results to show yet").next("run it first: visavis run STUDY");
        let ledger = plan.ledger()?.ok_or_else(absent)?;
        let frequencies = plan.frequencies()?.ok_or_else(absent)?;
        let mut scores = BTreeMap::new();
        for (step, manifest) in plan.results() {
            let key = manifest.key;
            match step {
                Step::Score { model, layer, projection, comparison } => {
                    let found = plan.json(step, ScoreViews::SCORES)?.ok_or_else(absent)?;
                    let of = ScoreOf { model, layer, projection: Some(projection), comparison };
                    scores.insert(
                        of,
                        ScoreSource { key, output: ScoreViews::SCORES, pointer: String::new(), scores: found, probe: None },
                    );
                }
                Step::FeatureScores { model, layer } => {
                    let space: FeatureScores = plan.json(step, ScoreFeatures::SCORES)?.ok_or_else(absent)?;
                    let Work::FeatureScores(ScoreFeatures { questions, .. }) = &manifest.work else { continue };
                    for (comparison, asked) in plan.study.comparisons.iter_enumerated() {
                        let Some(place) = questions.iter().position(|question| *question == asked.question) else { continue };
                        let Some(FeatureScore { scores: found, probe }) = space.answers.get(place).cloned() else { continue };
                        let pointer = format!("/answers/{place}/scores");
                        let of = ScoreOf { model, layer, projection: None, comparison };
                        scores.insert(of, ScoreSource { key, output: ScoreFeatures::SCORES, pointer, scores: found, probe });
                    }
                }
                _ => {}
            }
        }
        let grid: SimultaneousTests = plan.json(Step::Simultaneous, Simultaneous::TESTS)?.ok_or_else(absent)?;
        let gridded = plan.result(Step::Simultaneous).ok_or_else(absent)?.key;
        let ranked = plan.result(Step::Rank).ok_or_else(absent)?.key;
        let truth = plan.json(Step::Rank, Ranking::PLANTED)?;
        let held = contrast::held(&plan.study);
        let verdicts = grid.verdicts(&held, &ledger);
        let chosen = ledger.rows.iter().enumerate().filter(|(_, row)| row.chosen);
        Ok(StudyOutcome {
            chosen: chosen.map(|(place, row)| ((row.candidate.cell.model, row.candidate.cell.comparison), place)).collect(),
            plan,
            scores,
            grid,
            gridded,
            held,
            verdicts,
            shown: plan.shown(&ledger),
            ledger,
            frequencies,
            ranked,
            truth,
        })
    }

    /// The result behind a cell's score, and the place of its view in it.
    pub fn cell(&self, cell: &CellId) -> Option<(&ScoreSource, usize)> {
        let scored = self.scores.get(&ScoreOf {
            model: cell.model,
            layer: cell.layer,
            projection: Some(cell.projection),
            comparison: cell.comparison,
        })?;
        Some((scored, scored.scores.views.iter().position(|view| view.view == cell.view)?))
    }

    /// Why a cell is shown or left out. Results know classes by their places; people by their names.
    pub fn reason(&self, row: &LedgerRow) -> String {
        match row.rank {
            None => self.named(row.candidate.cell.comparison, &row.reason),
            Some(_) => reason_of_ranked(row, self.separates(row)),
        }
    }

    /// Why something is not ranked, with the names of the halves and of the comparison's classes.
    pub fn named(&self, comparison: ComparisonIx, reason: &str) -> String {
        let classes = &self.plan.study.comparisons[comparison].classes;
        let reason = reason.replace("half A", "the selection half").replace("half B", "the evaluation half");
        // From the last, so that `class 1` does not eat the head of `class 10`.
        let named =
            |text: String, (place, name): (usize, &String)| text.replace(&format!("class {} ", place + 1), &format!("“{name}” "));
        classes.iter().enumerate().rev().fold(reason, named)
    }

    /// What is said of a cell.
    pub fn verdict(&self, row: &LedgerRow) -> CellVerdict {
        match (self.separates(row), self.tells(row)) {
            (true, _) => CellVerdict::Separates,
            (false, true) => CellVerdict::AboveChance,
            (false, false) => CellVerdict::Inconclusive,
        }
    }

    /// How sure a ranked cell is, the others of its family considered.
    pub fn sureness(&self, cell: &CellId) -> Option<&CellTest> {
        self.grid.of(cell)
    }

    /// Its lower bound, which allows for the others of its family, reaches the threshold.
    pub fn separates(&self, of: &LedgerRow) -> bool {
        of.low.is_some_and(|low| low >= self.plan.study.statistics.separates_at)
    }

    /// Better than the luckiest of as many cells of its family without signal.
    pub fn tells(&self, of: &LedgerRow) -> bool {
        self.sureness(&of.candidate.cell).is_some_and(CellTest::is_told)
    }

    /// The chosen views on a comparison, in the order of models, with their places in the ledger.
    pub fn chosen_on(&self, comparison: ComparisonIx) -> impl Iterator<Item = (usize, &LedgerRow)> {
        self.chosen.iter().filter(move |((_, of), _)| *of == comparison).map(|(_, &place)| (place, &self.ledger.rows[place]))
    }

    /// Those of a model, in the order of the ledger.
    pub fn chosen_of(&self, model: ModelIx) -> impl Iterator<Item = (usize, &LedgerRow)> {
        self.ledger.rows.iter().enumerate().filter(move |(_, row)| row.chosen && row.candidate.cell.model == model)
    }

    /// What a side of a contrast is called: a model, or what several trainings of one have in common.
    pub fn side(&self, models: &[ModelIx]) -> String {
        let name = models.first().map_or("", |&model| self.plan.study.models[model].name.as_str());
        let family = name.rsplit_once('@').filter(|_| models.len() > 1);
        family.map_or(name, |(family, _)| family).to_owned()
    }

    pub fn projected(&self, cell: &CellId) -> Option<&Manifest> {
        self.plan.result(projected(*cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::{ledger::Candidate, projection::View};

    fn row(picked: bool, chosen: bool, shown_as: Vec<ShownAs>) -> LedgerRow {
        let cell = CellId {
            model: ModelIx(0),
            layer: LayerIx(0),
            projection: ProjectionIx(0),
            view: View::Map,
            comparison: ComparisonIx(0),
        };
        let candidate = Candidate { cell, a: None, b: None, unranked: None };
        LedgerRow { candidate, rank: Some(1), picked, chosen, low: None, shown_as, reason: String::new() }
    }

    #[test]
    fn the_ledger_gives_a_reason_for_each_cell() {
        assert_eq!(reason_of_ranked(&row(true, true, vec![ShownAs::Best]), true), "picked: separates");
        assert_eq!(
            reason_of_ranked(&row(false, true, vec![ShownAs::Median, ShownAs::Worst]), false),
            "not picked: the simultaneous lower bound is below the threshold; shown as the median and the worst"
        );
        assert!(reason_of_ranked(&row(false, true, vec![]), true).ends_with("enough figures rank higher"));
        assert!(reason_of_ranked(&row(false, false, vec![]), true).contains("another view of this model"));
    }
}
