//! Findings compared with the known truth of drawn faces: which planted attributes are found, in views and by probes of features.

use crate::{
    domain::{
        index::{ComparisonIx, LayerIx, ModelIx},
        ledger::{CHANCE, CellId, Ledger, LedgerRow, ProbeDetection, Recovered},
        score::{Estimate, FeatureScore},
        simultaneous::CellTest,
    },
    scoring::{design::split::FOLDS, inference::interval::AucInterval},
};
use std::collections::BTreeSet;

/// What is known of the attributes of one comparison.
pub struct KnownTruth {
    /// Index of the comparison.
    pub comparison: ComparisonIx,
    /// Whether all its attributes are visible in the drawn faces.
    pub drawn: bool,
    /// Whether an attribute that is drawn correlates with them.
    pub correlates: bool,
    /// The best AUC that the errors of its labels allow.
    pub ceiling: f64,
}

/// The score of the probe of one layer's features on one comparison.
pub struct Probed {
    model: ModelIx,
    layer: LayerIx,
    comparison: ComparisonIx,
    a: Estimate,
    b: Estimate,
    interval: AucInterval,
}

impl Probed {
    /// `None` where the comparison is not ranked, or has no probe in both halves.
    pub fn new((model, layer, comparison): (ModelIx, LayerIx, ComparisonIx), score: &FeatureScore) -> Option<Self> {
        let probe = score.probe.as_ref().filter(|_| score.scores.unranked.is_none())?;
        let interval = AucInterval::of(&score.scores.counts_b, FOLDS);
        Some(Probed { model, layer, comparison, a: probe.a?, b: probe.b?, interval })
    }
}

/// Counts recovered, missed and false findings: on each comparison by every model's chosen view, and by the probe that is best on half A among
/// all models. `tests`: of every ranked cell.
pub fn recovered(ledger: &Ledger, tests: &[CellTest], probed: &[Probed], known: &[KnownTruth], separates_at: f64) -> Recovered {
    let above_chance: BTreeSet<CellId> = tests.iter().filter(|test| test.is_told()).map(|test| test.cell).collect();
    let mut own = Recovered { format: 1, ..Recovered::default() };
    for truth in known {
        let chosen: Vec<&LedgerRow> =
            ledger.rows.iter().filter(|row| row.chosen && row.candidate.cell.comparison == truth.comparison).collect();
        if chosen.is_empty() {
            continue;
        }
        // Bounds and adjusted p-values are simultaneous over cells, so the best of several models may be taken.
        let low = chosen.iter().filter_map(|row| row.low).fold(f64::NEG_INFINITY, f64::max);
        let detected = chosen.iter().any(|row| above_chance.contains(&row.candidate.cell));
        if truth.drawn {
            own.planted += 1;
            own.found += usize::from(low >= separates_at);
            own.beyond_chance += usize::from(detected);
        } else {
            own.undrawn += 1;
            own.through += usize::from(detected && truth.correlates);
        }
        own.wrong += usize::from(low > truth.ceiling || detected && !truth.drawn && !truth.correlates);
    }
    let ranked =
        |truth: &&KnownTruth| ledger.rows.iter().any(|row| row.chosen && row.candidate.cell.comparison == truth.comparison);
    by_probes(&mut own, probed, &known.iter().filter(ranked).collect::<Vec<_>>());
    own
}

/// A probe is chosen on half A among those of all models, and tested on half B; Bonferroni over comparisons.
fn by_probes(own: &mut Recovered, probed: &[Probed], known: &[&KnownTruth]) {
    let best = |truth: &KnownTruth| {
        let candidates = probed.iter().enumerate().filter(|(_, probed)| probed.comparison == truth.comparison);
        candidates.max_by(|x, y| x.1.a.value.total_cmp(&y.1.a.value).then(y.0.cmp(&x.0))).map(|(_, probed)| probed)
    };
    let best: Vec<(&KnownTruth, &Probed)> = known.iter().filter_map(|truth| Some((*truth, best(truth)?))).collect();
    for (truth, probed) in &best {
        let p_above = |null: f64| probed.interval.p_above(probed.b, null).map_or(1.0, |p| (p * best.len() as f64).min(1.0));
        let Probed { model, layer, comparison, b, .. } = **probed;
        let detection = ProbeDetection { model, layer, comparison, b, adjusted: p_above(0.5) };
        let detected = detection.is_told();
        own.told_by_probes += usize::from(detected && truth.drawn);
        own.through_by_probes += usize::from(detected && !truth.drawn && truth.correlates);
        own.wrong += usize::from(p_above(truth.ceiling) <= CHANCE || detected && !truth.drawn && !truth.correlates);
        own.probes.push(detection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_that_is_best_on_a_is_tested_on_b_and_compared_with_the_truth() {
        let estimate = |value: f64, arm: f64| Estimate::new(value, value - arm, value + arm);
        let probed = |model, comparison, a, b| Probed {
            model,
            layer: LayerIx(0),
            comparison,
            a: estimate(a, 0.05),
            b: estimate(b, 0.05),
            interval: AucInterval::new([100, 100], [100, 100], FOLDS),
        };
        let known = |comparison, drawn, correlates, ceiling| KnownTruth { comparison, drawn, correlates, ceiling };
        let all = [
            // The better one on B was not the better one on A.
            probed(0.into(), 0.into(), 0.6, 0.9),
            probed(1.into(), 0.into(), 0.8, 0.7),
            probed(0.into(), 1.into(), 0.6, 0.52),
            probed(0.into(), 2.into(), 0.9, 0.7),
            probed(0.into(), 3.into(), 0.9, 0.7),
            probed(0.into(), 4.into(), 0.9, 0.95),
        ];
        let known = [
            known(0.into(), true, false, 1.0),
            known(1.into(), true, false, 1.0),
            known(2.into(), false, true, 0.8),
            known(3.into(), false, false, 0.8),
            known(4.into(), true, false, 0.8),
            known(5.into(), true, false, 1.0),
        ];
        let mut own = Recovered::default();
        by_probes(&mut own, &all, &known.iter().collect::<Vec<_>>());
        assert_eq!((own.told_by_probes, own.through_by_probes, own.wrong), (2, 1, 2));
        assert_eq!(
            own.probes.iter().map(|of| (usize::from(of.comparison), usize::from(of.model))).collect::<Vec<_>>(),
            [(0, 1), (1, 0), (2, 0), (3, 0), (4, 0)]
        );
        assert!(own.probes[0].adjusted < 1e-6 && own.probes[1].adjusted == 1.0);
    }
}
