//! What the numbers support, model by model, each row with its evidence; and what is inconclusive.

use super::{Section, kept::Kept, projections::Projections};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims},
        phrase::Phrase,
        source::{Half, ReportSource, Unseen},
        words::list,
    },
    study::CellVerdict,
};
use serde::Serialize;
use visavis_core::domain::{claim::NumberForm, index::ModelIx, simultaneous::Family};

/// Models whose findings are unfolded.
const MOST_OPEN: usize = 3;

#[derive(Serialize)]
pub(crate) struct Findings {
    threshold: ClaimId,
    /// Cells tested together: the chosen ones, and all ranked ones.
    chosen: ClaimId,
    all: ClaimId,
    permutations: ClaimId,
    /// The 95th percentile of the largest studentised score, for either family.
    critical_of_chosen: Option<ClaimId>,
    critical_of_all: Option<ClaimId>,
    models: Vec<ModelFinding>,
    projections: Projections,
    kept: Vec<Kept>,
}

#[derive(Serialize)]
struct ModelFinding {
    /// The first few are open, the others folded.
    is_open: bool,
    model: String,
    /// Comparisons by verdict, in words; nothing where there are none.
    separates: Option<Phrase>,
    above_chance: Option<Phrase>,
    inconclusive: Option<Phrase>,
    /// One a comparison: those that separate, those above chance, inconclusive ones; of each the highest lower bound first.
    rows: Vec<FindingRow>,
}

#[derive(Serialize)]
struct FindingRow {
    comparison: String,
    noise: Option<String>,
    view: Phrase,
    /// Of the evaluation half.
    images: Option<ClaimId>,
    auc: Option<EstimateClaims>,
    lower_bound: Option<ClaimId>,
    verdict: &'static str,
    separates: bool,
    unseen: Option<Unseen>,
}

impl Section for Findings {
    const ANCHOR: &'static str = "findings";
    const TITLE: &'static str = "Findings";
    const TEMPLATE: &'static str = "findings.html";
}

impl Findings {
    pub(crate) fn of(source: &ReportSource) -> Self {
        let grid = &source.outcome.grid;
        let output = source.simultaneous_output("simultaneous tests".to_owned());
        let critical = |name: &str, of: &Family| {
            let what = "95th percentile of the largest studentised score";
            Some(source.claims.enter(&output, &format!("/{name}/critical"), what, NumberForm::Score, of.critical?))
        };
        Findings {
            threshold: source.threshold(),
            chosen: source.chosen_cells(),
            all: source.claims.count(&output, "/all/cells", "ranked cells", grid.all.cells),
            permutations: source.claims.count(&output, "/permutations", "permutations", grid.permutations),
            critical_of_chosen: critical("chosen", &grid.chosen),
            critical_of_all: critical("all", &grid.all),
            models: models(source),
            projections: Projections::of(source),
            kept: Kept::all(source),
        }
    }
}

fn models(source: &ReportSource) -> Vec<ModelFinding> {
    let mut models: Vec<ModelFinding> =
        source.study().models.keys().filter_map(|model| ModelFinding::of(source, model)).collect();
    models.iter_mut().take(MOST_OPEN).for_each(|of| of.is_open = true);
    models
}

impl ModelFinding {
    /// `None` of a model without a ranked cell.
    fn of(source: &ReportSource, model: ModelIx) -> Option<Self> {
        let (outcome, rows) = (source.outcome, &source.outcome.ledger.rows);
        let mut chosen: Vec<usize> = outcome.chosen_of(model).map(|(row, _)| row).collect();
        let low = |row: usize| rows[row].low.unwrap_or(f64::NEG_INFINITY);
        chosen.sort_by(|&x, &y| low(y).total_cmp(&low(x)).then(x.cmp(&y)));
        if chosen.is_empty() {
            return None;
        }
        let with_verdict = |verdict: CellVerdict| -> Vec<usize> {
            chosen.iter().copied().filter(|&row| outcome.verdict(&rows[row]) == verdict).collect()
        };
        let names = |of: &[usize]| {
            let names: Vec<Phrase> = of.iter().map(|&row| source.marked_comparison(&rows[row].candidate.cell)).collect();
            (!names.is_empty()).then(|| list(&names))
        };
        let [separates, above_chance, inconclusive] =
            [CellVerdict::Separates, CellVerdict::AboveChance, CellVerdict::Inconclusive].map(with_verdict);
        Some(ModelFinding {
            is_open: false,
            model: source.study().models[model].name.clone(),
            separates: names(&separates),
            above_chance: names(&above_chance),
            inconclusive: names(&inconclusive),
            rows: [separates, above_chance, inconclusive].concat().into_iter().map(|row| FindingRow::of(source, row)).collect(),
        })
    }
}

impl FindingRow {
    fn of(source: &ReportSource, row: usize) -> Self {
        let chosen = &source.outcome.ledger.rows[row];
        let (cell, verdict) = (&chosen.candidate.cell, source.outcome.verdict(chosen));
        FindingRow {
            comparison: source.comparison(cell),
            noise: source.label_noise(cell.comparison),
            view: source.layer_and_view(cell),
            images: source.evaluation_images(cell),
            auc: source.half(row, Half::Evaluation),
            lower_bound: source.lower_bound(row),
            verdict: verdict.word(),
            separates: verdict == CellVerdict::Separates,
            unseen: source.unseen(cell),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn each_model_has_a_sentence_and_a_row_a_comparison() {
        let text = Fixture::new().with_scores().text(|source| Some(Findings::of(source)));
        for sentence in [
            "pixels: separates zero or one; inconclusive: even or odd.",
            "blocks: no comparison separates; above chance: zero or one; inconclusive: even or odd.",
            "zero or one embedding, pca axis 1 22 0.900 (0.850–0.950) 0.800 separates",
            "even or odd embedding, pca axis 1 – 0.520 (0.470–0.570) 0.460 inconclusive",
            "zero or one embedding, pca axis 1 – 0.700 (0.650–0.750) 0.600 above chance",
            "4 cells are tested together: those that the selection half chose",
            "pixels zero or one embedding, pca axis 1 0.980 – −0.080 (−0.120 to −0.040) lost",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }
}
