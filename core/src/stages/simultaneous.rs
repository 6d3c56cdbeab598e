//! `score`, of the grid: all cells of a study resampled together.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Fault, Result,
        stage::{Simultaneous, role},
    },
    numeric::Matrix,
    scoring::{
        self, Setting,
        simultaneous::{LayerScores, ProjectionScores, StudyScores},
    },
};

pub(crate) fn simultaneous(of: &Simultaneous, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let scores = inputs.scores()?;
    // Ranks of chosen views alone are resampled: the others, which are many, are left where they are.
    let chosen = scoring::simultaneous::chosen(of.slots.iter().copied().zip(&scores));
    let ranks = inputs.each(Simultaneous::RANKS, |role| {
        let slot = role.strip_prefix(Simultaneous::RANKS).and_then(|place| of.slots.get(place.parse::<usize>().ok()?));
        if slot.is_some_and(|slot| chosen.iter().any(|cell| slot.holds(cell))) {
            inputs.matrix(role)
        } else {
            Ok(Matrix::default())
        }
    })?;
    let permuted = inputs.each(Simultaneous::PERMUTED, |role| inputs.matrix(role))?;
    let spaces = inputs.each(role::SPACES, |role| inputs.matrix(role))?;
    if scores.len() != of.slots.len()
        || ranks.len() != scores.len()
        || permuted.len() != scores.len()
        || spaces.len() != of.spaces.len()
    {
        return Err(Fault::unexpected("the grid was given more or fewer scores than it has slots"));
    }
    let projections: Vec<ProjectionScores> = of
        .slots
        .iter()
        .zip(scores)
        .zip(ranks.into_iter().zip(permuted))
        .map(|((slot, scores), ((_, ranks), (_, permuted)))| ProjectionScores { slot: *slot, scores, ranks, permuted })
        .collect();
    let features: Vec<LayerScores> = of
        .spaces
        .iter()
        .zip(spaces)
        .map(|(&(model, layer, comparison), (_, ranks))| LayerScores { model, layer, comparison, ranks })
        .collect();
    let study = StudyScores {
        setting: &setting,
        questions: &of.questions,
        projections: &projections,
        features: &features,
        contrasts: &of.held,
        statistics: &of.statistics,
        seed: of.seed,
    };
    StageOutput::default().with_json(Simultaneous::TESTS, &scoring::simultaneous::simultaneous_tests(&study))
}
