//! Features → coordinates, one file a method. Same features, method and seed: same bits.
//!
//! To add a method: a file with its parameters, their check and a `Projector`; a line in `projector`; its word in
//! `domain/projection.rs`. Isomap, LLE, MDS and the rest find their graph in [`NeighborGraphs`] and their start in `pca`.

mod graph;
mod ica;
mod pca;
mod start;
mod tsne;
mod umap;

use crate::{
    domain::{
        Fault, Result,
        projection::{Method, Metric},
        result::Facts,
    },
    numeric::{
        Matrix,
        neighbours::{self, Neighbours},
    },
};
use ica::Ica;
use pca::Pca;
use tsne::Tsne;
use umap::Umap;

/// The result of a projection.
#[derive(Debug)]
pub struct Projected {
    /// N × k, one row an image.
    pub coordinates: Matrix,
    /// Diagnostics of the method, such as shares of variance or the final loss.
    pub facts: Facts,
}

/// A method with its parameters, checked.
trait Projector {
    /// # Errors
    /// Features that the method cannot place; [`ProjectionObserver::stops`].
    fn project(&self, given: &ProjectionInput) -> Result<Projected>;

    /// Floating-point operations for N × D features, to the nearest power of two or so: what a plan guesses time from.
    fn operations(&self, n: f64, d: f64) -> f64;
}

/// What a projection is made of, and who observes it.
pub struct ProjectionInput<'a> {
    /// N × D, one row an image.
    pub features: &'a Matrix,
    /// Of all random numbers.
    pub seed: u64,
    /// Where nearest neighbours come from.
    pub graphs: &'a dyn NeighborGraphs,
    /// Is told the objective, and may stop the projection.
    pub watch: &'a dyn ProjectionObserver,
    /// The name of the image of a row, for messages.
    pub name: &'a dyn Fn(usize) -> String,
}

/// The name of an image of which nothing but its row is known.
pub fn numbered(row: usize) -> String {
    format!("in row {row} (from 0)")
}

/// Where nearest neighbours come from: all methods that need a neighbour graph share one.
pub trait NeighborGraphs {
    /// The `k` nearest of every row; `None` for cosines when a row is 0.
    ///
    /// # Errors
    /// If a cache cannot be read or written.
    fn neighbours(&self, features: &Matrix, k: usize, metric: neighbours::Metric) -> Result<Option<Neighbours>>;
}

/// Computes them anew each time.
impl NeighborGraphs for () {
    fn neighbours(&self, features: &Matrix, k: usize, metric: neighbours::Metric) -> Result<Option<Neighbours>> {
        Ok(Neighbours::exact(features, k, metric))
    }
}

/// Is told how a projection proceeds, and may stop it.
pub trait ProjectionObserver {
    /// The value of the objective after a step; `series` names the curve it belongs to.
    fn objective(&self, series: &str, step: usize, value: f64);
    /// Whether the projection is to stop now.
    fn stops(&self) -> bool {
        false
    }
}

impl ProjectionObserver for () {
    fn objective(&self, _: &str, _: usize, _: f64) {}
}

impl dyn ProjectionObserver + '_ {
    fn go_on(&self) -> Result<()> {
        if self.stops() { Err(Fault::interrupted()) } else { Ok(()) }
    }
}

/// # Errors
/// Parameters that the method does not take.
fn projector(method: &Method) -> Result<Box<dyn Projector>> {
    Ok(match *method {
        Method::Pca { axes } => Box::new(Pca::new(axes)?),
        Method::Ica { axes } => Box::new(Ica::new(axes)?),
        Method::Tsne { perplexity, metric } => Box::new(Tsne::new(perplexity, of_domain(metric))?),
        Method::Umap { neighbors, min_dist, metric } => Box::new(Umap::new(neighbors, min_dist, of_domain(metric))?),
    })
}

fn of_domain(metric: Metric) -> neighbours::Metric {
    match metric {
        Metric::Euclidean => neighbours::Metric::Euclidean,
        Metric::Cosine => neighbours::Metric::Cosine,
    }
}

/// Projects features.
///
/// # Errors
/// Parameters or features that the method cannot work with; an observer that stops it.
pub fn project(method: &Method, given: &ProjectionInput) -> Result<Projected> {
    let projector = projector(method)?;
    if let Some((row, column)) = given.features.first_not_finite() {
        let image = (given.name)(row);
        return Err(Fault::asked(format!("the features of the image {image} are not all finite (column {column}, from 0)")));
    }
    let projected = projector.project(given)?;
    match projected.coordinates.first_not_finite() {
        None => Ok(projected),
        Some(_) => Err(Fault::asked("the coordinates are beyond what single precision holds").next("scale the features")),
    }
}

