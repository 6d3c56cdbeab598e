//! What is shown beside a ranked score, and never ranked by: indices that others publish, for two classes. Those of a space are
//! not comparable across spaces of different dimensions.
//!
//! Every mean over images is taken within each class and then over both, so that a rare class counts as much as a common one;
//! [`ClusterValidity::lisi`], Calinski–Harabasz, average precision and mutual information are over images, as their authors have them.

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

/// Nearest others whose class is purity, and whose mixture is LISI; fewer where there are few images.
const PURE: usize = 10;
const MIXED: usize = 30;
/// Images that are asked for their neighbours: all up to here, so many beyond.
const ALL: usize = 2000;
const ASKED: usize = 1000;
/// Bins of equally many images that a score is cut into.
const BINS: usize = 10;
/// A class with fewer has no spread, and none of these is defined.
const LEAST: usize = 2;

/// `class`: is the row in the first class? `score`: higher is the first class; images whose score is NaN are left out of what is
/// said of scores. One entry a row of `points`.
pub fn beside(points: &Matrix, class: &[bool], score: &[f64]) -> ClusterValidity {
    assert!(class.len() == points.rows() && score.len() == points.rows(), "one class and one score an image");
    let members = [true, false].map(|of| (0..class.len()).filter(|&i| class[i] == of).collect::<Vec<usize>>());
    let spread = CentroidDistances::of(points, &members);
    let near = spread.as_ref().map(|_| near(points, &members, &asked(&members)));
    let scored = scored(class, score);
    let scored = scored.as_deref();
    ClusterValidity {
        distance_consistency: spread.as_ref().and_then(CentroidDistances::distance_consistency),
        purity: near.map(|near| near.purity),
        silhouette: near.map(|near| near.silhouette),
        davies_bouldin: spread.as_ref().and_then(CentroidDistances::davies_bouldin),
        calinski_harabasz: spread.as_ref().and_then(CentroidDistances::calinski_harabasz),
        fisher: spread.as_ref().and_then(CentroidDistances::fisher),
        compactness: spread.as_ref().map(CentroidDistances::compactness),
        average_precision: scored.map(average_precision),
        prevalence: scored.map(prevalence),
        lisi: near.map(|near| near.lisi),
        mutual_information: scored.map(mutual_information),
    }
}

/// `None` where there is none: a ratio to 0 is infinite or nothing, and neither is a number to show.
fn ratio(of: f64, to: f64) -> Option<f64> {
    (to > 0.0).then(|| of / to)
}

/// Where the images of two classes lie about their centroids, in squared distances.
struct CentroidDistances {
    /// Per class, per member: to its own centroid, and to the other.
    own: [Vec<f64>; 2],
    other: [Vec<f64>; 2],
    /// Between the centroids.
    apart: f64,
}

impl CentroidDistances {
    fn of(points: &Matrix, members: &[Vec<usize>; 2]) -> Option<Self> {
        if members.iter().any(|members| members.len() < LEAST) || points.first_not_finite().is_some() {
            return None;
        }
        let centres = [0, 1].map(|class| centroid(points, &members[class]));
        let to = |centre: &[f64], image: usize| {
            let offset: Vec<f64> = points.row(image).iter().zip(centre).map(|(x, centre)| f64::from(*x) - centre).collect();
            dot_lanes(&offset, &offset)
        };
        let to = |class: usize, centre: usize| members[class].iter().map(|image| to(&centres[centre], *image)).collect();
        let between: Vec<f64> = centres[0].iter().zip(&centres[1]).map(|(a, b)| a - b).collect();
        let spread = CentroidDistances {
            own: [0, 1].map(|i| to(i, i)),
            other: [0, 1].map(|i| to(i, 1 - i)),
            apart: dot_lanes(&between, &between),
        };
        // Equal points have no neighbours and no direction.
        (spread.apart > 0.0 || spread.within() > 0.0).then_some(spread)
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
        (self.apart > 0.0).then(|| f64::midpoint(share(0), share(1)))
    }

