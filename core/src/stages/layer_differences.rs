//! `score`, of layers: the views that half A prefers at each layer of one model, held against each other.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Fault, Result,
        layer_difference::LayerDifferences,
        stage::{CompareLayers, role},
    },
    numeric::Matrix,
    scoring::{
        Setting,
        layers::{self, LayerStudy},
    },
};

pub(super) fn layer_differences(of: &CompareLayers, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let scores = inputs.scores()?;
    if scores.len() != of.slots.len() {
        return Err(Fault::unexpected("layers were given more or fewer scores than there are slots"));
    }
    // Ranks of the views that are held against each other are read, and no others: there are many.
    let preferred = layers::preferred(of.slots.iter().copied().zip(&scores));
    let ranks = inputs.each(CompareLayers::RANKS, |role| {
        let slot = role.strip_prefix(CompareLayers::RANKS).and_then(|place| of.slots.get(place.parse::<usize>().ok()?));
        let is_wanted = slot.is_some_and(|slot| preferred.iter().any(|cell| slot.holds(cell)));
        if is_wanted { inputs.matrix(role) } else { Ok(Matrix::default()) }
    })?;
    let study = LayerStudy {
        setting: &setting,
        questions: &of.questions,
        scores: of
            .slots
            .iter()
            .copied()
            .zip(scores)
            .zip(ranks)
            .map(|((slot, scores), (_, ranks))| (slot, scores, ranks))
            .collect(),
        statistics: &of.statistics,
        seed: of.seed,
    };
    let differences = layers::differences(study);
    StageOutput::default().with_json(CompareLayers::LAYERS, &LayerDifferences { format: 1, differences })
}
