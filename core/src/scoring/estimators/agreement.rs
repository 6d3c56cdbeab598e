//! How far two annotators agree beyond chance: Cohen's κ (Cohen 1960) with its interval (Fleiss, Cohen and Everitt 1969).

use crate::domain::{agreement::Agreement, annotation::AnnotatorLabels, score::Estimate};
use std::collections::BTreeMap;

/// Of fewer pictures the interval is not said: its variance is that of large samples.
const LEAST: usize = 20;

/// Cohen's κ of two annotators. `pairs`: for each picture that both labelled, the place of the first one's class and of the second
/// one's, below `classes`.
///
/// `None` where κ is not defined: no picture, or both named one class only. The interval is missing for fewer than 20 pictures, and
/// where the variance is estimated as zero (both agree on every picture).
pub fn cohens_kappa(pairs: &[(usize, usize)], classes: usize) -> Option<Estimate> {
    let n = pairs.len() as f64;
    // Classes may be as many as pictures: only what occurs is kept.
    let mut shares: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    pairs.iter().for_each(|pair| *shares.entry(*pair).or_default() += 1.0);
    shares.values_mut().for_each(|count| *count /= n);
    let (mut of_first, mut of_second) = (vec![0.0; classes], vec![0.0; classes]);
    for (&(first, second), share) in &shares {
        of_first[first] += share;
        of_second[second] += share;
    }
    let observed: f64 = shares.iter().filter(|((first, second), _)| first == second).map(|(_, share)| share).sum();
    let expected: f64 = of_first.iter().zip(&of_second).map(|(a, b)| a * b).sum();
    if pairs.is_empty() || 1.0 - expected < 1e-12 {
        return None;
    }
    let kappa = (observed - expected) / (1.0 - expected);
    let mut variance = -(kappa - expected * (1.0 - kappa)).powi(2);
    for (&(first, second), share) in &shares {
        let marginals = of_second[first] + of_first[second];
        let weight = if first == second { 1.0 - marginals * (1.0 - kappa) } else { (1.0 - kappa) * marginals };
        variance += share * weight.powi(2);
    }
    let variance = variance / (n * (1.0 - expected).powi(2));
    if pairs.len() < LEAST || variance <= 1e-12 {
        return Some(Estimate::bare(kappa));
    }
    let half = 1.959_963_984_540_054 * variance.sqrt();
    Some(Estimate::new(kappa, (kappa - half).max(-1.0), (kappa + half).min(1.0)))
}

/// Every two annotators, on the images that both labelled.
pub fn agreements(annotators: &[AnnotatorLabels]) -> Vec<Agreement> {
    let pairs =
        annotators.iter().enumerate().flat_map(|(at, first)| annotators[at + 1..].iter().map(move |second| (first, second)));
    pairs.map(|(first, second)| agreement(first, second)).collect()
}

fn agreement(first: &AnnotatorLabels, second: &AnnotatorLabels) -> Agreement {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut place = |class| {
        let next = places.len();
        *places.entry(class).or_insert(next)
    };
    let shared = first.labels.iter().filter_map(|(image, class)| Some((class, second.labels.get(image)?)));
    let pairs: Vec<(usize, usize)> = shared.map(|(a, b)| (place(a), place(b))).collect();
    Agreement {
        annotators: [first.annotator.clone(), second.annotator.clone()],
        shared: pairs.len(),
        differ: pairs.iter().filter(|(a, b)| a != b).count(),
        kappa: cohens_kappa(&pairs, places.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(annotator: &str, classes: &[(usize, &str)]) -> AnnotatorLabels {
        let labels = classes.iter().map(|(image, class)| (image.to_string(), (*class).to_owned()));
        AnnotatorLabels { annotator: annotator.to_owned(), labels: labels.collect() }
    }

    #[test]
    fn every_two_annotators_are_held_against_each_other_on_what_both_labelled() {
        let three = [by("a", &[(1, "x"), (2, "y"), (3, "x")]), by("b", &[(2, "y"), (3, "y")]), by("c", &[(9, "x")])];
        let found: Vec<(String, usize, usize)> =
            agreements(&three).into_iter().map(|of| (of.annotators.join(" "), of.shared, of.differ)).collect();
        assert_eq!(found, [("a b".to_owned(), 2, 1), ("a c".to_owned(), 0, 0), ("b c".to_owned(), 0, 0)]);
    }

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
    fn classes_may_be_as_many_as_pictures() {
        let pairs: Vec<(usize, usize)> = (0..100_000).map(|place| (place, place + usize::from(place % 2 == 0))).collect();
        let kappa = cohens_kappa(&pairs, 100_001).unwrap();
        assert!((kappa.value - 0.5).abs() < 1e-4, "{kappa:?}");
    }

    #[test]
    fn few_pictures_have_no_interval() {
        assert_eq!(cohens_kappa(&pairs(&[&[9, 1], &[1, 8]]), 2).unwrap().interval, None);
    }
}
