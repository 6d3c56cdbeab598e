//! The study's claims: sentences written before the results were there, each with its verdict and the numbers that it rests on.

use super::{Section, attended, attention_contrasts::AttentionRow, nuisances};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims},
        phrase::Phrase,
        source::{Half, ReportSource},
    },
    study::{ClaimNumbers, HypothesisPart, PartOf, TestedHypothesis},
};
use serde::Serialize;
use visavis_core::domain::{Result, claim::NumberForm, hypothesis::HypothesisVerdict};

#[derive(Serialize)]
pub(crate) struct ClaimsTested {
    threshold: ClaimId,
    claims: Vec<TestedClaim>,
}

#[derive(Serialize)]
struct TestedClaim {
    sentence: String,
    verdict: &'static str,
    is_supported: bool,
    /// Nothing was measured that the sentence is about.
    is_unmeasured: bool,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    of: Phrase,
    /// The view, where the part is a cell.
    view: Option<Phrase>,
    /// An AUC on the evaluation half.
    auc: Option<EstimateClaims>,
    lower_bound: Option<ClaimId>,
    /// Of the side that the sentence is about less the other, where the part is a difference.
    difference: Option<EstimateClaims>,
    q: Option<ClaimId>,
    /// Pairs of a model and a comparison that the projection alone separates, and that the other alone does.
    alone: Option<[ClaimId; 2]>,
    verdict: &'static str,
}

impl Section for ClaimsTested {
    const ANCHOR: &'static str = "claims";
    const TITLE: &'static str = "Claims tested";
    const TEMPLATE: &'static str = "claims_tested.html";
}

impl ClaimsTested {
    /// `None` where the study claims nothing.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let numbers = source.outcome.results.claim_numbers()?;
        let tested = source.outcome.hypotheses(&numbers);
        let claims: Vec<TestedClaim> = tested.iter().map(|of| TestedClaim::of(source, of, &numbers)).collect();
        Ok((!claims.is_empty()).then(|| ClaimsTested { threshold: source.threshold(), claims }))
    }
}

impl TestedClaim {
    fn of(source: &ReportSource, of: &TestedHypothesis, numbers: &ClaimNumbers) -> Self {
        let is_unmeasured = |part: &HypothesisPart| {
            matches!(part.of, PartOf::NotRanked { .. } | PartOf::NoNuisance { .. } | PartOf::NotAltered { .. })
        };
        TestedClaim {
            sentence: of.hypothesis.sentence.clone(),
            verdict: of.verdict.word(),
            is_supported: of.verdict == HypothesisVerdict::Supported,
            is_unmeasured: of.parts.iter().all(is_unmeasured),
            parts: of.parts.iter().map(|part| Part::of(source, *part, numbers)).collect(),
        }
    }
}

