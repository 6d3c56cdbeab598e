//! k-means by linfa-clustering: starts by k-means++ (Arthur and Vassilvitskii 2007), Lloyd's steps, the best of ten starts; defaults are
//! scikit-learn's. linfa's other start, k-means‖, draws by thread and is not used. The number of clusters is the one with the greatest mean
//! silhouette (Rousseeuw 1987), over at most a thousand images drawn by the seed.

use super::{Counted, FittedClusters, Memberships, drawn};
use crate::numeric::{
    Matrix, PhiloxStream, Purpose,
    ndarray::{RandStream, in_double},
};
use linfa::{
    DatasetBase,
    traits::{Fit, Predict},
};
use linfa_clustering::{KMeans, KMeansInit};
use linfa_nn::distance::L2Dist;

/// As scikit-learn has them where k-means is asked for by itself.
pub(super) const STARTS: usize = 10;
const MOST_STEPS: u64 = 300;
const TOLERANCE: f64 = 1e-4;
/// Images whose silhouette is taken.
const SILHOUETTE_SAMPLE: usize = 1000;

pub(super) struct Means {
    model: KMeans<f64, L2Dist>,
    clusters: usize,
    /// The mean over images; −1 for one cluster.
    pub silhouette: f64,
}

impl Means {
    /// `clusters`: no more than there are different points. `None` where linfa finds none.
    pub(super) fn fit(points: &Matrix, clusters: usize, starts: usize, seed: u64) -> Option<Self> {
        let stream = RandStream(PhiloxStream::new(seed, Purpose::ClusterStart, clusters as u64));
        let parameters = KMeans::params_with(clusters, stream, L2Dist)
            .init_method(KMeansInit::KMeansPlusPlus)
            .n_runs(starts)
            .max_n_iterations(MOST_STEPS)
            .tolerance(TOLERANCE);
        let model = parameters.fit(&DatasetBase::from(in_double(points))).ok()?;
        let mut found = Means { model, clusters, silhouette: -1.0 };
        if clusters > 1 {
            let rows = drawn(points.rows(), SILHOUETTE_SAMPLE, PhiloxStream::new(seed, Purpose::ClusterSample, u64::MAX - 1));
            let sample = points.take(&rows);
            found.silhouette = silhouette(&sample, &found.place(&sample), clusters);
        }
        Some(found)
    }
}

impl FittedClusters for Means {
    fn place(&self, points: &Matrix) -> Memberships {
        self.model.predict(&in_double(points)).iter().map(|cluster| Some(*cluster)).collect()
    }
}

impl Counted for Means {
    fn clusters(&self) -> usize {
        self.clusters
    }
}

/// The mean over images of (b − a) / max(a, b): a is the mean distance to the others of its cluster, b to those of the nearest other one.
/// An image that is alone in its cluster counts 0.
fn silhouette(points: &Matrix, memberships: &Memberships, clusters: usize) -> f64 {
    let cluster_of: Vec<usize> = memberships.iter().map(|cluster| cluster.unwrap_or(0)).collect();
    let mut sizes = vec![0usize; clusters];
    cluster_of.iter().for_each(|cluster| sizes[*cluster] += 1);
    let of_image = |row: usize| {
        let mut sums = vec![0.0; clusters];
        for other in 0..points.rows() {
            let square: f64 =
                points.row(row).iter().zip(points.row(other)).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum();
            sums[cluster_of[other]] += square.sqrt();
        }
        let own = cluster_of[row];
        if sizes[own] < 2 {
            return 0.0;
        }
        let a = sums[own] / (sizes[own] - 1) as f64;
        let others = (0..clusters).filter(|cluster| *cluster != own && sizes[*cluster] > 0);
        let b = others.map(|cluster| sums[cluster] / sizes[cluster] as f64).fold(f64::INFINITY, f64::min);
        if b.is_infinite() || a.max(b) == 0.0 { 0.0 } else { (b - a) / a.max(b) }
    };
    (0..points.rows()).map(of_image).sum::<f64>() / points.rows().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silhouette_is_that_of_scikit_learn() {
        // sklearn.metrics.silhouette_score([[0, 0], [0, 1], [4, 0], [5, 1]], [0, 0, 1, 1])
        let points = Matrix::new(4, 2, vec![0.0, 0.0, 0.0, 1.0, 4.0, 0.0, 5.0, 1.0]).unwrap();
        let found = silhouette(&points, &vec![Some(0), Some(0), Some(1), Some(1)], 2);
        assert!((found - 0.733_176_933_713_752_7).abs() < 1e-12, "{found}");
        assert_eq!(silhouette(&points, &vec![Some(0); 4], 2), 0.0);
    }
}
