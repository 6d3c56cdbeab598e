//! Published indices of how two classes cluster. They are shown next to a ranked score, and nothing is ranked by them; indices of spaces of
//! different dimensions are not comparable.
//!
//! Every mean over images is taken within each class and then over both, so that a rare class counts as much as a common one.
//! [`ClusterValidity::lisi`], Calinski–Harabasz, average precision and mutual information are over images, as their authors define them.

use crate::{
    domain::score::ClusterValidity,
    numeric::{
        Matrix,
        neighbours::Points,
        special::ln,
        sum::{dot_lanes, mean, sum},
        tiled::column_means,
    },
};
use rayon::prelude::*;

/// Nearest others that purity and LISI look at; fewer where there are few images.
const PURITY_NEIGHBOURS: usize = 10;
const LISI_NEIGHBOURS: usize = 30;
/// Images whose neighbours are looked at: all up to `ALL`, beyond it a sample of `SAMPLE`.
const ALL: usize = 2000;
const SAMPLE: usize = 1000;
/// Bins of equally many images that a score is cut into.
const BINS: usize = 10;
/// With fewer images in a class no index is defined.
const LEAST: usize = 2;

/// All indices of N points (N × k). `class`: by row, whether it is in the first class. `score`: by row, higher for the first class; rows
/// whose score is NaN are left out of the indices of scores.
///
/// # Panics
/// If there is not one class and one score a row.
pub(crate) fn cluster_validity(points: &Matrix, class: &[bool], score: &[f64]) -> ClusterValidity {
    assert!(class.len() == points.rows() && score.len() == points.rows(), "one class and one score an image");
    let members = [true, false].map(|first| (0..class.len()).filter(|&i| class[i] == first).collect::<Vec<usize>>());
    let centroids = CentroidDistances::of(points, &members);
    let near = centroids.as_ref().map(|_| nearest_others(points, &members, &sample(&members)));
    let scored = scored(class, score);
    let scored = scored.as_deref();
    ClusterValidity {
        distance_consistency: centroids.as_ref().and_then(CentroidDistances::distance_consistency),
        purity: near.map(|near| near.purity),
        silhouette: near.map(|near| near.silhouette),
        davies_bouldin: centroids.as_ref().and_then(CentroidDistances::davies_bouldin),
        calinski_harabasz: centroids.as_ref().and_then(CentroidDistances::calinski_harabasz),
        fisher: centroids.as_ref().and_then(CentroidDistances::fisher),
        compactness: centroids.as_ref().map(CentroidDistances::compactness),
        average_precision: scored.map(average_precision),
        prevalence: scored.map(prevalence),
        lisi: near.map(|near| near.lisi),
        mutual_information: scored.map(mutual_information),
    }
}

/// `None` where the denominator is 0.
fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

/// Squared distances of the images of two classes to their centroids.
struct CentroidDistances {
    /// Per class, per image: to the centroid of its own class.
    own: [Vec<f64>; 2],
    /// Per class, per image: to the centroid of the other class.
    other: [Vec<f64>; 2],
    /// Between the two centroids.
    between: f64,
}

impl CentroidDistances {
    fn of(points: &Matrix, members: &[Vec<usize>; 2]) -> Option<Self> {
        if members.iter().any(|members| members.len() < LEAST) || points.first_not_finite().is_some() {
            return None;
        }
        let centres = [0, 1].map(|class| centroid(points, &members[class]));
        let square = |centre: &[f64], image: usize| {
            let offset: Vec<f64> = points.row(image).iter().zip(centre).map(|(x, centre)| f64::from(*x) - centre).collect();
            dot_lanes(&offset, &offset)
        };
        let squares = |class: usize, centre: usize| members[class].iter().map(|image| square(&centres[centre], *image)).collect();
        let between: Vec<f64> = centres[0].iter().zip(&centres[1]).map(|(a, b)| a - b).collect();
        let distances = CentroidDistances {
            own: [0, 1].map(|i| squares(i, i)),
            other: [0, 1].map(|i| squares(i, 1 - i)),
            between: dot_lanes(&between, &between),
        };
        // Where all points are equal no index is defined.
        (distances.between > 0.0 || distances.within() > 0.0).then_some(distances)
    }

