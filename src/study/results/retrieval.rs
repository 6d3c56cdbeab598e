//! How well the images that the study looks for are found by features.

use super::StudyResults;
use crate::study::steps::Step;
use visavis_core::domain::{
    Key, Result,
    index::{LayerIx, ModelIx},
    retrieval::{QueryRetrieval, Retrieval},
    stage::{RetrieveImages, Work},
};

/// What the features of one model at one layer find.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRetrieval {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub key: Key,
    retrieval: Retrieval,
    /// By query of the study: its place among those that were asked.
    places: Vec<Option<usize>>,
}

impl LayerRetrieval {
    /// What was found of one of the study's queries, with its place in the output; `None` where its labels were not there.
    pub fn query(&self, query: usize) -> Option<(usize, &QueryRetrieval)> {
        let place = self.places.get(query).copied().flatten()?;
        Some((place, self.retrieval.queries.get(place)?))
    }
}

impl StudyResults<'_> {
    /// Of every layer by whose features images were looked for, by model and layer.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn retrieval(&self) -> Result<Vec<LayerRetrieval>> {
        let mut all = Vec::new();
        for &step in self.known.keys() {
            let Step::Retrieval { model, layer } = step else { continue };
            let Some(Work::Retrieval(of)) = self.result(step).map(|manifest| &manifest.work) else { continue };
            let Some(found) = self.json::<Retrieval>(step, RetrieveImages::RETRIEVAL)? else { continue };
            let place = |wanted| of.queries.iter().position(|other| other == wanted);
            let places = self.study.queries.iter().map(|query| place(&query.wanted)).collect();
            all.push(LayerRetrieval { model, layer, key: found.key, retrieval: found.value, places });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study_of};
    use visavis_core::domain::{retrieval::Query, study::Study};

    #[test]
    fn a_query_has_what_was_found_of_its_condition() {
        let query = |wanted: &str| Query { name: format!("those of {wanted}"), wanted: wanted.parse().unwrap() };
        let study = Study { queries: vec![query("hat"), query("glasses")], ..study_of(&[("one", "1.npy")]) };
        let found = |wanted| QueryRetrieval {
            labelled: 9,
            wanted,
            identities: 1,
            prevalence: None,
            by_chance: None,
            unscored: None,
            found: vec![],
            groups: vec![],
        };
        let retrieval = Retrieval { format: 1, images: 9, queries: vec![found(4), found(5)] };
        let queries = vec![query("neither").wanted, query("glasses").wanted];
        let work = Work::Retrieval(RetrieveImages { queries, groups: vec![], depth: 1, bootstraps: 20, seed: 1 });
        let step = Step::Retrieval { model: ModelIx(0), layer: LayerIx(0) };
        let mut results = MadeUpResults::default();
        results.put(step, work, RetrieveImages::RETRIEVAL, &retrieval);
        let all = results.of(&study).retrieval().unwrap();
        assert_eq!((all.len(), all[0].key), (1, results.key(step)));
        assert_eq!((all[0].query(0), all[0].query(1)), (None, Some((1, &found(5)))));
    }
}
