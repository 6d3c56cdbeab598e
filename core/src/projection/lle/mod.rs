//! Locally linear embedding, as scikit-learn has it: five neighbours, and the two eigenvectors after the constant one of a sparse matrix M
//! that sums what each neighbourhood says of the map (`neighbourhoods.rs`: standard, modified, Hessian, LTSA). Eigenvectors of the smallest
//! values are found by Lanczos' method on the inverse of M + σ, σ tiny, by a sparse factorisation: scikit-learn's way (ARPACK at σ = 0),
//! but the constant vector is known and left out. A graph in several parts would have one null vector a part: the two images of each of
//! the shortest edges that join all parts become each other's neighbours. Standard weights have more null vectors: one for
//! each part that is closed, because no neighbour of its images leads out of it; so there these are joined. Beyond 20,000 images, 5,000 landmarks are placed,
//! and every other image by the weights of its nearest landmarks (Saul and Roweis 2003), as scikit-learn's `transform` does. linfa has no LLE.

mod neighbourhoods;

use super::{
    Projected, ProjectionInput, Projector, landmarks,
    landmarks::MOST_WHOLE,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    parts::{self, Parts},
    pca::fix_sign,
    squares::{Squares, TOGETHER},
    start,
};
use crate::{
    domain::{Fault, Result, result::Facts},
    numeric::{
        Purpose,
        cholesky::Factorised,
        krylov::{self, Search},
        neighbours::{NeighbourMetric, Neighbours},
        sum,
    },
};
use neighbourhoods::{Variant, barycentre, summed};
use rayon::prelude::*;

const LANDMARKS: usize = 5_000;
/// Bytes of what neighbourhoods say, at most.
const MOST_BYTES: f64 = 4e9;
/// What is added to the diagonal, relative to its mean: more, by steps of a hundred, if the matrix is not positive definite then.
const SHIFTS: [f64; 5] = [1e-10, 1e-8, 1e-6, 1e-4, 1e-2];
const SEARCH: Search = Search { wanted: 2, abreast: 2, basis: 30, kept: 8, restarts: 40, purpose: Purpose::LleAxes };
/// The residual, relative to the inverse's eigenvalue, at which axes are found.
const TOLERANCE: f64 = 1e-9;
/// Images placed between two looks at whether to go on.
const TURN: usize = 4096;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "lle",
    title: "LLE",
    about: "Locally linear embedding of exact neighbours: each image from the weights of its neighbours (Roweis and Saul), from several sets of weights (<i>modified</i>: Zhang and Wang), or from the tangents of neighbourhoods (<i>hessian</i>: Donoho and Grimes; <i>ltsa</i>: Zhang and Zha). The two images of each of the shortest edges that join all parts of the graph become neighbours; parts may still be seen as points. Beyond 20,000 images 5,000 landmarks are placed, and the others by the weights of their nearest landmarks.",
    version: 1,
    parameters: &[
        ParameterSpec {
            name: "neighbors",
            kind: ParameterKind::Count { default: 5, least: 1, most: 1000 },
            added_later: false,
            variation: Variation::HalfAndTwice("{} neighbours"),
        },
        ParameterSpec {
            name: "variant",
            kind: ParameterKind::Word { words: &["standard", "modified", "hessian", "ltsa"] },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "reg",
            kind: ParameterKind::Number { default: 1e-3, least: 1e-9, most: 1.0 },
            added_later: false,
            variation: Variation::None,
        },
    ],
    supervised: false,
    seeds: None,
    build: |of| Ok(Box::new(Lle::new(of.count("neighbors")?, of.word("variant")?.as_str(), of.number("reg")?)?)),
};

struct Lle {
    /// The image itself does not count, as in scikit-learn.
    neighbors: usize,
    variant: Variant,
    /// Of the weights: relative to the sum of a neighbourhood's squared distances.
    reg: f64,
    /// Images beyond which there are landmarks, and how many.
    whole: usize,
    landmarks: usize,
}

impl Lle {
    fn new(neighbors: usize, variant: &str, reg: f64) -> Result<Self> {
        let variant = Variant::of(variant)?;
        if neighbors < variant.least_neighbors() {
            let least = variant.least_neighbors();
            return Err(Fault::asked(format!(
                "LLE with `variant: {}` takes {least} neighbors or more, not {neighbors}",
                variant.word()
            ))
            .next(format!("raise neighbors to {least} or more, or choose another variant")));
        }
        if !(reg > 0.0 && reg <= 1.0) {
            return Err(Fault::asked(format!("LLE takes a reg above 0, up to 1, not {reg}")));
        }
        Ok(Lle { neighbors, variant, reg, whole: MOST_WHOLE, landmarks: LANDMARKS })
    }

