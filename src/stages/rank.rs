//! `rank`: the study as a whole — the ledger of every cell, and how often labels occur.

use super::{Inputs, Made};
use crate::{
    domain::{
        Fault, Result,
        ledger::{Candidate, CellId},
        projection::View,
        score::Scores,
        stage::Ranking,
    },
    scoring::{self, Setting},
};

pub fn rank(ranking: &Ranking, inputs: &Inputs) -> Result<Made> {
    let parse = |role: &str| {
        serde_json::from_slice::<Scores>(&inputs.bytes(role)?)
            .map_err(|error| Fault::unexpected(format!("{role} is not what it should be: {error}")))
    };
    let scores = inputs.each("scores/", parse)?;
    if scores.len() != ranking.slots.len() {
        return Err(Fault::unexpected("the rank stage was given more or fewer scores than it has slots"));
    }
    let candidates = ranking.slots.iter().zip(&scores).flat_map(|(slot, (_, scores))| {
        scores.views.iter().filter(|view| view.view != View::Features).map(|view| Candidate {
            cell: CellId {
                model: slot.model,
                tap: slot.tap,
                projection: slot.projection,
                view: view.view,
                comparison: slot.comparison,
            },
            a: view.a,
            b: view.b,
            unranked: scores.unranked.clone(),
        })
    });
    let ledger = scoring::ranking::ledger(candidates.collect(), ranking.separates_at, ranking.show, ranking.seed);

    let (images, labels, identities) = (inputs.images("images")?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let frequencies =
        scoring::frequencies::frequencies(&setting, &ranking.attributes, &ranking.questions, &ranking.groups, ranking.depth);
    let made = Made::default().with_json("ledger.json", &ledger)?.with_json("frequencies.json", &frequencies)?;
    match inputs.truth()? {
        Some(truth) => made.with_json("planted.json", &truth),
        None => Ok(made),
    }
}