/// The cost of the method for N × D features in floating-point operations, to about a factor of two; 0 for parameters that it does not take.
pub fn operations(method: &Method, n: usize, d: usize) -> f64 {
    projector(method).map_or(0.0, |projector| projector.operations(n as f64, d as f64))
}

impl ProjectionInput<'_> {
    /// The graph that a method asks for.
    fn neighbours(&self, k: usize, metric: neighbours::Metric) -> Result<Neighbours> {
        self.graphs.neighbours(self.features, k, metric)?.ok_or_else(|| {
            let row = (0..self.features.rows()).find(|row| self.features.row(*row).iter().all(|value| *value == 0.0));
            let image = row.map_or_else(String::new, |row| (self.name)(row));
            Fault::asked(format!("the features of the image {image} are all 0: they have no direction, so no cosine"))
                .next("use `metric: euclidean`, or leave the image out")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{PhiloxStream, multiversion};
    use proptest::prelude::*;
    use std::cell::Cell;

    const SMALL: [Method; 4] = [
        Method::Pca { axes: 3 },
        Method::Ica { axes: 3 },
        Method::Tsne { perplexity: 5.0, metric: Metric::Euclidean },
        Method::Umap { neighbors: 5, min_dist: 0.1, metric: Metric::Euclidean },
    ];

    fn cloud(n: usize, d: usize, seed: u64) -> Matrix {
        let mut stream = PhiloxStream::for_test(seed, 0);
        Matrix::new(n, d, (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap()
    }

    fn placed(method: &Method, features: &Matrix) -> Result<Projected> {
        project(method, &ProjectionInput { features, seed: 1, graphs: &(), watch: &(), name: &numbered })
    }

    /// What is refused is the asker's to mend, and says how.
    fn refused(method: &Method, features: &Matrix, why: &str) {
        let fault = placed(method, features).unwrap_err();
        assert!(fault.ending == crate::domain::Ending::Asked && fault.what.contains(why), "{method:?}: {fault}");
    }

    #[test]
    fn values_that_are_no_numbers_are_refused_with_their_image() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = cloud(40, 4, 1).values().to_vec();
            values[4 * 7 + 2] = bad;
            let features = Matrix::new(40, 4, values).unwrap();
            SMALL
                .iter()
                .for_each(|method| refused(method, &features, "image in row 7 (from 0) are not all finite (column 2, from 0)"));
        }
    }

    #[test]
    fn one_image_or_equal_images_are_refused() {
        for method in &SMALL {
            assert!(placed(method, &cloud(1, 4, 1)).is_err());
            refused(method, &Matrix::new(60, 4, vec![0.5; 240]).unwrap(), "all 60 images have the same features");
        }
    }

    #[test]
    fn too_few_images_for_the_neighbours_are_refused_with_what_would_do() {
        let features = cloud(16, 4, 1);
        let fault = placed(&SMALL[2], &features).unwrap_err();
        assert_eq!(fault.what, "t-SNE with perplexity 5 needs 17 images, there are 16");
        assert_eq!(fault.next.as_deref(), Some("lower the perplexity to 4 or less"));
        let fault = placed(&SMALL[3], &cloud(5, 4, 1)).unwrap_err();
        assert_eq!(fault.next.as_deref(), Some("lower neighbors to 4 or less"));
        assert!(placed(&Method::Tsne { perplexity: 4.0, metric: Metric::Euclidean }, &features).is_ok());
        assert!(placed(&Method::Umap { neighbors: 15, min_dist: 0.1, metric: Metric::Euclidean }, &features).is_ok());
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let features = cloud(60, 4, 1);
        refused(&Method::Pca { axes: 0 }, &features, "one axis or more");
        refused(&Method::Ica { axes: 0 }, &features, "one axis or more");
        for perplexity in [0.5, f64::NAN, f64::INFINITY] {
            refused(&Method::Tsne { perplexity, metric: Metric::Euclidean }, &features, "perplexity");
        }
        refused(&Method::Umap { neighbors: 1, min_dist: 0.1, metric: Metric::Euclidean }, &features, "neighbors");
        refused(&Method::Umap { neighbors: 5, min_dist: f64::NAN, metric: Metric::Euclidean }, &features, "min_dist");
    }

    #[test]
    fn an_image_without_direction_is_refused_by_name() {
        let mut values = cloud(60, 3, 1).values().to_vec();
        values[9..12].fill(0.0);
        let features = Matrix::new(60, 3, values).unwrap();
        let methods = [
            Method::Tsne { perplexity: 5.0, metric: Metric::Cosine },
            Method::Umap { neighbors: 5, min_dist: 0.1, metric: Metric::Cosine },
        ];
        for method in &methods {
            refused(method, &features, "image in row 3 (from 0) are all 0");
            assert!(placed(method, &cloud(60, 3, 1)).is_ok());
        }
    }

    #[test]
    fn a_graph_in_parts_starts_from_the_principal_axes_and_parts_stay_apart() {
        let mut values = cloud(80, 3, 1).values().to_vec();
        values[120..].iter_mut().for_each(|value| *value += 1000.0);
        let projected = placed(&SMALL[3], &Matrix::new(80, 3, values).unwrap()).unwrap();
        assert_eq!(projected.facts["components"], [2.0]);
        let points = &projected.coordinates;
        let middle = |of: std::ops::Range<usize>| of.map(|i| f64::from(points.row(i)[0])).sum::<f64>() / 40.0;
        let spread = |of: std::ops::Range<usize>| {
            let middle = middle(of.clone());
            of.map(|i| (f64::from(points.row(i)[0]) - middle).abs()).fold(0.0, f64::max)
        };
        assert!((middle(0..40) - middle(40..80)).abs() > spread(0..40).max(spread(40..80)));
    }

    #[test]
    fn whoever_watches_hears_the_objective_and_can_stop() {
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
        for method in &SMALL[1..] {
            let watch = Impatient(Cell::new(0));
            let ended = project(
                method,
                &ProjectionInput { features: &cloud(200, 5, 1), seed: 1, graphs: &(), watch: &watch, name: &numbered },
            );
            assert_eq!(ended.unwrap_err().ending, crate::domain::Ending::Interrupted, "{method:?}");
            assert_eq!(watch.0.get(), 2);
        }
    }

    /// With t-SNE's grid, and with a layout of several batches.
    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let (few, many) = (cloud(700, 9, 3), cloud(4100, 5, 4));
        for (method, features) in SMALL.iter().map(|method| (method, &few)).chain([(&SMALL[2], &many)]) {
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let projected = pool.install(|| placed(method, features)).unwrap();
                (projected.coordinates, projected.facts)
            };
            let one = with(1);
            assert!(one == with(2) && one == with(16), "{method:?}");
            if features.rows() < 1000 {
                multiversion::each_level(|level| assert!(one == with(2), "{method:?} {level:?}"));
            }
        }
    }

    #[test]
    fn a_seed_decides_and_another_gives_another_map() {
        let features = cloud(120, 6, 3);
        for method in &SMALL[2..] {
            let with = |seed| {
                project(method, &ProjectionInput { features: &features, seed, graphs: &(), watch: &(), name: &numbered })
                    .unwrap()
                    .coordinates
            };
            assert!(with(1) == with(1) && with(1) != with(2), "{method:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever the features: coordinates that are numbers, or a refusal; never a panic.
        #[test]
        fn any_features_are_placed_or_refused(
            n in 1usize..70,
            d in 1usize..90,
            levels in 1u64..6,
            dead in 0usize..4,
            scale in prop::sample::select(vec![1.0f32, 1e-30, 1e-6, 1e15, 1e37]),
            which in 0usize..4,
            seed in any::<u64>(),
        ) {
            // Few levels make duplicates and equal distances; some columns are constant.
            let mut stream = PhiloxStream::for_test(seed, 1);
            let value = |i: usize, draw: u64| if i % d < dead { 3.0 } else { (draw as f32 - 1.0) * scale };
            let values = (0..n * d).map(|i| value(i, stream.below(levels))).collect();
            let features = Matrix::new(n, d, values).unwrap();
            match placed(&SMALL[which], &features) {
                Ok(projected) => {
                    prop_assert_eq!(projected.coordinates.rows(), n);
                    prop_assert!(projected.coordinates.columns() <= 3.min(n.max(2)).min(d.max(2)));
                    prop_assert!(projected.coordinates.first_not_finite().is_none());
                    prop_assert!(projected.facts.values().flatten().all(|number| number.is_finite()));
                }
                Err(fault) => prop_assert_eq!(fault.ending, crate::domain::Ending::Asked),
            }
        }
    }
}
