//! Stages: kinds of work that leave a result under a key.
//!
//! A key is the digest of everything that decides a result: the stage, its code version, parameters, seed, and the *content digests* of
//! what it consumes. Names never enter (class names in `draw` aside), nor do paths, threads, slots or the machine: torch-free stages
//! have the same bits everywhere.
//!
//! What a stage consumes and leaves is named at its definition; roles of inputs that several stages consume are in [`role`].
//!
//! A stage is a file here, and a row of the register below. Its canonical form takes its struct apart without `..`, so that a new field
//! does not compile until it enters the key or is named as one that decides nothing. `perturbed.rs` changes every field of every stage
//! and sees the key change.

mod adjusted_scores;
mod agreement;
mod attention;
mod baseline;
mod clicks;
mod clusters;
mod extraction;
mod fairness;
mod feature_import;
mod feature_scores;
mod figure;
mod hashes;
mod index;
mod kind;
mod layer_differences;
mod nuisance_scores;
mod nuisances;
mod overlap;
mod pair_verification;
#[cfg(test)]
mod perturbed;
mod project;
mod quality;
mod ranking;
mod retained;
mod retrieval;
mod robustness;
pub mod role;
mod score;
mod simultaneous;
mod slot;
mod subgroups;
mod task;
mod thumbnails;
mod training;
mod verification;
mod visibility;

pub use adjusted_scores::AdjustScores;
pub use agreement::MeasureAgreement;
pub use attention::ContrastAttention;
pub use baseline::Baseline;
pub use clicks::SimulateClicks;
pub use clusters::FindClusters;
pub use extraction::{Extraction, LIBTORCH, MASKED_BY, ONNXRUNTIME, WEIGHTS_PREFIX, WholeNetwork, features_at};
pub use fairness::GroupFairness;
pub use feature_import::{ArrayFormat, FeatureImport};
pub use feature_scores::{ScoreFeatures, ranks_of};
pub use figure::{AxisNames, Figure};
pub use hashes::HashPictures;
pub use index::IndexImages;
pub use kind::Kind;
pub use layer_differences::CompareLayers;
pub use nuisance_scores::ScoreNuisances;
pub use nuisances::MeasureNuisances;
pub use overlap::FindOverlap;
pub use pair_verification::VerifyPairs;
pub use project::ProjectFeatures;
pub use quality::MeasureQuality;
pub use ranking::{Probes, Ranking};
pub use retained::MeasureRetained;
pub use retrieval::RetrieveImages;
pub use robustness::Robustness;
pub use score::ScoreViews;
pub use simultaneous::Simultaneous;
pub use slot::ScoreSlot;
pub use subgroups::FindSubgroups;
pub use task::{Input, Location, Order, Task};
pub use thumbnails::{MakeThumbnails, ThumbnailForm};
pub use training::Training;
pub use verification::VerifyIdentities;
pub use visibility::MeasureVisibility;

use super::{canonical::Value, study::DeviceClass};
use serde::{Deserialize, Serialize};

/// What a stage's definition says of itself; what needs no parameter is in its row of the register.
trait Stage {
    /// Raised whenever the stage's code gives other bits for the same inputs; the golden digests of `tests/golden.rs` fail until it is.
    /// One a stage, so that results of the other stages stay.
    fn version(&self) -> u32;

    /// The seed it draws from, if it draws.
    fn seed(&self) -> Option<u64> {
        None
    }

    /// Where parameters decide how long it takes: another cost class than that of its row.
    fn cost_class(&self) -> Option<String> {
        None
    }

    /// Everything that decides the result, but for what is consumed.
    fn canonical(&self) -> Value;
}

macro_rules! register {
    ($($name:ident($definition:ident) = $word:literal, $kind:ident, $cost_class:literal;)*) => {
        /// What a stage does, with every parameter that decides its result and nothing that does not.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Work {
            $(
                #[doc = concat!("The stage `", $word, "`.")]
                #[serde(rename = $word)]
                $name($definition),
            )*
        }

        /// Which stage, without its parameters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StageName {
            $(
                #[doc = concat!("The stage `", $word, "`.")]
                $name,
            )*
        }

        impl StageName {
            /// Every stage, in the order of the register.
            pub const ALL: &[StageName] = &[$(StageName::$name,)*];

            /// What the stage is called in manifests: finer than its kind.
            pub fn word(self) -> &'static str {
                match self {
                    $(StageName::$name => $word,)*
                }
            }

            /// What people count it under.
            pub fn kind(self) -> Kind {
                match self {
                    $(StageName::$name => Kind::$kind,)*
                }
            }

            /// The cost class of the stage where no parameter of it says another: see [`Work::cost_class`].
            pub fn cost_class(self) -> &'static str {
                match self {
                    $(StageName::$name => $cost_class,)*
                }
            }
        }

        impl Work {
            /// Which stage it is.
            pub fn name(&self) -> StageName {
                match self {
                    $(Work::$name(_) => StageName::$name,)*
                }
            }

            fn definition(&self) -> &dyn Stage {
                match self {
                    $(Work::$name(definition) => definition,)*
                }
            }
        }
    };
}

