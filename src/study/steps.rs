//! What is wanted: the steps of a study, and which of them each step needs.

use super::{
    names::{Piece, StudyNames, dotted, text_of},
    programs::WorkerProgram,
};
use std::collections::{BTreeMap, BTreeSet};
use visavis_core::domain::{
    alteration::Alteration,
    comparison::Measured,
    contrast,
    embedding::EmbeddingForm,
    index::{ComparisonIx, DatasetIx, LayerIx, ModelIx, PairSetIx, ProjectionIx},
    ledger::CellId,
    model::{Architecture, EMBEDDING, Model, Network, Source, Weights},
    nuisance::Nuisance,
    projection::{Projection, View},
    shared_crop::{FieldOfView, ModelOnCrop, Recropped, SharedCrops},
    stage::{
        Extraction, FeatureImport, Figure, Kind, ProjectFeatures, Robustness, ScoreNuisances, StageName, Training, WholeNetwork,
        features_at,
    },
    study::{Dataset, DeviceClass, LabelEntry, Numerics, Study},
};

/// One step of a study: a stage, and the places in the study that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Index,
    /// What the pictures of the evaluation show, in few bits.
    HashEvaluation,
    /// The same of a training set.
    HashTraining {
        set: DatasetIx,
    },
    /// Some pictures of the evaluation, made small.
    SampleEvaluation,
    /// The same of a training set.
    SampleTraining {
        set: DatasetIx,
    },
    /// All pictures of the evaluation, made small; of very many a sample.
    Thumbnails,
    /// What a training set shares with the evaluation.
    Overlap {
        set: DatasetIx,
    },
    /// How far annotators agree.
    Agreement,
    /// A network's training: for visavis-torch.
    Train {
        model: ModelIx,
    },
    /// Given features, one array a layer.
    Features {
        model: ModelIx,
        layer: LayerIx,
    },
    /// All layers of a network in one pass.
    Extract {
        model: ModelIx,
    },
    /// The same of altered pictures.
    ExtractAltered {
        model: ModelIx,
        alteration: Alteration,
    },
    /// Features that take no network.
    Baseline {
        model: ModelIx,
    },
    Project {
        model: ModelIx,
        layer: LayerIx,
        projection: ProjectionIx,
        seed: usize,
    },
    Score {
        model: ModelIx,
        layer: LayerIx,
        projection: ProjectionIx,
        comparison: ComparisonIx,
    },
    /// The features themselves, on all comparisons.
    FeatureScores {
        model: ModelIx,
        layer: LayerIx,
    },
    /// How faithful is the projection to the features?
    Quality {
        model: ModelIx,
        layer: LayerIx,
        projection: ProjectionIx,
    },
    /// Images that lie together in the projection, without labels.
    Clusters {
        model: ModelIx,
        layer: LayerIx,
        projection: ProjectionIx,
    },
    /// What the study's queries look for, by the features.
    Retrieval {
        model: ModelIx,
        layer: LayerIx,
    },
    /// What labels of whole clusters save, at the last layer.
    Clicks {
        model: ModelIx,
    },
    /// What is measured of the evaluation's pictures that is no attribute.
    Nuisances,
    /// How much of each nuisance the views of a projection hold.
    NuisanceScores {
        model: ModelIx,
        layer: LayerIx,
        projection: ProjectionIx,
    },
    /// The same of the features.
    FeatureNuisances {
        model: ModelIx,
        layer: LayerIx,
    },
    /// What the features hold of each comparison when their pictures are altered.
    Retained {
        model: ModelIx,
        layer: LayerIx,
    },
    /// What the two sides of contrasts attend to, held against each other, at the last layers.
    Attention,
    /// Are two pictures of the same person? Asked at the last layer.
    Verify {
        model: ModelIx,
    },
    /// A network's embeddings of the pictures of a verification set.
    ExtractPairs {
        model: ModelIx,
        set: PairSetIx,
    },
    /// Are the pictures of the pairs of a verification set of the same person?
    VerifyPairs {
        model: ModelIx,
        set: PairSetIx,
    },
    /// The probes of a model's last layer, among groups.
    Fairness {
        model: ModelIx,
    },
    /// How much of the regions that attributes need lies inside of each crop.
    Visibility,
    /// The layers of a model, held against each other.
    LayerDifferences {
        model: ModelIx,
    },
    /// All cells, resampled together.
    Simultaneous,
    Rank,
    DrawFrequencies,
    /// How a training went.
    DrawCurves {
        model: ModelIx,
    },
    /// What a shown figure has beside its score.
    Robustness(CellId),
    /// Groups in which a shown figure separates its classes better, or worse.
    Subgroups(CellId),
    /// What remains of a shown figure's score while nuisances are held.
    AdjustedScores(CellId),
    Draw(CellId),
    /// A step of a model that is looked at through another's crop, for contrasts whose crops differ.
    Recropped(Recropped, RecroppedStep),
    /// The cells of those contrasts, both sides on the shared crop, resampled together.
    SharedCropTests,
}