    /// The sum of the classes' variances, each summed over the columns.
    fn within(&self) -> f64 {
        mean(&self.own[0]) + mean(&self.own[1])
    }

    /// Undefined where the centroids coincide: no image is nearer to either.
    fn distance_consistency(&self) -> Option<f64> {
        let share = |class: usize| {
            let nearer = self.own[class].iter().zip(&self.other[class]).filter(|(own, other)| own < other).count();
            nearer as f64 / self.own[class].len() as f64
        };
        (self.between > 0.0).then(|| f64::midpoint(share(0), share(1)))
    }

    fn davies_bouldin(&self) -> Option<f64> {
        let radius = |class: usize| mean(&self.own[class].iter().map(|square| square.sqrt()).collect::<Vec<f64>>());
        ratio(radius(0) + radius(1), self.between.sqrt())
    }

    fn calinski_harabasz(&self) -> Option<f64> {
        let [a, b] = [0, 1].map(|class| self.own[class].len() as f64);
        let between = a * b / (a + b) * self.between;
        ratio(between * (a + b - 2.0), sum(&self.own[0]) + sum(&self.own[1]))
    }

    fn fisher(&self) -> Option<f64> {
        ratio(self.between, self.within())
    }

    fn compactness(&self) -> f64 {
        // The mean's spread about the middle of both centroids is a quarter of their squared distance.
        let within = self.within() / 2.0;
        (within / (within + self.between / 4.0)).sqrt()
    }
}

fn centroid(points: &Matrix, members: &[usize]) -> Vec<f64> {
    let values = members.iter().flat_map(|image| points.row(*image)).copied().collect();
    column_means(&Matrix::new(members.len(), points.columns(), values).expect("rows of the points"))
}

/// Per class, the images whose neighbours are looked at, evenly spread over the class: half of the sample, or more where the other class has
/// too few. (A sample of both classes together would hold only a handful of a rare one, whose mean counts as much.)
fn sample(members: &[Vec<usize>; 2]) -> [Vec<usize>; 2] {
    let n = members[0].len() + members[1].len();
    [0, 1].map(|class| {
        let (own, other) = (members[class].len(), members[1 - class].len());
        let count = if n <= ALL { own } else { own.min((SAMPLE / 2).max(SAMPLE.saturating_sub(other))) };
        (0..count).map(|place| members[class][place * own / count]).collect()
    })
}

/// Indices of the images near each image, and of the distances to all.
#[derive(Clone, Copy, Debug)]
struct NearestOthers {
    purity: f64,
    silhouette: f64,
    lisi: f64,
}

/// Compares the sampled images with all, in one pass over the distances.
fn nearest_others(points: &Matrix, members: &[Vec<usize>; 2], sample: &[Vec<usize>; 2]) -> NearestOthers {
    let (n, space) = (points.rows(), Points::new(points));
    // Per class and image: 1 if it is in the class, else 0.
    let mut indicator = [vec![0.0; n], vec![0.0; n]];
    for (indicator, members) in indicator.iter_mut().zip(members) {
        members.iter().for_each(|image| indicator[*image] = 1.0);
    }
    // Per class, the means of its images: purity, silhouette, LISI.
    let means = [0, 1].map(|class| {
        let (own, other) = (&indicator[class], &indicator[1 - class]);
        let each = sample[class].par_iter().map_init(
            || vec![0.0; n],
            |distances, image| {
                crate::numeric::pulse::beat();
                space.distances(*image, distances);
                let nearest = nearest(distances, *image, LISI_NEIGHBOURS.min(n - 1));
                let share = |count: usize| {
                    let first = &nearest[..count.min(nearest.len())];
                    first.iter().map(|(_, image)| own[*image]).sum::<f64>() / first.len() as f64
                };
                let own_share = share(LISI_NEIGHBOURS);
                distances.iter_mut().for_each(|distance| *distance = distance.sqrt());
                let inside = dot_lanes(distances, own) / (members[class].len() - 1) as f64;
                let outside = dot_lanes(distances, other) / members[1 - class].len() as f64;
                // 0 where both distances are 0.
                let silhouette = ratio(outside - inside, inside.max(outside)).unwrap_or(0.0);
                [share(PURITY_NEIGHBOURS), silhouette, 1.0 / (own_share * own_share + (1.0 - own_share) * (1.0 - own_share))]
            },
        );
        let each: Vec<[f64; 3]> = each.collect();
        [0, 1, 2].map(|which| mean(&each.iter().map(|measures| measures[which]).collect::<Vec<f64>>()))
    });
    let balanced = |which: usize| f64::midpoint(means[0][which], means[1][which]);
    // The mean over all images, whatever share of each class was sampled.
    let lisi = (members[0].len() as f64 * means[0][2] + members[1].len() as f64 * means[1][2]) / n as f64;
    NearestOthers { purity: balanced(0), silhouette: balanced(1), lisi }
}

