//! PCA and FastICA beside linfa's, of the same numbers; and why its random projections are not used. Only tests use it.
//!
//! linfa-reduction's shares of variance are over the axes kept, ours over all: so singular values are compared instead.

use super::{Projected, ProjectionInput, current, pca::principal, project};
use crate::{
    domain::projection::Method,
    numeric::{Matrix, PhiloxStream},
};
use linfa::{
    DatasetBase,
    traits::{Fit, Predict, Transformer},
};
use linfa_ica::fast_ica::{FastIca, GFunc};
use linfa_reduction::random_projection::{GaussianRandomProjection, SparseRandomProjection};
use ndarray::Array2;

fn in_double(features: &Matrix) -> Array2<f64> {
    let values = features.values().iter().map(|value| f64::from(*value)).collect();
    Array2::from_shape_vec((features.rows(), features.columns()), values).unwrap()
}

fn columns(found: &Array2<f64>) -> Vec<Vec<f64>> {
    found.columns().into_iter().map(|column| column.to_vec()).collect()
}

fn ours(method: Method, axes: usize, features: &Matrix) -> Projected {
    let given = ProjectionInput::alone(features, 1);
    project(&method.with(Method::AXES, axes), &given).unwrap()
}

/// The largest distance of a coordinate, in standard deviations of its axis, where each axis of ours meets the nearest one of the
/// peer's, up to sign. Both have as many axes, and none of the peer's is the nearest of two.
fn furthest(ours: &Matrix, peer: &[Vec<f64>]) -> f64 {
    let mut free: Vec<&Vec<f64>> = peer.iter().collect();
    assert_eq!(ours.columns(), free.len());
    let mut furthest = 0.0f64;
    for axis in 0..ours.columns() {
        let own: Vec<f64> = ours.column(axis).into_iter().map(f64::from).collect();
        let deviation = (own.iter().map(|x| x * x).sum::<f64>() / own.len() as f64).sqrt();
        let apart = |other: &[f64], sign: f64| own.iter().zip(other).map(|(a, b)| (a - sign * b).abs()).fold(0.0, f64::max);
        let distances = free.iter().map(|other| apart(other, 1.0).min(apart(other, -1.0)) / deviation);
        let (nearest, distance) = distances.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap();
        free.remove(nearest);
        furthest = furthest.max(distance);
    }
    furthest
}

/// One number of the features moved, by about a tenth of what they are.
fn disturbed(features: &Matrix) -> Matrix {
    let mut values = features.values().to_vec();
    values[features.columns() + 1] += 0.1 * values.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    Matrix::new(features.rows(), features.columns(), values).unwrap()
}

/// Normal numbers, each column of another variance, then mixed: the axes are not the columns.
fn cloud(n: usize, d: usize) -> Matrix {
    let mut stream = PhiloxStream::for_test(11, (n * d) as u64);
    let mix: Vec<f64> = (0..d * d).map(|_| stream.normals(1.0)[0]).collect();
    let row = |stream: &mut PhiloxStream| {
        let own: Vec<f64> = (0..d).map(|j| stream.normals(0.8_f64.powi(j as i32))[0]).collect();
        (0..d).map(|j| (3.0 + (0..d).map(|k| own[k] * mix[j * d + k]).sum::<f64>()) as f32).collect::<Vec<_>>()
    };
    Matrix::new(n, d, (0..n).flat_map(|_| row(&mut stream)).collect()).unwrap()
}