/// What is made of a model on another crop: the same as on its own, as far as contrasts need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecroppedStep {
    Extract,
    Baseline,
    Project { layer: LayerIx, projection: ProjectionIx, seed: usize },
    Score { layer: LayerIx, projection: ProjectionIx, comparison: ComparisonIx },
    FeatureScores { layer: LayerIx },
}

impl Step {
    /// The same step of the model on its own crop.
    pub fn on_own_crop(self) -> Step {
        let Step::Recropped(Recropped { model, .. }, step) = self else { return self };
        match step {
            RecroppedStep::Extract => Step::Extract { model },
            RecroppedStep::Baseline => Step::Baseline { model },
            RecroppedStep::Project { layer, projection, seed } => Step::Project { model, layer, projection, seed },
            RecroppedStep::Score { layer, projection, comparison } => Step::Score { model, layer, projection, comparison },
            RecroppedStep::FeatureScores { layer } => Step::FeatureScores { model, layer },
        }
    }

    /// The step that stands for this one where the model is looked at through another crop; itself, where crops do not matter.
    pub(crate) fn through(self, of: Recropped) -> Step {
        let step = match self {
            Step::Extract { model } if model == of.model => RecroppedStep::Extract,
            Step::Baseline { model } if model == of.model => RecroppedStep::Baseline,
            Step::Project { model, layer, projection, seed } if model == of.model => {
                RecroppedStep::Project { layer, projection, seed }
            }
            Step::Score { model, layer, projection, comparison } if model == of.model => {
                RecroppedStep::Score { layer, projection, comparison }
            }
            Step::FeatureScores { model, layer } if model == of.model => RecroppedStep::FeatureScores { layer },
            other => return other,
        };
        Step::Recropped(of, step)
    }

    /// The stage that it is one of.
    pub fn stage(self) -> StageName {
        match self {
            Step::Recropped(..) => self.on_own_crop().stage(),
            Step::Index => StageName::Index,
            Step::HashEvaluation | Step::HashTraining { .. } => StageName::Hashes,
            Step::SampleEvaluation | Step::SampleTraining { .. } | Step::Thumbnails => StageName::Thumbnails,
            Step::Overlap { .. } => StageName::Overlap,
            Step::Agreement => StageName::Agreement,
            Step::Train { .. } => StageName::Train,
            Step::Features { .. } => StageName::Features,
            Step::Extract { .. } | Step::ExtractAltered { .. } | Step::ExtractPairs { .. } => StageName::Extract,
            Step::Baseline { .. } => StageName::Baseline,
            Step::Project { .. } => StageName::Project,
            Step::Score { .. } => StageName::Score,
            Step::FeatureScores { .. } => StageName::FeatureScores,
            Step::Quality { .. } => StageName::Quality,
            Step::Clusters { .. } => StageName::Clusters,
            Step::Retrieval { .. } => StageName::Retrieval,
            Step::Clicks { .. } => StageName::Clicks,
            Step::Nuisances => StageName::Nuisances,
            Step::NuisanceScores { .. } | Step::FeatureNuisances { .. } => StageName::NuisanceScores,
            Step::AdjustedScores(_) => StageName::AdjustedScores,
            Step::Retained { .. } => StageName::Retained,
            Step::Attention => StageName::Attention,
            Step::Verify { .. } => StageName::Verify,
            Step::VerifyPairs { .. } => StageName::VerifyPairs,
            Step::Visibility => StageName::Visibility,
            Step::LayerDifferences { .. } => StageName::LayerDifferences,
            Step::Fairness { .. } => StageName::Fairness,
            Step::Simultaneous | Step::SharedCropTests => StageName::Simultaneous,
            Step::Rank => StageName::Rank,
            Step::DrawFrequencies | Step::DrawCurves { .. } | Step::Draw(_) => StageName::Draw,
            Step::Robustness(_) => StageName::Robustness,
            Step::Subgroups(_) => StageName::Subgroups,
        }
    }

