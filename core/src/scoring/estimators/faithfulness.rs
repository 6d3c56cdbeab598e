//! How faithful a view is to the features that it was made of, whatever the labels: whether neighbours in one are neighbours in the other
//! (trustworthiness and continuity: Venna and Kaski 2001; recall), whether distances keep their order (rank correlation), and whether
//! another seed gives the same picture (after Procrustes alignment: Gower 1975).

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

/// Neighbours of an image; fewer where there are few images.
pub(crate) const NEIGHBOURS: usize = 15;
/// Images whose neighbours are compared: all up to `ALL`, beyond it a sample of `SAMPLE`.
const ALL: usize = 2000;
const SAMPLE: usize = 1000;
/// Images whose distances to each other are ranked.
const DISTANCE_SAMPLE: usize = 1000;

/// Measures every view. `features`: N × D; `points`: one N × k matrix a projection seed, rows in the same order. A measure is `None` where
/// it is undefined.
pub fn quality(features: &Matrix, points: &[Matrix], views: &[View], seed: u64) -> Quality {
    let n = features.rows();
    // Trustworthiness needs 3k < 2n − 1 (Venna and Kaski).
    let k = NEIGHBOURS.min((2 * n).saturating_sub(2) / 3).min(n.saturating_sub(1));
    let sample = sample_of(n, if n <= ALL { n } else { SAMPLE }, seed);
    let distant = sample_of(n, DISTANCE_SAMPLE.min(n), seed);
    let in_views: Vec<(View, Vec<Matrix>)> =
        views.iter().map(|view| (*view, points.iter().filter_map(|points| points_in_view(*view, points)).collect())).collect();
    let flat: Vec<&Matrix> = in_views.iter().flat_map(|(_, seeds)| seeds).collect();
    let neighbourhoods: Vec<Vec<Neighbourhood>> = sample
        .par_iter()
        .inspect(|_| crate::numeric::pulse::beat())
        .map(|image| compare_neighbourhoods(features, &flat, *image, k))
        .collect();
    let feature_distances = Ranks::new(&distances(features, &distant));
    let measured: Vec<[Option<f64>; 4]> = flat
        .par_iter()
        .enumerate()
        .map(|(place, view)| {
            let mean_of = |number: fn(&Neighbourhood) -> f64| {
                mean(&neighbourhoods.iter().map(|views| number(&views[place])).collect::<Vec<_>>())
            };
            let share = 2.0 / (k as f64 * (2 * n).saturating_sub(3 * k + 1) as f64);
            let defined = |value: f64| (k > 0).then_some(value);
            [
                defined(1.0 - share * mean_of(|near| near.intruders)),
                defined(1.0 - share * mean_of(|near| near.lost)),
                defined(mean_of(|near| near.kept) / k as f64),
                feature_distances.correlation(&Ranks::new(&distances(view, &distant))),
            ]
        })
        .collect();
    let mut measured = measured.into_iter();
    let views = in_views.iter().map(|(view, seeds)| {
        let own: Vec<[Option<f64>; 4]> = measured.by_ref().take(seeds.len()).collect();
        let spread = |which: usize| Spread::of(own.iter().filter_map(|measures| measures[which]).collect());
        ViewQuality {
            view: *view,
            trustworthiness: spread(0),
            continuity: spread(1),
            recall: spread(2),
            distances: spread(3),
            stability: Spread::of(agreements(seeds)),
        }
    });
    let views = views.collect();
    Quality { format: 1, neighbours: k, asked: sample.len(), seeds: points.len(), views }
}

/// `count` distinct numbers of 0 … n − 1, ascending.
fn sample_of(n: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n).collect();
    if count < n {
        PhiloxStream::new(seed, Purpose::QualitySample, 0).shuffle(&mut places);
        places.truncate(count);
        places.sort_unstable();
    }
    places
}

/// `None` where the points lack an axis of the view.
fn points_in_view(view: View, points: &Matrix) -> Option<Matrix> {
    let columns = view.columns(points.columns());
    columns.iter().all(|column| *column < points.columns()).then(|| points.select(&columns))
}

/// One image's neighbours in the features and in one view.
#[derive(Clone, Copy, Default)]
struct Neighbourhood {
    /// How many of its neighbours are in both.
    kept: f64,
    /// Sum over neighbours in the view that are none in the features: their rank there, beyond k.
    intruders: f64,
    /// Sum over neighbours in the features that are none in the view: their rank there, beyond k.
    lost: f64,
}

