//! Supervised UMAP (McInnes, Healy and Melville 2018): UMAP of a graph that knows classes, as umap-learn's categorical intersection makes
//! it. So that no image lies where its own label put it, there is one layout for each fold, in which the labels of the fold are unknown
//! (as −1 is for umap-learn), and the fold's images are taken from it. The features of all images are in all layouts: only labels are held
//! out. All layouts start from the map without labels, and are turned and shifted back onto them as a whole (Procrustes, without
//! scaling), which again takes no label. How far the layouts differ after this is told (`disparity`): distances between images of
//! different folds are no surer than that. linfa has no UMAP.

use super::{MIN_DIST, NEIGHBORS, Umap, epochs, first_points, fuzzy, laid_out};
use crate::{
    domain::{Fault, Result},
    numeric::sum,
    projection::{
        Projected, ProjectionInput, Projector, Supervision,
        method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
        start,
    },
};

/// Layouts that a plan counts on: folds are not known to it.
const FOLDS: f64 = 5.0;

pub(in crate::projection) const SPEC: MethodSpec = MethodSpec {
    word: "supervised_umap",
    title: "Supervised UMAP",
    about: "UMAP of a graph in which edges between different classes weigh less, as umap-learn’s categorical intersection. One layout a fold, in which the fold’s labels are unknown; the fold’s images are taken from it, so no image lies where its own label or those of its fold put it. Features of all images are in every layout: labels alone are held out. The layouts start from the map without labels and are turned and shifted onto them as a whole; the disparity is what remains between them.",
    version: 1,
    parameters: &[
        NEIGHBORS,
        MIN_DIST,
        ParameterSpec {
            name: "target_weight",
            kind: ParameterKind::Number { default: 0.5, least: 0.0, most: 1.0 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec::METRIC,
    ],
    supervised: true,
    seeds: Some(5),
    build: |of| {
        let umap = Umap::new(of.count("neighbors")?, of.number("min_dist")?, of.metric("metric")?)?;
        Ok(Box::new(SupervisedUmap { umap, apart: apart(of.number("target_weight")?)? }))
    },
};

struct SupervisedUmap {
    umap: Umap,
    /// How far apart different classes are taken to be.
    apart: f64,
}

/// As umap-learn.
fn apart(target_weight: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&target_weight) {
        return Err(Fault::asked(format!("supervised UMAP takes a target_weight from 0 to 1, not {target_weight}")));
    }
    Ok(if target_weight < 1.0 { 2.5 / (1.0 - target_weight) } else { 1e12 })
}

/// The labels and how many folds there are.
fn checked<'a>(given: &ProjectionInput<'a>) -> Result<(Supervision<'a>, usize)> {
    let n = given.features.rows();
    let supervision = given.supervision.ok_or_else(|| {
        Fault::asked("supervised UMAP needs labels, and there are none").next("give it the labels of an attribute, or use `umap`")
    })?;
    if supervision.classes.len() != n || supervision.folds.len() != n {
        return Err(Fault::unexpected(format!("{n} images have {} labels", supervision.classes.len())));
    }
    let first = supervision.classes.iter().flatten().next();
    if supervision.classes.iter().flatten().all(|class| Some(class) == first) {
        return Err(Fault::asked("supervised UMAP needs images of two classes or more"));
    }
    let folds = supervision.folds.iter().max().map_or(0, |last| last + 1);
    if folds < 2 {
        return Err(Fault::asked("supervised UMAP needs images in two folds or more: the labels of one are held out at a time"));
    }
    Ok((supervision, folds))
}

