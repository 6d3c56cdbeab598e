//! DBSCAN (Ester et al. 1996) by linfa-clustering: it draws nothing and looks at one image after another, so its bits are those of the
//! distances. The distance within which images are neighbours is where the sorted distances to the `min_points`-th image bend most, that is
//! furthest below the line from the least to the greatest. linfa's OPTICS is not used: it gives an order of images, and no clusters.

use super::{FittedClusters, Memberships};
use crate::numeric::{
    Matrix,
    ndarray::in_double,
    neighbours::{NeighbourMetric, Neighbours},
};
use linfa::{ParamGuard, traits::Transformer};
use linfa_clustering::Dbscan;
use linfa_nn::{CommonNearestNeighbour, distance::L2Dist};

pub(super) struct Dense {
    points: Matrix,
    memberships: Memberships,
    within: f64,
}

impl Dense {
    /// `None` of fewer images than a region needs, and where all of them are at one place.
    pub(super) fn fit(points: &Matrix, min_points: usize) -> Option<Self> {
        if points.rows() < min_points.max(2) {
            return None;
        }
        // linfa counts the image itself.
        let nearest = Neighbours::exact(points, min_points.max(2) - 1, NeighbourMetric::Euclidean)?;
        let mut distances: Vec<f64> = (0..points.rows()).filter_map(|row| nearest.distances(row).last()).collect();
        distances.sort_by(f64::total_cmp);
        let within = bend(&distances);
        if within <= 0.0 {
            return None;
        }
        let parameters =
            Dbscan::params_with(min_points, L2Dist, CommonNearestNeighbour::KdTree).tolerance(within).check().ok()?;
        let memberships = parameters.transform(&in_double(points)).to_vec();
        Some(Dense { points: points.clone(), memberships, within })
    }
}

impl FittedClusters for Dense {
    /// An image that was not in the fit belongs to the cluster of the nearest image that was, if that is near enough.
    fn place(&self, points: &Matrix) -> Memberships {
        if points == &self.points {
            return self.memberships.clone();
        }
        use rayon::prelude::*;
        let nearest = |row: usize| {
            let distance = |other: &usize| -> f64 {
                points.row(row).iter().zip(self.points.row(*other)).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum()
            };
            let (other, square) = (0..self.points.rows())
                .map(|other| (other, distance(&other)))
                .fold((0, f64::INFINITY), |best, this| if this.1 < best.1 { this } else { best });
            (square.sqrt() <= self.within).then(|| self.memberships[other]).flatten()
        };
        (0..points.rows()).into_par_iter().map(nearest).collect()
    }
}

/// The value furthest below the line from the first to the last; the last of a list that does not bend.
fn bend(sorted: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return 0.0 };
    let below = |(at, value): (usize, &f64)| (first + (last - first) * at as f64 / (sorted.len() - 1).max(1) as f64) - value;
    let furthest = sorted
        .iter()
        .enumerate()
        .map(|of| (below(of), *of.1))
        .fold((0.0, *last), |best, this| if this.0 > best.0 { this } else { best });
    furthest.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_bend_where_they_begin_to_rise() {
        assert_eq!(bend(&[1.0, 1.0, 1.0, 1.0, 1.1, 5.0, 9.0]), 1.1);
        assert_eq!(bend(&[2.0, 2.0]), 2.0);
        assert_eq!(bend(&[]), 0.0);
    }
}
