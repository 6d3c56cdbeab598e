//! Clusters of a view: images that lie together, found without labels.

use super::{canonical::Value, projection::View};
use serde::{Deserialize, Serialize};

/// How clusters are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterMethod {
    /// Each image belongs to the nearest of k means (Lloyd 1982).
    KMeans(ClusterCount),
    /// Each image belongs to the likeliest of k normal distributions (Dempster, Laird and Rubin 1977).
    GaussianMixture(ClusterCount),
    /// Regions in which every image has this many images within a distance, itself counted (Ester et al. 1996).
    Dbscan {
        /// Itself counted.
        min_points: usize,
    },
}

/// How many clusters there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterCount {
    /// So many.
    Fixed(usize),
    /// As many as the method's criterion says, up to so many.
    UpTo(usize),
}

impl ClusterMethod {
    /// As study files write it.
    pub fn word(self) -> &'static str {
        match self {
            ClusterMethod::KMeans(_) => "k_means",
            ClusterMethod::GaussianMixture(_) => "gaussian_mixture",
            ClusterMethod::Dbscan { .. } => "dbscan",
        }
    }

    /// In sentences.
    pub fn title(self) -> &'static str {
        match self {
            ClusterMethod::KMeans(_) => "k-means",
            ClusterMethod::GaussianMixture(_) => "Gaussian mixture",
            ClusterMethod::Dbscan { .. } => "DBSCAN",
        }
    }

    /// The most clusters that it may find; of DBSCAN, which finds its own number, the images that a region needs.
    pub fn most(self) -> usize {
        match self {
            ClusterMethod::KMeans(ClusterCount::Fixed(most) | ClusterCount::UpTo(most))
            | ClusterMethod::GaussianMixture(ClusterCount::Fixed(most) | ClusterCount::UpTo(most)) => most,
            ClusterMethod::Dbscan { min_points } => min_points,
        }
    }

    /// What of it enters a key.
    pub fn canonical(self) -> Value {
        let map = Value::map().with("method", Value::text(self.word()));
        match self {
            ClusterMethod::KMeans(count) | ClusterMethod::GaussianMixture(count) => match count {
                ClusterCount::Fixed(clusters) => map.with("clusters", Value::count(clusters)),
                ClusterCount::UpTo(most) => map.with("up_to", Value::count(most)),
            },
            ClusterMethod::Dbscan { min_points } => map.with("min_points", Value::count(min_points)),
        }
        .done()
    }
}

/// What a `clusters` stage leaves: the clusters of every view of one projection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundClusters {
    /// 1.
    pub format: u32,
    /// Images that were placed in clusters or in none.
    pub images: usize,
    /// Images that clusters were found among; the others were placed in them afterwards.
    pub fitted: usize,
    /// Projection seeds; clusters are those of the first.
    pub seeds: usize,
    /// Subsamples in which clusters were looked for again.
    pub resamples: usize,
    /// One a view.
    pub views: Vec<ViewClusters>,
}

/// The clusters of one view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewClusters {
    /// Which view it is.
    pub view: View,
    /// How many clusters were found.
    pub found: usize,
    /// The largest first. Empty where the view has none, or is not there.
    pub clusters: Vec<Cluster>,
    /// Images in no cluster.
    pub in_none: usize,
    /// What the criterion said of each number of clusters that was tried.
    pub tried: Vec<TriedCount>,
    /// The mean adjusted Rand index (Hubert and Arabie 1985) of the clusters with those of subsamples: 1 for the same, 0 for chance. `None`
    /// where there is one cluster or none.
    pub stability: Option<f64>,
    /// The same with the clusters of the projection's other seeds; `None` for one seed.
    pub between_seeds: Option<f64>,
}

/// One cluster.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// How many images are in it.
    pub images: usize,
    /// The mean, over subsamples, of its greatest Jaccard index with a cluster found there (Hennig 2007): below 0.6 it should not be believed.
    /// `None` where no subsample could be clustered.
    pub stability: Option<f64>,
}

/// A number of clusters, and what the method's criterion says of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedCount {
    /// How many clusters.
    pub clusters: usize,
    /// The Bayesian information criterion of a mixture (Schwarz 1978), less is better; the mean silhouette of k-means (Rousseeuw 1987),
    /// more is better.
    pub criterion: f64,
}
