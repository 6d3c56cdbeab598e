//! The grid: all cells of a study resampled together, so that what is said of one holds beside the others of its family.

use super::{
    contrast::ContrastSides,
    index::{ComparisonIx, ModelIx},
    ledger::{CHANCE, CellId, Ledger},
    score::{Estimate, Spread},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the `grid` stage leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimultaneousTests {
    /// 1.
    pub format: u32,
    /// Permutations of labels behind every adjusted p.
    pub permutations: usize,
    /// The cells that half A chose, one a model and comparison: what is claimed of half B. A and B share no identity, so nothing else
    /// was looked at.
    pub chosen: Family,
    /// All ranked cells: where one is spoken of that half A did not choose.
    pub all: Family,
    /// One a ranked cell, in the study's order.
    pub cells: Vec<CellTest>,
    /// One a comparison of every two sides that are held against each other.
    pub differences: Vec<Difference>,
    /// One a comparison within some images and every two sides, where the same is asked over all images too.
    #[serde(default)]
    pub interactions: Vec<Interaction>,
    /// One a model and comparison: its chosen view beside its features.
    pub beside: Vec<ViewBesideFeatures>,
    /// Smallest scores that could have been shown.
    pub detectable: Detectable,
}

/// Cells that are tested together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// How many are tested together.
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
pub struct CellTest {
    /// Which cell it is.
    pub cell: CellId,
    /// (AUC − .5) over its standard deviation under permuted labels.
    pub z: f64,
    /// The share of permutations that do as well in this cell.
    pub p: f64,
    /// The false discovery rate among cells at least as good (Benjamini and Hochberg 1995): for browsing.
    pub q: f64,
    /// Beside all ranked cells.
    pub all: Familywise,
    /// Beside the chosen ones, if it is one.
    pub chosen: Option<Familywise>,
}

/// What holds of one cell beside all others of its family.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Familywise {
    /// The share of permutations in which any cell of the family does as well (Westfall and Young 1993).
    pub adjusted: f64,
    /// The lower bound: the interval's low end, as far as the family's critical value reaches.
    pub low: f64,
}

impl CellTest {
    /// In the family that it is spoken of in: the chosen cells, or, if it is none of them, all.
    pub fn claimed(&self) -> Familywise {
        self.chosen.unwrap_or(self.all)
    }

    /// Beyond chance: better than the luckiest of as many cells without signal.
    pub fn is_told(&self) -> bool {
        self.claimed().adjusted <= CHANCE
    }
}

impl SimultaneousTests {
    /// How sure a ranked cell is.
    pub fn of(&self, cell: &CellId) -> Option<&CellTest> {
        let place = self.cells.binary_search_by_key(cell, |of| of.cell).ok()?;
        Some(&self.cells[place])
    }

    /// How many cells a cell is spoken of beside.
    pub fn family(&self, cell: &CellTest) -> usize {
        if cell.chosen.is_some() { self.chosen.cells } else { self.all.cells }
    }
}

/// A comparison in two sides' chosen views, on the same images of half B.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The place among what is held.
    pub held: usize,
    /// Place of the comparison.
    pub comparison: ComparisonIx,
    /// Each side's AUC: the mean over its trainings.
    pub left: f64,
    /// The other side's AUC.
    pub right: f64,
    /// Right less left.
    pub difference: Estimate,
    /// Its standard error, over people, and over trainings where these may be named.
    pub error: f64,
    /// Two-sided, from the resamples; and among all differences (Benjamini and Hochberg 1995).
    pub p: f64,
    /// From 0 to 1.
    pub q: f64,
    /// The same of view less probe: does the projection gain more, or less, than the features did? (An interaction.)
    pub beyond: Option<Estimate>,
}

/// What two sides differ by within some images, less what they differ by over all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// The place among what is held.
    pub held: usize,
    /// Places of the comparisons.
    pub within: ComparisonIx,
    /// The place of the same comparison over all images.
    pub whole: ComparisonIx,
    /// Within less whole, each of them right less left.
    pub difference: Estimate,
    /// Two-sided, from the resamples.
    pub p: f64,
    /// Among all interactions.
    pub q: f64,
}

/// Differences are named where no more than one in twenty of those that are would be false.
pub const DISCOVERY: f64 = 0.05;

impl Difference {
    /// Is it shown, at a false discovery rate of [`DISCOVERY`]?
    pub fn is_shown(&self) -> bool {
        self.q <= DISCOVERY
    }
}

