//! Verification on given pairs, by the protocol of LFW (Huang et al., 2007) as InsightFace computes it
//! (`recognition/_evaluation_/verification.py`): the features of a picture and of its mirror image, added, are brought to length 1;
//! the distance of a pair is squared and Euclidean; the pairs are cut into ten folds in their order. The threshold of a fold is the one
//! of 0, 0.01 … 3.99 that most pairs of the other nine folds are right at, the smallest of several. TAR at FAR: the threshold at which
//! the other nine folds have this FAR, between those of 0, 0.001 … 3.999.

use crate::{
    domain::pairs::{OverFolds, PairVerification, Pairs},
    numeric::{Matrix, sum},
};

/// Into how many folds the pairs are cut.
const FOLDS: usize = 10;
/// Thresholds of accuracies, and what lies between them.
const COARSE: (usize, f64) = (400, 0.01);
/// The same, of TAR at FAR.
const FINE: (usize, f64) = (4000, 0.001);

/// Why pairs cannot be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// A fold would be empty.
    #[error("fewer than ten pairs: there would be a fold without one")]
    TooFew,
    /// A rate would be of nothing; folds count from 1.
    #[error("of ten folds in the order of the pairs, fold {0} or the rest has no pairs of one identity, or none of two")]
    OneSided(usize),
    /// A feature that is no number; pairs count from 1.
    #[error("the features of pair {0} are not finite")]
    NotFinite(usize),
}

/// The squared distances of pairs of rows of the features (pictures × D), each row brought to length 1. The features are sums of those of
/// a picture and of its mirror image.
///
/// # Panics
/// When a pair names a row that is not there.
pub fn pair_distances(features: &Matrix, pairs: &Pairs) -> Vec<f64> {
    let unit = |row: usize| -> Vec<f64> {
        let mut unit: Vec<f64> = features.row(row).iter().map(|value| f64::from(*value)).collect();
        let length = sum::dot(&unit, &unit).sqrt();
        if length > 0.0 {
            unit.iter_mut().for_each(|value| *value /= length);
        }
        unit
    };
    let squared = |[one, other]: &[usize; 2]| {
        let apart: Vec<f64> = unit(*one).iter().zip(unit(*other)).map(|(one, other)| one - other).collect();
        sum::dot(&apart, &apart)
    };
    pairs.rows.iter().map(squared).collect()
}

/// Distances of the pairs of one identity and of two, each sorted.
struct Sides([Vec<f64>; 2]);

impl Sides {
    fn of(pairs: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut sides = [vec![], vec![]];
        pairs.for_each(|(distance, is_same)| sides[usize::from(!is_same)].push(distance));
        sides.iter_mut().for_each(|side: &mut Vec<f64>| side.sort_unstable_by(f64::total_cmp));
        Sides(sides)
    }

    /// How many pairs of one identity, and of two, are nearer than this.
    fn accepted(&self, threshold: f64) -> [usize; 2] {
        self.0.each_ref().map(|side| side.partition_point(|distance| *distance < threshold))
    }

    fn sizes(&self) -> [usize; 2] {
        self.0.each_ref().map(Vec::len)
    }

    /// How many pairs are right at a threshold.
    fn right(&self, threshold: f64) -> usize {
        let [same, different] = self.accepted(threshold);
        same + self.0[1].len() - different
    }

    /// The shares of pairs of one identity, and of two, that are accepted.
    fn rates(&self, threshold: f64) -> [f64; 2] {
        let (accepted, sizes) = (self.accepted(threshold), self.sizes());
        [0, 1].map(|side| accepted[side] as f64 / sizes[side] as f64)
    }

    /// The threshold that most pairs are right at; the smallest of several.
    fn best(&self) -> f64 {
        let mut best = (0, 0.0);
        for threshold in grid(COARSE) {
            let right = self.right(threshold);
            if right > best.0 {
                best = (right, threshold);
            }
        }
        best.1
    }

    /// The threshold of this FAR, on the line between the two of the grid around it; 0 where none has as much.
    fn threshold_at(&self, far: f64) -> f64 {
        let mut below = (0.0, 0.0);
        for threshold in grid(FINE) {
            let rate = self.rates(threshold)[1];
            if rate > far {
                let (last_rate, last) = below;
                return last + (far - last_rate) / (rate - last_rate) * (threshold - last);
            }
            below = (rate, threshold);
        }
        if below.0 >= far { below.1 } else { 0.0 }
    }
}

fn grid((count, apart): (usize, f64)) -> impl Iterator<Item = f64> {
    (0..count).map(move |place| place as f64 * apart)
}

/// Can pairs with these answers be verified?
///
/// # Errors
/// Fewer than ten pairs; a fold without pairs of one kind.
pub fn can_verify(is_same: &[bool]) -> Result<(), PairError> {
    if is_same.len() < FOLDS {
        return Err(PairError::TooFew);
    }
    let both = |answers: &[bool]| answers.contains(&true) && answers.contains(&false);
    let one_sided = folds(is_same.len()).position(|range| {
        let others = [&is_same[..range.start], &is_same[range.end..]].concat();
        !both(&is_same[range]) || !both(&others)
    });
    one_sided.map_or(Ok(()), |fold| Err(PairError::OneSided(fold + 1)))
}