#[test]
fn principal_axes_are_those_of_linfa() {
    const AXES: usize = 4;
    // More rows than columns, and fewer: two ways to the same axes.
    for (n, d) in [(300, 12), (30, 60)] {
        let features = cloud(n, d);
        let data = DatasetBase::from(in_double(&features));
        let peer = linfa_reduction::Pca::params(AXES).fit(&data).unwrap();
        let places = columns(&peer.predict(data.records()));
        let found = ours(current("pca"), AXES, &features);
        let apart = furthest(&found.coordinates, &places);
        assert!(apart < 1e-6, "{n} × {d}: {apart:e} of a deviation apart");
        let own = principal(&features, AXES).unwrap();
        for (value, sigma) in own.values.iter().zip(peer.singular_values()) {
            assert!((value.sqrt() / sigma - 1.0).abs() < 1e-12, "{n} × {d}: {} {sigma}", value.sqrt());
        }
        let other = ours(current("pca"), AXES, &disturbed(&features));
        assert!(furthest(&other.coordinates, &places) > 1e-2, "one number more or less shows");
    }
}

#[test]
fn independent_axes_are_those_of_linfa() {
    const SOURCES: usize = 3;
    let (n, d) = (2000, 5);
    let mut stream = PhiloxStream::for_test(12, 0);
    let mix: Vec<f64> = (0..d * SOURCES).map(|_| stream.normals(1.0)[0]).collect();
    let row = |stream: &mut PhiloxStream| {
        let [a, b] = stream.normals(1.0);
        let sources = [stream.uniform() - 0.5, f64::from(stream.uniform() < 0.2), a * b * b];
        (0..d).map(|j| (0..SOURCES).map(|k| sources[k] * mix[j * SOURCES + k]).sum::<f64>() as f32).collect::<Vec<_>>()
    };
    let features = Matrix::new(n, d, (0..n).flat_map(|_| row(&mut stream)).collect()).unwrap();
    let data = DatasetBase::from(in_double(&features));
    let params = FastIca::params().ncomponents(SOURCES).gfunc(GFunc::Logcosh(1.0)).max_iter(200).tol(1e-4).random_state(5);
    let peer = params.fit(&data).unwrap();
    // The peer's axes have length 1; ours have variance 1.
    let places = columns(&(peer.predict(data.records()) * (n as f64).sqrt()));
    let found = ours(current("ica"), SOURCES, &features);
    let apart = furthest(&found.coordinates, &places);
    assert!(apart < 5e-3, "{apart:e} of a deviation apart");
    let other = ours(current("ica"), SOURCES, &disturbed(&features));
    assert!(furthest(&other.coordinates, &places) > 5e-2, "one number more or less shows");
}

/// Of all pairs, what squared distances become on average.
fn kept(before: &Array2<f64>, after: &Array2<f64>) -> f64 {
    let squares = |of: &Array2<f64>| {
        let mean = of.mean_axis(ndarray::Axis(0)).unwrap();
        (of - &mean).mapv(|x| x * x).sum()
    };
    squares(after) / squares(before)
}

#[test]
fn random_directions_keep_squared_distances_and_those_of_linfa_do_not() {
    const AXES: usize = 16;
    let (n, d) = (200, 64);
    let mut stream = PhiloxStream::for_test(13, 0);
    let features = Matrix::new(n, d, (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap();
    let data = DatasetBase::from(in_double(&features));
    for kind in ["gaussian", "sparse"] {
        let method = Method::new("random_projection").with("kind", super::word(kind));
        let own = kept(data.records(), &in_double(&ours(method, AXES, &features).coordinates));
        assert!((own - 1.0).abs() < 0.25, "{kind}: {own}");
    }
    let gaussian = GaussianRandomProjection::<f64>::params().target_dim(AXES).fit(&data).unwrap().transform(data.records());
    let sparse = SparseRandomProjection::<f64>::params().target_dim(AXES).fit(&data).unwrap().transform(data.records());
    let peers = [kept(data.records(), &gaussian), kept(data.records(), &sparse)];
    println!("linfa's random projections make of a squared distance of 1: {peers:.3?}");
    // Axes / D, and axes · √D: entries of variance 1 / D and √D.
    assert!((peers[0] / 0.25 - 1.0).abs() < 0.25 && (peers[1] / 128.0 - 1.0).abs() < 0.25, "{peers:?}");
}