/// The nearest `count` others with their distances, nearest first, ties by index.
fn nearest(distances: &[f64], from: usize, count: usize) -> Vec<(f64, usize)> {
    let mut nearest: Vec<(f64, usize)> = Vec::with_capacity(count + 1);
    let mut limit = f64::INFINITY;
    for (image, distance) in distances.iter().enumerate() {
        if *distance < limit && image != from {
            nearest.insert(nearest.partition_point(|near| near.0 <= *distance), (*distance, image));
            nearest.truncate(count);
            if nearest.len() == count {
                limit = nearest[count - 1].0;
            }
        }
    }
    nearest
}

/// The images that share one score: how many are in the first class, and how many in the other.
type Tied = [usize; 2];

/// By ascending score; `None` when a class has too few that are scored.
fn scored(class: &[bool], score: &[f64]) -> Option<Vec<Tied>> {
    let mut scored: Vec<(f64, bool)> =
        score.iter().copied().zip(class.iter().copied()).filter(|(score, _)| !score.is_nan()).collect();
    scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let tied = scored.chunk_by(|a, b| a.0 == b.0).map(|tied| {
        let first = tied.iter().filter(|(_, first)| *first).count();
        [first, tied.len() - first]
    });
    let tied: Vec<Tied> = tied.collect();
    total(&tied).iter().all(|count| *count >= LEAST).then_some(tied)
}

fn total(tied: &[Tied]) -> Tied {
    tied.iter().fold([0, 0], |sum, tied| [sum[0] + tied[0], sum[1] + tied[1]])
}

fn prevalence(tied: &[Tied]) -> f64 {
    let [first, other] = total(tied);
    first as f64 / (first + other) as f64
}

/// From the highest score down: precision there, weighted by the recall that is gained.
fn average_precision(tied: &[Tied]) -> f64 {
    let (mut above, all) = ([0, 0], total(tied)[0] as f64);
    let steps = tied.iter().rev().map(|tied| {
        above = total(&[above, *tied]);
        tied[0] as f64 / all * (above[0] as f64 / (above[0] + above[1]) as f64)
    });
    sum(&steps.collect::<Vec<f64>>())
}

