//! Features → coordinates, one file a method. Same features, method and seed: same bits.
//!
//! To add a method: a file with its parameters, their check and a [`Projector`]; a line in [`projector`]; its word in
//! `domain/projection.rs`. Isomap, LLE, MDS and the rest find their graph in [`Graphs`] and their start in [`pca`].

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

/// N × k coordinates, and what is to be known of them (see each method).
#[derive(Debug)]
pub struct Projected {
    pub coordinates: Matrix,
    pub facts: Facts,
}

/// A method with its parameters, checked.
trait Projector {
    /// # Errors
    /// Features that the method cannot place; [`Watch::stops`].
    fn project(&self, given: &Given) -> Result<Projected>;

    /// Floating-point operations for N × D features, to the nearest power of two or so: what a plan guesses time from.
    fn operations(&self, n: f64, d: f64) -> f64;
}

/// What a projection is made of and who is told.
pub struct Given<'a> {
    pub features: &'a Matrix,
    pub seed: u64,
    pub graphs: &'a dyn Graphs,
    pub watch: &'a dyn Watch,
}

/// Gives the nearest neighbours of features: every method that wants a graph of them shares one.
pub trait Graphs {
    /// Of every row its `k` nearest; `None` for cosines when a row is 0.
    ///
    /// # Errors
    /// What a cache may meet.
    fn neighbours(&self, features: &Matrix, k: usize, metric: neighbours::Metric) -> Result<Option<Neighbours>>;
}

/// Makes them anew.
impl Graphs for () {
    fn neighbours(&self, features: &Matrix, k: usize, metric: neighbours::Metric) -> Result<Option<Neighbours>> {
        Ok(Neighbours::exact(features, k, metric))
    }
}

/// Is told how a projection goes on, and may stop it.
pub trait Watch {
    fn objective(&self, series: &str, step: usize, value: f64);
    fn stops(&self) -> bool {
        false
    }
}

impl Watch for () {
    fn objective(&self, _: &str, _: usize, _: f64) {}
}

impl dyn Watch + '_ {
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

/// # Errors
/// Parameters or features that the method cannot work with.
pub fn project(method: &Method, given: &Given) -> Result<Projected> {
    let projector = projector(method)?;
    if let Some((row, column)) = given.features.first_not_finite() {
        return Err(Fault::asked(format!("the features of image {} are not all finite (column {})", row + 1, column + 1)));
    }
    projector.project(given)
}

/// What the method takes for N × D features, in floating-point operations.
pub fn operations(method: &Method, n: usize, d: usize) -> f64 {
    projector(method).map_or(0.0, |projector| projector.operations(n as f64, d as f64))
}

impl Given<'_> {
    /// The graph that a method asks for.
    fn neighbours(&self, k: usize, metric: neighbours::Metric) -> Result<Neighbours> {
        self.graphs.neighbours(self.features, k, metric)?.ok_or_else(|| {
            let row = (0..self.features.rows()).find(|row| self.features.row(*row).iter().all(|value| *value == 0.0));
            Fault::asked(format!("the features of image {} are all 0: they have no direction", row.map_or(0, |row| row + 1)))
                .next("use `metric: euclidean`, or leave the image out")
        })
    }
}