impl Part {
    fn of(source: &ReportSource, part: HypothesisPart, numbers: &ClaimNumbers) -> Self {
        let unmeasured = |of: Phrase| Part {
            of,
            view: None,
            auc: None,
            lower_bound: None,
            difference: None,
            q: None,
            alone: None,
            verdict: part.verdict.word(),
        };
        match part.of {
            PartOf::NotRanked { model, comparison } => {
                let (model, comparison) = (source.names().model(model), source.names().comparison(comparison));
                unmeasured(Phrase::name(model) + " · " + Phrase::name(comparison))
            }
            PartOf::Cell { row } => {
                let cell = &source.outcome.ledger.rows[row].candidate.cell;
                Part {
                    view: Some(source.layer_and_view(cell)),
                    auc: source.half(row, Half::Evaluation),
                    lower_bound: source.lower_bound(row),
                    ..unmeasured(Phrase::name(&source.model(cell)) + " · " + source.marked_comparison(cell))
                }
            }
            PartOf::NotAltered { model } => unmeasured(Phrase::name(source.names().model(model))),
            PartOf::Attended { result, share } => {
                let of = &numbers.retained[result];
                let (model, layer) = (source.names().model(of.model), source.names().layer(of.model, of.layer));
                let cue = of.retained.value.cues.shares[share].cue;
                Part {
                    auc: Some(attended::lost(source, of, share)),
                    ..unmeasured(Phrase::name(model) + " · " + Phrase::name(&layer) + " · lost without " + cue.word())
                }
            }
            PartOf::Attention { contrast, cue, turned } => {
                // A part of it was made from it.
                let Some(attention) = &numbers.attention else { return unmeasured(Phrase::default()) };
                let row = AttentionRow::of(source, attention, [contrast, cue]);
                let [left, right] = [&row.left, &row.right].map(|side| Phrase::name(side));
                let about = if turned { left.clone() } else { right.clone() };
                Part {
                    of: about + ": " + right + " − " + left + " · lost without " + row.cue,
                    difference: Some(row.difference),
                    q: Some(row.q),
                    ..unmeasured(Phrase::default())
                }
            }
            PartOf::NoNuisance { model } => unmeasured(Phrase::name(source.names().model(model))),
            PartOf::Nuisance { result, view, nuisance } => {
                let (of, names) = (&numbers.nuisances[result], source.names());
                let at = format!("/views/{view}/scores/{nuisance}/b");
                let explained = of.scores.views[view].scores[nuisance].b.map(|b| {
                    source.claims.estimate(&nuisances::output(source, of), &at, "R² on the evaluation half", NumberForm::Score, b)
                });
                let title = nuisances::title(&of.scores.nuisances[nuisance].nuisance);
                Part {
                    view: Some(nuisances::view_phrase(source, (of, view))),
                    auc: explained,
                    ..unmeasured(Phrase::name(names.model(of.model)) + " · R² of " + title)
                }
            }
            PartOf::Projections { own, other } => {
                let standings = &source.outcome.ledger.projections;
                let name = |place: usize| source.names().projection(standings[place].projection);
                let alone = |place: usize, beside: usize| {
                    let of = standings[beside].projection;
                    let value = standings[place].rescues.get(of).copied().unwrap_or_default();
                    let what = format!("{}: separates what {} does not", name(place), name(beside));
                    source.claims.count(&source.ledger_output(), &format!("/projections/{place}/rescues/{of}"), &what, value)
                };
                Part {
                    alone: Some([alone(own, other), alone(other, own)]),
                    ..unmeasured(Phrase::name(name(own)) + " beside " + Phrase::name(name(other)))
                }
            }
            PartOf::Difference { place, turned } => {
                let of = &source.outcome.grid.differences[place];
                let (held, names) = (&source.outcome.held[of.held], source.names());
                let [left, right] = [&held.left, &held.right].map(|side| Phrase::name(names.side(side)));
                let output = source.difference_output(held, of.comparison);
                let at = |field: &str| format!("/differences/{place}/{field}");
                let difference =
                    source.claims.estimate(&output, &at("difference"), "right less left", NumberForm::Difference, of.difference);
                let q = source.claims.enter(&output, &at("q"), "false discovery rate", NumberForm::Score, of.q);
                let about = if turned { left.clone() } else { right.clone() };
                Part {
                    difference: Some(difference),
                    q: Some(q),
                    view: None,
                    ..unmeasured(about + ": " + right + " − " + left + " · " + Phrase::name(names.comparison(of.comparison)))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn each_claim_has_its_verdict_and_its_numbers() {
        let claims = "claims:
  Pixels tell zero from one: { model: pixels, separates: zero or one }
  Blocks tell zero from one: { model: blocks, separates: zero or one }
  Nobody tells even from odd: { model: all, misses: even or odd }
  Blocks are better: { contrast: detail, higher: blocks }
  Pixels are better at zeros: { contrast: detail, higher: pixels, on: zero or one }
";
        let text = Fixture::with_claims(claims).text(|source| ClaimsTested::of(source).unwrap());
        for sentence in [
            "Pixels tell zero from one supported",
            "Blocks tell zero from one inconclusive",
            "Nobody tells even from odd supported",
            "Blocks are better refuted",
            "Pixels are better at zeros supported",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }

    #[test]
    fn a_study_without_claims_has_no_such_section() {
        assert_eq!(Fixture::new().text(|source| ClaimsTested::of(source).unwrap()), "");
    }
}
