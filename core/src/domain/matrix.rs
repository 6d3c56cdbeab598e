//! The matrix: factors → models, named from the factors that vary; and a study → its cells.

use super::{
    embedding::EmbeddingForm,
    index::ModelIx,
    ledger::CellId,
    loss::Loss,
    model::{Architecture, Model, Network, Source, Weights},
    projection::{Method, Projection},
    shared_crop::{Recropped, SharedCrops},
    study::Study,
};

/// The factors as written: every combination, less the excluded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyMatrix {
    /// Networks to take.
    pub architecture: Vec<Architecture>,
    /// Losses to train with.
    pub loss: Vec<Loss>,
    /// Names of data sets.
    pub trained_on: Vec<String>,
    /// Names of preparations.
    pub prepare: Vec<String>,
    /// The name of the one recipe by which all are trained.
    pub recipe: String,
    /// Training seeds a combination.
    pub seeds: usize,
    /// Combinations that are left out.
    pub exclude: Vec<Exclusion>,
}

/// A combination is left out when it matches every level named here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exclusion {
    /// As [`Architecture`] displays it; `None` matches any.
    pub architecture: Option<String>,
    /// As [`Loss`] displays it; `None` matches any.
    pub loss: Option<String>,
    /// A data set's name; `None` matches any.
    pub trained_on: Option<String>,
    /// A preparation's name; `None` matches any.
    pub prepare: Option<String>,
}

impl Exclusion {
    fn matches(&self, network: &Network, [architecture, loss]: &[String; 2]) -> bool {
        let is = |wanted: &Option<String>, level: &str, word: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == level || wanted == word)
        };
        is(&self.architecture, architecture, &network.architecture.word)
            && is(&self.loss, loss, &network.loss.word)
            && is(&self.trained_on, &network.trained_on, &network.trained_on)
            && is(&self.prepare, &network.prepare, &network.prepare)
    }
}

/// How much something multiplies to, and its factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multiplied {
    /// The product; [`usize::MAX`] where it is more.
    pub product: usize,
    /// Each factor with its name.
    pub factors: Vec<(&'static str, usize)>,
}

impl Multiplied {
    fn of(factors: Vec<(&'static str, usize)>) -> Self {
        Multiplied { product: factors.iter().fold(1usize, |product, (_, n)| product.saturating_mul(*n)), factors }
    }

    /// The factor that is the largest.
    pub fn largest(&self) -> (&'static str, usize) {
        self.factors.iter().copied().max_by_key(|(_, n)| *n).unwrap_or(("nothing", 0))
    }
}

impl StudyMatrix {
    /// How many models it makes, those that are excluded among them, without making them.
    pub fn count(&self) -> Multiplied {
        Multiplied::of(vec![
            ("architecture", self.architecture.len()),
            ("loss", self.loss.len()),
            ("trained_on", self.trained_on.len()),
            ("prepare", self.prepare.len()),
            ("train.seeds", self.seeds),
        ])
    }

    /// Every model of the matrix, in the order of its factors, and how many combinations were left out by `exclude`. `layers_of`: the
    /// layers of a network that is trained here.
    pub fn models(&self, layers_of: impl Fn(&Architecture) -> Vec<String>) -> (Vec<Model>, usize) {
        let (mut models, mut excluded) = (Vec::new(), 0);
        for architecture in &self.architecture {
            for loss in &self.loss {
                for trained_on in &self.trained_on {
                    for prepare in &self.prepare {
                        let network = |seed| Network {
                            architecture: architecture.clone(),
                            layers: layers_of(architecture),
                            loss: loss.clone(),
                            trained_on: trained_on.clone(),
                            prepare: prepare.clone(),
                            embedding: EmbeddingForm::default(),
                            weights: Weights::Recipe { recipe: self.recipe.clone(), seed },
                        };
                        let (first, words) = (network(1), [architecture.to_string(), loss.to_string()]);
                        if self.exclude.iter().any(|exclusion| exclusion.matches(&first, &words)) {
                            excluded += 1;
                            continue;
                        }
                        models.extend((1..=self.seeds).map(|seed| {
                            let network = network(seed);
                            Model { name: self.name(&network, seed), source: Source::Network(network) }
                        }));
                    }
                }
            }
        }
        (models, excluded)
    }

