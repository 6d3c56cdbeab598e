//! Models by comparisons: the view chosen on the selection half, scored on the evaluation half.

use super::{Section, gradients::Gradient};
use crate::report::{
    claims::{ClaimId, EstimateClaims},
    phrase::Phrase,
    source::{Half, MadeElsewhere, ReportSource},
    words,
};
use crate::study::Piece;
use serde::Serialize;
use visavis_core::domain::{
    index::{ComparisonIx, ModelIx},
    ledger::LedgerRow,
};

#[derive(Serialize)]
pub(crate) struct ScoreMatrix {
    columns: Vec<Head>,
    rows: Vec<MatrixRow>,
    /// One a comparison, in the order of the study.
    forests: Vec<Forest>,
    threshold: ClaimId,
    unranked: Vec<Unranked>,
    gradients: Vec<Gradient>,
    elsewhere: MadeElsewhere,
}

#[derive(Clone, Serialize)]
struct Head {
    name: String,
    /// Why its labels are not to be trusted.
    noise: Option<String>,
}

#[derive(Serialize)]
struct MatrixRow {
    head: Head,
    cells: Vec<Option<MatrixCell>>,
}

#[derive(Serialize)]
struct MatrixCell {
    auc: ClaimId,
    /// Of the colour's ten steps.
    heat: usize,
    verdict: &'static str,
    sign: Option<&'static str>,
    /// What is asked lies outside of the model's crop.
    is_unseen: bool,
}

/// All models at one comparison, the highest AUC first.
#[derive(Serialize)]
struct Forest {
    comparison: Head,
    rows: Vec<ForestRow>,
}

#[derive(Serialize)]
struct ForestRow {
    model: String,
    view: Phrase,
    auc: EstimateClaims,
    verdict: &'static str,
    sign: Option<&'static str>,
    is_unseen: bool,
    /// What the view had to show: the features by their nearest neighbours, and by a linear probe.
    features: Option<ClaimId>,
    probe: Option<ClaimId>,
}

#[derive(Serialize)]
struct Unranked {
    comparison: String,
    reason: Phrase,
}

impl Section for ScoreMatrix {
    const ANCHOR: &'static str = "matrix";
    const TITLE: &'static str = "Scores by model and comparison";
    const TEMPLATE: &'static str = "scores.html";
}

impl ScoreMatrix {
    pub(crate) fn of(source: &ReportSource) -> Self {
        let (study, chosen) = (source.study(), &source.outcome.chosen);
        let is_model = |model: &ModelIx| chosen.keys().any(|(of, _)| of == model);
        let is_comparison = |comparison: &ComparisonIx| chosen.keys().any(|(_, of)| of == comparison);
        let models: Vec<ModelIx> = study.models.keys().filter(is_model).collect();
        let (ranked, others): (Vec<ComparisonIx>, Vec<ComparisonIx>) = study.comparisons.keys().partition(is_comparison);
        let of_model = |&model: &ModelIx| Head { name: study.models[model].name.clone(), noise: None };
        let of_comparison = |&comparison: &ComparisonIx| Head {
            name: study.comparisons[comparison].name.clone(),
            noise: source.label_noise(comparison),
        };
        let (model_heads, comparison_heads): (Vec<Head>, Vec<Head>) =
            (models.iter().map(of_model).collect(), ranked.iter().map(of_comparison).collect());
        // The more of the two go down the page.
        let (columns, rows) = if models.len() > ranked.len() {
            let cells = |&model: &ModelIx| ranked.iter().map(|&comparison| cell(source, model, comparison)).collect();
            (comparison_heads, rows(model_heads, models.iter().map(cells)))
        } else {
            let cells = |&comparison: &ComparisonIx| models.iter().map(|&model| cell(source, model, comparison)).collect();
            (model_heads, rows(comparison_heads, ranked.iter().map(cells)))
        };
        let forests = ranked.iter().map(|&comparison| Forest::of(source, of_comparison(&comparison), comparison)).collect();
        let unranked = others.into_iter().map(|comparison| unranked(source, comparison)).collect();
        let elsewhere = source.made_elsewhere(models);
        let (gradients, threshold) = (Gradient::all(source), source.threshold());
        ScoreMatrix { columns, rows, forests, threshold, unranked, gradients, elsewhere }
    }
}

fn rows(heads: Vec<Head>, cells: impl Iterator<Item = Vec<Option<MatrixCell>>>) -> Vec<MatrixRow> {
    heads.into_iter().zip(cells).map(|(head, cells)| MatrixRow { head, cells }).collect()
}

