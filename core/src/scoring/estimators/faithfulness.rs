//! How faithful a view is to the features it was made of, whatever their labels: are neighbours in one neighbours in the other
//! (trustworthiness and continuity: Venna and Kaski 2001; recall), are far images far (rank correlation of distances), and does
//! another seed give the same picture (after Procrustes: Gower 1975).

use crate::{
    domain::{
        projection::View,
        score::{Quality, Spread, ViewQuality},
    },
    numeric::{
        Matrix, PhiloxStream, Purpose,
        neighbours::distances_from,
        sum::{dot, mean},
    },
};
use rayon::prelude::*;

/// Neighbours asked for; fewer where there are few images.
pub const NEIGHBOURS: usize = 15;
/// Images that are asked: all up to here, so many drawn beyond.
const ALL: usize = 2000;
const DRAWN: usize = 1000;
/// Images whose distances to each other are ranked.
const APART: usize = 1000;

/// `points`: one N × k matrix a projection seed.
pub fn quality(features: &Matrix, points: &[Matrix], views: &[View], seed: u64) -> Quality {
    let n = features.rows();
    // Trustworthiness needs 3k < 2n − 1 (Venna and Kaski).
    let k = NEIGHBOURS.min((2 * n).saturating_sub(2) / 3).min(n.saturating_sub(1));
    let asked = drawn(n, if n <= ALL { n } else { DRAWN }, seed);
    let apart = drawn(n, APART.min(n), seed);
    let seen: Vec<(View, Vec<Matrix>)> =
        views.iter().map(|view| (*view, points.iter().filter_map(|points| of_view(*view, points)).collect())).collect();
    let flat: Vec<&Matrix> = seen.iter().flat_map(|(_, seen)| seen).collect();
    let near: Vec<Vec<Neighbourhood>> = asked.par_iter().map(|image| near(features, &flat, *image, k)).collect();
    let far = Ranks::new(&distances(features, &apart));
    let measured: Vec<[Option<f64>; 4]> = flat
        .par_iter()
        .enumerate()
        .map(|(place, view)| {
            let of = |number: fn(&Neighbourhood) -> f64| mean(&near.iter().map(|near| number(&near[place])).collect::<Vec<_>>());
            let share = 2.0 / (k as f64 * (2 * n).saturating_sub(3 * k + 1) as f64);
            let asked = |value: f64| (k > 0).then_some(value);
            [
                asked(1.0 - share * of(|near| near.strangers)),
                asked(1.0 - share * of(|near| near.lost)),
                asked(of(|near| near.kept) / k as f64),
                far.correlation(&Ranks::new(&distances(view, &apart))),
            ]
        })
        .collect();
    let mut measured = measured.into_iter();
    let views = seen.iter().map(|(view, seen)| {
        let own: Vec<[Option<f64>; 4]> = measured.by_ref().take(seen.len()).collect();
        let spread = |which: usize| Spread::of(own.iter().filter_map(|measures| measures[which]).collect());
        ViewQuality {
            view: *view,
            trustworthiness: spread(0),
            continuity: spread(1),
            recall: spread(2),
            distances: spread(3),
            stability: Spread::of(agreements(seen)),
        }
    });
    let views = views.collect();
    Quality { format: 1, neighbours: k, asked: asked.len(), seeds: points.len(), views }
}

/// Distinct places of 0 … n − 1, ascending.
fn drawn(n: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n).collect();
    if count < n {
        PhiloxStream::new(seed, Purpose::QualitySample, 0).shuffle(&mut places);
        places.truncate(count);
        places.sort_unstable();
    }
    places
}

fn of_view(view: View, points: &Matrix) -> Option<Matrix> {
    let columns = view.columns(points.columns());
    columns.iter().all(|column| *column < points.columns()).then(|| points.select(&columns))
}

/// What one image's neighbours in one view are.
#[derive(Clone, Copy, Default)]
struct Neighbourhood {
    /// How many of its neighbours are in both.
    kept: f64,
    /// Sum over those that are no neighbours in the features: their rank there, beyond k.
    strangers: f64,
    /// Sum over neighbours in the features that the view has not: their rank in the view, beyond k.
    lost: f64,
}

