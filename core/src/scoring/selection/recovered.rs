//! Findings beside the truth of drawn faces: what was planted and found, in views and by probes of features.

use crate::{
    domain::{
        ledger::{CHANCE, CellId, Ledger, LedgerRow, ProbeDetection, Recovered},
        score::{Estimate, FeatureScore},
        simultaneous::CellTest,
    },
    scoring::{design::split::FOLDS, inference::interval::AucInterval},
};
use std::collections::BTreeSet;

/// What is known of one comparison, of an attribute's presence or of several.
pub struct KnownTruth {
    pub comparison: usize,
    /// All of them are.
    pub drawn: bool,
    /// Something that is drawn goes with it.
    pub correlates: bool,
    /// The best AUC that its labels allow.
    pub ceiling: f64,
}

/// What the probe of a model's features at a layer came to on a comparison.
pub struct Probed {
    model: usize,
    layer: usize,
    comparison: usize,
    a: Estimate,
    b: Estimate,
    scale: AucInterval,
}

impl Probed {
    /// `None` where the comparison is not ranked, or has no probe in both halves.
    pub fn new([model, layer, comparison]: [usize; 3], of: &FeatureScore) -> Option<Self> {
        let probe = of.probe.as_ref().filter(|_| of.scores.unranked.is_none())?;
        let scale = AucInterval::of(&of.scores.counts_b, FOLDS);
        Some(Probed { model, layer, comparison, a: probe.a?, b: probe.b?, scale })
    }
}

/// Of each comparison every model's chosen view; and the probe that is best on half A, of any model.
pub fn recovered(ledger: &Ledger, sure: &[CellTest], probed: &[Probed], known: &[KnownTruth], separates_at: f64) -> Recovered {
    let told: BTreeSet<CellId> = sure.iter().filter(|of| of.is_told()).map(|of| of.cell).collect();
    let mut own = Recovered { format: 1, ..Recovered::default() };
    for of in known {
        let asked: Vec<&LedgerRow> =
            ledger.rows.iter().filter(|row| row.chosen && row.candidate.cell.comparison == of.comparison).collect();
        if asked.is_empty() {
            continue;
        }
        // Bounds and adjusted p hold beside all cells: so of several models any may tell.
        let low = asked.iter().filter_map(|row| row.low).fold(f64::NEG_INFINITY, f64::max);
        let beyond = asked.iter().any(|row| told.contains(&row.candidate.cell));
        if of.drawn {
            own.planted += 1;
            own.found += usize::from(low >= separates_at);
            own.beyond_chance += usize::from(beyond);
        } else {
            own.undrawn += 1;
            own.through += usize::from(beyond && of.correlates);
        }
        own.wrong += usize::from(low > of.ceiling || beyond && !of.drawn && !of.correlates);
    }
    let ranked = |of: &&KnownTruth| ledger.rows.iter().any(|row| row.chosen && row.candidate.cell.comparison == of.comparison);
    by_probes(&mut own, probed, &known.iter().filter(ranked).collect::<Vec<_>>());
    own
}

/// Probes were chosen on half A among all models' and are asked on half B: as many questions as there are attributes (Bonferroni).
fn by_probes(own: &mut Recovered, probed: &[Probed], known: &[&KnownTruth]) {
    let best = |of: &KnownTruth| {
        let asked = probed.iter().enumerate().filter(|(_, probed)| probed.comparison == of.comparison);
        asked.max_by(|x, y| x.1.a.value.total_cmp(&y.1.a.value).then(y.0.cmp(&x.0))).map(|(_, probed)| probed)
    };
    let best: Vec<(&KnownTruth, &Probed)> = known.iter().filter_map(|of| Some((*of, best(of)?))).collect();
    for (of, probed) in &best {
        let beyond = |mark: f64| probed.scale.above(probed.b, mark).map_or(1.0, |p| (p * best.len() as f64).min(1.0));
        let Probed { model, layer, comparison, b, .. } = **probed;
        let told = ProbeDetection { model, layer, comparison, b, adjusted: beyond(0.5) };
        own.told_by_probes += usize::from(told.is_told() && of.drawn);
        own.through_by_probes += usize::from(told.is_told() && !of.drawn && of.correlates);
        own.wrong += usize::from(beyond(of.ceiling) <= CHANCE || told.is_told() && !of.drawn && !of.correlates);
        own.probes.push(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_that_is_best_on_a_is_asked_on_b_and_held_against_the_truth() {
        let estimate = |value: f64, arm: f64| Estimate::new(value, value - arm, value + arm);
        let probed = |model, comparison, a, b| Probed {
            model,
            layer: 0,
            comparison,
            a: estimate(a, 0.05),
            b: estimate(b, 0.05),
            scale: AucInterval::new([100, 100], [100, 100], FOLDS),
        };
        let known = |comparison, drawn, correlates, ceiling| KnownTruth { comparison, drawn, correlates, ceiling };
        let all = [
            // The better one on B was not the better one on A.
            probed(0, 0, 0.6, 0.9),
            probed(1, 0, 0.8, 0.7),
            probed(0, 1, 0.6, 0.52),
            probed(0, 2, 0.9, 0.7),
            probed(0, 3, 0.9, 0.7),
            probed(0, 4, 0.9, 0.95),
        ];
        let known = [
            known(0, true, false, 1.0),
            known(1, true, false, 1.0),
            known(2, false, true, 0.8),
            known(3, false, false, 0.8),
            known(4, true, false, 0.8),
            known(5, true, false, 1.0),
        ];
        let mut own = Recovered::default();
        by_probes(&mut own, &all, &known.iter().collect::<Vec<_>>());
        assert_eq!((own.told_by_probes, own.through_by_probes, own.wrong), (2, 1, 2));
        assert_eq!(
            own.probes.iter().map(|of| (of.comparison, of.model)).collect::<Vec<_>>(),
            [(0, 1), (1, 0), (2, 0), (3, 0), (4, 0)]
        );
        assert!(own.probes[0].adjusted < 1e-6 && own.probes[1].adjusted == 1.0);
    }
}