    /// The model whose features, scores or training it is of; `None`: it is of several, or is made of what others left.
    pub fn model(self) -> Option<ModelIx> {
        match self {
            Step::Train { model }
            | Step::Features { model, .. }
            | Step::Extract { model }
            | Step::ExtractAltered { model, .. }
            | Step::Retained { model, .. }
            | Step::Baseline { model }
            | Step::Quality { model, .. }
            | Step::Clusters { model, .. }
            | Step::Retrieval { model, .. }
            | Step::Clicks { model }
            | Step::NuisanceScores { model, .. }
            | Step::FeatureNuisances { model, .. }
            | Step::Verify { model }
            | Step::ExtractPairs { model, .. }
            | Step::VerifyPairs { model, .. }
            | Step::DrawCurves { model }
            | Step::Project { model, .. }
            | Step::Score { model, .. }
            | Step::FeatureScores { model, .. }
            | Step::Fairness { model }
            | Step::LayerDifferences { model }
            | Step::Recropped(Recropped { model, .. }, _) => Some(model),
            Step::Index
            | Step::HashEvaluation
            | Step::HashTraining { .. }
            | Step::SampleEvaluation
            | Step::SampleTraining { .. }
            | Step::Thumbnails
            | Step::Overlap { .. }
            | Step::Agreement
            | Step::Nuisances
            | Step::Attention
            | Step::Visibility
            | Step::Simultaneous
            | Step::SharedCropTests
            | Step::Rank
            | Step::DrawFrequencies
            | Step::Robustness(_)
            | Step::Subgroups(_)
            | Step::AdjustedScores(_)
            | Step::Draw(_) => None,
        }
    }

    /// Is it of a shown figure, and so known only once the ledger is there?
    pub fn is_of_figure(self) -> bool {
        matches!(self, Step::Draw(_) | Step::Robustness(_) | Step::Subgroups(_) | Step::AdjustedScores(_))
    }

    pub fn kind(self) -> Kind {
        self.stage().kind()
    }

    /// The [cost class](visavis_core::domain::stage::Work::cost_class) that its work has once the task is known.
    pub fn cost_class(self, study: &Study) -> String {
        let network = |model: ModelIx| match &study.models[model].source {
            Source::Network(of) => Some(of),
            Source::Given(_) | Source::Baseline { .. } => None,
        };
        let finer = match self.on_own_crop() {
            Step::Train { model } => {
                network(model).map(|of| Training::cost_class_of(&study.numerics, &of.architecture, &of.loss))
            }
            Step::Extract { model } | Step::ExtractAltered { model, .. } => network(model).map(|of| {
                let (architecture, numerics) = run_as(study, of);
                let embedding = study.models[model].embedding_among(&study.models[model].layers(study.layers.as_deref()).raw);
                Extraction::cost_class_of(&numerics, &architecture, &embedding)
            }),
            Step::ExtractPairs { model, .. } => network(model).map(|of| {
                let (architecture, numerics) = run_as(study, of);
                Extraction::cost_class_of(&numerics, &architecture, &EmbeddingForm::OF_PAIRS)
            }),
            Step::Project { projection, .. } => Some(ProjectFeatures::cost_class_of(&study.projections[projection].method)),
            Step::Robustness(cell) => Some(Robustness::cost_class_of(&study.projections[cell.projection].method)),
            Step::DrawCurves { .. } => Some(Figure::CURVES_COST_CLASS.to_owned()),
            Step::FeatureNuisances { .. } => Some(ScoreNuisances::FEATURES_COST_CLASS.to_owned()),
            _ => None,
        };
        finer.unwrap_or_else(|| self.stage().cost_class().to_owned())
    }

    /// The class of devices it runs on.
    pub fn class(self, study: &Study) -> DeviceClass {
        match self.on_own_crop() {
            Step::Train { .. } => study.numerics.device,
            Step::Extract { model } | Step::ExtractAltered { model, .. } | Step::ExtractPairs { model, .. } => {
                match &study.models[model].source {
                    Source::Network(network) => run_as(study, network).1.device,
                    Source::Given(_) | Source::Baseline { .. } => study.numerics.device,
                }
            }
            _ => DeviceClass::Cpu,
        }
    }

