//! Models by comparisons: the view chosen on the selection half, scored on the evaluation half.

use super::{Section, gradients::Gradient};
use crate::report::{
    claims::EstimateClaims,
    phrase::Phrase,
    source::{FeatureClaims, Half, MadeElsewhere, ReportSource},
    words,
};
use crate::study::Piece;
use serde::Serialize;
use visavis_core::domain::index::{ComparisonIx, ModelIx};

#[derive(Serialize)]
pub(crate) struct ScoreMatrix {
    columns: Vec<Head>,
    rows: Vec<MatrixRow>,
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
    auc: EstimateClaims,
    view: Phrase,
    /// Of the colour's ten steps.
    heat: usize,
    verdict: &'static str,
    sign: Option<&'static str>,
    features: Option<FeatureClaims>,
    /// What is asked lies outside of the model's crop.
    is_unseen: bool,
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
        let unranked = others.into_iter().map(|comparison| unranked(source, comparison)).collect();
        let elsewhere = source.made_elsewhere(models);
        ScoreMatrix { columns, rows, unranked, gradients: Gradient::all(source), elsewhere }
    }
}

fn rows(heads: Vec<Head>, cells: impl Iterator<Item = Vec<Option<MatrixCell>>>) -> Vec<MatrixRow> {
    heads.into_iter().zip(cells).map(|(head, cells)| MatrixRow { head, cells }).collect()
}

fn cell(source: &ReportSource, model: ModelIx, comparison: ComparisonIx) -> Option<MatrixCell> {
    let &row = source.outcome.chosen.get(&(model, comparison))?;
    let chosen = &source.outcome.ledger.rows[row];
    let verdict = source.outcome.verdict(chosen);
    Some(MatrixCell {
        heat: heat(chosen.candidate.b?.value),
        auc: source.half(row, Half::Evaluation)?,
        view: source.view(&chosen.candidate.cell),
        verdict: verdict.word(),
        sign: words::sign(verdict),
        is_unseen: source.outcome.visibility.mark(model, comparison).is_some(),
        features: source.features(model, chosen.candidate.cell.layer, comparison),
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
    fn a_square_has_the_score_its_interval_its_verdict_and_the_view() {
        let text = Fixture::new().text(|source| Some(ScoreMatrix::of(source)));
        assert!(text.contains("zero or one 0.900 ● 0.850–0.950 pca axis 1 0.700 ○ 0.650–0.750 pca axis 1"), "{text}");
        assert!(text.contains("even or odd 0.520 0.470–0.570 pca axis 1"), "inconclusive has no sign: {text}");
        assert!(text.contains("● separates; ○ above chance, does not separate; no sign: inconclusive."), "{text}");
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