    fn davies_bouldin(&self) -> Option<f64> {
        let radius = |class: usize| mean(&self.own[class].iter().map(|square| square.sqrt()).collect::<Vec<f64>>());
        ratio(radius(0) + radius(1), self.apart.sqrt())
    }

    fn calinski_harabasz(&self) -> Option<f64> {
        let [a, b] = [0, 1].map(|class| self.own[class].len() as f64);
        let between = a * b / (a + b) * self.apart;
        ratio(between * (a + b - 2.0), sum(&self.own[0]) + sum(&self.own[1]))
    }

    fn fisher(&self) -> Option<f64> {
        ratio(self.apart, self.within())
    }

    fn compactness(&self) -> f64 {
        // The mean's spread about the middle of both centroids is a quarter of their squared distance.
        let within = self.within() / 2.0;
        (within / (within + self.apart / 4.0)).sqrt()
    }
}

fn centroid(points: &Matrix, members: &[usize]) -> Vec<f64> {
    let values = members.iter().flat_map(|image| points.row(*image)).copied().collect();
    column_means(&Matrix::new(members.len(), points.columns(), values).expect("rows of the points"))
}

/// Of each class, those that are asked, evenly spread over its members: half of all asked, or more where the other class has too
/// few. (Every so-manieth image of both classes together would leave but a handful of a rare one, whose mean counts as much.)
fn asked(members: &[Vec<usize>; 2]) -> [Vec<usize>; 2] {
    let n = members[0].len() + members[1].len();
    [0, 1].map(|class| {
        let (own, other) = (members[class].len(), members[1 - class].len());
        let count = if n <= ALL { own } else { own.min((ASKED / 2).max(ASKED.saturating_sub(other))) };
        (0..count).map(|place| members[class][place * own / count]).collect()
    })
}

/// What the images near each image, and the distances to all, say.
#[derive(Clone, Copy, Debug)]
struct NearestOthers {
    purity: f64,
    silhouette: f64,
    lisi: f64,
}

/// Those asked are held against all, in one pass over the distances.
fn near(points: &Matrix, members: &[Vec<usize>; 2], asked: &[Vec<usize>; 2]) -> NearestOthers {
    let (n, space) = (points.rows(), Points::new(points));
    let mut of = [vec![0.0; n], vec![0.0; n]];
    for (of, members) in of.iter_mut().zip(members) {
        members.iter().for_each(|image| of[*image] = 1.0);
    }
    // Per class, the means of its images: purity, silhouette, LISI.
    let means = [0, 1].map(|class| {
        let (own, other) = (&of[class], &of[1 - class]);
        let each = asked[class].par_iter().map_init(
            || vec![0.0; n],
            |distances, image| {
                space.distances(*image, distances);
                let nearest = nearest(distances, *image, MIXED.min(n - 1));
                let share = |count: usize| {
                    let first = &nearest[..count.min(nearest.len())];
                    first.iter().map(|(_, image)| own[*image]).sum::<f64>() / first.len() as f64
                };
                let mixed = share(MIXED);
                distances.iter_mut().for_each(|distance| *distance = distance.sqrt());
                let inside = dot_lanes(distances, own) / (members[class].len() - 1) as f64;
                let outside = dot_lanes(distances, other) / members[1 - class].len() as f64;
                // 0 where both are 0, as for any image between both.
                let silhouette = ratio(outside - inside, inside.max(outside)).unwrap_or(0.0);
                [share(PURE), silhouette, 1.0 / (mixed * mixed + (1.0 - mixed) * (1.0 - mixed))]
            },
        );
        let each: Vec<[f64; 3]> = each.collect();
        [0, 1, 2].map(|which| mean(&each.iter().map(|measures| measures[which]).collect::<Vec<f64>>()))
    });
    let balanced = |which: usize| f64::midpoint(means[0][which], means[1][which]);
    // The mean over all images, whatever share of each class was asked.
    let lisi = (members[0].len() as f64 * means[0][2] + members[1].len() as f64 * means[1][2]) / n as f64;
    NearestOthers { purity: balanced(0), silhouette: balanced(1), lisi }
}

