//! What every map is tested for, said once: groups stay together, bits do not depend on threads or lanes, no features make it panic.

use super::*;
use crate::{
    domain::Ending,
    numeric::{PhiloxStream, multiversion},
};
use std::cell::Cell;

fn placed(method: &Method, features: &Matrix) -> Result<Projected> {
    project(method, &ProjectionInput::alone(features, 1))
}

/// Three groups of 60 in 12 dimensions: images of a group are nearest to each other in the map, and the groups far from each other.
pub(super) fn keeps_groups(method: &Method, stream: impl Fn(u64) -> PhiloxStream) {
    let (n, d) = (180, 12);
    let mut stream = stream(0);
    let value = |i: usize, noise: f64| (noise + if i % d == (i / d) % 3 { 12.0 } else { 0.0 }) as f32;
    let values = (0..n * d).map(|i| value(i, stream.normals(1.0)[0])).collect();
    let projected = placed(method, &Matrix::new(n, d, values).unwrap()).unwrap();
    let found = Neighbours::exact(&projected.coordinates, 10, neighbours::NeighbourMetric::Euclidean).unwrap();
    let same: usize = (0..n).map(|i| found.of(i).iter().filter(|j| **j as usize % 3 == i % 3).count()).sum();
    assert!(same as f64 > 0.99 * (10 * n) as f64, "{method:?}: {same} of {}", 10 * n);
}

/// Whoever watches hears the objective, and can stop the projection.
pub(super) fn can_be_stopped(method: &Method, features: &Matrix) {
    struct Impatient(Cell<usize>);
    impl ProjectionObserver for Impatient {
        fn objective(&self, _: &str, _: usize, value: f64) {
            assert!(value.is_finite());
            self.0.set(self.0.get() + 1);
        }
        fn stops(&self) -> bool {
            self.0.get() >= 2
        }
    }
    let watch = Impatient(Cell::new(0));
    let ended = project(method, &ProjectionInput { watch: &watch, ..ProjectionInput::alone(features, 1) });
    assert_eq!(ended.unwrap_err().ending, Ending::Interrupted, "{method:?}");
    assert_eq!(watch.0.get(), 2);
}

/// Coordinates and facts for 1, 2 and 16 threads, at each level of the machine.
pub(super) fn same_bits(method: &Method, features: &Matrix) {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let projected = pool.install(|| placed(method, features)).unwrap();
        (projected.coordinates, projected.facts)
    };
    let one = with(1);
    assert!(one == with(2) && one == with(16), "{method:?}");
    multiversion::each_level(|level| assert!(one == with(2), "{method:?} {level:?}"));
    let other = project(method, &ProjectionInput::alone(features, 2)).unwrap().coordinates;
    assert!(one.0 != other, "{method:?}: the seed decides");
}

/// Few levels make duplicates and equal distances; some columns are constant; units are extreme.
pub(super) fn any_features(method: &Method, stream: impl Fn(u64) -> PhiloxStream) {
    let mut placed_ones = 0;
    for case in 0..40 {
        let mut stream = stream(case);
        let (n, d) = (1 + stream.below(70) as usize, 1 + stream.below(110) as usize);
        let (levels, dead) = (1 + stream.below(5), stream.below(4) as usize);
        let scale = [1.0f32, 1e-30, 1e-6, 1e15, 1e37][stream.below(5) as usize];
        let value = |i: usize, draw: u64| if i % d < dead { 3.0 } else { (draw as f32 - 1.0) * scale };
        let values = (0..n * d).map(|i| value(i, stream.below(levels))).collect();
        match placed(method, &Matrix::new(n, d, values).unwrap()) {
            Ok(projected) => {
                placed_ones += 1;
                assert_eq!(projected.coordinates.rows(), n);
                assert!(projected.coordinates.first_not_finite().is_none(), "{case}");
                assert!(projected.facts.values().flatten().all(|number| number.is_finite()), "{case}: {:?}", projected.facts);
            }
            Err(fault) => assert_eq!(fault.ending, crate::domain::Ending::Asked, "{case}: {fault}"),
        }
    }
    assert!(placed_ones > 10, "{placed_ones}");
}

/// Images of three groups are placed among the fitted ones of their group; one alone where it is with others; for any number of threads.
pub(super) fn places_groups(method: &Method, stream: impl Fn(u64) -> PhiloxStream) {
    let (n, d) = (150, 12);
    let mut stream = stream(0);
    let value = |i: usize, noise: f64| (noise + if i % d == (i / d) % 3 { 12.0 } else { 0.0 }) as f32;
    let mut draw = |n: usize| {
        let values = (0..n * d).map(|i| value(i, stream.normals(1.0)[0])).collect();
        Matrix::new(n, d, values).unwrap()
    };
    let (features, others) = (draw(n), draw(30));
    let with = |threads, others: &Matrix| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| super::place(method, &ProjectionInput::alone(&features, 1), others)).unwrap().coordinates
    };
    let placed = with(1, &others);
    assert!(placed == with(2, &others) && placed == with(16, &others), "{method:?}");
    let alone = with(2, &others.take(&[7]));
    assert_eq!(alone.row(0), placed.row(7), "{method:?}");
    let fitted = project(method, &ProjectionInput::alone(&features, 1)).unwrap().coordinates;
    let nearest = |i: usize| {
        let square = |j: usize| (0..2).map(|axis| (fitted.row(j)[axis] - placed.row(i)[axis]).powi(2)).sum::<f32>();
        (0..n).min_by(|a, b| square(*a).total_cmp(&square(*b))).unwrap()
    };
    let right = (0..30).filter(|i| nearest(*i) % 3 == i % 3).count();
    assert!(right >= 29, "{method:?}: {right} of 30");
}