/// What is said of a difference, of its right side beside its left: by [`SimultaneousTests::verdicts`] alone, on screens, in tables, exports and
/// reports alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceVerdict {
    /// The right side is better.
    Higher,
    /// The right side is worse.
    Lower,
    /// The difference may be chance.
    NotShown,
    /// The scores differ, and neither side is told beyond chance there: nobody is better at what nobody can.
    Neither,
}

impl DifferenceVerdict {
    /// As tables and exports write it.
    pub fn word(self) -> &'static str {
        match self {
            DifferenceVerdict::Higher => "higher",
            DifferenceVerdict::Lower => "lower",
            DifferenceVerdict::NotShown => "inconclusive",
            DifferenceVerdict::Neither => "neither above chance",
        }
    }
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Differences in which the right side is better.
    pub higher: usize,
    /// Differences in which it is worse.
    pub lower: usize,
    /// Differences where neither side is above chance.
    pub neither: usize,
    /// All differences, the inconclusive ones among them.
    pub of: usize,
}

impl FromIterator<DifferenceVerdict> for Verdicts {
    fn from_iter<T: IntoIterator<Item = DifferenceVerdict>>(verdicts: T) -> Self {
        verdicts.into_iter().fold(Verdicts::default(), |mut counted, verdict| {
            counted.of += 1;
            match verdict {
                DifferenceVerdict::Higher => counted.higher += 1,
                DifferenceVerdict::Lower => counted.lower += 1,
                DifferenceVerdict::Neither => counted.neither += 1,
                DifferenceVerdict::NotShown => {}
            }
            counted
        })
    }
}

