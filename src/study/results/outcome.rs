//! What a study found: its ledger and the tests of all cells together, and what is said of each cell because of them.

use super::{ScoreOf, ScoreSource, SharedCropOutcome, StudyNames, StudyResults, StudyVisibility, visibility::Seen};
use crate::study::{
    names::{Piece, text_of},
    plan::Plan,
};
use std::collections::BTreeMap;
use visavis_core::{
    dataset::faces::Truth,
    domain::{
        Fault, Key, Result,
        contrast::{self, ContrastSides},
        index::{ComparisonIx, ModelIx},
        ledger::{CellId, Frequencies, Ledger, LedgerRow, ShownAs},
        simultaneous::{CellTest, DifferenceVerdict, SimultaneousTests},
    },
};

/// What is said of a ranked cell, all cells that are tested together considered; the best comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Why the rule picked a ranked cell, or did not.
fn picked_because(row: &LedgerRow, separates: bool) -> &'static str {
    match (row.picked, row.chosen, separates) {
        (true, ..) => "picked: separates",
        (false, false, _) => {
            "not picked: another view of this model scores at least as high on the selection half; of equals the first counts"
        }
        (false, true, false) => "not picked: the corrected lower bound is below the threshold",
        (false, true, true) => "not picked: separates, and enough figures rank higher",
    }
}

/// Why a ranked cell is in the report, or is not.
fn reason_of_ranked(row: &LedgerRow, separates: bool) -> String {
    let reason = picked_because(row, separates);
    let example = |shown: &ShownAs| match shown {
        ShownAs::Best => None,
        ShownAs::Random => Some("a random one".to_owned()),
        other => Some(format!("the {}", other.word())),
    };
    let examples: Vec<String> = row.shown_as.iter().filter_map(example).collect();
    if examples.is_empty() { reason.to_owned() } else { format!("{reason}; shown as {}", examples.join(" and ")) }
}

pub struct StudyOutcome<'a> {
    pub plan: &'a Plan,
    pub results: StudyResults<'a>,
    pub scores: BTreeMap<ScoreOf, ScoreSource>,
    pub grid: SimultaneousTests,
    pub gridded: Key,
    /// The sides of contrasts that the grid's differences are of.
    pub held: Vec<ContrastSides>,
    /// What is said of each difference of the grid.
    pub verdicts: Vec<DifferenceVerdict>,
    /// Which attributes lie outside of whose crop.
    pub visibility: StudyVisibility,
    /// The contrasts whose crops differ, on a shared crop.
    pub shared_crops: SharedCropOutcome,
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
        let results = StudyResults::of(plan);
        let scores = results.scores()?;
        Self::of(plan, results, scores)
    }

    /// With scores that were read already.
    ///
    /// # Errors
    /// A study that has no ledger yet, or objects that are damaged.
    pub fn of(plan: &'a Plan, results: StudyResults<'a>, scores: BTreeMap<ScoreOf, ScoreSource>) -> Result<Self> {
        let absent = || Fault::missing("the study has no results to show yet").next("run it first: visavis run STUDY");
        let ledger = results.ledger()?.ok_or_else(absent)?;
        let frequencies = results.frequencies()?.ok_or_else(absent)?.value;
        let tests = results.simultaneous()?.ok_or_else(absent)?;
        let (ranked, ledger, grid) = (ledger.key, ledger.value, tests.value);
        let held = contrast::held(&plan.study);
        let chosen = ledger.rows.iter().enumerate().filter(|(_, row)| row.chosen);
        Ok(StudyOutcome {
            chosen: chosen.map(|(place, row)| ((row.candidate.cell.model, row.candidate.cell.comparison), place)).collect(),
            verdicts: grid.verdicts(&held, &ledger),
            shared_crops: SharedCropOutcome::load(&results)?,
            visibility: results.visibility()?,
            truth: results.truth()?.map(|of| of.value),
            shown: plan.shown(&ledger),
            gridded: tests.key,
            plan,
            results,
            scores,
            grid,
            held,
            ledger,
            frequencies,
            ranked,
        })
    }

    pub fn names(&self) -> StudyNames<'a> {
        self.results.names()
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
        text_of(&self.reason_in_pieces(row))
    }

    /// The same, its names told from its words.
    pub(crate) fn reason_in_pieces(&self, row: &LedgerRow) -> Vec<Piece> {
        match row.rank {
            None => self.names().reason(row.candidate.cell.comparison, &row.reason),
            Some(_) => self.marked_in_pieces(&row.candidate.cell, reason_of_ranked(row, self.separates(row))),
        }
    }

    /// Why the rule picked a cell, or did not; without what else it may be shown as.
    pub(crate) fn why(&self, row: &LedgerRow) -> Vec<Piece> {
        match row.rank {
            None => self.names().reason(row.candidate.cell.comparison, &row.reason),
            Some(_) => self.marked_in_pieces(&row.candidate.cell, picked_because(row, self.separates(row)).to_owned()),
        }
    }

    /// What is said of a cell, with the mark of what its model cannot see.
    pub fn marked(&self, cell: &CellId, text: String) -> String {
        text_of(&self.marked_in_pieces(cell, text))
    }

    fn marked_in_pieces(&self, cell: &CellId, text: String) -> Vec<Piece> {
        let mut pieces = vec![Piece::Words(text)];
        let seen = self.visibility.of(cell.model, cell.comparison);
        if let Some(mark) = seen.and_then(Seen::mark_in_pieces) {
            pieces.push(Piece::words("; "));
            pieces.extend(mark);
        }
        pieces
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::index::{LayerIx, ProjectionIx};
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
            "not picked: the corrected lower bound is below the threshold; shown as the median and the worst"
        );
        assert!(reason_of_ranked(&row(false, false, vec![ShownAs::Random]), true).ends_with("; shown as a random one"));
        assert!(reason_of_ranked(&row(false, true, vec![]), true).ends_with("enough figures rank higher"));
        assert!(reason_of_ranked(&row(false, false, vec![]), true).contains("another view of this model"));
    }
}