/// By view.
fn compare_neighbourhoods(features: &Matrix, views: &[&Matrix], image: usize, k: usize) -> Vec<Neighbourhood> {
    let n = features.rows();
    let mut distances = vec![0.0; n];
    distances_from(features, image, &mut distances);
    let order = by_distance(&distances, image, n - 1);
    let mut rank = vec![0u32; n];
    order.iter().enumerate().for_each(|(place, other)| rank[*other as usize] = place as u32 + 1);
    let compare = |view: &&Matrix| {
        distances_from(view, image, &mut distances);
        let neighbours = by_distance(&distances, image, k);
        let mut near = Neighbourhood::default();
        for other in &neighbours {
            let rank = rank[*other as usize] as usize;
            if rank <= k {
                near.kept += 1.0;
            } else {
                near.intruders += (rank - k) as f64;
            }
        }
        for other in order[..k].iter().filter(|other| !neighbours.contains(other)) {
            near.lost += (rank_of(&distances, image, *other as usize) - k) as f64;
        }
        near
    };
    views.iter().map(compare).collect()
}

/// The nearest `count` others, nearest first, ties by index.
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

/// The rank of one other image by distance, from 1.
fn rank_of(distances: &[f64], image: usize, other: usize) -> usize {
    let own = distances[other];
    let nearer = distances.iter().enumerate().filter(|(place, d)| **d < own || (**d == own && *place < other)).count();
    let itself = distances[image] < own || (distances[image] == own && image < other);
    nearer - usize::from(itself) + 1
}

/// Squared distances between these images, each pair once.
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

/// Mid-ranks, less their mean.
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

/// For every two seeds the share of variance that their pictures have in common, once one is shifted, rotated, reflected and scaled onto the
/// other (1 − m² of Procrustes).
fn agreements(seeds: &[Matrix]) -> Vec<f64> {
    let pairs = (0..seeds.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    pairs.filter_map(|(i, j)| agreement(&seeds[i], &seeds[j])).collect()
}

fn agreement(a: &Matrix, b: &Matrix) -> Option<f64> {
    let centred = |points: &Matrix| -> Option<Vec<Vec<f64>>> {
        let columns = (0..points.columns()).map(|column| {
            let values: Vec<f64> = points.column(column).into_iter().map(f64::from).collect();
            let middle = mean(&values);
            values.into_iter().map(|value| value - middle).collect::<Vec<f64>>()
        });
        let columns: Vec<Vec<f64>> = columns.collect();
        let size = columns.iter().map(|column| dot(column, column)).sum::<f64>().sqrt();
        (size > 0.0).then(|| columns.into_iter().map(|column| column.into_iter().map(|value| value / size).collect()).collect())
    };
    let (a, b) = (centred(a)?, centred(b)?);
    // The sum of the singular values of AᵀB: in one dimension |AᵀB|, in two √(Σ squares + 2 |det|).
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
        let mut rng = PhiloxStream::for_test(seed, 0);
        Matrix::new(n, d, (0..n * d).map(|_| rng.normals(1.0)[0] as f32).collect()).unwrap()
    }

    #[test]
    fn the_features_themselves_are_perfect_and_another_cloud_is_chance() {
        let features = cloud(300, 2, 1);
        let rotated = Matrix::new(300, 2, (0..300).flat_map(|i| [-2.0 * features.row(i)[1], 2.0 * features.row(i)[0]]).collect());
        let views = [View::Map, View::Axis(3)];
        let perfect = quality(&features, &[features.clone(), rotated.unwrap()], &views, 1);
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
            let view = quality(&features, std::slice::from_ref(map), &[View::Map], 1).views.remove(0);
            for (name, found) in [
                ("trustworthiness", view.trustworthiness),
                ("continuity", view.continuity),
                ("recall", view.recall),
                ("distances", view.distances),
            ] {
                let peer = fixture["measures"][place][name].as_f64().unwrap();
                assert!((found.unwrap().median - peer).abs() < 1e-9, "{name}: {found:?} the peer says {peer}");
            }
        }
        let both = quality(&features, &maps, &[View::Map], 1).views.remove(0);
        let peer = fixture["stability"].as_f64().unwrap();
        assert!((both.stability.unwrap().median - peer).abs() < 1e-9, "{both:?} the peer says {peer}");
    }

    #[test]
    fn few_or_equal_images_are_measured_or_undefined_but_never_a_panic() {
        for n in [1, 2, 3, 5] {
            let found = quality(&cloud(n, 3, 1), &[cloud(n, 2, 2)], &[View::Map], 1);
            assert_eq!(found.views[0].recall.is_some(), n > 2, "{n}: {found:?}");
        }
        let equal = Matrix::new(50, 2, vec![1.0; 100]).unwrap();
        assert_eq!(quality(&equal, std::slice::from_ref(&equal), &[View::Map], 1).views[0].distances, None);
    }
}
