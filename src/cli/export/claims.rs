//! `visavis export STUDY --what claims`: the study's claims, part by part, with their verdicts.

use super::table::ExportTable;
use crate::study::{ClaimNumbers, HypothesisPart, PartOf, StudyOutcome, TestedHypothesis};
use visavis_core::domain::{Fault, Key, Result, score::Estimate};

/// One row a part of a claim; a claim of which nothing was measured has one without numbers.
pub(super) fn claims(outcome: &StudyOutcome) -> Result<ExportTable> {
    if outcome.plan.study.claims.is_empty() {
        return Err(
            Fault::asked("the study claims nothing").next("such as `claims: { Hats are missed: { model: all, misses: hat } }`")
        );
    }
    let numbers = outcome.results.claim_numbers()?;
    let tested = outcome.hypotheses(&numbers);
    let parts = |of: &TestedHypothesis| -> Vec<Option<HypothesisPart>> {
        if of.parts.is_empty() { vec![None] } else { of.parts.iter().copied().map(Some).collect() }
    };
    let rows: Vec<ClaimRow> = tested
        .iter()
        .flat_map(|of| parts(of).into_iter().map(|part| ClaimRow::of(outcome, &numbers, of, part)).collect::<Vec<_>>())
        .collect();
    let mut table = ExportTable::default();
    let mut text = |name: &str, value: fn(&ClaimRow) -> Option<String>| table.text(name, rows.iter().map(value));
    text("claim", |row| Some(row.claim.clone()));
    text("verdict", |row| Some(row.verdict.to_owned()));
    text("part", |row| row.part.clone());
    text("comparison", |row| row.comparison.clone());
    text("part_verdict", |row| row.part_verdict.map(str::to_owned));
    let mut number = |name: &str, value: fn(&ClaimRow) -> Option<f64>| table.number(name, rows.iter().map(value));
    number("value", |row| row.estimate.map(|of| of.value));
    number("low", |row| row.estimate.and_then(Estimate::low));
    number("high", |row| row.estimate.and_then(Estimate::high));
    number("corrected_low", |row| row.corrected_low);
    number("q", |row| row.q);
    table.text("key", rows.iter().map(|row| row.key.map(|key| key.to_string())));
    Ok(table)
}

struct ClaimRow {
    claim: String,
    verdict: &'static str,
    /// The cell, or the two sides.
    part: Option<String>,
    comparison: Option<String>,
    part_verdict: Option<&'static str>,
    /// The AUC; or the share that is lost; or right less left; or the pairs that the projection separates and the other does not.
    estimate: Option<Estimate>,
    corrected_low: Option<f64>,
    q: Option<f64>,
    key: Option<Key>,
}

impl ClaimRow {
    fn of(outcome: &StudyOutcome, numbers: &ClaimNumbers, of: &TestedHypothesis, part: Option<HypothesisPart>) -> Self {
        let names = outcome.names();
        let row = ClaimRow {
            claim: of.hypothesis.sentence.clone(),
            verdict: of.verdict.word(),
            part: None,
            comparison: None,
            part_verdict: part.map(|part| part.verdict.word()),
            estimate: None,
            corrected_low: None,
            q: None,
            key: None,
        };
        match part.map(|part| part.of) {
            None => row,
            Some(PartOf::NotRanked { model, comparison }) => ClaimRow {
                part: Some(names.model(model).to_owned()),
                comparison: Some(names.comparison(comparison).to_owned()),
                ..row
            },
            Some(PartOf::Cell { row: place }) => {
                let tested = &outcome.ledger.rows[place];
                ClaimRow {
                    part: Some(names.cell(&tested.candidate.cell)),
                    comparison: Some(names.comparison(tested.candidate.cell.comparison).to_owned()),
                    estimate: tested.candidate.b,
                    corrected_low: tested.low,
                    key: Some(outcome.ranked),
                    ..row
                }
            }
            Some(PartOf::NoNuisance { model }) => ClaimRow { part: Some(names.model(model).to_owned()), ..row },
            Some(PartOf::Nuisance { result, view, nuisance }) => {
                let (of, place) = (&numbers.nuisances[result], view);
                let view = of.scores.views[place].view;
                let projection = of.projection.map_or("", |projection| names.projection(projection));
                ClaimRow {
                    part: Some(format!("{} · {projection} {view}", names.model_and_layer(of.model, of.layer))),
                    comparison: Some(of.scores.nuisances[nuisance].nuisance.word().to_owned()),
                    estimate: of.scores.views[place].scores[nuisance].b,
                    key: Some(of.key),
                    ..row
                }
            }
            Some(PartOf::NotAltered { model }) => ClaimRow { part: Some(names.model(model).to_owned()), ..row },
            Some(PartOf::Attended { result, share }) => {
                let of = &numbers.retained[result];
                let share = &of.retained.value.cues.shares[share];
                ClaimRow {
                    part: Some(format!("{} without {}", names.model_and_layer(of.model, of.layer), share.cue)),
                    estimate: Some(share.lost),
                    key: Some(of.retained.key),
                    ..row
                }
            }
            Some(PartOf::Attention { contrast, cue, .. }) => {
                let Some(attention) = &numbers.attention else { return row };
                let pair = &attention.value.contrasts[contrast];
                let (held, of) = (&outcome.held[pair.held], &pair.cues[cue]);
                ClaimRow {
                    part: Some(format!("{} − {} without {}", names.side(&held.right), names.side(&held.left), of.cue)),
                    estimate: Some(of.difference),
                    q: Some(of.q),
                    key: Some(attention.key),
                    ..row
                }
            }
            Some(PartOf::Projections { own, other }) => {
                let standings = &outcome.ledger.projections;
                let name = |place: usize| names.projection(standings[place].projection);
                let alone = standings[own].rescues.get(standings[other].projection).copied();
                ClaimRow {
                    part: Some(format!("{} beside {}", name(own), name(other))),
                    estimate: alone.map(|n| Estimate::bare(n as f64)),
                    key: Some(outcome.ranked),
                    ..row
                }
            }
            Some(PartOf::Difference { place, .. }) => {
                let difference = &outcome.grid.differences[place];
                let held = &outcome.held[difference.held];
                ClaimRow {
                    part: Some(format!("{} − {}", names.side(&held.right), names.side(&held.left))),
                    comparison: Some(names.comparison(difference.comparison).to_owned()),
                    estimate: Some(difference.difference),
                    q: Some(difference.q),
                    key: Some(outcome.gridded),
                    ..row
                }
            }
        }
    }
}
