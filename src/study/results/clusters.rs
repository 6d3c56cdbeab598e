//! Images that lie together in projections, without labels.

use super::StudyResults;
use crate::study::steps::Step;
use visavis_core::domain::{
    Key, Result,
    clusters::FoundClusters,
    index::{LayerIx, ModelIx, ProjectionIx},
    stage::FindClusters,
};

/// The clusters of one projection of one model's features at one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectionClusters {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub projection: ProjectionIx,
    pub key: Key,
    pub found: FoundClusters,
}

impl StudyResults<'_> {
    /// Of every projection in which they were looked for, by model, layer and projection.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn clusters(&self) -> Result<Vec<ProjectionClusters>> {
        let mut all = Vec::new();
        for &step in self.known.keys() {
            let Step::Clusters { model, layer, projection } = step else { continue };
            let Some(found) = self.json::<FoundClusters>(step, FindClusters::CLUSTERS)? else { continue };
            all.push(ProjectionClusters { model, layer, projection, key: found.key, found: found.value });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study_of};

    #[test]
    fn a_projection_has_its_clusters() {
        let study = study_of(&[("one", "1.npy")]);
        let (model, layer, projection) = (ModelIx(0), LayerIx(0), ProjectionIx(0));
        let step = Step::Clusters { model, layer, projection };
        let found = FoundClusters { format: 1, images: 4, fitted: 4, seeds: 1, resamples: 20, views: vec![] };
        let mut results = MadeUpResults::default();
        results.put_json(step, FindClusters::CLUSTERS, &found);
        let all = results.of(&study).clusters().unwrap();
        assert_eq!((all.len(), &all[0].found, all[0].key), (1, &found, results.key(step)));
    }
}