impl Forest {
    fn of(source: &ReportSource, comparison: Head, place: ComparisonIx) -> Self {
        let mut chosen: Vec<(usize, &LedgerRow)> = source.outcome.chosen_on(place).collect();
        let auc = |row: &LedgerRow| row.candidate.b.map_or(f64::NEG_INFINITY, |b| b.value);
        chosen.sort_by(|(_, one), (_, other)| auc(other).total_cmp(&auc(one)));
        let rows = chosen.into_iter().filter_map(|(row, chosen)| ForestRow::of(source, row, chosen)).collect();
        Forest { comparison, rows }
    }
}

impl ForestRow {
    fn of(source: &ReportSource, row: usize, chosen: &LedgerRow) -> Option<Self> {
        let cell = &chosen.candidate.cell;
        let verdict = source.outcome.verdict(chosen);
        let features = source.features(cell.model, cell.layer, cell.comparison);
        let (features, probe) = features.map_or((None, None), |of| (of.neighbours, of.probe));
        let number = |of: Option<EstimateClaims>| of.map(|of| of.value);
        Some(ForestRow {
            model: source.model(cell),
            view: source.layer_and_view(cell),
            auc: source.half(row, Half::Evaluation)?,
            verdict: verdict.word(),
            sign: words::sign(verdict),
            is_unseen: source.outcome.visibility.mark(cell.model, cell.comparison).is_some(),
            features: number(features),
            probe: number(probe),
        })
    }
}

fn cell(source: &ReportSource, model: ModelIx, comparison: ComparisonIx) -> Option<MatrixCell> {
    let &row = source.outcome.chosen.get(&(model, comparison))?;
    let chosen = &source.outcome.ledger.rows[row];
    let verdict = source.outcome.verdict(chosen);
    Some(MatrixCell {
        heat: heat(chosen.candidate.b?.value),
        auc: source.half(row, Half::Evaluation)?.value,
        verdict: verdict.word(),
        sign: words::sign(verdict),
        is_unseen: source.outcome.visibility.mark(model, comparison).is_some(),
    })
}

fn unranked(source: &ReportSource, comparison: ComparisonIx) -> Unranked {
    let first = source.outcome.ledger.rows.iter().find(|row| row.candidate.cell.comparison == comparison);
    let waits = || vec![Piece::words("its cells wait for a missing input")];
    let mut reason = first.map_or_else(waits, |row| source.outcome.reason_in_pieces(row));
    if let Some(Piece::Words(words)) = reason.first_mut() {
        *words = words.trim_start_matches("not ranked: ").to_owned();
    }
    Unranked { comparison: source.study().comparisons[comparison].name.clone(), reason: reason.into_iter().collect() }
}

/// One of ten steps of colour: one half and below is the first.
fn heat(value: f64) -> usize {
    ((value - 0.5) / 0.5 * 9.0).round().clamp(0.0, 9.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn a_square_has_the_score_and_its_verdict_and_what_is_behind_it_stands_below() {
        let text = Fixture::new().text(|source| Some(ScoreMatrix::of(source)));
        assert!(text.contains("zero or one 0.900 ● 0.700 ○"), "{text}");
        assert!(text.contains("even or odd 0.520 0.510"), "inconclusive has no sign: {text}");
        assert!(text.contains("● separates; ○ above chance, does not separate; no sign: inconclusive."), "{text}");
        assert!(text.contains("pixels 0.900 (0.850–0.950) ● embedding, pca axis 1"), "{text}");
    }

    #[test]
    fn a_comparison_that_is_not_ranked_has_its_reason() {
        let mut fixture = Fixture::new();
        for row in fixture.ledger.rows.iter_mut().filter(|row| row.candidate.cell.comparison == ComparisonIx(1)) {
            (row.rank, row.chosen) = (None, false);
            row.reason = "not ranked: too few to say: class 1 has 2 images in half A, 20 are needed".to_owned();
        }
        let text = fixture.text(|source| Some(ScoreMatrix::of(source)));
        let reason = "Not ranked: even or odd (too few to say: “Even” has 2 images in the selection half, 20 are needed).";
        assert!(text.contains(reason), "{text}");
    }

    #[test]
    fn colour_goes_from_chance_to_one() {
        assert_eq!([0.3, 0.5, 0.75, 1.0].map(heat), [0, 0, 5, 9]);
    }
}