// The register: a stage's name, what defines it, its word in manifests, its kind, its cost class. Words are in stored results and never
// change.
register! {
    Index(IndexImages) = "index", Index, "index";
    Features(FeatureImport) = "features", Features, "features";
    Train(Training) = "train", Train, "train";
    Extract(Extraction) = "extract", Features, "features";
    Baseline(Baseline) = "baseline", Features, "features baseline";
    Hashes(HashPictures) = "hashes", Features, "features hashes";
    Thumbnails(MakeThumbnails) = "thumbnails", Features, "features thumbnails";
    Overlap(FindOverlap) = "overlap", Score, "score overlap";
    Agreement(MeasureAgreement) = "agreement", Score, "score agreement";
    Project(ProjectFeatures) = "project", Project, "project";
    Score(ScoreViews) = "score", Score, "score";
    FeatureScores(ScoreFeatures) = "space", Score, "score features";
    Robustness(Robustness) = "steady", Score, "score again";
    Subgroups(FindSubgroups) = "subgroups", Score, "score subgroups";
    Fairness(GroupFairness) = "fairness", Score, "score fairness";
    Verify(VerifyIdentities) = "verify", Score, "score verification";
    VerifyPairs(VerifyPairs) = "pairs", Score, "score pairs";
    Quality(MeasureQuality) = "quality", Score, "score quality";
    Clusters(FindClusters) = "clusters", Score, "score clusters";
    Retrieval(RetrieveImages) = "retrieval", Score, "score retrieval";
    Clicks(SimulateClicks) = "clicks", Score, "score clicks";
    Nuisances(MeasureNuisances) = "nuisances", Features, "features nuisances";
    NuisanceScores(ScoreNuisances) = "explained", Score, "score nuisances";
    AdjustedScores(AdjustScores) = "adjusted", Score, "score adjusted";
    Retained(MeasureRetained) = "retained", Score, "score retained";
    Attention(ContrastAttention) = "attention", Score, "score attention";
    Visibility(MeasureVisibility) = "visible", Score, "score visibility";
    LayerDifferences(CompareLayers) = "layers", Score, "score layers";
    Simultaneous(Simultaneous) = "grid", Score, "score grid";
    Rank(Ranking) = "rank", Rank, "rank";
    Draw(Figure) = "draw", Draw, "draw";
}

impl Work {
    /// What the stage is called in manifests: finer than its kind.
    pub fn word(&self) -> &'static str {
        self.name().word()
    }

    /// What people count it under.
    pub fn kind(&self) -> Kind {
        self.name().kind()
    }

    /// The version of the stage's code: raised whenever it gives other bits for the same inputs.
    pub fn version(&self) -> u32 {
        self.definition().version()
    }

    /// The seed it draws from, if it draws.
    pub fn seed(&self) -> Option<u64> {
        self.definition().seed()
    }

    /// Is it computed on a graphics card?
    pub fn needs_card(&self) -> bool {
        match self {
            Work::Train(of) => of.numerics.device == DeviceClass::Cuda,
            Work::Extract(of) => of.numerics.device == DeviceClass::Cuda,
            _ => false,
        }
    }

    /// Work that takes about as long has one cost class: what a plan learns costs from. Words, the coarsest first: where no result of a
    /// class is known, a class that begins with fewer of its words is taken.
    pub fn cost_class(&self) -> String {
        self.definition().cost_class().unwrap_or_else(|| self.name().cost_class().to_owned())
    }

    fn canonical(&self) -> Value {
        self.definition().canonical()
    }
}

/// Of the stages that make intervals of AUCs. 5: by the score method, none of too few. 6: near 1 more of what an interval misses is above
/// it; permuted scores where most images share a place.
const SCORE_VERSION: u32 = 6;

/// Places in the study.
fn places(places: impl IntoIterator<Item = usize>) -> Value {
    Value::List(places.into_iter().map(Value::count).collect())
}
