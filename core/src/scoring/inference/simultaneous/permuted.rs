//! Max-T (Westfall and Young 1993): what the luckiest cell of a family comes to when labels mean nothing.
//!
//! Every view's score under the same permutations stands beside it (see [`crate::scoring::inference::permutation`]): here they are studentised,
//! and the largest of each permutation is kept, of the chosen cells and of all.

use super::ProjectionScores;
use crate::domain::ledger::CellId;
use std::collections::BTreeSet;

/// A family's largest studentised score, by permutation.
pub struct Luckiest {
    largest: Vec<f64>,
    cells: usize,
}

pub struct Permuted {
    turns: usize,
    chosen: BTreeSet<CellId>,
    /// The chosen cells, and all.
    families: [Luckiest; 2],
    cells: Vec<Studentised>,
}

/// A cell's score in standard deviations under permuted labels, and the share of permutations that do as well.
#[derive(Clone, Copy)]
pub struct Studentised {
    pub cell: CellId,
    pub z: f64,
    pub p: f64,
    pub deviation: f64,
    pub chosen: bool,
}

impl Permuted {
    pub fn new(turns: usize, chosen: BTreeSet<CellId>) -> Self {
        let family = || Luckiest { largest: vec![f64::NEG_INFINITY; turns], cells: 0 };
        Permuted { turns, chosen, families: [family(), family()], cells: vec![] }
    }

    /// Takes in every ranked view.
    pub fn meet(&mut self, of: &ProjectionScores) {
        for (place, view) in of.scores.views.iter().enumerate() {
            let (Some(_), Some(b), None) = (view.a, view.b, &of.scores.unranked) else { continue };
            if place >= of.permuted.rows() || of.permuted.columns() != self.turns {
                continue;
            }
            let permuted = of.permuted.row(place);
            let square: f64 = permuted.iter().map(|auc| (f64::from(*auc) - 0.5).powi(2)).sum();
            let deviation = (square / permuted.len().max(1) as f64).sqrt();
            if deviation.is_nan() || deviation <= 0.0 {
                continue;
            }
            let better = permuted.iter().filter(|auc| f64::from(**auc) >= b.value).count();
            let slot = of.slot;
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

    pub fn cells(&self) -> impl Iterator<Item = Studentised> {
        self.cells.iter().copied()
    }

    /// The chosen cells, and all.
    pub fn families(&self) -> [&Luckiest; 2] {
        self.families.each_ref()
    }
}

impl Luckiest {
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// What the largest score reaches in this share of permutations; `None` where nothing was ranked.
    pub fn critical(&self, share: f64) -> Option<f64> {
        let mut largest = self.largest.clone();
        largest.sort_unstable_by(f64::total_cmp);
        let at = ((1.0 - share) * (largest.len() + 1) as f64).ceil() as usize;
        largest.get(at.clamp(1, largest.len().max(1)) - 1).copied().filter(|_| self.cells > 0)
    }

    /// The share of permutations whose largest score is as large.
    pub fn adjusted(&self, z: f64) -> f64 {
        (1 + self.largest.iter().filter(|largest| **largest >= z).count()) as f64 / (1 + self.largest.len()) as f64
    }
}
