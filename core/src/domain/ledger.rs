//! The ledger: every candidate figure with its rank and why it was shown or left out.

use super::{
    index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
    projection::View,
    score::Estimate,
};
use serde::{Deserialize, Serialize};
use typed_index_collections::TiVec;

/// A cell as a candidate for a figure, named by its places in the study: names never enter a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which cell it is.
    pub cell: CellId,
    /// On half A: what it is chosen by.
    pub a: Option<Estimate>,
    /// On half B: what is quoted of it.
    pub b: Option<Estimate>,
    /// Why it cannot be ranked.
    pub unranked: Option<String>,
}

/// Model × layer × projection × view × comparison, counted from 0 in the study's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CellId {
    /// Place of the model.
    pub model: ModelIx,
    /// Results of the first release call it `tap`.
    #[serde(alias = "tap")]
    pub layer: LayerIx,
    /// Place of the projection.
    pub projection: ProjectionIx,
    /// The axis, axes or map.
    pub view: View,
    /// Place of the comparison.
    pub comparison: ComparisonIx,
}

/// One row a candidate, in the candidates' order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The cell with its scores.
    pub candidate: Candidate,
    /// From 1; `None` when it is not ranked.
    pub rank: Option<usize>,
    /// By the rule alone.
    pub picked: bool,
    /// Best among the views of its model and comparison, on half A.
    pub chosen: bool,
    /// The simultaneous lower bound on half B, beside the chosen cells, or, if it is not chosen, beside all: separates where it reaches the
    /// mark. `None` when it is not ranked.
    pub low: Option<f64>,
    /// Empty where it is not in the report by the rule.
    pub shown_as: Vec<ShownAs>,
    /// Why it was picked or left out, with places of the study for names: see `StudyOutcome::reason` in `visavis`.
    pub reason: String,
}

/// Why a figure is in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShownAs {
    /// Picked by the rule.
    Best,
    /// The median of all ranked cells.
    Median,
    /// The worst of all ranked cells.
    Worst,
    /// One that the seed drew from all ranked cells.
    Random,
    /// A person wants it.
    Pinned,
}

impl ShownAs {
    /// As JSON, exports and captions write it.
    pub fn word(self) -> &'static str {
        match self {
            ShownAs::Best => "best",
            ShownAs::Median => "median",
            ShownAs::Worst => "worst",
            ShownAs::Random => "random",
            ShownAs::Pinned => "pinned",
        }
    }
}

/// One model, in its chosen views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelStanding {
    /// Place of the model.
    pub model: ModelIx,
    /// Comparisons that it was ranked in.
    pub compared: usize,
    /// Comparisons that it separates, on half B.
    pub separates: usize,
}

/// One projection, in its view that is best on half A, over models and comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionStanding {
    /// Place of the projection.
    pub projection: ProjectionIx,
    /// Pairs of model and comparison that it was ranked in.
    pub compared: usize,
    /// Those in which its best view separates, simultaneously over all cells.
    pub separates: usize,
    /// By projection: how many it separates of those that the other does not.
    pub rescues: TiVec<ProjectionIx, usize>,
}

/// What the `rank` stage leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// 1.
    pub format: u32,
    /// How many candidates there were.
    pub cells: usize,
    /// How many of them have a rank.
    pub ranked: usize,
    /// How many have none.
    pub unranked: usize,
    /// How many the rule picked.
    pub picked: usize,
    /// Mean of A − B over the chosen views: how much choosing flatters.
    pub optimism: Option<f64>,
    /// One a projection: in how many comparisons of models its own best view separates.
    #[serde(default)]
    pub projections: Vec<ProjectionStanding>,
    /// One a model, by place: how many comparisons it was ranked in, and how many it separates on half B.
    pub standings: Vec<ModelStanding>,
    /// One a candidate.
    pub rows: Vec<LedgerRow>,
}

/// A cell is told beyond chance when as many grids without signal, or fewer, have one as good.
pub const CHANCE: f64 = 0.05;

/// What a study of drawn faces made of what was planted in them: the `rank` stage's own score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// 1.
    pub format: u32,
    /// Comparisons of what was drawn, as far as they are ranked; those of them that some model's chosen view separates; and those
    /// that one tells beyond chance, all other cells considered.
    pub planted: usize,
    /// Those of `planted` that a chosen view separates.
    pub found: usize,
    /// Those of `planted` that a chosen view has above chance.
    pub beyond_chance: usize,
    /// Those of what no stroke shows; those told beyond chance all the same, through what goes with them; and findings that the
    /// truth contradicts: of what is not drawn and goes with nothing, or surer than the labels allow.
    pub undrawn: usize,
    /// Those of `undrawn` that are above chance.
    pub through: usize,
    /// Findings that contradict the truth.
    pub wrong: usize,
    /// The same by linear probes of features, of each comparison the one that is best on half A: drawn ones that it tells, and
    /// others.
    #[serde(default)]
    pub told_by_probes: usize,
    /// Undrawn ones that a probe detects.
    #[serde(default)]
    pub through_by_probes: usize,
    /// One a comparison that a probe was scored on.
    #[serde(default)]
    pub probes: Vec<ProbeDetection>,
}

/// The probe that is best on half A of one comparison, on half B.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeDetection {
    /// Place of the comparison.
    pub comparison: ComparisonIx,
    /// Place of the model.
    pub model: ModelIx,
    /// Results of the first release call it `tap`.
    #[serde(alias = "tap")]
    pub layer: LayerIx,
    /// Its AUC on half B.
    pub b: Estimate,
    /// How seldom chance does as well in any of so many.
    pub adjusted: f64,
}

impl ProbeDetection {
    /// Is it above chance, all probes considered?
    pub fn is_told(&self) -> bool {
        self.adjusted <= CHANCE
    }
}

/// How often a class occurs among the labelled images, overall and per group: the `rank` stage's second output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frequencies {
    /// 1.
    pub format: u32,
    /// How many images there are.
    pub images: usize,
    /// Distinct identities of these images.
    pub identities: usize,
    /// One entry a binary attribute, or a value of an attribute of several classes.
    pub attributes: Vec<Frequency>,
    /// Groups and intersections for the fairness appendix.
    pub groups: Vec<Group>,
}

/// How often one value of one attribute occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frequency {
    /// The attribute's name.
    pub attribute: String,
    /// The value counted; `None` for a binary attribute that is present.
    pub value: Option<String>,
    /// Among images with a label of the attribute.
    pub rate: Rate,
}

/// A proportion with its counts and Wilson interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Images in the class.
    pub positives: usize,
    /// Images with a label.
    pub n: usize,
    /// Distinct identities of those with a label.
    pub identities: usize,
    /// `None` where nobody is labelled: undefined, not 0.
    pub share: Option<Estimate>,
}

impl Rate {
    /// Fewer images than this are marked, wherever a rate is shown.
    const FEW: usize = 30;

    /// Does it rest on few images?
    pub fn is_few(&self) -> bool {
        self.positives < Self::FEW
    }
}

/// A group of the fairness appendix: one value of each of up to `depth` attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// (attribute, value) pairs, one an attribute.
    pub members: Vec<(String, String)>,
    /// Images in the group.
    pub n: usize,
    /// Distinct identities in the group.
    pub identities: usize,
    /// By comparison and class: the rate of the class in the group; empty for a quantity.
    pub rates: TiVec<ComparisonIx, Vec<Rate>>,
}
