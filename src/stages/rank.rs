//! `rank`: the study as a whole — the ledger of every cell, and how often labels occur.

use super::{Inputs, Made};
use crate::{
    domain::{Fault, Result, grid::Grid, stage::Ranking},
    scoring::{self, Setting, ranking::Known},
};

pub fn rank(ranking: &Ranking, inputs: &Inputs) -> Result<Made> {
    let scores = inputs.scores()?;
    if scores.len() != ranking.slots.len() {
        return Err(Fault::unexpected("the rank stage was given more or fewer scores than it has slots"));
    }
    let grid: Grid = serde_json::from_slice(&inputs.bytes("grid")?)
        .map_err(|error| Fault::unexpected(format!("grid is not what it should be: {error}")))?;
    let candidates = scoring::grid::candidates(ranking.slots.iter().copied().zip(&scores));
    let ledger = scoring::ranking::ledger(candidates, &grid.cells, ranking.separates_at, ranking.show, ranking.seed);

    let (images, labels, identities) = (inputs.images("images")?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let frequencies =
        scoring::frequencies::frequencies(&setting, &ranking.attributes, &ranking.questions, &ranking.groups, ranking.depth);
    let made = Made::default().with_json("ledger.json", &ledger)?.with_json("frequencies.json", &frequencies)?;
    match inputs.truth()? {
        Some(truth) => {
            let known = ranking.questions.iter().enumerate().filter_map(|(comparison, question)| {
                let of = truth.attributes.iter().find(|of| Some(of.attribute.as_str()) == question.presence())?;
                Some(Known { comparison, drawn: of.drawn, correlates: !of.correlates.is_empty(), ceiling: of.ceiling })
            });
            let recovered = scoring::ranking::recovered(&ledger, &grid.cells, &known.collect::<Vec<_>>(), ranking.separates_at);
            made.with_json("planted.json", &truth)?.with_json("recovered.json", &recovered)
        }
        None => Ok(made),
    }
}