    /// Does it make do with what is there? A ledger of the cells that can be scored is better than none.
    pub fn gathers(self) -> bool {
        matches!(self, Step::LayerDifferences { .. } | Step::Attention | Step::Simultaneous | Step::SharedCropTests | Step::Rank)
    }

    /// How people tell it from others: names by places.
    pub fn label(self, study: &Study) -> String {
        text_of(&self.label_in_pieces(study))
    }

    /// The same, its names told from its words.
    pub(crate) fn label_in_pieces(self, study: &Study) -> Vec<Piece> {
        let names = StudyNames::of(study);
        let words = |text: &str| vec![Piece::words(text)];
        let then = |pieces: Vec<Piece>, text: &str| [pieces, words(text)].concat();
        let at = |model: ModelIx, layer: LayerIx| vec![names.model(model).to_owned(), names.layer(model, layer)];
        let last = |model: ModelIx| dotted(at(model, last_layer(study, model)));
        let with = |at: Vec<String>, name: &str| dotted(at.into_iter().chain([name.to_owned()]));
        let evaluated = || study.evaluation.dataset.as_ref().map_or_else(|| words("given images"), |name| dotted([&**name]));
        let learned = |set: DatasetIx, text: &str| {
            let name = study.dataset(set).map_or("", |(name, _)| name);
            vec![Piece::words("training set "), Piece::name(name), Piece::words(text)]
        };
        let what = match self.on_own_crop() {
            Step::Index => evaluated(),
            Step::HashEvaluation => then(evaluated(), " · hashes"),
            Step::HashTraining { set } => learned(set, " · hashes"),
            Step::SampleEvaluation => then(evaluated(), " · sample"),
            Step::SampleTraining { set } => learned(set, " · sample"),
            Step::Thumbnails => then(evaluated(), " · thumbnails"),
            Step::Overlap { set } => learned(set, " · overlap"),
            Step::Train { model } | Step::Extract { model } | Step::Baseline { model } => dotted([names.model(model)]),
            Step::ExtractAltered { model, alteration } => {
                then(dotted([names.model(model)]), &format!(" · {}", alteration.title()))
            }
            Step::Retained { model, layer } => then(dotted(at(model, layer)), " · altered pictures"),
            Step::Features { model, layer } => dotted(at(model, layer)),
            Step::Project { model, layer, projection, seed } => {
                let seeds = study.projections[projection].seeds;
                let seed = if seeds > 1 { format!(" @{}", seed + 1) } else { String::new() };
                then(with(at(model, layer), names.projection(projection)), &seed)
            }
            Step::Score { model, layer, projection, comparison } => {
                let scored = [names.projection(projection), names.comparison(comparison)].map(str::to_owned);
                dotted(at(model, layer).into_iter().chain(scored))
            }
            Step::FeatureScores { model, layer } => then(dotted(at(model, layer)), " · features"),
            Step::Quality { model, layer, projection } => {
                then(with(at(model, layer), names.projection(projection)), " · quality")
            }
            Step::Clusters { model, layer, projection } => {
                then(with(at(model, layer), names.projection(projection)), " · clusters")
            }
            Step::Retrieval { model, layer } => then(dotted(at(model, layer)), " · retrieval"),
            Step::Clicks { model } => then(last(model), " · clicks"),
            Step::Nuisances => then(evaluated(), " · nuisances"),
            Step::NuisanceScores { model, layer, projection } => {
                then(with(at(model, layer), names.projection(projection)), " · nuisances")
            }
            Step::FeatureNuisances { model, layer } => then(dotted(at(model, layer)), " · nuisances"),
            Step::Verify { model } => then(last(model), " · verification"),
            Step::ExtractPairs { model, set } | Step::VerifyPairs { model, set } => {
                let set = [Piece::words(" · pairs of "), Piece::name(names.pair_set(set))];
                dotted([names.model(model)]).into_iter().chain(set).collect()
            }
            Step::DrawCurves { model } => then(dotted([names.model(model)]), " · curves"),
            Step::Fairness { model } => then(last(model), " · fairness"),
            Step::LayerDifferences { model } => then(dotted([names.model(model)]), " · layers"),
            Step::Visibility => words("visibility"),
            Step::Attention => words("contrasts · altered pictures"),
            Step::Agreement => words("agreement of annotators"),
            Step::Simultaneous => words("grid"),
            Step::SharedCropTests => words("grid · shared crops"),
            Step::Rank => words("all cells"),
            Step::DrawFrequencies => words("frequencies"),
            Step::Draw(cell) => names.cell_in_pieces(&cell),
            Step::Subgroups(cell) => then(names.cell_in_pieces(&cell), " · subgroups"),
            Step::Robustness(cell) => then(names.cell_in_pieces(&cell), " · again"),
            Step::AdjustedScores(cell) => then(names.cell_in_pieces(&cell), " · nuisances held"),
            // It is on its own crop.
            Step::Recropped(..) => vec![],
        };
        let crop = match self {
            Step::Recropped(of, _) => vec![Piece::words(" · cropped like "), Piece::name(names.model(of.like))],
            _ => vec![],
        };
        [words(&format!("{} ", self.kind())), what, crop].concat()
    }
}

