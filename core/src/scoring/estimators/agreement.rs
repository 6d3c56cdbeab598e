//! How far two annotators agree beyond chance: Cohen's κ (Cohen 1960) with its interval (Fleiss, Cohen and Everitt 1969).

use crate::domain::score::Estimate;

/// Of fewer pictures the interval is not said: its variance is that of large samples.
const LEAST: usize = 20;

/// Cohen's κ of two annotators. `pairs`: for each picture that both labelled, the place of the first one's class and of the second
/// one's, below `classes`.
///
/// `None` where κ is not defined: no picture, or both named one class only. The interval is missing for fewer than 20 pictures, and
/// where the variance is estimated as zero (both agree on every picture).
pub fn cohens_kappa(pairs: &[(usize, usize)], classes: usize) -> Option<Estimate> {
    let n = pairs.len() as f64;
    let mut share = vec![0.0; classes * classes];
    for &(first, second) in pairs {
        share[first * classes + second] += 1.0;
    }
    share.iter_mut().for_each(|count| *count /= n);
    let of_first: Vec<f64> = (0..classes).map(|i| (0..classes).map(|j| share[i * classes + j]).sum()).collect();
    let of_second: Vec<f64> = (0..classes).map(|j| (0..classes).map(|i| share[i * classes + j]).sum()).collect();
    let observed: f64 = (0..classes).map(|i| share[i * classes + i]).sum();
    let expected: f64 = of_first.iter().zip(&of_second).map(|(a, b)| a * b).sum();
    if pairs.is_empty() || 1.0 - expected < 1e-12 {
        return None;
    }
    let kappa = (observed - expected) / (1.0 - expected);
    let mut variance = -(kappa - expected * (1.0 - kappa)).powi(2);
    for i in 0..classes {
        for j in 0..classes {
            let marginals = of_second[i] + of_first[j];
            variance += share[i * classes + j]
                * if i == j { (1.0 - marginals * (1.0 - kappa)).powi(2) } else { ((1.0 - kappa) * marginals).powi(2) };
        }
    }
    let variance = variance / (n * (1.0 - expected).powi(2));
    if pairs.len() < LEAST || variance <= 1e-12 {
        return Some(Estimate::bare(kappa));
    }
    let half = 1.959_963_984_540_054 * variance.sqrt();
    Some(Estimate::new(kappa, (kappa - half).max(-1.0), (kappa + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(table: &[&[usize]]) -> Vec<(usize, usize)> {
        let cells = table.iter().enumerate().flat_map(|(i, row)| row.iter().enumerate().map(move |(j, count)| ((i, j), *count)));
        cells.flat_map(|(cell, count)| std::iter::repeat_n(cell, count)).collect()
    }

    /// statsmodels 0.15, `cohens_kappa`: kappa, kappa_low, kappa_upp.
    #[test]
    fn kappa_and_its_interval_are_those_of_statsmodels() {
        let found = cohens_kappa(&pairs(&[&[106, 10, 4], &[22, 28, 10], &[2, 12, 6]]), 3).unwrap();
        let expected = [0.428_571_428_571_428_5, 0.323_299_793_454_404_96, 0.533_843_063_688_452];
        for (found, expected) in [Some(found.value), found.low(), found.high()].into_iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?} {expected}");
        }
    }

    #[test]
    fn kappa_is_one_where_both_agree_and_zero_where_they_agree_by_chance() {
        assert_eq!(cohens_kappa(&pairs(&[&[30, 0], &[0, 10]]), 2), Some(Estimate::bare(1.0)));
        assert!(cohens_kappa(&pairs(&[&[25, 25], &[25, 25]]), 2).unwrap().value.abs() < 1e-12);
    }

    #[test]
    fn kappa_of_one_class_or_of_no_picture_is_not_defined() {
        assert_eq!(cohens_kappa(&pairs(&[&[30, 0], &[0, 0]]), 2), None);
        assert_eq!(cohens_kappa(&[], 2), None);
    }

    #[test]
    fn few_pictures_have_no_interval() {
        assert_eq!(cohens_kappa(&pairs(&[&[9, 1], &[1, 8]]), 2).unwrap().interval, None);
    }
}