    /// Where all of these are, and what is told of it.
    fn placed(&self, given: &ProjectionInput) -> Result<(Vec<[f64; 2]>, Facts)> {
        let n = given.features.rows();
        let bytes = 24.0 * n as f64 * ((self.neighbors + 1) as f64).powi(2);
        if bytes > MOST_BYTES {
            let fault =
                Fault::asked(format!("LLE of {n} images with {} neighbors would hold {:.0} GB", self.neighbors, bytes / 1e9));
            return Err(fault.next("lower neighbors"));
        }
        let neighbours = given.neighbours(self.neighbors, NeighbourMetric::Euclidean)?;
        given.watch.go_on()?;
        let parts = Parts::of(&parts::distances(&neighbours), given, self.neighbors, NeighbourMetric::Euclidean)?;
        let mut facts: Facts = parts.facts().into_iter().collect();
        let parts = if self.variant == Variant::Standard {
            let closed = Parts::closed(&neighbours, given, NeighbourMetric::Euclidean)?;
            facts.insert("closed_parts".to_owned(), vec![closed.count() as f64]);
            closed
        } else {
            parts
        };
        let neighbourhoods = with_joints(&neighbours, &parts);
        let said = self.variant.say(given.features, &neighbourhoods, self.reg)?;
        let mut matrix = summed(n, &said);
        drop(said);
        given.watch.go_on()?;
        let (values, vectors) = smallest(&mut matrix, given)?;
        facts.insert("error".to_owned(), vec![values.iter().sum()]);
        facts.insert("eigenvalues".to_owned(), values);
        let along = |axis: usize, i: usize| vectors.get(axis).map_or(0.0, |vector| vector[i]);
        Ok(((0..n).map(|i| [along(0, i), along(1, i)]).collect(), facts))
    }

    /// Where every image is, by where landmarks are.
    fn by_landmarks(&self, given: &ProjectionInput, rows: &[u32], places: &[[f64; 2]]) -> Result<Vec<[f64; 2]>> {
        let features = given.features;
        let own: std::collections::BTreeMap<u32, [f64; 2]> = rows.iter().copied().zip(places.iter().copied()).collect();
        let all: Vec<u32> = (0..features.rows() as u32).collect();
        let to_rows = Squares::new(features, rows);
        let mut points = Vec::with_capacity(features.rows());
        let place = |(row, squares): (&u32, &[f64])| {
            let row = *row;
            if let Some(point) = own.get(&row) {
                return *point;
            }
            let mut order: Vec<usize> = (0..rows.len()).collect();
            let nearer = |a: &usize, b: &usize| squares[*a].total_cmp(&squares[*b]).then(a.cmp(b));
            order.select_nth_unstable_by(self.neighbors - 1, nearer);
            order.truncate(self.neighbors);
            order.sort_unstable_by(nearer);
            let nearest: Vec<u32> = order.iter().map(|at| rows[*at]).collect();
            let weights = barycentre(features, row, &nearest, self.reg);
            let mut point = [0.0; 2];
            for (at, weight) in order.iter().zip(weights) {
                point.iter_mut().zip(places[*at]).for_each(|(sum, value)| *sum += weight * value);
            }
            point
        };
        for turn in all.chunks(TURN) {
            given.watch.go_on()?;
            let together = |images: &[u32]| {
                let squares = to_rows.from(images, rows.len());
                images.iter().zip(squares.chunks_exact(rows.len())).map(place).collect::<Vec<_>>()
            };
            let placed: Vec<Vec<[f64; 2]>> = turn.par_chunks(TOGETHER).map(together).collect();
            points.extend(placed.into_iter().flatten());
        }
        Ok(points)
    }
}

