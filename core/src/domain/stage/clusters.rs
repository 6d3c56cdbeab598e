//! `clusters`: images that lie together in a projection, without labels.

use super::Stage;
use crate::domain::{canonical::Value, clusters::ClusterMethod, projection::View};
use serde::{Deserialize, Serialize};

/// `points/…` (one a projection seed) → [`FindClusters::CLUSTERS`], [`FindClusters::MEMBERS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindClusters {
    /// The views that are looked at.
    pub views: Vec<View>,
    /// How clusters are found.
    pub method: ClusterMethod,
    /// Of the images that are drawn where there are many, of starts and of subsamples.
    pub seed: u64,
}

impl FindClusters {
    /// A [`FoundClusters`](crate::domain::clusters::FoundClusters).
    pub const CLUSTERS: &str = "clusters.json";
    /// Images × views, float32: the cluster of each image, from 0 for the largest; −1 for none.
    pub const MEMBERS: &str = "members.npy";
}

impl Stage for FindClusters {
    fn version(&self) -> u32 {
        1
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let FindClusters { views, method, seed } = self;
        Value::map()
            .with("clusters", method.canonical())
            .with("views", Value::list(views, View::canonical))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
