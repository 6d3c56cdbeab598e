//! The matrix: factors → models, named from the factors that vary; and a study → its cells.

use super::{
    ledger::CellId,
    loss::Loss,
    model::{Architecture, Model, Network, Source, Weights},
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
    fn matches(&self, network: &Network) -> bool {
        let is = |wanted: &Option<String>, level: &str, word: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == level || wanted == word)
        };
        is(&self.architecture, &network.architecture.to_string(), &network.architecture.word)
            && is(&self.loss, &network.loss.to_string(), &network.loss.word)
            && is(&self.trained_on, &network.trained_on, &network.trained_on)
            && is(&self.prepare, &network.prepare, &network.prepare)
    }
}

impl StudyMatrix {
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
                            weights: Weights::Recipe { recipe: self.recipe.clone(), seed },
                        };
                        if self.exclude.iter().any(|exclusion| exclusion.matches(&network(1))) {
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