impl Projector for Lle {
    /// N × 2, of unit length along each axis, as scikit-learn's. Facts: `components`, the parts of the graph, and `part_sizes`; `closed_parts` of the
    /// standard variant, those which nobody leaves from neighbour to neighbour; `error`, the
    /// sum of the two `eigenvalues`; `landmarks`, where there are any.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let (n, d) = (given.features.rows(), given.features.columns());
        parts::enough("LLE", given, self.neighbors)?;
        if d < 2 {
            return Err(Fault::asked("LLE needs two columns of features or more, there is 1"));
        }
        if n <= self.whole {
            let (points, facts) = self.placed(given)?;
            return Ok(Projected { coordinates: start::matrix(&points), facts });
        }
        let rows = landmarks::drawn(n, self.landmarks);
        let features = given.features.take(&rows.iter().map(|row| *row as usize).collect::<Vec<_>>());
        let of_row = |row: usize| (given.name)(rows[row] as usize);
        let few = ProjectionInput { features: &features, name: &of_row, ..*given };
        parts::enough("LLE", &few, self.neighbors)?;
        let (places, mut facts) = self.placed(&few)?;
        facts.insert("landmarks".to_owned(), vec![rows.len() as f64]);
        let points = self.by_landmarks(given, &rows, &places)?;
        Ok(Projected { coordinates: start::matrix(&points), facts })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let placed = if n > self.whole as f64 { self.landmarks as f64 } else { n };
        let k = self.neighbors as f64;
        placed * n * d + placed * k * k * (d + k) + placed * placed * 500.0
    }
}

/// The neighbours of each image, and those that joints give it.
fn with_joints(neighbours: &Neighbours, parts: &Parts) -> Vec<Vec<u32>> {
    let mut of: Vec<Vec<u32>> = (0..neighbours.count()).map(|i| neighbours.of(i).to_vec()).collect();
    for (i, j, _) in &parts.tree() {
        of[*i as usize].push(*j);
        of[*j as usize].push(*i);
    }
    of
}

