//! How well projections agree with their features.

use super::StudyResults;
use crate::study::steps::Step;
use visavis_core::domain::{
    Key, Result,
    index::{LayerIx, ModelIx, ProjectionIx},
    projection::View,
    result::Manifest,
    score::Quality,
    stage::MeasureQuality,
};

/// One projection of one model's features at one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectionQuality<'a> {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub projection: ProjectionIx,
    pub key: Key,
    pub quality: Quality,
    /// The projection's own result, of the first seed: its facts belong to the table.
    pub projected: Option<&'a Manifest>,
}

impl ProjectionQuality<'_> {
    /// A fact of the projection: `explained` (share of variance by axis), `stability` (by axis), `kl`.
    pub fn fact(&self, name: &str) -> &[f64] {
        self.projected.map_or(&[], |manifest| manifest.fact(name))
    }

    /// The axes whose shares of variance belong to a view, from 0; none of a map, which has no axes of its own.
    pub fn axes(view: View) -> Vec<usize> {
        match view {
            View::Axis(_) | View::Pair(..) => view.columns(0),
            View::Features | View::Map => vec![],
        }
    }

    /// The share of variance that a view's axes explain together; `None` where one of them has none.
    pub fn explained(&self, view: View) -> Option<f64> {
        let axes = Self::axes(view);
        if axes.is_empty() {
            return None;
        }
        axes.into_iter().map(|axis| self.fact("explained").get(axis).copied()).sum()
    }
}

impl<'a> StudyResults<'a> {
    /// Of every projection that was measured, by model, layer and projection.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn quality(&self) -> Result<Vec<ProjectionQuality<'a>>> {
        let mut all = Vec::new();
        for &step in self.known.keys() {
            let Step::Quality { model, layer, projection } = step else { continue };
            let Some(found) = self.json::<Quality>(step, MeasureQuality::QUALITY)? else { continue };
            let projected = self.result(Step::Project { model, layer, projection, seed: 0 });
            all.push(ProjectionQuality { model, layer, projection, key: found.key, quality: found.value, projected });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study_of};

    #[test]
    fn a_projection_has_its_quality_and_the_facts_of_its_first_seed() {
        let study = study_of(&[("one", "1.npy")]);
        let (model, layer, projection) = (ModelIx(0), LayerIx(0), ProjectionIx(0));
        let step = Step::Quality { model, layer, projection };
        let found = Quality { format: 1, neighbours: 15, asked: 100, seeds: 2, views: vec![] };
        let mut results = MadeUpResults::default();
        results.put_json(step, MeasureQuality::QUALITY, &found);
        for (seed, explained) in [(0, vec![0.5, 0.25]), (1, vec![0.1])] {
            results.put_fact(Step::Project { model, layer, projection, seed }, "explained", explained);
        }
        let of = results.of(&study);
        let all = of.quality().unwrap();
        assert_eq!((all.len(), &all[0].quality, all[0].key), (1, &found, results.key(step)));
        assert_eq!(all[0].explained(View::Axis(1)), Some(0.5));
        assert_eq!(all[0].explained(View::Pair(1, 2)), Some(0.75), "two axes together");
        assert_eq!(all[0].explained(View::Axis(3)), None, "it has no such axis");
        assert_eq!((all[0].explained(View::Map), all[0].fact("kl")), (None, &[][..]));
    }
}