impl Projector for SupervisedUmap {
    /// N × 2. Facts: `loss` of each fold's layout; `components` of the graph without labels; `disparity`, the mean squared distance of an
    /// image's places in the layouts from their mean, a unit of the map's variance; `folds`.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let (Supervision { classes, folds }, count) = checked(given)?;
        let neighbours = self.umap.nearest(given)?;
        let (n, whole) = (neighbours.count(), fuzzy::whole(&neighbours));
        drop(neighbours);
        let free = fuzzy::often_met(&whole, epochs(n));
        let (first, components) = first_points(&free, given)?;
        // The map without labels: where all layouts start from.
        let common = laid_out(&free, &first, self.umap.curve, given, 0)?.points();
        let (mut losses, mut maps) = (vec![], vec![]);
        for fold in (0..count).filter(|fold| folds.contains(fold)) {
            let known: Vec<Option<usize>> =
                classes.iter().zip(folds).map(|(class, of)| if *of == fold { None } else { *class }).collect();
            let graph = fuzzy::often_met(&fuzzy::with_classes(&whole, &known, self.apart), epochs(n));
            let layout = laid_out(&graph, &common, self.umap.curve, given, (maps.len() + 1) * epochs(n))?;
            losses.push(layout.loss());
            let mut points = layout.points();
            turn_onto(&mut points, &common);
            maps.push((fold, points));
        }
        let mut points = vec![[0.0; 2]; n];
        for (fold, map) in &maps {
            let own = points.iter_mut().zip(map).zip(folds).filter(|(_, of)| *of == fold);
            own.for_each(|((point, place), _)| *point = *place);
        }
        let facts = [
            ("loss".to_owned(), losses),
            ("components".to_owned(), vec![components as f64]),
            ("disparity".to_owned(), vec![disparity(maps.iter().map(|(_, map)| map.as_slice()))]),
            ("folds".to_owned(), vec![maps.len() as f64]),
        ];
        Ok(Projected { coordinates: start::matrix(&points), facts: facts.into() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        self.umap.operations_of_start(n, d) + (1.0 + FOLDS) * self.umap.operations_of_layout(n)
    }
}

/// Turns and shifts points as a whole so that they are, in the mean square, nearest to others (Schönemann 1966; no reflection, no scale).
fn turn_onto(points: &mut [[f64; 2]], others: &[[f64; 2]]) {
    let middle = |points: &[[f64; 2]]| [0, 1].map(|axis| sum::mean(&points.iter().map(|p| p[axis]).collect::<Vec<_>>()));
    let (from, to) = (middle(points), middle(others));
    let pairs = || points.iter().zip(others).map(|(p, q)| ([p[0] - from[0], p[1] - from[1]], [q[0] - to[0], q[1] - to[1]]));
    let along = sum::sum(&pairs().map(|(p, q)| p[0] * q[0] + p[1] * q[1]).collect::<Vec<_>>());
    let across = sum::sum(&pairs().map(|(p, q)| p[0] * q[1] - p[1] * q[0]).collect::<Vec<_>>());
    let length = (along * along + across * across).sqrt();
    let (cosine, sine) = if length > 0.0 { (along / length, across / length) } else { (1.0, 0.0) };
    for point in points {
        let [x, y] = [point[0] - from[0], point[1] - from[1]];
        *point = [to[0] + cosine * x - sine * y, to[1] + sine * x + cosine * y];
    }
}

/// The mean squared distance of an image's places from their mean, over the variance of these means.
fn disparity<'a>(maps: impl ExactSizeIterator<Item = &'a [[f64; 2]]> + Clone) -> f64 {
    let count = maps.len() as f64;
    let n = maps.clone().next().map_or(0, <[_]>::len);
    let mut means = vec![[0.0; 2]; n];
    for map in maps.clone() {
        means.iter_mut().zip(map).for_each(|(mean, point)| *mean = [mean[0] + point[0] / count, mean[1] + point[1] / count]);
    }
    let square = |p: &[f64; 2], q: &[f64; 2]| (p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]);
    let off: Vec<f64> = maps.flat_map(|map| map.iter().zip(&means).map(|(p, q)| square(p, q))).collect();
    let middle = [0, 1].map(|axis| sum::mean(&means.iter().map(|p| p[axis]).collect::<Vec<_>>()));
    let spread: Vec<f64> = means.iter().map(|mean| square(mean, &middle)).collect();
    sum::mean(&off) / sum::mean(&spread).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{
        Matrix, PhiloxStream,
        neighbours::{NeighbourMetric, Neighbours},
    };

    fn supervised() -> SupervisedUmap {
        SupervisedUmap { umap: Umap::new(10, 0.1, NeighbourMetric::Euclidean).unwrap(), apart: apart(0.5).unwrap() }
    }

    /// One cloud without groups; of the first column, a sixth of the variance, the sign is the class.
    fn cloud(n: usize) -> (Matrix, Vec<Option<usize>>, Vec<usize>) {
        let mut stream = PhiloxStream::for_test(6, 0);
        let features = Matrix::new(n, 6, (0..n * 6).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap();
        let classes = features.column(0).iter().map(|x| Some(usize::from(*x > 0.0))).collect();
        (features, classes, (0..n).map(|i| i % 3).collect())
    }

    /// The share of neighbours of the same class.
    fn purity(map: &Matrix, classes: &[Option<usize>]) -> f64 {
        let found = Neighbours::exact(map, 10, NeighbourMetric::Euclidean).unwrap();
        let same = |i: usize| found.of(i).iter().filter(|j| classes[**j as usize] == classes[i]).count();
        (0..classes.len()).map(same).sum::<usize>() as f64 / (10 * classes.len()) as f64
    }

    #[test]
    fn classes_come_apart_and_labels_that_say_nothing_do_not() {
        let (features, classes, folds) = cloud(120);
        let with = |classes: &[Option<usize>]| {
            let supervision = Some(Supervision { classes, folds: &folds });
            let projected =
                supervised().project(&ProjectionInput { supervision, ..ProjectionInput::alone(&features, 1) }).unwrap();
            assert!(projected.facts["folds"] == [3.0] && projected.facts["disparity"][0].is_finite());
            projected.coordinates
        };
        // As if nothing had to be held out, labels part the cloud.
        let neighbours = supervised().umap.nearest(&ProjectionInput::alone(&features, 1)).unwrap();
        let whole = fuzzy::whole(&neighbours);
        let given = ProjectionInput::alone(&features, 1);
        let (first, _) = first_points(&whole, &given).unwrap();
        let parted = |graph: &crate::projection::graph::Graph| {
            let layout = laid_out(graph, &first, supervised().umap.curve, &given, 0).unwrap();
            purity(&start::matrix(&layout.points()), &classes)
        };
        let (free, known) = (parted(&whole), parted(&fuzzy::with_classes(&whole, &classes, supervised().apart)));
        assert!(known > 0.95 && free < 0.9, "{known} {free}");
        // Held out, they are as near to their own as features say.
        let held_out = purity(&with(&classes), &classes);
        assert!((held_out - free).abs() < 0.15, "{held_out} {free}");
        // Labels drawn by a coin: held out, they are not seen in the map.
        let mut stream = PhiloxStream::for_test(9, 0);
        let coins: Vec<Option<usize>> = (0..120).map(|_| Some(stream.below(2) as usize)).collect();
        let by_chance = purity(&with(&coins), &coins);
        assert!(by_chance < 0.62, "{by_chance}");
    }

    #[test]
    fn a_label_moves_others_and_not_the_image_or_its_fold() {
        let (features, classes, folds) = cloud(60);
        let with = |classes: &[Option<usize>]| {
            let supervision = Some(Supervision { classes, folds: &folds });
            supervised().project(&ProjectionInput { supervision, ..ProjectionInput::alone(&features, 1) }).unwrap().coordinates
        };
        let mut other = classes.clone();
        other[4] = other[4].map(|class| 1 - class);
        let (one, other) = (with(&classes), with(&other));
        let same = |fold: usize| (0..60).filter(|i| folds[*i] == fold).all(|i| one.row(i) == other.row(i));
        assert!(same(1) && !same(0) && !same(2));
    }

    #[test]
    fn without_labels_classes_or_folds_it_is_refused() {
        let (features, classes, folds) = cloud(60);
        let refused = |supervision| {
            let given = ProjectionInput { supervision, ..ProjectionInput::alone(&features, 1) };
            let fault = supervised().project(&given).unwrap_err();
            assert_eq!(fault.ending, crate::domain::Ending::Asked);
            fault.what
        };
        assert!(refused(None).contains("needs labels"));
        assert!(refused(Some(Supervision { classes: &[Some(1); 60], folds: &folds })).contains("two classes"));
        assert!(refused(Some(Supervision { classes: &[None; 60], folds: &folds })).contains("two classes"));
        assert!(refused(Some(Supervision { classes: &classes, folds: &[0; 60] })).contains("two folds"));
    }

    #[test]
    fn turning_onto_points_takes_a_turn_and_a_shift_back() {
        let points: Vec<[f64; 2]> = (0..20).map(|i| [f64::from(i), f64::from(i * i % 7)]).collect();
        let mut turned: Vec<[f64; 2]> = points.iter().map(|[x, y]| [3.0 - 0.6 * x + 0.8 * y, 5.0 - 0.8 * x - 0.6 * y]).collect();
        turn_onto(&mut turned, &points);
        assert!(turned.iter().zip(&points).all(|(p, q)| (p[0] - q[0]).abs() < 1e-12 && (p[1] - q[1]).abs() < 1e-12));
        assert!(disparity([turned.as_slice(), points.as_slice()].into_iter()) < 1e-20);
    }
}