/// Of the class and the binned score, as a share of the class's entropy. Equal scores share a bin, that of their middle one; otherwise the
/// order of the images would matter.
fn mutual_information(tied: &[Tied]) -> f64 {
    let counts = total(tied);
    let n = counts[0] + counts[1];
    let (mut bins, mut below) = ([[0, 0]; BINS], 0);
    for tied in tied {
        let count = tied[0] + tied[1];
        let bin = &mut bins[(2 * below + count - 1) * BINS / (2 * n)];
        *bin = total(&[*bin, *tied]);
        below += count;
    }
    let share = |count: usize| count as f64 / n as f64;
    let term = |bin: &Tied, class: usize| match bin[class] {
        0 => 0.0,
        both => share(both) * ln(share(both) / (share(bin[0] + bin[1]) * share(counts[class]))),
    };
    let information: Vec<f64> = bins.iter().flat_map(|bin| [term(bin, 0), term(bin, 1)]).collect();
    let entropy = -sum(&counts.map(|count| share(count) * ln(share(count))));
    // The unit cancels: bits of bits, nats of nats.
    (sum(&information) / entropy).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    /// Every `rare`-th image is of the first class, whose centre is 1 away on the first axis.
    fn cloud(n: usize, d: usize, rare: usize) -> (Matrix, Vec<bool>, Vec<f64>) {
        let (mut rng, class) = (PhiloxStream::for_test(7, 0), (0..n).map(|i| i.is_multiple_of(rare)).collect::<Vec<bool>>());
        let mut value = |i: usize| rng.normals(1.0)[0] as f32 + if i.is_multiple_of(d) && class[i / d] { 1.0 } else { 0.0 };
        let points = Matrix::new(n, d, (0..n * d).map(&mut value).collect()).unwrap();
        let score = points.column(0).into_iter().map(f64::from).collect();
        (points, class, score)
    }

    fn all(indices: &ClusterValidity) -> serde_json::Map<String, serde_json::Value> {
        serde_json::to_value(indices).unwrap().as_object().unwrap().clone()
    }

    const OF_SCORES: [&str; 3] = ["average_precision", "prevalence", "mutual_information"];

    fn defined(indices: &ClusterValidity) -> [usize; 2] {
        let names = all(indices).into_iter().filter(|(_, value)| !value.is_null());
        names.fold([0, 0], |[space, scores], (name, _)| match OF_SCORES.contains(&name.as_str()) {
            true => [space, scores + 1],
            false => [space + 1, scores],
        })
    }

    /// `tests/beside.py` wrote what scikit-learn says.
    #[test]
    fn every_measure_is_the_peers() {
        let fixture: serde_json::Value = serde_json::from_str(include_str!("../../../../tests/fixtures/beside.json")).unwrap();
        for set in fixture.as_array().unwrap() {
            let rows: Vec<Vec<f32>> = serde_json::from_value(set["points"].clone()).unwrap();
            let points = Matrix::new(rows.len(), rows[0].len(), rows.concat()).unwrap();
            let class: Vec<bool> = serde_json::from_value(set["class"].clone()).unwrap();
            let score: Vec<Option<f64>> = serde_json::from_value(set["score"].clone()).unwrap();
            let score: Vec<f64> = score.into_iter().map(|score| score.unwrap_or(f64::NAN)).collect();
            let found = all(&cluster_validity(&points, &class, &score));
            let peers = set["measures"].as_object().unwrap();
            assert_eq!(found.len(), peers.len());
            for (name, peer) in peers {
                let (found, peer) = (found[name].as_f64().unwrap(), peer.as_f64().unwrap());
                assert!((found - peer).abs() < 1e-9, "{name}, {} columns: {found}, the peer says {peer}", points.columns());
            }
        }
    }

    #[test]
    fn compactness_is_the_order_of_fisher_turned_round() {
        let (points, class, score) = cloud(300, 3, 5);
        let found = cluster_validity(&points, &class, &score);
        assert!((found.compactness.unwrap() - (1.0 + found.fisher.unwrap() / 2.0).sqrt().recip()).abs() < 1e-12);
    }

    #[test]
    fn a_sample_of_each_class_stands_for_all_its_images() {
        for (rare, counts) in [(2, [500, 500]), (100, [34, 966])] {
            let (points, class, _) = cloud(3392, 2, rare);
            let members = [true, false].map(|first| (0..class.len()).filter(|&i| class[i] == first).collect::<Vec<usize>>());
            let sample = sample(&members);
            assert_eq!([sample[0].len(), sample[1].len()], counts);
            assert!(sample.iter().all(|images| images.is_sorted_by(|a, b| a < b)), "no image is sampled twice");
            let (some, whole) = (nearest_others(&points, &members, &sample), nearest_others(&points, &members, &members));
            for (some, whole) in [(some.purity, whole.purity), (some.silhouette, whole.silhouette), (some.lisi, whole.lisi)] {
                assert!((some - whole).abs() < 0.01, "1 of {rare}: {some}, of all {whole}");
            }
        }
        let few = [(0..1500).collect(), (1500..2000).collect()];
        assert_eq!(sample(&few), few);
    }

    #[test]
    fn neighbours_at_one_distance_are_ordered_by_index() {
        let indices =
            |count| nearest(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.5], 1, count).into_iter().map(|near| near.1).collect::<Vec<_>>();
        assert_eq!(indices(3), [3, 5, 0]);
        assert_eq!(indices(5), [3, 5, 0, 2, 4]);
    }

    #[test]
    fn equal_scores_tell_nothing_of_the_images_order() {
        let (points, mut class, _) = cloud(100, 2, 4);
        class.sort_unstable();
        let found = cluster_validity(&points, &class, &[0.0; 100]);
        assert_eq!((found.mutual_information, found.average_precision, found.prevalence), (Some(0.0), Some(0.25), Some(0.25)));
        let perfect: Vec<f64> = class.iter().map(|first| f64::from(*first)).collect();
        let found = cluster_validity(&points, &class, &perfect);
        assert_eq!((found.mutual_information, found.average_precision), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn what_is_undefined_is_none_and_never_a_panic() {
        let (points, class, score) = cloud(60, 2, 3);
        assert_eq!(defined(&cluster_validity(&points, &class, &score)), [8, 3]);
        for classes in [vec![true; 60], vec![false; 60], (0..60).map(|i| i == 7).collect()] {
            assert_eq!(defined(&cluster_validity(&points, &classes, &score)), [0, 0], "one class has too few");
        }
        let changed = |value: f32| Matrix::new(60, 2, [&[value], &points.values()[1..]].concat()).unwrap();
        for value in [f32::NAN, f32::INFINITY] {
            assert_eq!(defined(&cluster_validity(&changed(value), &class, &score)), [0, 3], "{value}");
        }
        for columns in [0, 2] {
            let equal = Matrix::new(60, columns, vec![0.1; 60 * columns]).unwrap();
            assert_eq!(defined(&cluster_validity(&equal, &class, &score)), [0, 3], "{columns} equal columns");
        }
        let unscored: Vec<f64> = class.iter().map(|first| if *first { f64::NAN } else { 1.0 }).collect();
        for unscored in [vec![f64::NAN; 60], unscored] {
            assert_eq!(defined(&cluster_validity(&points, &class, &unscored)), [8, 0]);
        }
        assert_eq!(defined(&cluster_validity(&Matrix::new(0, 2, vec![]).unwrap(), &[], &[])), [0, 0]);
    }

    #[test]
    fn ratios_to_nothing_are_none() {
        let on = |x: [f32; 4]| cluster_validity(&Matrix::new(4, 1, x.to_vec()).unwrap(), &[true, true, false, false], &[0.0; 4]);
        let separate = on([1.0, 1.0, 2.0, 2.0]);
        assert_eq!((separate.fisher, separate.calinski_harabasz, separate.compactness), (None, None, Some(0.0)));
        assert_eq!(
            (separate.davies_bouldin, separate.silhouette, separate.distance_consistency),
            (Some(0.0), Some(1.0), Some(1.0))
        );
        let around = on([-1.0, 1.0, -2.0, 2.0]);
        assert_eq!((around.fisher, around.calinski_harabasz, around.compactness), (Some(0.0), Some(0.0), Some(1.0)));
        assert_eq!((around.davies_bouldin, around.distance_consistency), (None, None), "the centroids coincide");
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let (points, class, score) = cloud(700, 5, 4);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| cluster_validity(&points, &class, &score))
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16));
        crate::numeric::multiversion::each_level(|level| assert!(one == with(2), "{level:?}"));
    }
}
