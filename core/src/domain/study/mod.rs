//! A study: one question, checked and complete. Made by `config` from a study file, trusted from then on.

mod cluster;
mod dataset;
mod network;
mod preparation;
mod verification;

use super::{
    alteration::Alteration,
    clicks::ClickSettings,
    clusters::ClusterMethod,
    comparison::Comparison,
    hypothesis::Hypothesis,
    made_with::NOT_STATED,
    model::{Model, Network, Source, Weights},
    nuisance::{Nuisance, WantedNuisances},
    projection::Projection,
    retrieval::Query,
    score::Statistics,
    visibility::Visibility,
};
use crate::domain::index::{ComparisonIx, DatasetIx, ModelIx, ProjectionIx};
pub use cluster::{DispatcherPlace, Mebibytes, PrologueLine, SlurmSettings, SlurmWord, TimeLimit};
pub use dataset::{
    Dataset, Evaluation, FaceFiles, Identities, LabelEntry, LabelProvenance, LabelSource, OnMissing, Partition, Thumbnails,
    Vggface2Split,
};
pub use network::{DeviceClass, KeptWeights, Numerics, Optimizer, PARTIAL_FC_FROM, Precision, Recipe, Schedule, Validation};
pub use preparation::{
    Channels, Crop, Exif, FaceMark, Padding, PixelScale, Preparation, PreparationField, PreparationOrigin, USUAL_MARGIN,
    WrittenPreparation,
};
use std::collections::{BTreeMap, BTreeSet};
use typed_index_collections::TiVec;
pub use verification::{PairSource, VerificationSet, VerificationSettings};

/// What a study file says, with names resolved and defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What results, reports and commands know it by.
    pub name: String,
    /// The question, in a sentence.
    pub about: String,
    /// Of everything that is drawn at random, but for trainings and projections, which count their own.
    pub seed: u64,
    /// How networks compute.
    pub numerics: Numerics,
    /// By name.
    pub datasets: BTreeMap<String, Dataset>,
    /// By name.
    pub preparations: BTreeMap<String, Preparation>,
    /// Where each of them comes from, by the same names.
    pub origins: BTreeMap<String, PreparationOrigin>,
    /// By name.
    pub recipes: BTreeMap<String, Recipe>,
    /// The images that all models are compared on.
    pub evaluation: Evaluation,
    /// In the order of the study file; models of the matrix after it.
    pub models: TiVec<ModelIx, Model>,
    /// The layers that are looked at; `None`: all that a model has.
    pub layers: Option<Vec<String>>,
    /// In the order of the study file, with names that tell them apart.
    pub projections: TiVec<ProjectionIx, Projection>,
    /// In the order of the study file.
    pub comparisons: TiVec<ComparisonIx, Comparison>,
    /// In the order of the study file.
    pub contrasts: Vec<Contrast>,
    /// In the order of the study file: sentences that are tested.
    pub claims: Vec<Hypothesis>,
    /// How intervals are made and what may be ranked.
    pub statistics: Statistics,
    /// How many figures the report shows at most.
    pub show: usize,
    /// The groups of the fairness appendix.
    pub fairness: FairnessSettings,
    /// Which region of the face an attribute needs, and how much of it.
    pub visibility: Visibility,
    /// How clusters of each projection's pictures are found; `None`: they are not looked for.
    pub clusters: Option<ClusterMethod>,
    /// What is looked for among the images by each model's features.
    pub queries: Vec<Query>,
    /// What labels of whole clusters save is simulated so; `None`: it is not.
    pub clicks: Option<ClickSettings>,
    /// What might explain a cluster instead of an attribute.
    pub nuisances: WantedNuisances,
    /// How the pictures of networks are altered, to see what they attend to; as the study file lists them, without the control. Empty: they are
    /// not.
    pub alterations: Vec<Alteration>,
    /// Pairs of pictures that networks are asked of.
    pub verification: VerificationSettings,
    /// What an audit allows of networks.
    pub tolerance: Tolerance,
    /// How many jobs run at a time.
    pub resources: Resources,
    /// Where jobs run where a command says nothing else.
    pub run: RunOn,
}

impl Study {
    /// The attributes that decide who is in a class of a comparison, or is wanted by a query.
    pub fn asked_attributes(&self) -> BTreeSet<&str> {
        let mut asked: BTreeSet<&str> = self.comparisons.iter().flat_map(|of| of.question.attributes()).collect();
        self.queries.iter().for_each(|query| query.wanted.collect(&mut asked));
        asked
    }

    /// Is the data set the one that is evaluated, too, under whatever name? `false` of one that is not there.
    pub fn is_evaluated_too(&self, name: &str) -> bool {
        let root = |name: &str| self.datasets.get(name).map(Dataset::root);
        self.evaluation.dataset.as_deref().and_then(root).is_some_and(|evaluated| root(name) == Some(evaluated))
    }

    /// The levels of a factor among the models, sorted.
    pub fn levels(&self, factor: &str) -> BTreeSet<String> {
        self.models.iter().filter_map(|model| model.factors().remove(factor)).collect()
    }

    /// Are there networks that only pretend to learn?
    pub fn pretends(&self) -> bool {
        self.numerics.device == DeviceClass::Pretend && self.models.iter().any(|model| matches!(model.source, Source::Network(_)))
    }

