//! Coordinates → clusters, without labels: one file a method, and how stable what it finds is.
//!
//! Coordinates are first divided by the root mean variance of their columns, so that no floor depends on their unit. Beyond
//! `FITTED` images clusters are found among so many, drawn by the seed; the others are placed in them. Methods of linfa-clustering are
//! used where they give the same bits for any number of threads on any processor.

mod agreement;
mod dbscan;
mod gaussian_mixture;
mod k_means;
#[cfg(test)]
mod tests;

use self::{agreement::adjusted_rand, dbscan::Dense, gaussian_mixture::Mixture, k_means::Means};
use crate::{
    domain::{
        clusters::{Cluster, ClusterCount, ClusterMethod, FoundClusters, TriedCount, ViewClusters},
        projection::View,
    },
    numeric::{Matrix, PhiloxStream, Purpose},
};
use rayon::prelude::*;

/// Images that clusters are found among, at most.
const FITTED: usize = 5_000;
/// Subsamples that tell how stable clusters are.
const RESAMPLES: usize = 20;
/// The share of the images in each.
const KEPT: f64 = 0.8;

/// Of each image its cluster, from 0; `None`: in none.
pub type Memberships = Vec<Option<usize>>;

/// A clustering that was found, and places other points.
trait FittedClusters: Send + Sync {
    /// The cluster of each row.
    fn place(&self, points: &Matrix) -> Memberships;
}

/// The clusters of views, and the memberships of every image in each of them. `points`: N × k, one matrix a projection seed.
pub fn clusters(points: &[Matrix], views: &[View], method: ClusterMethod, seed: u64) -> (FoundClusters, Vec<Memberships>) {
    among(FITTED, points, views, method, seed)
}

/// The cluster of each row of coordinates, the largest first, without a look at how stable they are; none where there are too few different
/// rows, or one is not finite.
pub fn cut(points: &Matrix, method: ClusterMethod, seed: u64) -> Memberships {
    let none = vec![None; points.rows()];
    if points.first_not_finite().is_some() {
        return none;
    }
    let points = scaled(points);
    let sample = drawn(points.rows(), FITTED, PhiloxStream::new(seed, Purpose::ClusterSample, 0));
    fit(&points.take(&sample), method, seed).map_or(none, |(fitted, _)| largest_first(&fitted.place(&points)))
}

/// The same, found among at most so many images.
fn among(most: usize, points: &[Matrix], views: &[View], method: ClusterMethod, seed: u64) -> (FoundClusters, Vec<Memberships>) {
    let images = points.first().map_or(0, Matrix::rows);
    let in_view = |view: View| -> Vec<Matrix> {
        points
            .iter()
            .filter_map(|points| {
                let columns = view.columns(points.columns());
                columns.iter().all(|column| *column < points.columns()).then(|| scaled(&points.select(&columns)))
            })
            .collect()
    };
    let found: Vec<(ViewClusters, Memberships)> =
        views.iter().map(|view| of_view(*view, &in_view(*view), [images, most], method, seed)).collect();
    let (views, memberships) = found.into_iter().unzip();
    let fitted = images.min(most);
    (FoundClusters { format: 1, images, fitted, seeds: points.len(), resamples: RESAMPLES, views }, memberships)
}

fn of_view(
    view: View,
    seeds: &[Matrix],
    [images, most]: [usize; 2],
    method: ClusterMethod,
    seed: u64,
) -> (ViewClusters, Memberships) {
    let none = || {
        let clusters = ViewClusters {
            view,
            found: 0,
            clusters: vec![],
            in_none: images,
            tried: vec![],
            stability: None,
            between_seeds: None,
        };
        (clusters, vec![None; images])
    };
    let Some(points) = seeds.first() else { return none() };
    let sample = drawn(images, most, PhiloxStream::new(seed, Purpose::ClusterSample, 0));
    let fitted_points = points.take(&sample);
    let Some((fitted, tried)) = fit(&fitted_points, method, seed) else { return none() };
    let memberships = largest_first(&fitted.place(points));
    let count = memberships.iter().flatten().max().map_or(0, |most| most + 1);
    // As many clusters as were found, so that a subsample is asked for what is to come back.
    let again = method.with_count(count);
    let own: Memberships = sample.iter().map(|row| memberships[*row]).collect();
    // Of each subsample: where its images are here, and where they are there.
    let resampled: Vec<[Memberships; 2]> = (0..RESAMPLES as u64)
        .into_par_iter()
        .filter(|_| count > 0)
        .filter_map(|resample| {
            let most = (sample.len() as f64 * KEPT) as usize;
            let rows = drawn(sample.len(), most, PhiloxStream::new(seed, Purpose::ClusterSample, 1 + resample));
            let points = fitted_points.take(&rows);
            let (found, _) = fit(&points, again, seed)?;
            Some([rows.iter().map(|row| own[*row]).collect(), found.place(&points)])
        })
        .collect();
    let mean = |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let stability = mean(resampled.iter().filter(|_| count > 1).map(|[here, there]| adjusted_rand(here, there)).collect());
    let between_seeds = mean(
        seeds[1..]
            .par_iter()
            .filter(|_| count > 1)
            .filter_map(|other| {
                let other = other.take(&sample);
                let (found, _) = fit(&other, again, seed)?;
                Some(adjusted_rand(&own, &found.place(&other)))
            })
            .collect(),
    );
    let clusters = (0..count).map(|cluster| {
        let of_resample = |[here, there]: &[Memberships; 2]| agreement::jaccard(here, there, cluster);
        Cluster {
            images: memberships.iter().filter(|of| **of == Some(cluster)).count(),
            stability: mean(resampled.iter().filter_map(of_resample).collect()),
        }
    });
    let clusters: Vec<Cluster> = clusters.collect();
    let in_none = memberships.iter().filter(|of| of.is_none()).count();
    (ViewClusters { view, found: count, clusters, in_none, tried, stability, between_seeds }, memberships)
}