fn near(features: &Matrix, views: &[&Matrix], image: usize, k: usize) -> Vec<Neighbourhood> {
    let n = features.rows();
    let mut distances = vec![0.0; n];
    distances_from(features, image, &mut distances);
    let order = by_distance(&distances, image, n - 1);
    let mut rank = vec![0u32; n];
    order.iter().enumerate().for_each(|(place, other)| rank[*other as usize] = place as u32 + 1);
    let look = |view: &&Matrix| {
        distances_from(view, image, &mut distances);
        let neighbours = by_distance(&distances, image, k);
        let mut near = Neighbourhood::default();
        for other in &neighbours {
            let rank = rank[*other as usize] as usize;
            if rank <= k {
                near.kept += 1.0;
            } else {
                near.strangers += (rank - k) as f64;
            }
        }
        for other in order[..k].iter().filter(|other| !neighbours.contains(other)) {
            near.lost += (rank_of(&distances, image, *other as usize) - k) as f64;
        }
        near
    };
    views.iter().map(look).collect()
}

/// The nearest `count` others, nearest first, ties by place.
fn by_distance(distances: &[f64], image: usize, count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..distances.len() as u32).filter(|other| *other as usize != image).collect();
    let compare = |a: &u32, b: &u32| distances[*a as usize].total_cmp(&distances[*b as usize]).then(a.cmp(b));
    if count < order.len() {
        order.select_nth_unstable_by(count, compare);
        order.truncate(count);
    }
    order.sort_unstable_by(compare);
    order
}

/// The place of one other among all, from 1.
fn rank_of(distances: &[f64], image: usize, other: usize) -> usize {
    let own = distances[other];
    let nearer = distances.iter().enumerate().filter(|(place, d)| **d < own || (**d == own && *place < other)).count();
    let itself = distances[image] < own || (distances[image] == own && image < other);
    nearer - usize::from(itself) + 1
}

/// Squared distances of these images to each other, each pair once.
fn distances(points: &Matrix, images: &[usize]) -> Vec<f64> {
    let columns: Vec<usize> = (0..points.columns()).collect();
    let values: Vec<f32> = images.iter().flat_map(|image| columns.iter().map(|column| points.row(*image)[*column])).collect();
    let chosen = Matrix::new(images.len(), columns.len(), values).expect("rows of the points");
    let row = |i: usize| {
        let mut distances = vec![0.0; images.len()];
        distances_from(&chosen, i, &mut distances);
        distances[..i].to_vec()
    };
    (0..images.len()).into_par_iter().flat_map_iter(row).collect()
}

/// Ranks with ties shared, brought to mean 0.
struct Ranks(Vec<f64>);

impl Ranks {
    fn new(values: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.par_sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
        let middle = (values.len() as f64 - 1.0) / 2.0;
        let mut ranks = vec![0.0; values.len()];
        for tied in order.chunk_by(|a, b| values[*a] == values[*b]).scan(0, |first, tied| {
            let own = *first;
            *first += tied.len();
            Some((own, tied))
        }) {
            let rank = tied.0 as f64 + (tied.1.len() - 1) as f64 / 2.0 - middle;
            tied.1.iter().for_each(|place| ranks[*place] = rank);
        }
        Ranks(ranks)
    }

    /// Spearman's ρ; `None` where one side does not vary.
    fn correlation(&self, other: &Ranks) -> Option<f64> {
        let size = (dot(&self.0, &self.0) * dot(&other.0, &other.0)).sqrt();
        (size > 0.0).then(|| dot(&self.0, &other.0) / size)
    }
}

