//! Features → coordinates, one file a method. Same features, method and seed: same bits.
//!
//! To add a method: a file with its `Projector` and its [`MethodSpec`], and its row in [`METHODS`]. What it draws at random has its own
//! line in `numeric/purpose.rs`. Isomap, LLE, MDS and the rest find their graph in [`NeighborGraphs`] and their start in `pca`.

#[cfg(test)]
mod beside;
mod diffusion_map;
mod factor_analysis;
mod fitted;
mod graph;
mod ica;
mod isomap;
mod kernel_pca;
mod landmarks;
mod lda;
mod lle;
mod mds;
mod memory;
mod method;
mod nmf;
mod pacmap;
mod parts;
mod pca;
#[cfg(test)]
mod peers;
mod phate;
mod placement;
mod random_projection;
mod scaled;
mod spectral;
mod squares;
mod start;
mod trimap;
mod truncated_svd;
mod tsne;
mod umap;
mod walk;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod linear_tests;
#[cfg(test)]
mod tests;

use crate::{
    domain::{Fault, Result, projection::Method, result::Facts, spelling::suggestion},
    numeric::{
        Matrix,
        neighbours::{self, Neighbours},
    },
};
pub use method::{MethodSpec, ParameterKind, ParameterSpec, word};
pub use placement::{Placed, Placement, place};

/// The register of methods, in the order in which people are offered them.
pub const METHODS: &[&MethodSpec] = &[
    // Axes.
    &pca::SPEC,
    &ica::SPEC,
    // Maps.
    &tsne::SPEC,
    &umap::SPEC,
    // More maps.
    &pacmap::SPEC,
    &trimap::SPEC,
    &phate::SPEC,
    &isomap::SPEC,
    &lle::SPEC,
    &mds::SPEC,
    &spectral::SPEC,
    &diffusion_map::SPEC,
    // More axes.
    &truncated_svd::SPEC,
    &factor_analysis::SPEC,
    &nmf::SPEC,
    &kernel_pca::SPEC,
    &random_projection::SPEC,
    // Supervised: they look at labels.
    &lda::SPEC,
    &umap::supervised::SPEC,
];

/// The words of all methods, in the order of [`METHODS`].
pub fn words() -> Vec<&'static str> {
    METHODS.iter().map(|of| of.word).collect()
}

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

    /// The method fitted to the same features, to place others; `None`: it cannot.
    ///
    /// # Errors
    /// As of [`Projector::project`].
    fn fit(&self, _: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        Ok(None)
    }

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
    /// Labels, for methods that are [`MethodSpec::supervised`]; the others do not look at it.
    pub supervision: Option<Supervision<'a>>,
}

/// What a supervised method learns from. Coordinates of an image come from a fit to which neither its fold nor its label belonged.
#[derive(Clone, Copy)]
pub struct Supervision<'a> {
    /// The class of the image of a row; `None`: not known, so that it takes part in no fit.
    pub classes: &'a [Option<usize>],
    /// The fold of the image of a row, from 0; images of one identity share one.
    pub folds: &'a [usize],
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
    fn neighbours(&self, features: &Matrix, k: usize, metric: neighbours::NeighbourMetric) -> Result<Option<Neighbours>>;
}

/// Computes them anew each time.
impl NeighborGraphs for () {
    fn neighbours(&self, features: &Matrix, k: usize, metric: neighbours::NeighbourMetric) -> Result<Option<Neighbours>> {
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

/// A method of the register as it is now, with no parameter given: `Method::new` is of version 1.
///
/// # Panics
/// A word of no method.
pub fn current(word: &str) -> Method {
    let found = METHODS.iter().find(|of| of.word == word);
    Method::new(word).of_version(found.unwrap_or_else(|| panic!("there is no projection method `{word}`")).version)
}

/// The method's row in the register.
///
/// # Errors
/// A word of no method.
fn spec(method: &Method) -> Result<&'static MethodSpec> {
    METHODS.iter().copied().find(|of| of.word == method.word()).ok_or_else(|| {
        Fault::asked(format!("there is no projection method `{}`", method.word())).next(suggestion(method.word(), &words()))
    })
}

/// # Errors
/// A method that this program does not have, or parameters that it does not take.
fn projector(method: &Method) -> Result<Box<dyn Projector>> {
    let spec = spec(method)?;
    (spec.build)(&spec.values(method)?)
}

/// Why the method does not take its parameters together, if it does not: such as more axes than Hessian LLE has neighbors for.
pub fn refusal(method: &Method) -> Option<Fault> {
    projector(method).err()
}

/// What sentences and figures call the method: `t-SNE`.
pub fn title(method: &Method) -> String {
    spec(method).map_or_else(|_| method.word().to_owned(), |of| of.title.to_owned())
}

/// Half and twice the neighbours, and the other metric, in words: what tells whether a picture hangs on them. Methods of axes have none.
pub fn other_settings(method: &Method) -> Vec<(String, Method)> {
    spec(method).map_or_else(|_| vec![], |of| of.other_settings(method))
}

/// Projects features.
///
/// # Errors
/// Parameters or features that the method cannot work with; an observer that stops it.
pub fn project(method: &Method, given: &ProjectionInput) -> Result<Projected> {
    let projector = projector(method)?;
    given.all_finite()?;
    let projected = projector.project(given)?;
    in_single_precision(&projected.coordinates)?;
    Ok(projected)
}

fn in_single_precision(coordinates: &Matrix) -> Result<()> {
    match coordinates.first_not_finite() {
        None => Ok(()),
        Some(_) => Err(Fault::asked("the coordinates are beyond what single precision holds").next("scale the features")),
    }
}

/// The cost of the method for N × D features in floating-point operations, to about a factor of two; 0 for parameters that it does not take.
pub fn operations(method: &Method, n: usize, d: usize) -> f64 {
    projector(method).map_or(0.0, |projector| projector.operations(n as f64, d as f64))
}

impl<'a> ProjectionInput<'a> {
    /// Features and a seed: nobody watches, no label is known, neighbours are computed anew, messages call an image by its row.
    pub fn alone(features: &'a Matrix, seed: u64) -> Self {
        ProjectionInput { features, seed, graphs: &(), watch: &(), name: &numbered, supervision: None }
    }

    fn all_finite(&self) -> Result<()> {
        let Some((row, column)) = self.features.first_not_finite() else { return Ok(()) };
        let image = (self.name)(row);
        Err(Fault::asked(format!("the features of the image {image} are not all finite (column {column}, from 0)")))
    }

    /// The graph that a method asks for.
    fn neighbours(&self, k: usize, metric: neighbours::NeighbourMetric) -> Result<Neighbours> {
        self.graphs.neighbours(self.features, k, metric)?.ok_or_else(|| {
            let row = (0..self.features.rows()).find(|row| self.features.row(*row).iter().all(|value| *value == 0.0));
            let image = row.map_or_else(String::new, |row| (self.name)(row));
            Fault::asked(format!("the features of the image {image} are all 0: they have no direction, so no cosine"))
                .next("use `metric: euclidean`, or leave the image out")
        })
    }
}