/// The nearest `count` others, nearest first, ties by place: a later one that is as near is not taken before an earlier.
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

/// Images of one score: how many are of the first class, and how many of the other.
type Tied = [usize; 2];

/// By ascending score; `None` when a class has too few that are scored.
fn scored(class: &[bool], score: &[f64]) -> Option<Vec<Tied>> {
    let mut scored: Vec<(f64, bool)> = score.iter().copied().zip(class.iter().copied()).filter(|of| !of.0.is_nan()).collect();
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
    let (mut met, all) = ([0, 0], total(tied)[0] as f64);
    let steps = tied.iter().rev().map(|tied| {
        met = total(&[met, *tied]);
        tied[0] as f64 / all * (met[0] as f64 / (met[0] + met[1]) as f64)
    });
    sum(&steps.collect::<Vec<f64>>())
}

/// Equal scores share a bin, that of their middle one: parted, they would tell of the images' order.
fn mutual_information(tied: &[Tied]) -> f64 {
    let counts = total(tied);
    let n = counts[0] + counts[1];
    let (mut bins, mut met) = ([[0, 0]; BINS], 0);
    for tied in tied {
        let count = tied[0] + tied[1];
        let bin = &mut bins[(2 * met + count - 1) * BINS / (2 * n)];
        *bin = total(&[*bin, *tied]);
        met += count;
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
        let (mut stream, class) = (PhiloxStream::for_test(7, 0), (0..n).map(|i| i.is_multiple_of(rare)).collect::<Vec<bool>>());
        let mut value = |i: usize| stream.normals(1.0)[0] as f32 + if i.is_multiple_of(d) && class[i / d] { 1.0 } else { 0.0 };
        let points = Matrix::new(n, d, (0..n * d).map(&mut value).collect()).unwrap();
        let score = points.column(0).into_iter().map(f64::from).collect();
        (points, class, score)
    }

    fn all(beside: &ClusterValidity) -> serde_json::Map<String, serde_json::Value> {
        serde_json::to_value(beside).unwrap().as_object().unwrap().clone()
    }

    const OF_SCORES: [&str; 3] = ["average_precision", "prevalence", "mutual_information"];

    fn defined(beside: &ClusterValidity) -> [usize; 2] {
        let names = all(beside).into_iter().filter(|(_, value)| !value.is_null());
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
            let found = all(&beside(&points, &class, &score));
            let peers = set["measures"].as_object().unwrap();
            assert_eq!(found.len(), peers.len());
            for (name, peer) in peers {
                let (found, peer) = (found[name].as_f64().unwrap(), peer.as_f64().unwrap());
                assert!((found - peer).abs() < 1e-9, "{name}, {} columns: {found} beside {peer}", points.columns());
            }
        }
    }

    #[test]
    fn compactness_is_the_order_of_fisher_turned_round() {
        let (points, class, score) = cloud(300, 3, 5);
        let of = beside(&points, &class, &score);
        assert!((of.compactness.unwrap() - (1.0 + of.fisher.unwrap() / 2.0).sqrt().recip()).abs() < 1e-12);
    }

    #[test]
    fn of_many_images_some_of_each_class_are_asked_and_answer_for_all() {
        for (rare, counts) in [(2, [500, 500]), (100, [34, 966])] {
            let (points, class, _) = cloud(3392, 2, rare);
            let members = [true, false].map(|of| (0..class.len()).filter(|&i| class[i] == of).collect::<Vec<usize>>());
            let asked = asked(&members);
            assert_eq!([asked[0].len(), asked[1].len()], counts);
            assert!(asked.iter().all(|asked| asked.is_sorted_by(|a, b| a < b)), "none is asked twice");
            let (some, whole) = (near(&points, &members, &asked), near(&points, &members, &members));
            for (some, whole) in [(some.purity, whole.purity), (some.silhouette, whole.silhouette), (some.lisi, whole.lisi)] {
                assert!((some - whole).abs() < 0.01, "1 of {rare}: {some} beside {whole}");
            }
        }
        let few = [(0..1500).collect(), (1500..2000).collect()];
        assert_eq!(asked(&few), few);
    }

    #[test]
    fn neighbours_that_are_as_near_as_each_other_go_by_place() {
        let places =
            |count| nearest(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.5], 1, count).into_iter().map(|near| near.1).collect::<Vec<_>>();
        assert_eq!(places(3), [3, 5, 0]);
        assert_eq!(places(5), [3, 5, 0, 2, 4]);
    }

    #[test]
    fn equal_scores_tell_nothing_of_the_images_order() {
        let (points, mut class, _) = cloud(100, 2, 4);
        class.sort_unstable();
        let of = beside(&points, &class, &[0.0; 100]);
        assert_eq!((of.mutual_information, of.average_precision, of.prevalence), (Some(0.0), Some(0.25), Some(0.25)));
        let perfect: Vec<f64> = class.iter().map(|first| f64::from(*first)).collect();
        let of = beside(&points, &class, &perfect);
        assert_eq!((of.mutual_information, of.average_precision), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn what_is_undefined_is_none_and_never_a_panic() {
        let (points, class, score) = cloud(60, 2, 3);
        assert_eq!(defined(&beside(&points, &class, &score)), [8, 3]);
        for classes in [vec![true; 60], vec![false; 60], (0..60).map(|i| i == 7).collect()] {
            assert_eq!(defined(&beside(&points, &classes, &score)), [0, 0], "one class has too few");
        }
        let changed = |value: f32| Matrix::new(60, 2, [&[value], &points.values()[1..]].concat()).unwrap();
        for value in [f32::NAN, f32::INFINITY] {
            assert_eq!(defined(&beside(&changed(value), &class, &score)), [0, 3], "{value}");
        }
        for columns in [0, 2] {
            let equal = Matrix::new(60, columns, vec![0.1; 60 * columns]).unwrap();
            assert_eq!(defined(&beside(&equal, &class, &score)), [0, 3], "{columns} equal columns");
        }
        let unscored: Vec<f64> = class.iter().map(|first| if *first { f64::NAN } else { 1.0 }).collect();
        for unscored in [vec![f64::NAN; 60], unscored] {
            assert_eq!(defined(&beside(&points, &class, &unscored)), [8, 0]);
        }
        assert_eq!(defined(&beside(&Matrix::new(0, 2, vec![]).unwrap(), &[], &[])), [0, 0]);
    }

    #[test]
    fn ratios_to_nothing_are_none() {
        let on = |x: [f32; 4]| beside(&Matrix::new(4, 1, x.to_vec()).unwrap(), &[true, true, false, false], &[0.0; 4]);
        let parted = on([1.0, 1.0, 2.0, 2.0]);
        assert_eq!((parted.fisher, parted.calinski_harabasz, parted.compactness), (None, None, Some(0.0)));
        assert_eq!((parted.davies_bouldin, parted.silhouette, parted.distance_consistency), (Some(0.0), Some(1.0), Some(1.0)));
        let around = on([-1.0, 1.0, -2.0, 2.0]);
        assert_eq!((around.fisher, around.calinski_harabasz, around.compactness), (Some(0.0), Some(0.0), Some(1.0)));
        assert_eq!((around.davies_bouldin, around.distance_consistency), (None, None), "the centroids coincide");
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let (points, class, score) = cloud(700, 5, 4);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| beside(&points, &class, &score))
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16));
        crate::numeric::multiversion::each_level(|level| assert!(one == with(2), "{level:?}"));
    }
}