impl ClusterMethod {
    /// The method asked for so many clusters; methods that find their own number stay.
    fn with_count(self, clusters: usize) -> Self {
        match self {
            ClusterMethod::KMeans(_) => ClusterMethod::KMeans(ClusterCount::Fixed(clusters)),
            ClusterMethod::GaussianMixture(_) => ClusterMethod::GaussianMixture(ClusterCount::Fixed(clusters)),
            ClusterMethod::Dbscan { .. } => self,
        }
    }
}

/// The clusters of these points, with what was tried; `None` where the points cannot have so many.
fn fit(points: &Matrix, method: ClusterMethod, seed: u64) -> Option<(Box<dyn FittedClusters>, Vec<TriedCount>)> {
    let distinct = distinct(points);
    let counts = |count: ClusterCount, least: usize| match count {
        ClusterCount::Fixed(clusters) => clusters..=clusters.min(distinct),
        ClusterCount::UpTo(most) => least..=most.min(distinct),
    };
    match method {
        ClusterMethod::KMeans(count) => {
            // One cluster where there is one point: a silhouette needs two.
            let counts = if distinct == 1 { 1..=1 } else { counts(count, 2) };
            let tried = counts.into_par_iter().filter_map(|k| Means::fit(points, k, k_means::STARTS, seed)).collect();
            let best = |of: &Means| of.silhouette;
            chosen::<Means>(tried, best, |a, b| a > b)
        }
        ClusterMethod::GaussianMixture(count) => {
            let tried = counts(count, 1).into_par_iter().filter_map(|k| Mixture::fit(points, k, seed)).collect();
            chosen::<Mixture>(tried, |of| of.criterion, |a, b| a < b)
        }
        ClusterMethod::Dbscan { min_points } => Some((Box::new(Dense::fit(points, min_points)?), vec![])),
    }
}

/// A clustering with a number of clusters.
trait Counted: FittedClusters + Sized + 'static {
    fn clusters(&self) -> usize;
}

/// The best by its criterion; of equals the one with fewest clusters.
fn chosen<T: Counted>(
    tried: Vec<T>,
    criterion: impl Fn(&T) -> f64,
    is_better: impl Fn(f64, f64) -> bool,
) -> Option<(Box<dyn FittedClusters>, Vec<TriedCount>)> {
    let told = tried.iter().map(|of| TriedCount { clusters: of.clusters(), criterion: criterion(of) }).collect();
    let best =
        tried.into_iter().reduce(|best, other| if is_better(criterion(&other), criterion(&best)) { other } else { best })?;
    Some((Box::new(best), told))
}

/// Numbered by size, the largest first; of equals the one whose first image comes first.
fn largest_first(memberships: &Memberships) -> Memberships {
    let count = memberships.iter().flatten().max().map_or(0, |most| most + 1);
    let (mut sizes, mut first) = (vec![0usize; count], vec![usize::MAX; count]);
    for (row, cluster) in memberships.iter().enumerate() {
        if let Some(cluster) = *cluster {
            sizes[cluster] += 1;
            first[cluster] = first[cluster].min(row);
        }
    }
    let mut order: Vec<usize> = (0..count).filter(|cluster| sizes[*cluster] > 0).collect();
    order.sort_by_key(|cluster| (std::cmp::Reverse(sizes[*cluster]), first[*cluster]));
    let mut number = vec![None; count];
    order.iter().enumerate().for_each(|(place, cluster)| number[*cluster] = Some(place));
    memberships.iter().map(|cluster| cluster.and_then(|cluster| number[cluster])).collect()
}

/// `most` of `n` rows, drawn without replacement, ascending; all where there are no more.
fn drawn(n: usize, most: usize, mut stream: PhiloxStream) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..n).collect();
    if n > most {
        stream.shuffle(&mut rows);
        rows.truncate(most);
        rows.sort_unstable();
    }
    rows
}

/// Centred, and divided by the root of the columns' mean variance; as they are where all points are the same.
fn scaled(points: &Matrix) -> Matrix {
    let (n, columns) = (points.rows(), points.columns());
    let mean_of = |column: usize, value: &dyn Fn(f64) -> f64| {
        (0..n).map(|row| value(f64::from(points.row(row)[column]))).sum::<f64>() / n.max(1) as f64
    };
    let means: Vec<f64> = (0..columns).map(|column| mean_of(column, &|value| value)).collect();
    let variance = |column: usize| mean_of(column, &|value| (value - means[column]) * (value - means[column]));
    let variance = (0..columns).map(variance).sum::<f64>() / columns.max(1) as f64;
    let unit = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    let values = points.values().iter().enumerate().map(|(at, value)| ((f64::from(*value) - means[at % columns]) / unit) as f32);
    Matrix::new(n, columns, values.collect()).expect("as many values as before")
}

/// How many different points there are.
fn distinct(points: &Matrix) -> usize {
    let mut rows: Vec<Vec<u32>> =
        (0..points.rows()).map(|row| points.row(row).iter().map(|value| (value + 0.0).to_bits()).collect()).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.len()
}