/// The two smallest eigenvalues after that of the constant vector, which is 0, and their vectors.
fn smallest(matrix: &mut [Vec<(u32, f64)>], given: &ProjectionInput) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let n = matrix.len();
    let own = |i: usize, row: &[(u32, f64)]| row.iter().position(|(j, _)| *j as usize == i);
    let diagonal: Vec<(usize, f64)> = matrix
        .iter_mut()
        .enumerate()
        .map(|(i, row)| {
            // An image that is in no neighbourhood has no entry, and is given one.
            let at = own(i, row).unwrap_or_else(|| {
                let at = row.partition_point(|(j, _)| (*j as usize) < i);
                row.insert(at, (i as u32, 0.0));
                at
            });
            (at, row[at].1)
        })
        .collect();
    let mean = sum::mean(&diagonal.iter().map(|(_, value)| *value).collect::<Vec<_>>()).max(f64::MIN_POSITIVE);
    let solver = SHIFTS.iter().find_map(|shift| {
        for (row, (at, value)) in matrix.iter_mut().zip(&diagonal) {
            row[*at].1 = value + shift * mean;
        }
        Factorised::new(matrix).map(|solver| (shift * mean, solver))
    });
    let (shift, solver) = solver.ok_or_else(|| Fault::asked("LLE's neighbourhoods are too much alike to be solved for"))?;
    let times = |x: &[f64]| {
        let mut x = x.to_vec();
        solver.solve(&mut x);
        let mean = sum::mean(&x);
        x.iter_mut().for_each(|value| *value -= mean);
        x
    };
    let constant = vec![1.0 / (n as f64).sqrt(); n];
    let near = |value: f64, residual: f64| residual <= TOLERANCE * value.abs();
    let mut found = krylov::leading(n, &[constant], SEARCH, times, near, |restart, residual| {
        given.watch.objective("residual", restart + 1, residual * shift);
        given.watch.go_on()
    })?;
    found.vectors.iter_mut().for_each(|vector| {
        fix_sign(vector);
    });
    let values = found.values.iter().map(|value| (1.0 / value - shift).max(0.0)).collect();
    Ok((values, found.vectors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Matrix, projection::beside};

    fn lle(neighbors: usize, variant: &str) -> Lle {
        Lle::new(neighbors, variant, 1e-3).unwrap()
    }

    #[test]
    fn maps_are_scikit_learns() {
        let fixture = beside::fixture();
        let features = beside::matrix(&fixture["curve"]);
        for peer in fixture["lle"].as_array().unwrap() {
            let (variant, neighbors) = (peer["variant"].as_str().unwrap(), peer["neighbors"].as_u64().unwrap() as usize);
            let found = lle(neighbors, variant).project(&ProjectionInput::alone(&features, 1)).unwrap();
            let apart = beside::furthest(&found.coordinates, &peer["coordinates"]);
            assert!(apart < 1e-5, "{variant} with {neighbors} neighbours: {apart:e} {:?}", found.facts);
        }
    }

    #[test]
    fn a_graph_in_parts_is_joined_and_told() {
        let features = beside::matrix(&beside::fixture()["clusters"]);
        let found = lle(5, "standard").project(&ProjectionInput::alone(&features, 1)).unwrap();
        assert_eq!(found.facts["part_sizes"], [25.0, 25.0, 10.0]);
        // Three parts are three places: the middles of any two are far apart beside a part's width.
        let of = |range: std::ops::Range<usize>, axis: usize| found.coordinates.column(axis)[range].to_vec();
        let middle =
            |range: std::ops::Range<usize>, axis: usize| of(range.clone(), axis).iter().sum::<f32>() / range.len() as f32;
        let apart = |a: std::ops::Range<usize>, b: std::ops::Range<usize>| {
            (0..2).map(|axis| (middle(a.clone(), axis) - middle(b.clone(), axis)).powi(2)).sum::<f32>().sqrt()
        };
        assert!(apart(0..25, 25..50) > 0.05 && apart(25..50, 50..60) > 0.05 && apart(0..25, 50..60) > 0.05);
    }

    /// Points of a plane in four columns: a map of them is one linear function, for landmarks and for the others.
    #[test]
    fn landmarks_place_the_others_where_all_together_would_be() {
        let drawn = |i: usize, k: u64| crate::numeric::random::mixed(k, i as u64) as f64 / u64::MAX as f64;
        let plane: Vec<[f64; 2]> = (0..150).map(|i| [2.0 * drawn(i, 1), drawn(i, 2)]).collect();
        let row = |[x, y]: &[f64; 2]| [x + y, 0.5 * x, y - x, 2.0 * y].map(|value| value as f32);
        let features = Matrix::new(150, 4, plane.iter().flat_map(row).collect()).unwrap();
        let few = Lle { whole: 100, landmarks: 90, ..Lle::new(8, "ltsa", 1e-7).unwrap() };
        let found = few.project(&ProjectionInput::alone(&features, 1)).unwrap();
        assert_eq!(found.facts["landmarks"], [90.0]);
        let landmarks = landmarks::drawn(150, 90);
        for axis in 0..2 {
            let column = found.coordinates.column(axis);
            // The linear function by least squares over landmarks.
            let (mut products, mut weights) = (vec![0.0; 9], vec![0.0; 3]);
            let terms = |i: usize| [1.0, plane[i][0], plane[i][1]];
            for i in landmarks.iter().map(|i| *i as usize) {
                for a in 0..3 {
                    weights[a] += terms(i)[a] * f64::from(column[i]);
                    (0..3).for_each(|b| products[a * 3 + b] += terms(i)[a] * terms(i)[b]);
                }
            }
            crate::numeric::cholesky::solve_small(&mut products, &mut weights).unwrap();
            for (i, value) in column.iter().enumerate() {
                let wanted: f64 = terms(i).iter().zip(&weights).map(|(x, weight)| x * weight).sum();
                assert!((f64::from(*value) - wanted).abs() < 1e-3, "{i}: {value} {wanted}");
            }
            assert!(weights[1].abs() + weights[2].abs() > 0.05);
        }
    }

    #[test]
    fn hard_features_are_placed_or_refused_whatever_the_threads() {
        for variant in ["standard", "modified", "hessian", "ltsa"] {
            beside::holds_on_hard_features(&|| Box::new(lle(6, variant)));
        }
        beside::holds_on_hard_features(&|| Box::new(Lle { whole: 20, landmarks: 15, ..lle(4, "standard") }));
    }

    #[test]
    fn too_few_neighbours_for_the_variant_are_refused_with_what_would_do() {
        let fault = Lle::new(5, "hessian", 1e-3).err().unwrap();
        assert_eq!(fault.what, "LLE with `variant: hessian` takes 6 neighbors or more, not 5");
        assert!(
            Lle::new(2, "ltsa", 1e-3).is_err() && Lle::new(5, "standard", 0.0).is_err() && Lle::new(5, "other", 1.0).is_err()
        );
    }
}