/// Accuracy and TAR at this FAR over ten folds of pairs, given their squared distances and whether each is of one identity.
///
/// # Errors
/// Fewer than ten pairs; a fold without pairs of one kind; a distance that is no number.
///
/// # Panics
/// When there are not as many distances as answers.
pub fn verify_pairs(distances: &[f64], is_same: &[bool], far: f64) -> Result<PairVerification, PairError> {
    assert_eq!(distances.len(), is_same.len(), "an answer a pair");
    if let Some(place) = distances.iter().position(|distance| !distance.is_finite()) {
        return Err(PairError::NotFinite(place + 1));
    }
    can_verify(is_same)?;
    let (mut accuracies, mut thresholds, mut tars, mut fars) = (vec![], vec![], vec![], vec![]);
    let pairs = || distances.iter().copied().zip(is_same.iter().copied());
    for range in folds(distances.len()) {
        let tested = Sides::of(pairs().skip(range.start).take(range.len()));
        let others = Sides::of(pairs().enumerate().filter(|(place, _)| !range.contains(place)).map(|(_, pair)| pair));
        let threshold = others.best();
        accuracies.push(tested.right(threshold) as f64 / range.len() as f64);
        thresholds.push(threshold);
        let [tar, false_accepts] = tested.rates(others.threshold_at(far));
        tars.push(tar);
        fars.push(false_accepts);
    }
    let same = is_same.iter().filter(|is_same| **is_same).count();
    Ok(PairVerification {
        format: 1,
        same,
        different: is_same.len() - same,
        accuracy: over_folds(&accuracies),
        thresholds,
        target_far: far,
        tar: over_folds(&tars),
        far: over_folds(&fars).mean,
    })
}

/// Folds that follow each other; the first ones have one pair more where the pairs cannot be cut evenly.
fn folds(pairs: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let (least, longer) = (pairs / FOLDS, pairs % FOLDS);
    let start = move |fold: usize| fold * least + fold.min(longer);
    (0..FOLDS).map(move |fold| start(fold)..start(fold + 1))
}

fn over_folds(values: &[f64]) -> OverFolds {
    let mean = sum::mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    OverFolds { mean, deviation: sum::mean(&squares).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What InsightFace's functions gave: `tests/pairs.py`.
    #[derive(serde::Deserialize)]
    struct Case {
        features: Vec<Vec<f32>>,
        mirrored: Vec<Vec<f32>>,
        is_same: Vec<bool>,
        accuracy: f64,
        accuracy_std: f64,
        thresholds: Vec<f64>,
        far_target: f64,
        tar: f64,
        tar_std: f64,
        far: f64,
    }

    /// Rows 0 and 1, 2 and 3, and so on.
    fn following(pairs: usize) -> Pairs {
        Pairs { rows: (0..pairs).map(|pair| [2 * pair, 2 * pair + 1]).collect(), is_same: vec![true; pairs] }
    }

    fn matrix(rows: &[Vec<f32>]) -> Matrix {
        Matrix::new(rows.len(), rows[0].len(), rows.concat()).unwrap()
    }

    #[test]
    fn numbers_are_those_of_insightface() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/pairs.json");
        let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(cases.len(), 3);
        for (number, case) in cases.iter().enumerate() {
            // As extraction sums both ways: in single precision.
            let of_both = |(one, other): (&Vec<f32>, &Vec<f32>)| one.iter().zip(other).map(|(one, other)| one + other).collect();
            let sums: Vec<Vec<f32>> = case.features.iter().zip(&case.mirrored).map(of_both).collect();
            let distances = pair_distances(&matrix(&sums), &following(sums.len() / 2));
            let found = verify_pairs(&distances, &case.is_same, case.far_target).unwrap();
            let near = |what: &str, found: f64, expected: f64| {
                assert!((found - expected).abs() < 1e-6, "case {number}, {what}: {found}, not {expected}");
            };
            near("accuracy", found.accuracy.mean, case.accuracy);
            near("deviation of the accuracy", found.accuracy.deviation, case.accuracy_std);
            near("TAR", found.tar.mean, case.tar);
            near("deviation of the TAR", found.tar.deviation, case.tar_std);
            near("FAR", found.far, case.far);
            found.thresholds.iter().zip(&case.thresholds).for_each(|(found, expected)| near("threshold", *found, *expected));
            assert_eq!(found.same + found.different, case.is_same.len());
        }
    }

    #[test]
    fn distances_are_of_rows_of_length_one_wherever_they_stand() {
        let features =
            matrix(&[vec![3.0, 0.0], vec![0.0, 5.0], vec![1.0, 1.0], vec![-2.0, -2.0], vec![0.0, 0.0], vec![4.0, 0.0]]);
        let rows = vec![[0, 1], [2, 3], [4, 5], [5, 0], [3, 3]];
        let found = pair_distances(&features, &Pairs { is_same: vec![true; rows.len()], rows });
        let expected = [2.0, 4.0, 1.0, 0.0, 0.0];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn folds_follow_each_other_and_take_every_pair_once() {
        let sizes: Vec<usize> = folds(23).map(|fold| fold.len()).collect();
        assert_eq!(sizes, [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]);
        assert!(folds(23).flatten().eq(0..23));
    }

    #[test]
    fn what_cannot_be_verified_is_said() {
        let alternating: Vec<bool> = (0..20).map(|place| place % 2 == 0).collect();
        assert!(verify_pairs(&[0.5; 20], &alternating, 0.1).is_ok());
        assert_eq!(verify_pairs(&[0.5; 9], &alternating[..9], 0.1), Err(PairError::TooFew));
        let halves: Vec<bool> = (0..20).map(|place| place < 10).collect();
        assert_eq!(verify_pairs(&[0.5; 20], &halves, 0.1), Err(PairError::OneSided(1)));
        let mut distances = [0.5; 20];
        distances[7] = f64::NAN;
        assert_eq!(verify_pairs(&distances, &alternating, 0.1), Err(PairError::NotFinite(8)));
    }
}
