//! `rank`: the study as a whole — the ledger of every cell, and how often labels occur.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Fault, Result,
        index::{LayerIx, ModelIx},
        score::FeatureScores,
        simultaneous::SimultaneousTests,
        stage::{Probes, Ranking, role},
    },
    scoring::{
        self, Setting,
        selection::recovered::{KnownTruth, Probed},
    },
};

pub(super) fn rank(ranking: &Ranking, inputs: &Inputs) -> Result<StageOutput> {
    let scores = inputs.scores()?;
    if scores.len() != ranking.slots.len() {
        return Err(Fault::unexpected("the rank stage was given more or fewer scores than it has slots"));
    }
    let tests: SimultaneousTests = serde_json::from_slice(&inputs.bytes(Ranking::TESTS)?)
        .map_err(|error| Fault::unexpected(format!("grid is not what it should be: {error}")))?;
    let candidates = scoring::simultaneous::candidates(ranking.slots.iter().copied().zip(&scores));
    let ledger = scoring::selection::ranking::ledger(candidates, &tests, ranking.separates_at, ranking.show, ranking.seed);

    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let frequencies = scoring::fairness::frequencies::frequencies(
        &setting,
        &ranking.attributes,
        &ranking.questions,
        &ranking.groups,
        ranking.depth,
    );
    let made = StageOutput::default().with_json(Ranking::LEDGER, &ledger)?.with_json(Ranking::FREQUENCIES, &frequencies)?;
    match inputs.truth()? {
        Some(truth) => {
            let known = ranking.questions.iter_enumerated().filter_map(|(comparison, question)| {
                let planted = Some(truth.asked_by(question)).filter(|planted| !planted.is_empty())?;
                let drawn = planted.iter().all(|(_, attribute)| attribute.drawn);
                let correlates = planted.iter().any(|(_, attribute)| attribute.can_be_told());
                // What bounds an attribute's score says nothing of a mean over pairs.
                let ceiling = if let [(_, one)] = planted[..] { one.ceiling } else { 1.0 };
                Some(KnownTruth { comparison, drawn, correlates, ceiling })
            });
            let known: Vec<KnownTruth> = known.collect();
            let probed = probed(&ranking.probes, inputs)?;
            let recovered =
                scoring::selection::recovered::recovered(&ledger, &tests.cells, &probed, &known, ranking.separates_at);
            made.with_json(Ranking::PLANTED, &truth)?.with_json(Ranking::RECOVERED, &recovered)
        }
        None => Ok(made),
    }
}

fn probed(probes: &Probes, inputs: &Inputs) -> Result<Vec<Probed>> {
    let spaces = inputs.spaces()?;
    if spaces.len() != probes.spaces.len() || spaces.iter().any(|space| space.answers.len() != probes.asked.len()) {
        return Err(Fault::unexpected("the rank stage was given more or fewer answers of feature spaces than it has places for"));
    }
    let answers = |(&(model, layer), space): (&(ModelIx, LayerIx), FeatureScores)| {
        let asked = probes.asked.iter().zip(space.answers);
        asked.filter_map(|(&comparison, answer)| Probed::new((model, layer, comparison), &answer)).collect::<Vec<_>>()
    };
    Ok(probes.spaces.iter().zip(spaces).flat_map(answers).collect())
}
