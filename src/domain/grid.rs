//! The grid: all cells of a study resampled together, so that what is said of one holds beside the others of its family.

use super::{
    ledger::{CHANCE, CellId},
    score::{Estimate, Spread},
};
use serde::{Deserialize, Serialize};

/// What the `grid` stage leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    pub format: u32,
    pub permutations: usize,
    /// The cells that half A chose, one a model and comparison: what is claimed of half B. A and B share no identity, so nothing else
    /// was looked at.
    pub chosen: Family,
    /// All ranked cells: where one is spoken of that half A did not choose.
    pub all: Family,
    /// One a ranked cell, in the study's order.
    pub cells: Vec<Sureness>,
    /// One a comparison of every two sides that are held against each other.
    pub differences: Vec<Difference>,
    /// One a comparison within some images and every two sides, where the same is asked over all images too.
    #[serde(default)]
    pub interactions: Vec<Interaction>,
    /// One a model and comparison: its chosen view beside its features.
    pub beside: Vec<Kept>,
    pub detectable: Detectable,
}

/// Cells that are tested together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Family {
    pub cells: usize,
    /// The 95th percentile, over permutations of labels, of their largest studentised score: how far from chance the luckiest of them
    /// comes without any signal. `None` where nothing is ranked.
    pub critical: Option<f64>,
}

/// What this study could have shown, whatever it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detectable {
    /// Over chosen cells: from which AUC on half B one is told beyond chance, all of them considered.
    pub auc: Option<Spread>,
    /// Over differences: how large a true one must be for four samples of people in five to show it, by itself.
    pub difference: Option<Spread>,
}

/// How sure one cell is, on half B: by itself, and beside the others of a family.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sureness {
    pub cell: CellId,
    /// (AUC − .5) over its standard deviation under permuted labels.
    pub z: f64,
    /// The share of permutations that do as well in this cell.
    pub p: f64,
    /// The false discovery rate among cells at least as good (Benjamini and Hochberg 1995): for browsing.
    pub q: f64,
    /// Beside all ranked cells.
    pub all: Simultaneous,
    /// Beside the chosen ones, if it is one.
    pub chosen: Option<Simultaneous>,
}

/// What holds of one cell beside all others of its family.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simultaneous {
    /// The share of permutations in which any cell of the family does as well (Westfall and Young 1993).
    pub adjusted: f64,
    /// The lower bound: the interval's low end, as far as the family's critical value reaches.
    pub low: f64,
}

impl Sureness {
    /// In the family that it is spoken of in: the chosen cells, or, if it is none of them, all.
    pub fn claimed(&self) -> Simultaneous {
        self.chosen.unwrap_or(self.all)
    }

    /// Beyond chance: better than the luckiest of as many cells without signal.
    pub fn is_told(&self) -> bool {
        self.claimed().adjusted <= CHANCE
    }
}

impl Grid {
    /// How sure a ranked cell is.
    pub fn of(&self, cell: &CellId) -> Option<&Sureness> {
        let place = self.cells.binary_search_by_key(cell, |of| of.cell).ok()?;
        Some(&self.cells[place])
    }

    /// How many cells a cell is spoken of beside.
    pub fn family(&self, of: &Sureness) -> usize {
        if of.chosen.is_some() { self.chosen.cells } else { self.all.cells }
    }
}

/// A comparison in two sides' chosen views, on the same images of half B.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The place among what is held.
    pub held: usize,
    pub comparison: usize,
    /// Each side's AUC: the mean over its trainings.
    pub left: f64,
    pub right: f64,
    /// Right less left.
    pub difference: Estimate,
    /// Its standard error, over people, and over trainings where these may be named.
    pub error: f64,
    /// Two-sided, from the resamples; and among all differences (Benjamini and Hochberg 1995).
    pub p: f64,
    pub q: f64,
    /// The same of view less probe: does the projection gain more, or less, than the features did? (An interaction.)
    pub beyond: Option<Estimate>,
}

/// What two sides differ by within some images, less what they differ by over all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    pub held: usize,
    /// Places of the comparisons.
    pub within: usize,
    pub whole: usize,
    pub difference: Estimate,
    pub p: f64,
    pub q: f64,
}

/// Differences are named where no more than one in twenty of those that are would be false.
pub const DISCOVERY: f64 = 0.05;

impl Difference {
    pub fn is_shown(&self) -> bool {
        self.q <= DISCOVERY
    }
}

/// A chosen view beside the best of its features: what the picture lost, or made up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub model: usize,
    pub comparison: usize,
    pub cell: CellId,
    /// On half B: nearest neighbours in the features, and the linear probe.
    pub features: Option<f64>,
    pub probe: Option<f64>,
    /// View less the better of the two.
    pub kept: Estimate,
}

impl Kept {
    /// In words, where the interval excludes nought.
    pub fn word(&self) -> &'static str {
        match self.kept.interval {
            Some(of) if of.low > 0.0 => "inflated",
            Some(of) if of.high < 0.0 => "lost",
            _ => "not shown to differ",
        }
    }
}