    /// The nuisances that are looked for. Of pictures nobody asked to be measured, those of given features are not opened: they need not be
    /// there.
    pub fn nuisances_looked_for(&self) -> Vec<Nuisance> {
        self.nuisances.looked_for(self.measures_pictures())
    }

    /// Those that are held while a shown figure is scored again.
    pub fn nuisances_held(&self) -> Vec<Nuisance> {
        self.nuisances.held(self.measures_pictures())
    }

    /// Are the pictures of the evaluation looked at?
    pub fn measures_pictures(&self) -> bool {
        let are_read = self.models.iter().any(|model| !matches!(model.source, Source::Given(_)));
        let are_wanted = are_read || matches!(self.nuisances, WantedNuisances::Listed(_));
        self.evaluation.dataset.is_some() && self.numerics.device != DeviceClass::Pretend && are_wanted
    }

    /// The alterations that are carried out of a model's pictures, the control among them. None of a model that is no network, whose features are
    /// made without this program or are no network's.
    pub fn alterations_of(&self, model: ModelIx) -> Vec<Alteration> {
        match self.models[model].source {
            Source::Network(_) => Alteration::with_control(&self.alterations),
            Source::Given(_) | Source::Baseline { .. } => vec![],
        }
    }

    /// The data set at a place.
    pub fn dataset(&self, place: DatasetIx) -> Option<(&str, &Dataset)> {
        self.datasets.iter().nth(place.0).map(|(name, dataset)| (name.as_str(), dataset))
    }

    /// The data sets that networks learn from and whose pictures can be held against those of the evaluation: networks that pretend learn
    /// from none.
    pub fn training_sets(&self) -> Vec<DatasetIx> {
        if self.numerics.device == DeviceClass::Pretend || self.evaluation.dataset.is_none() {
            return vec![];
        }
        let learns = |name: &str| self.models.iter().any(|model| model.learns_from(name));
        self.datasets.keys().zip(0..).filter(|(name, _)| learns(name)).map(|(_, place)| DatasetIx(place)).collect()
    }

    /// Of a model whose file or whose features do not say how its pictures were prepared, what the study says of it, in a phrase; `None` of
    /// others, and where the study says all that matters of a whole network.
    pub fn how_made(&self, model: ModelIx) -> Option<String> {
        match &self.models[model].source {
            Source::Given(given) => Some(given.made_with.phrase()),
            Source::Network(network) if matches!(network.weights, Weights::Whole(_)) => {
                let (preparation, unstated) = (self.preparations.get(&network.prepare)?, self.unstated(model));
                if unstated.is_empty() {
                    return None;
                }
                let said = PreparationField::TRAINED.into_iter().filter(|field| !unstated.contains(field));
                let said = said.map(|field| format!("{field} {}; ", preparation.value(field))).collect::<String>();
                let taken = preparation.phrase(unstated.iter().copied());
                let unstated = unstated.iter().map(|field| field.word()).collect::<Vec<_>>().join(", ");
                Some(format!("{said}{NOT_STATED}: {unstated} (taken: {taken})"))
            }
            Source::Network(_) | Source::Baseline { .. } => None,
        }
    }

    /// What a whole network was trained with and neither its file nor the study says; empty of other models.
    pub fn unstated(&self, model: ModelIx) -> Vec<PreparationField> {
        let Source::Network(Network { weights: Weights::Whole(_), prepare, .. }) = &self.models[model].source else {
            return vec![];
        };
        let is_written = |field| self.origins.get(prepare).is_none_or(|origin| origin.written.contains(&field));
        PreparationField::TRAINED.into_iter().filter(|field| !is_written(*field)).collect()
    }

    /// `digits: Which features …`
    pub fn title(&self) -> String {
        if self.about.is_empty() { self.name.clone() } else { format!("{}: {}", self.name, self.about) }
    }
}

/// Models that are to be held against each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Contrast {
    /// Every pair of models that differs in this factor only.
    Factor {
        /// What reports call it.
        name: String,
        /// A factor's name, such as `loss`.
        factor: String,
    },
    /// Two models.
    Pair {
        /// What reports call it.
        name: String,
        /// Their names: left and right.
        models: [String; 2],
    },
    /// One model, and every other against it.
    Baseline {
        /// What reports call it.
        name: String,
        /// The name of the model that is the left side.
        model: String,
    },
}

/// What the fairness appendix divides images by.
#[derive(Clone, Debug, PartialEq)]
pub struct FairnessSettings {
    /// Attributes whose values are groups.
    pub groups: Vec<String>,
    /// How many attributes an intersection may join.
    pub depth: usize,
}

/// How far a recomputed number may be off, fixed before the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    /// The largest distance of a score that is made again by a network.
    pub auc: f64,
    /// The largest distance of features that are made again by a network.
    pub features: f64,
}

/// Jobs at a time, by class of device.
#[derive(Clone, Debug, PartialEq)]
pub struct Resources {
    /// On each graphics card.
    pub gpu_slots: usize,
    /// On the processor.
    pub cpu_slots: usize,
}

/// Where jobs run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunOn {
    /// On this machine.
    Local,
    /// On a cluster, by workers that Slurm starts.
    Slurm(Box<SlurmSettings>),
}
