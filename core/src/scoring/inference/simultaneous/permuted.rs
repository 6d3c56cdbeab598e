//! Max-T (Westfall and Young 1993): the null distribution of the largest studentised score of a family of cells.
//!
//! Every view comes with its score under the same permutations of labels (see [`crate::scoring::inference::permutation`]). Here the scores
//! are studentised, and the maximum of each permutation is kept: over the chosen cells, and over all.

use super::ProjectionScores;
use crate::domain::ledger::CellId;
use std::collections::BTreeSet;

/// The largest studentised score of a family of cells.
pub(super) struct MaxT {
    /// By permutation.
    largest: Vec<f64>,
    cells: usize,
}

/// Permutation tests of all cells.
pub(super) struct PermutationTests {
    permutations: usize,
    chosen: BTreeSet<CellId>,
    /// Of the chosen cells, and of all.
    families: [MaxT; 2],
    cells: Vec<Studentised>,
}

/// The test of one cell by itself.
#[derive(Clone, Copy)]
pub(super) struct Studentised {
    pub cell: CellId,
    /// (score − ½) / `deviation`.
    pub z: f64,
    /// The share of permutations with a score as high, the data themselves counted.
    pub p: f64,
    /// The standard deviation of the score about ½ under permuted labels.
    pub deviation: f64,
    /// Whether half A chose the cell.
    pub chosen: bool,
}

impl PermutationTests {
    /// Of scores under so many permutations.
    pub(super) fn new(permutations: usize, chosen: BTreeSet<CellId>) -> Self {
        let family = || MaxT { largest: vec![f64::NEG_INFINITY; permutations], cells: 0 };
        PermutationTests { permutations, chosen, families: [family(), family()], cells: vec![] }
    }

    /// Adds every ranked view of a projection.
    pub(super) fn add(&mut self, projection: &ProjectionScores) {
        let ProjectionScores { slot, scores, permuted, .. } = projection;
        for (index, view) in scores.views.iter().enumerate() {
            let (Some(_), Some(b), None) = (view.a, view.b, &scores.unranked) else { continue };
            if index >= permuted.rows() || permuted.columns() != self.permutations {
                continue;
            }
            let permuted = permuted.row(index);
            let square: f64 = permuted.iter().map(|auc| (f64::from(*auc) - 0.5).powi(2)).sum();
            let deviation = (square / permuted.len().max(1) as f64).sqrt();
            if deviation.is_nan() || deviation <= 0.0 {
                continue;
            }
            let better = permuted.iter().filter(|auc| f64::from(**auc) >= b.value).count();
            let cell = CellId {
                model: slot.model,
                layer: slot.layer,
                projection: slot.projection,
                view: view.view,
                comparison: slot.comparison,
            };
            let p = (1 + better) as f64 / (1 + permuted.len()) as f64;
            let chosen = self.chosen.contains(&cell);
            self.cells.push(Studentised { cell, z: (b.value - 0.5) / deviation, p, deviation, chosen });
            for family in &mut self.families[usize::from(!chosen)..] {
                family.cells += 1;
                for (largest, auc) in family.largest.iter_mut().zip(permuted) {
                    *largest = largest.max((f64::from(*auc) - 0.5) / deviation);
                }
            }
        }
    }

    /// All cells that were added and are defined.
    pub(super) fn cells(&self) -> impl Iterator<Item = Studentised> {
        self.cells.iter().copied()
    }

    /// Of the chosen cells, and of all.
    pub(super) fn families(&self) -> [&MaxT; 2] {
        self.families.each_ref()
    }
}

impl MaxT {
    /// The number of cells of the family.
    pub(super) fn cells(&self) -> usize {
        self.cells
    }

    /// The critical value: what the largest score exceeds in this share of permutations. `None` where no cell is ranked.
    pub(super) fn critical(&self, share: f64) -> Option<f64> {
        let mut largest = self.largest.clone();
        largest.sort_unstable_by(f64::total_cmp);
        let at = ((1.0 - share) * (largest.len() + 1) as f64).ceil() as usize;
        largest.get(at.clamp(1, largest.len().max(1)) - 1).copied().filter(|_| self.cells > 0)
    }

    /// The familywise p-value of a studentised score: the share of permutations whose largest score is as large, the data counted.
    pub(super) fn adjusted(&self, z: f64) -> f64 {
        (1 + self.largest.iter().filter(|largest| **largest >= z).count()) as f64 / (1 + self.largest.len()) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_familywise_p_counts_permutations_whose_maximum_is_as_large() {
        let family = MaxT { largest: (1..=19).map(f64::from).collect(), cells: 3 };
        assert_eq!((family.adjusted(20.0), family.adjusted(19.0), family.adjusted(0.0)), (0.05, 0.1, 1.0));
        assert_eq!(family.critical(0.05), Some(19.0));
        let empty = MaxT { largest: vec![f64::NEG_INFINITY; 19], cells: 0 };
        assert_eq!(empty.critical(0.05), None);
    }
}