/// A step and the steps it consumes.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub step: Step,
    pub needs: Vec<Step>,
}

/// Every step of the study that does not depend on the ledger, prerequisites first.
pub(crate) fn steps(study: &Study) -> Vec<Node> {
    let mut nodes = vec![Node { step: Step::Index, needs: vec![] }];
    let looked_for = study.nuisances_looked_for();
    let measured = measured_for(&looked_for);
    nodes.extend(measured.iter().map(|&step| Node { step, needs: vec![Step::Index] }));
    let mut scores = Vec::new();
    for (model, of) in study.models.iter_enumerated() {
        let learns = matches!(&of.source, Source::Network(network) if matches!(network.weights, Weights::Recipe { .. }));
        let trained = learns.then_some(Step::Train { model });
        nodes.extend(trained.map(|step| Node { step, needs: vec![] }));
        let curves =
            trained.filter(|_| !study.pretends()).map(|step| Node { step: Step::DrawCurves { model }, needs: vec![step] });
        nodes.extend(curves);
        if !matches!(of.source, Source::Given(_)) && !of.layers(study.layers.as_deref()).is_empty() {
            // Any layer of it: one step gives them all.
            nodes.push(Node {
                step: features(study, model, LayerIx(0)),
                needs: [Step::Index].into_iter().chain(trained).collect(),
            });
        }
        let layers = of.layers(study.layers.as_deref());
        if has_identities(study) && !layers.is_empty() {
            let needs = vec![Step::Index, features(study, model, last_layer(study, model))];
            scores.push(Node { step: Step::Verify { model }, needs });
        }
        let altered: Vec<Step> = match layers.len() {
            0 => vec![],
            _ => study.alterations_of(model).into_iter().map(|alteration| Step::ExtractAltered { model, alteration }).collect(),
        };
        nodes.extend(altered.iter().map(|&step| Node { step, needs: [Step::Index].into_iter().chain(trained).collect() }));
        if of.gives_no_embeddings().is_none() {
            for set in study.verification.sets.keys() {
                let features = Step::ExtractPairs { model, set };
                nodes.push(Node { step: features, needs: trained.into_iter().collect() });
                scores.push(Node { step: Step::VerifyPairs { model, set }, needs: vec![features] });
            }
        }
        for layer in layers.keys() {
            let features = features(study, model, layer);
            if let Step::Features { .. } = features {
                nodes.push(Node { step: features, needs: vec![Step::Index] });
            }
            scores.push(Node { step: Step::FeatureScores { model, layer }, needs: vec![Step::Index, features] });
            if !altered.is_empty() {
                let needs = [vec![Step::Index, features], altered.clone()].concat();
                scores.push(Node { step: Step::Retained { model, layer }, needs });
            }
            if !study.queries.is_empty() {
                nodes.push(Node { step: Step::Retrieval { model, layer }, needs: vec![Step::Index, features] });
            }
            let of_nuisances = |consumed: &[Step]| [&[Step::Index], &measured[..], consumed].concat();
            if !looked_for.is_empty() {
                nodes.push(Node { step: Step::FeatureNuisances { model, layer }, needs: of_nuisances(&[features]) });
            }
            for (projection, of) in study.projections.iter_enumerated() {
                let points: Vec<Step> = (0..of.seeds).map(|seed| Step::Project { model, layer, projection, seed }).collect();
                nodes.extend(points.iter().map(|&step| Node { step, needs: vec![features] }));
                let step = Step::Quality { model, layer, projection };
                nodes.push(Node { step, needs: [vec![features], points.clone()].concat() });
                if study.clusters.is_some() {
                    nodes.push(Node { step: Step::Clusters { model, layer, projection }, needs: points.clone() });
                }
                if !looked_for.is_empty() {
                    let step = Step::NuisanceScores { model, layer, projection };
                    nodes.push(Node { step, needs: of_nuisances(&points) });
                }
                for comparison in study.comparisons.keys() {
                    let step = Step::Score { model, layer, projection, comparison };
                    scores.push(Node { step, needs: [vec![Step::Index], points.clone()].concat() });
                }
            }
        }
        if study.clicks.is_some() && !layers.is_empty() {
            let layer = last_layer(study, model);
            let points =
                clicked_views(study).into_iter().map(|(projection, _)| Step::Project { model, layer, projection, seed: 0 });
            let needs = [Step::Index, features(study, model, layer)].into_iter().chain(points).collect();
            nodes.push(Node { step: Step::Clicks { model }, needs });
        }
        if !study.fairness.groups.is_empty() && !layers.is_empty() {
            let (step, layer) = (Step::Fairness { model }, last_layer(study, model));
            let own = [Step::Index, features(study, model, layer), Step::FeatureScores { model, layer }];
            let beside = baseline_of(study, model).map(|of| Step::FeatureScores { model: of, layer: last_layer(study, of) });
            scores.push(Node { step, needs: own.into_iter().chain(beside).collect() });
        }
    }
    nodes.extend(overlaps(study));
    if study.measures_pictures() {
        nodes.extend([Step::SampleEvaluation, Step::Thumbnails].map(|step| Node { step, needs: vec![Step::Index] }));
    }
    let has_annotators = study.evaluation.labels.iter().any(LabelEntry::is_by_annotators);
    nodes.extend(has_annotators.then(|| Node { step: Step::Agreement, needs: vec![Step::Index] }));
    let gathered =
        scores.iter().map(|node| node.step).filter(|step| matches!(step, Step::Score { .. } | Step::FeatureScores { .. }));
    let gathered: Vec<Step> = [Step::Index].into_iter().chain(gathered).collect();
    nodes.extend(scores);
    nodes.extend(layer_differences(study, &gathered));
    let compared = contrasted_retained(study);
    nodes.extend((!compared.is_empty()).then_some(Node { step: Step::Attention, needs: compared }));
    nodes.extend(on_shared_crops(study, &nodes));
    nodes.extend(judges_visibility(study).then(|| Node { step: Step::Visibility, needs: vec![Step::Index] }));
    nodes.push(Node { step: Step::Simultaneous, needs: gathered.clone() });
    nodes.push(Node { step: Step::Rank, needs: [gathered, vec![Step::Simultaneous]].concat() });
    nodes.push(Node { step: Step::DrawFrequencies, needs: vec![Step::Rank] });
    nodes
}