/// Of every two seeds: the share of variance that their pictures have in common once one is moved, turned, mirrored and scaled onto
/// the other (1 − m² of Procrustes).
fn agreements(seen: &[Matrix]) -> Vec<f64> {
    let pairs = (0..seen.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    pairs.filter_map(|(i, j)| agreement(&seen[i], &seen[j])).collect()
}

fn agreement(a: &Matrix, b: &Matrix) -> Option<f64> {
    let centred = |of: &Matrix| -> Option<Vec<Vec<f64>>> {
        let columns = (0..of.columns()).map(|column| {
            let values: Vec<f64> = of.column(column).into_iter().map(f64::from).collect();
            let middle = mean(&values);
            values.into_iter().map(|value| value - middle).collect::<Vec<f64>>()
        });
        let columns: Vec<Vec<f64>> = columns.collect();
        let size = columns.iter().map(|column| dot(column, column)).sum::<f64>().sqrt();
        (size > 0.0).then(|| columns.into_iter().map(|column| column.into_iter().map(|value| value / size).collect()).collect())
    };
    let (a, b) = (centred(a)?, centred(b)?);
    // The sum of the singular values of AᵀB: in one dimension its size, in two √(Σ² + 2 |det|).
    let product = |i: usize, j: usize| dot(&a[i], &b[j]);
    let nuclear = match a.len() {
        1 => product(0, 0).abs(),
        2 => {
            let [p, q, r, s] = [product(0, 0), product(0, 1), product(1, 0), product(1, 1)];
            (p * p + q * q + r * r + s * s + 2.0 * (p * s - q * r).abs()).sqrt()
        }
        _ => return None,
    };
    Some((nuclear * nuclear).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(n: usize, d: usize, seed: u64) -> Matrix {
        let mut stream = PhiloxStream::for_test(seed, 0);
        Matrix::new(n, d, (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap()
    }

    #[test]
    fn the_features_themselves_are_perfect_and_another_cloud_is_chance() {
        let features = cloud(300, 2, 1);
        let turned = Matrix::new(300, 2, (0..300).flat_map(|i| [-2.0 * features.row(i)[1], 2.0 * features.row(i)[0]]).collect());
        let views = [View::Map, View::Axis(3)];
        let perfect = quality(&features, &[features.clone(), turned.unwrap()], &views, 1);
        let map = &perfect.views[0];
        for measure in [map.trustworthiness, map.continuity, map.recall, map.distances, map.stability] {
            assert!((measure.unwrap().low - 1.0).abs() < 1e-6, "{map:?}");
        }
        assert!(perfect.views[1].recall.is_none(), "there is no third axis");
        let chance = quality(&features, &[cloud(300, 2, 2), cloud(300, 2, 3)], &views[..1], 1).views[0].clone();
        assert!((chance.trustworthiness.unwrap().median - 0.5).abs() < 0.06 && chance.recall.unwrap().median < 0.1);
        assert!(chance.distances.unwrap().median.abs() < 0.1 && chance.stability.unwrap().high < 0.1);
    }

    /// `tests/faithful.py` wrote what scikit-learn and SciPy say.
    #[test]
    fn every_measure_is_the_peers() {
        let fixture: serde_json::Value = serde_json::from_str(include_str!("../../../../tests/fixtures/faithful.json")).unwrap();
        let matrix = |value: &serde_json::Value| {
            let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).unwrap();
            Matrix::new(rows.len(), rows[0].len(), rows.concat()).unwrap()
        };
        let (features, maps) = (matrix(&fixture["features"]), [0, 1].map(|map| matrix(&fixture["maps"][map])));
        for (place, map) in maps.iter().enumerate() {
            let of = quality(&features, std::slice::from_ref(map), &[View::Map], 1).views.remove(0);
            for (name, found) in [
                ("trustworthiness", of.trustworthiness),
                ("continuity", of.continuity),
                ("recall", of.recall),
                ("distances", of.distances),
            ] {
                let peer = fixture["measures"][place][name].as_f64().unwrap();
                assert!((found.unwrap().median - peer).abs() < 1e-9, "{name}: {found:?} beside {peer}");
            }
        }
        let both = quality(&features, &maps, &[View::Map], 1).views.remove(0);
        let peer = fixture["stability"].as_f64().unwrap();
        assert!((both.stability.unwrap().median - peer).abs() < 1e-9, "{both:?} beside {peer}");
    }

    #[test]
    fn few_or_equal_images_are_measured_or_undefined_but_never_a_panic() {
        for n in [1, 2, 3, 5] {
            let of = quality(&cloud(n, 3, 1), &[cloud(n, 2, 2)], &[View::Map], 1);
            assert_eq!(of.views[0].recall.is_some(), n > 2, "{n}: {of:?}");
        }
        let equal = Matrix::new(50, 2, vec![1.0; 100]).unwrap();
        assert_eq!(quality(&equal, std::slice::from_ref(&equal), &[View::Map], 1).views[0].distances, None);
    }
}