    /// `resnet34-arcface-vggface2-zero@2`: the factors that vary, in their order; all of them when none does.
    fn name(&self, network: &Network, seed: usize) -> String {
        let parts = [
            (self.architecture.len(), network.architecture.to_string()),
            (self.loss.len(), network.loss.to_string()),
            (self.trained_on.len(), network.trained_on.clone()),
            (self.prepare.len(), network.prepare.clone()),
        ];
        let none_varies = parts.iter().all(|(levels, _)| *levels == 1);
        let words: Vec<_> = parts.into_iter().filter(|(levels, _)| *levels > 1 || none_varies).map(|(_, word)| word).collect();
        let name = words.join("-");
        if self.seeds > 1 { format!("{name}@{seed}") } else { name }
    }
}

/// How many cells a study has, without making them. The factor of models counts each with each of its layers.
pub fn count_cells(study: &Study) -> Multiplied {
    let layers = study.models.iter().map(|of| of.layers(study.layers.as_deref()).len()).sum();
    // Views are counted before they are made, too.
    let views = |of: &Projection| of.method.parameter(Method::AXES).map_or(1, |_| of.method.axes() + of.pairs.len());
    Multiplied::of(vec![
        ("models × layers", layers),
        ("views of projections", study.projections.iter().map(views).sum()),
        ("comparisons", study.comparisons.len()),
    ])
}

/// How many stages a study has at most on shared crops, for contrasts whose crops differ, without making them.
pub fn count_stages_on_shared_crops(study: &Study) -> usize {
    let of_a_layer = 1 + study.projections.iter().map(|of| of.seeds + study.comparisons.len()).sum::<usize>();
    let of_a_model = |of: Recropped| {
        let layers = study.models[of.model].layers(study.layers.as_deref()).len();
        layers.saturating_mul(of_a_layer).saturating_add(1)
    };
    let shared = SharedCrops::of(study);
    let stages = shared.recropped().map(of_a_model).fold(0, usize::saturating_add);
    stages.saturating_add(usize::from(!shared.contrasts.is_empty()))
}

/// How many stages a study has at most, figures and those on shared crops aside, without making them.
pub fn count_stages(study: &Study) -> usize {
    let layers: usize = study.models.iter().map(|of| of.layers(study.layers.as_deref()).len()).sum();
    // Quality, clusters, nuisances.
    let of_projection = |of: &Projection| of.seeds + 3 + study.comparisons.len();
    let of_a_layer = 4 + study.projections.iter().map(of_projection).sum::<usize>();
    // Of each verification set: features, and the pairs.
    let of_a_model = 7 + 2 * study.verification.sets.len();
    let altered = |model: ModelIx| match study.alterations_of(model).len() {
        0 => 0,
        alterations => alterations + study.models[model].layers(study.layers.as_deref()).len(),
    };
    let altered = study.models.keys().map(altered).fold(0, usize::saturating_add);
    // Of each training set some pictures; of the evaluation these and all.
    let made_small = study.datasets.len() + 2;
    layers
        .saturating_mul(of_a_layer)
        .saturating_add(study.models.len().saturating_mul(of_a_model) + 6 + made_small)
        .saturating_add(altered)
}

/// Every cell of the study, model by model, in the order of the study file.
pub fn cells(study: &Study) -> Vec<CellId> {
    let mut cells = Vec::new();
    for (model, of) in study.models.iter_enumerated() {
        for layer in of.layers(study.layers.as_deref()).keys() {
            for (projection, of) in study.projections.iter_enumerated() {
                for comparison in study.comparisons.keys() {
                    cells.extend(of.views().into_iter().map(|view| CellId { model, layer, projection, view, comparison }));
                }
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> StudyMatrix {
        let architecture = |word: &str, width| Architecture { word: word.into(), width };
        let loss = |word: &str| Loss { word: word.into(), parameters: [].into() };
        StudyMatrix {
            architecture: vec![architecture("resnet34", 1.0), architecture("resnet34", 0.25)],
            loss: vec![loss("softmax"), loss("arcface")],
            trained_on: vec!["vggface2".into()],
            prepare: vec!["reflect".into()],
            recipe: "small".into(),
            seeds: 2,
            exclude: vec![Exclusion {
                loss: Some("arcface".into()),
                architecture: Some("resnet34-width0.25".into()),
                ..Exclusion::default()
            }],
        }
    }

    #[test]
    fn models_are_counted_before_they_are_made() {
        let matrix = matrix();
        let (models, excluded) = matrix.models(|_| vec![]);
        assert_eq!(matrix.count().product, models.len() + excluded * matrix.seeds);
        let large = StudyMatrix { seeds: usize::MAX, ..matrix };
        assert_eq!((large.count().product, large.count().largest().0), (usize::MAX, "train.seeds"));
    }

    #[test]
    fn models_are_named_from_the_factors_that_vary() {
        let (models, excluded) = matrix().models(|_| vec![]);
        let names: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "resnet34-softmax@1",
                "resnet34-softmax@2",
                "resnet34-arcface@1",
                "resnet34-arcface@2",
                "resnet34-width0.25-softmax@1",
                "resnet34-width0.25-softmax@2"
            ]
        );
        assert_eq!(excluded, 1);
    }

    #[test]
    fn the_expansion_is_the_product_less_the_excluded() {
        let mut all = matrix();
        all.exclude.clear();
        assert_eq!(all.models(|_| vec![]).0.len(), 2 * 2 * 2);
    }
}
