//! Diffusion maps (Coifman and Lafon 2006): a random walk with steps as likely as e^(−d²/ε), from which the density of images is taken out
//! in proportion to `alpha`; coordinates are its slowest ways, each multiplied by its eigenvalue to the power `t`, as much as it is left
//! after t steps. The walk is along the symmetric graph of `neighbors` (and stays where it is with weight 1): all pairs would be n²
//! numbers, of which the far ones are 0 anyway. ε is the median of the graph's squared distances. linfa's diffusion map is the oracle of a
//! test, and not used: its α is always 0, it knows no graph, its eigenvectors are those of at most 200 steps from random ones, and for few
//! images it takes a matrix that is not symmetric.

use super::{
    Projected, ProjectionInput, Projector,
    graph::Graph,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    parts::{self, Parts},
    pca::fix_sign,
    start,
    walk::Walk,
};
use crate::{
    domain::{Fault, Result},
    numeric::{
        neighbours::{NeighbourMetric, Neighbours},
        special::{exp, ln},
        sum,
    },
};

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "diffusion_map",
    title: "Diffusion map",
    about: "The slowest ways in which a random walk along the graph of exact neighbours forgets where it began (Coifman and Lafon): Gaussian weights, as wide as the median distance; the density of images taken out in proportion to α; coordinates after <i>t</i> steps. Parts of the graph are joined by the shortest edges that join all.",
    version: 1,
    parameters: &[
        ParameterSpec {
            name: "neighbors",
            kind: ParameterKind::Count { default: 64, least: 1, most: 10_000 },
            added_later: false,
            variation: Variation::HalfAndTwice("{} neighbours"),
        },
        ParameterSpec {
            name: "alpha",
            kind: ParameterKind::Number { default: 1.0, least: 0.0, most: 1.0 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "t",
            kind: ParameterKind::Count { default: 1, least: 1, most: 1000 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec::METRIC,
    ],
    supervised: false,
    seeds: None,
    build: |of| {
        Ok(Box::new(DiffusionMap::new(of.count("neighbors")?, of.number("alpha")?, of.count("t")?, of.metric("metric")?)?))
    },
};

struct DiffusionMap {
    /// The image itself does not count.
    neighbors: usize,
    alpha: f64,
    t: usize,
    metric: NeighbourMetric,
}

impl DiffusionMap {
    fn new(neighbors: usize, alpha: f64, t: usize, metric: NeighbourMetric) -> Result<Self> {
        if neighbors == 0 || t == 0 {
            return Err(Fault::asked("a diffusion map takes one of neighbors or more, and a t of 1 or more"));
        }
        if !(0.0..=1.0).contains(&alpha) {
            return Err(Fault::asked(format!("a diffusion map takes an alpha from 0 to 1, not {alpha}")));
        }
        Ok(DiffusionMap { neighbors, alpha, t, metric })
    }

    /// Weights without the density of images, as far as alpha says.
    fn walk(&self, distances: &Graph<f64>, epsilon: f64) -> Walk {
        let kernel = distances.mapped(|_, _, distance| exp(-distance * distance / epsilon));
        let density: Vec<f64> = (0..kernel.points()).map(|i| ln(1.0 + kernel.row(i).1.iter().sum::<f64>())).collect();
        let less = |i: usize, j: usize| exp(-self.alpha * (density[i] + density[j]));
        Walk { weights: kernel.mapped(|i, j, value| value * less(i, j)), own: (0..density.len()).map(|i| less(i, i)).collect() }
    }
}

impl Projector for DiffusionMap {
    /// N × 2. Facts: `components`, the parts of the graph, and `part_sizes`; `epsilon`; `eigenvalues` of one step; `residual`, how near they
    /// are.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        parts::enough("a diffusion map", given, self.neighbors)?;
        let neighbours = given.neighbours(self.neighbors, self.metric)?;
        given.watch.go_on()?;
        let epsilon = median_square(&neighbours);
        let distances = parts::distances(&neighbours);
        drop(neighbours);
        let parts = Parts::of(&distances, given, self.neighbors, self.metric)?;
        let slowest = self.walk(&distances.with(&parts.tree()), epsilon).slowest(given)?;
        let total = sum::sum(&slowest.degrees);
        let mut points = vec![[0.0; 2]; given.features.rows()];
        for (axis, (mut vector, value)) in slowest.vectors.into_iter().zip(&slowest.values).enumerate() {
            let left = (0..self.t).fold(1.0, |left, _| left * value);
            vector.iter_mut().zip(&slowest.degrees).for_each(|(x, degree)| *x *= left / (degree / total).sqrt());
            fix_sign(&mut vector);
            points.iter_mut().zip(&vector).for_each(|(point, x)| point[axis] = *x);
        }
        let mut facts = parts.facts();
        facts.push(("epsilon".to_owned(), vec![epsilon]));
        facts.push(("eigenvalues".to_owned(), slowest.values));
        facts.push(("residual".to_owned(), vec![slowest.residual]));
        Ok(Projected { coordinates: start::matrix(&points), facts: facts.into_iter().collect() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        n * n * d + 500.0 * n * (4.0 * self.neighbors as f64 + 300.0)
    }
}

/// The median of squared distances to neighbours; of those that are not 0 where most are.
fn median_square(neighbours: &Neighbours) -> f64 {
    let squares = |least: f64| -> Vec<f64> {
        let of = (0..neighbours.count()).flat_map(|i| neighbours.distances(i));
        of.map(|distance| distance * distance).filter(|square| *square >= least).collect()
    };
    let median = |mut values: Vec<f64>| {
        if values.is_empty() {
            return 0.0;
        }
        values.sort_unstable_by(f64::total_cmp);
        f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
    };
    [0.0, f64::MIN_POSITIVE].into_iter().map(|least| median(squares(least))).find(|epsilon| *epsilon > 0.0).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Matrix, projection::beside};

    fn map(neighbors: usize, alpha: f64, t: usize) -> DiffusionMap {
        DiffusionMap::new(neighbors, alpha, t, NeighbourMetric::Euclidean).unwrap()
    }

    #[test]
    fn maps_are_those_of_the_definition_with_whole_matrices() {
        let fixture = beside::fixture();
        let features = beside::matrix(&fixture["curve"]);
        for peer in fixture["diffusion"].as_array().unwrap() {
            let number = |name: &str| peer[name].as_f64().unwrap();
            let found = map(number("neighbors") as usize, number("alpha"), number("t") as usize);
            let found = found.project(&ProjectionInput::alone(&features, 1)).unwrap();
            assert!((found.facts["epsilon"][0] / number("epsilon") - 1.0).abs() < 1e-9);
            for (ours, theirs) in found.facts["eigenvalues"].iter().zip(peer["values"].as_array().unwrap()) {
                assert!((ours - theirs.as_f64().unwrap()).abs() < 1e-9, "{ours} {theirs}");
            }
            let apart = beside::furthest(&found.coordinates, &peer["coordinates"]);
            assert!(apart < 1e-5, "{apart:e} {:?}", found.facts);
        }
    }

    /// All pairs, and no density taken out: what linfa can do. Its eigenvectors have another size.
    #[test]
    fn coordinates_are_linfas_where_it_has_them() {
        use linfa::traits::Transformer;
        use linfa_kernel::{Kernel, KernelMethod, KernelType};
        let features = beside::matrix(&beside::fixture()["curve"]).take(&(0..90).collect::<Vec<_>>());
        let found = map(89, 0.0, 3).project(&ProjectionInput::alone(&features, 1)).unwrap();
        let double = features.values().iter().map(|value| f64::from(*value)).collect();
        let double = ndarray::Array2::from_shape_vec((90, 3), double).unwrap();
        let method = KernelMethod::Gaussian(found.facts["epsilon"][0]);
        let kernel: Kernel<f64> = Kernel::params().kind(KernelType::Dense).method(method).transform(&double);
        let peer = linfa_reduction::DiffusionMap::<f64>::params(2).steps(3).transform(&kernel).unwrap();
        for axis in 0..2 {
            assert!((found.facts["eigenvalues"][axis] - peer.eigvals()[axis]).abs() < 1e-6);
            let (own, theirs) = (found.coordinates.column(axis), peer.embedding().column(axis).to_vec());
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let own: Vec<f64> = own.into_iter().map(f64::from).collect();
            let along = dot(&own, &theirs) / (dot(&own, &own) * dot(&theirs, &theirs)).sqrt();
            assert!((along.abs() - 1.0).abs() < 1e-6, "axis {axis}: {along}");
        }
    }

    #[test]
    fn equal_images_are_at_one_place_and_others_elsewhere() {
        let values = (0..40u16).flat_map(|i| [f32::from(i / 4), f32::from(i / 4 % 3)]).collect();
        let found = map(6, 1.0, 1).project(&ProjectionInput::alone(&Matrix::new(40, 2, values).unwrap(), 1)).unwrap();
        let apart = |i: usize, j: usize| (found.coordinates.row(i)[0] - found.coordinates.row(j)[0]).abs();
        assert!(apart(0, 39) > 0.1 && found.facts["epsilon"][0] > 0.0);
    }

    #[test]
    fn hard_features_are_placed_or_refused_whatever_the_threads() {
        beside::holds_on_hard_features(&|| Box::new(map(5, 1.0, 1)));
        beside::holds_on_hard_features(&|| Box::new(map(3, 0.5, 20)));
        assert_eq!(beside::refusal(&map(64, 1.0, 1), 40, 3), "a diffusion map with 64 neighbors needs 65 images, there are 40");
        assert!(DiffusionMap::new(5, 1.5, 1, NeighbourMetric::Euclidean).is_err());
    }
}