/// Of each model that is looked at at several layers, these held against each other. `scores`: of all models.
fn layer_differences(study: &Study, scores: &[Step]) -> Vec<Node> {
    let several = study.models.iter_enumerated().filter(|(_, of)| of.layers(study.layers.as_deref()).len() > 1);
    let needs = |model: ModelIx| {
        let is_own =
            |step: &&Step| matches!(step, Step::Index) || matches!(step, Step::Score { .. }) && step.model() == Some(model);
        scores.iter().filter(is_own).copied().collect()
    };
    several.map(|(model, _)| Node { step: Step::LayerDifferences { model }, needs: needs(model) }).collect()
}

/// What models retain at their last layers, of those that a contrast holds against each other and whose pictures are altered on both sides.
pub(crate) fn contrasted_retained(study: &Study) -> Vec<Step> {
    let is_altered = |model: &ModelIx| {
        !study.alterations_of(*model).is_empty() && !study.models[*model].layers(study.layers.as_deref()).is_empty()
    };
    let held = contrast::held(study);
    let sides = held.iter().map(|held| held.left.iter().chain(&held.right));
    let models: BTreeSet<ModelIx> = sides.filter(|sides| sides.clone().all(is_altered)).flatten().copied().collect();
    models.into_iter().map(|model| Step::Retained { model, layer: last_layer(study, model) }).collect()
}

/// The view of each projection in which clusters are labelled: its map, or its first two axes. A projection that has learned from labels has
/// none, nor has one of a single axis.
pub(crate) fn clicked_views(study: &Study) -> Vec<(ProjectionIx, View)> {
    let first = |(place, of): (ProjectionIx, &Projection)| {
        let view = of.pictures().into_iter().next().filter(|view| !matches!(view, View::Axis(_)))?;
        of.labels.is_none().then_some((place, view))
    };
    study.projections.iter_enumerated().filter_map(first).collect()
}