impl Verdicts {
    /// `higher on 3, lower on 1, inconclusive on 7 of 11 comparisons`.
    pub fn words(self) -> String {
        let Verdicts { higher, lower, neither, of } = self;
        let some = |n: usize, words: &str| (n > 0).then(|| format!("{words} on {n}"));
        let open = of - higher - lower - neither;
        let parts = [
            some(higher, DifferenceVerdict::Higher.word()),
            some(lower, DifferenceVerdict::Lower.word()),
            some(neither, DifferenceVerdict::Neither.word()),
            some(open, DifferenceVerdict::NotShown.word()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("{} of {}", parts.join(", "), super::text::count(of, "comparison"))
    }
}

impl SimultaneousTests {
    /// What is said of each difference, in their order; `held`: the sides that they are of.
    pub fn verdicts(&self, held: &[ContrastSides], ledger: &Ledger) -> Vec<DifferenceVerdict> {
        let told = ledger
            .rows
            .iter()
            .filter(|row| row.chosen && self.of(&row.candidate.cell).is_some_and(CellTest::is_told))
            .map(|row| (row.candidate.cell.model, row.candidate.cell.comparison));
        self.verdicts_where(held, &told.collect())
    }

    /// The same where there is no ledger: of the cells that half A chose.
    pub fn verdicts_of_chosen(&self, held: &[ContrastSides]) -> Vec<DifferenceVerdict> {
        let told = self.cells.iter().filter(|of| of.chosen.is_some() && of.is_told());
        self.verdicts_where(held, &told.map(|of| (of.cell.model, of.cell.comparison)).collect())
    }

    /// `told`: which models are above chance on which comparisons.
    fn verdicts_where(&self, held: &[ContrastSides], told: &BTreeSet<(ModelIx, ComparisonIx)>) -> Vec<DifferenceVerdict> {
        let verdict = |of: &Difference| {
            let sides = held.get(of.held).into_iter().flat_map(|held| held.left.iter().chain(&held.right));
            match (of.is_shown(), of.difference.value > 0.0) {
                (false, _) => DifferenceVerdict::NotShown,
                (true, _) if !sides.into_iter().any(|&model| told.contains(&(model, of.comparison))) => {
                    DifferenceVerdict::Neither
                }
                (true, true) => DifferenceVerdict::Higher,
                (true, false) => DifferenceVerdict::Lower,
            }
        };
        self.differences.iter().map(verdict).collect()
    }
}

/// A chosen view beside the best of its features: what the picture lost, or made up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewBesideFeatures {
    /// Place of the model.
    pub model: ModelIx,
    /// Place of the comparison.
    pub comparison: ComparisonIx,
    /// The chosen view.
    pub cell: CellId,
    /// On half B: nearest neighbours in the features, and the linear probe.
    pub features: Option<f64>,
    /// The linear probe's AUC on half B.
    pub probe: Option<f64>,
    /// View less the better of the two.
    pub kept: Estimate,
}

impl ViewBesideFeatures {
    /// In words, where the interval excludes nought.
    pub fn word(&self) -> &'static str {
        match self.kept.interval {
            Some(of) if of.low > 0.0 => "inflated",
            Some(of) if of.high < 0.0 => "lost",
            _ => "inconclusive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::index::{LayerIx, ProjectionIx};
    use crate::domain::{
        ledger::{Candidate, LedgerRow},
        projection::View,
    };

    fn cell(model: usize, comparison: usize) -> CellId {
        CellId {
            model: model.into(),
            layer: LayerIx(0),
            projection: ProjectionIx(0),
            view: View::Axis(1),
            comparison: comparison.into(),
        }
    }

    /// Two models and four comparisons, told beyond chance where `adjusted` is small: right is surely better, surely worse, perhaps
    /// better, and surely better at what neither can.
    fn two_models() -> (SimultaneousTests, Ledger, Vec<ContrastSides>) {
        let estimate = |value: f64| Estimate::new(value, value - 0.1, value + 0.1);
        let told = |comparison: ComparisonIx| if comparison == ComparisonIx(3) { 0.9 } else { 0.01 };
        let cells: Vec<CellId> = (0..2).flat_map(|model| (0..4).map(move |comparison| cell(model, comparison))).collect();
        let sure = |of: &CellId| {
            let beside = Familywise { adjusted: told(of.comparison), low: 0.5 };
            CellTest { cell: *of, z: 1.0, p: 0.1, q: 0.1, all: beside, chosen: Some(beside) }
        };
        let differences = [(0.2, 0.01), (-0.2, 0.01), (0.2, 0.5), (0.2, 0.01)].into_iter().enumerate();
        let difference = |(comparison, (value, q)): (usize, (f64, f64))| Difference {
            held: 0,
            comparison: comparison.into(),
            left: 0.6,
            right: 0.6 + value,
            difference: estimate(value),
            error: 0.1,
            p: q,
            q,
            beyond: None,
        };
        let row = |of: &CellId| LedgerRow {
            candidate: Candidate { cell: *of, a: None, b: None, unranked: None },
            rank: Some(1),
            picked: false,
            chosen: true,
            low: None,
            shown_as: vec![],
            reason: String::new(),
        };
        let ledger = Ledger {
            format: 1,
            cells: 8,
            ranked: 8,
            unranked: 0,
            picked: 0,
            optimism: None,
            projections: vec![],
            standings: vec![],
            rows: cells.iter().map(row).collect(),
        };
        let tests = SimultaneousTests {
            format: 1,
            permutations: 1,
            chosen: Family::default(),
            all: Family::default(),
            cells: cells.iter().map(sure).collect(),
            differences: differences.map(difference).collect(),
            interactions: vec![],
            beside: vec![],
            detectable: Detectable::default(),
        };
        (tests, ledger, vec![ContrastSides { contrast: 0, left: vec![0.into()], right: vec![1.into()] }])
    }

    #[test]
    fn a_sign_alone_is_no_verdict() {
        let (mut tests, ledger, held) = two_models();
        let verdicts = tests.verdicts(&held, &ledger);
        assert_eq!(
            verdicts,
            [DifferenceVerdict::Higher, DifferenceVerdict::Lower, DifferenceVerdict::NotShown, DifferenceVerdict::Neither]
        );
        let counted: Verdicts = verdicts.iter().copied().collect();
        assert_eq!(counted.words(), "higher on 1, lower on 1, neither above chance on 1, inconclusive on 1 of 4 comparisons");
        assert_eq!(tests.verdicts_of_chosen(&held), verdicts, "the cells that half A chose are those of the ledger");
        // Four wins that nothing shows are no win.
        tests.differences.iter_mut().for_each(|of| (of.q, of.difference.value) = (0.06, 0.2));
        let counted: Verdicts = tests.verdicts(&held, &ledger).into_iter().collect();
        assert_eq!(counted.words(), "inconclusive on 4 of 4 comparisons");
    }

    #[test]
    fn one_side_that_is_told_is_enough() {
        let (mut tests, ledger, held) = two_models();
        let place = tests.cells.iter().position(|of| of.cell == cell(0, 3)).unwrap();
        tests.cells[place].chosen = Some(Familywise { adjusted: 0.04, low: 0.5 });
        assert_eq!(tests.verdicts(&held, &ledger)[3], DifferenceVerdict::Higher);
    }
}