/// The step that measures the pictures, if one of these nuisances is of them.
fn measured_for(nuisances: &[Nuisance]) -> Vec<Step> {
    let of_pictures = |of: &Nuisance| matches!(of, Nuisance::Measured(_));
    nuisances.iter().any(of_pictures).then_some(Step::Nuisances).into_iter().collect()
}

/// What training sets share with the evaluation.
fn overlaps(study: &Study) -> Vec<Node> {
    let sets = study.training_sets();
    if sets.is_empty() {
        return vec![];
    }
    let hashed = |set: DatasetIx| Node { step: Step::HashTraining { set }, needs: vec![] };
    let held = |set: DatasetIx| Node {
        step: Step::Overlap { set },
        needs: vec![Step::Index, Step::HashEvaluation, Step::HashTraining { set }],
    };
    let sampled = |set: DatasetIx| Node { step: Step::SampleTraining { set }, needs: vec![] };
    let own = Node { step: Step::HashEvaluation, needs: vec![Step::Index] };
    std::iter::once(own).chain(sets.into_iter().flat_map(|set| [hashed(set), held(set), sampled(set)])).collect()
}

/// The parts of pictures that the study's models are given, each once.
pub(crate) fn fields_of_view(study: &Study) -> Vec<FieldOfView> {
    let mut fields: Vec<FieldOfView> = Vec::new();
    for field in study.models.iter().filter_map(|model| field_of_view(study, model)) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

/// The part of its pictures that a model is given; `None` of given features.
pub(crate) fn field_of_view(study: &Study, model: &Model) -> Option<FieldOfView> {
    study.preparations.get(model.prepared_by()?).map(FieldOfView::of)
}

/// Can something be outside of a crop? Of whole pictures nothing is, and where the face lies in their centres is not known.
fn judges_visibility(study: &Study) -> bool {
    let questions = study.comparisons.iter().map(|comparison| &comparison.question);
    fields_of_view(study).iter().any(|field| field.crop().needs().is_some()) && !study.visibility.regions_of(questions).is_empty()
}

/// What contrasts whose crops differ want besides: the steps of models on another crop, and the tests of both sides on the shared one.
fn on_shared_crops(study: &Study, nodes: &[Node]) -> Vec<Node> {
    let shared = SharedCrops::of(study);
    if shared.contrasts.is_empty() {
        return vec![];
    }
    let mut of_models: BTreeMap<ModelIx, Vec<&Node>> = BTreeMap::new();
    for node in nodes {
        if let Some(model) = node.step.model() {
            of_models.entry(model).or_default().push(node);
        }
    }
    let mut wanted: Vec<Node> = Vec::new();
    for of in shared.recropped() {
        let through =
            |node: &Node| Node { step: node.step.through(of), needs: node.needs.iter().map(|need| need.through(of)).collect() };
        let own = of_models.get(&of.model).into_iter().flatten().copied();
        wanted.extend(own.filter(|node| node.step.through(of) != node.step).map(through));
    }
    let gathered = shared_scores(&shared, nodes.iter().map(|node| node.step)).into_iter().map(|(_, step)| step);
    let needs = [Step::Index].into_iter().chain(gathered).collect();
    wanted.push(Node { step: Step::SharedCropTests, needs });
    wanted
}

/// The scores that tests on shared crops gather, of all steps of a study: each with the place of its model in [`SharedCrops::models`].
pub(crate) fn shared_scores(shared: &SharedCrops, steps: impl Iterator<Item = Step>) -> Vec<(ModelIx, Step)> {
    let mut of_models: BTreeMap<ModelIx, Vec<Step>> = BTreeMap::new();
    for step in steps {
        if let Step::Score { model, .. } | Step::FeatureScores { model, .. } = step {
            of_models.entry(model).or_default().push(step);
        }
    }
    let mut scores = Vec::new();
    for (place, of) in shared.models.iter_enumerated() {
        let (ModelOnCrop::Own(wanted) | ModelOnCrop::Recropped(Recropped { model: wanted, .. })) = *of;
        let through = |step: &Step| if let ModelOnCrop::Recropped(of) = of { step.through(*of) } else { *step };
        scores.extend(of_models.get(&wanted).into_iter().flatten().map(|step| (place, through(step))));
    }
    scores
}

/// Does the evaluation know who is on its pictures?
fn has_identities(study: &Study) -> bool {
    let dataset = study.evaluation.dataset.as_ref().and_then(|name| study.datasets.get(name));
    dataset.is_some_and(Dataset::may_know_identities)
}

/// How features of a network are made: as which architecture, with which numerics.
pub(crate) fn run_as(study: &Study, network: &Network) -> (Architecture, Numerics) {
    match &network.weights {
        Weights::Whole(of) => (of.format.architecture(), WholeNetwork::numerics(of.format, &study.numerics)),
        Weights::File { .. } | Weights::Recipe { .. } | Weights::Untrained { .. } => {
            (network.architecture.clone(), study.numerics.clone())
        }
    }
}

/// The program that carries a step out; `None`: every program can.
pub(crate) fn program(study: &Study, step: Step) -> Option<WorkerProgram> {
    let (Step::Train { model } | Step::Extract { model } | Step::ExtractAltered { model, .. } | Step::ExtractPairs { model, .. }) =
        step.on_own_crop()
    else {
        return None;
    };
    match &study.models[model].source {
        Source::Network(network) if !study.pretends() => Some(WorkerProgram::of(network)),
        _ => None,
    }
}

/// The embedding, or what is nearest to one.
pub fn last_layer(study: &Study, model: ModelIx) -> LayerIx {
    let layers = StudyNames::of(study).layers(model);
    layers.position(|layer| layer == EMBEDDING).or(layers.last_key()).unwrap_or_default()
}

/// The study's baseline, which this model's probes are held against group by group. None of itself, and none without a layer.
pub(super) fn baseline_of(study: &Study, model: ModelIx) -> Option<ModelIx> {
    contrast::baseline(study).filter(|of| *of != model && !StudyNames::of(study).layers(*of).is_empty())
}

/// The step that makes the features of a model at a layer.
pub fn features(study: &Study, model: ModelIx, layer: LayerIx) -> Step {
    match study.models[model].source {
        Source::Given(_) => Step::Features { model, layer },
        Source::Network(_) => Step::Extract { model },
        Source::Baseline { .. } => Step::Baseline { model },
    }
}

/// What that step calls them.
pub fn features_name(study: &Study, model: ModelIx, layer: LayerIx) -> String {
    match study.models[model].source {
        Source::Given(_) => FeatureImport::FEATURES.to_owned(),
        Source::Network(_) | Source::Baseline { .. } => features_at(&StudyNames::of(study).layer(model, layer)),
    }
}

/// What is measured of the robustness of a figure that is shown.
pub(crate) fn robustness(study: &Study, cell: CellId) -> Node {
    let needs = vec![Step::Index, features(study, cell.model, cell.layer), projected(cell), Step::Rank];
    Node { step: Step::Robustness(cell), needs }
}

/// The search for groups that stand out in a figure that is shown, where the study has groups and the figure two classes.
pub(crate) fn subgroups(study: &Study, cell: CellId) -> Option<Node> {
    let has_two = matches!(&study.comparisons[cell.comparison].question.measured, Measured::Classes(of) if of.len() == 2);
    let node = Node { step: Step::Subgroups(cell), needs: vec![Step::Index, projected(cell), Step::Rank] };
    (has_two && !study.fairness.groups.is_empty()).then_some(node)
}

/// What remains of the score of a figure that is shown while nuisances are held; `None` where none is, and of a quantity.
pub(crate) fn adjusted(study: &Study, cell: CellId) -> Option<Node> {
    let held = study.nuisances_held();
    let has_classes = matches!(study.comparisons[cell.comparison].question.measured, Measured::Classes(_));
    let CellId { model, layer, projection, .. } = cell;
    let points = (0..study.projections[projection].seeds).map(|seed| Step::Project { model, layer, projection, seed });
    let needs = [Step::Index].into_iter().chain(measured_for(&held)).chain(points).chain([Step::Rank]).collect();
    (has_classes && !held.is_empty()).then_some(Node { step: Step::AdjustedScores(cell), needs })
}

/// The drawing of a figure that is shown.
pub(crate) fn drawing(cell: CellId) -> Node {
    Node { step: Step::Draw(cell), needs: vec![Step::Index, projected(cell), Step::Rank] }
}

/// The projection whose coordinates a cell is drawn from: that of the first seed.
pub(crate) fn projected(cell: CellId) -> Step {
    Step::Project { model: cell.model, layer: cell.layer, projection: cell.projection, seed: 0 }
}
