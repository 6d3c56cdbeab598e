//! Finding images in a study's features: those that are like one of them, and those that fit a condition on labels.
//!
//! The images that fit are ranked by a linear probe that was not fitted on their own identity, where both classes have enough identities for
//! one; else by their likeness to the mean of the images that fit, those of their own identity left out. A probe weighs the columns that tell
//! the class; a mean weighs all of them, and so follows what else the few examples share.

use super::{
    probe::{ProbeTask, probe},
    retrieval::{Directions, Gallery, halves_and_folds},
};
use crate::{
    domain::{comparison::Expression, retrieval::Unscored, score::LEAST_IDENTITIES},
    numeric::Matrix,
    scoring::design::members::{Setting, groups},
};
use std::collections::BTreeMap;

/// Images in an order, each by its row.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundImages {
    /// What the scores are.
    pub by: RankedBy,
    /// Row and score, the highest first; equal scores by row.
    pub ranked: Vec<(usize, f64)>,
    /// Images that are not ranked, for a label that is asked for is missing.
    pub unlabelled: usize,
}

/// What images are ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankedBy {
    /// The cosine with one image, features less the mean of all.
    Likeness,
    /// The log-odds of a linear probe that was not fitted on the image's identity.
    Probe,
    /// The cosine with the mean of the images that fit, without those of the image's identity.
    Mean,
}

/// The images that are like that of `row`, which is left out. `None` where a feature is not finite, there is none, or there is no such row.
pub fn images_like(features: &Matrix, row: usize) -> Option<FoundImages> {
    let others: Vec<usize> = (0..features.rows()).filter(|other| *other != row).collect();
    if row >= features.rows() || features.columns() == 0 || features.first_not_finite().is_some() {
        return None;
    }
    let directions = Directions::of(features);
    let likeness = directions.likeness(&others, &[directions.mean(&[row])]).remove(0);
    Some(FoundImages { by: RankedBy::Likeness, ranked: sorted(others, likeness), unlabelled: 0 })
}

/// The images that fit, first; of every image whose labels say whether it does.
///
/// # Errors
/// Why nothing can be ranked.
pub fn images_that_fit(setting: &Setting, features: &Matrix, wanted: &Expression, seed: u64) -> Result<FoundImages, Unscored> {
    let gallery = Gallery::of(setting, &groups(setting), wanted);
    if let Some(why) = gallery.unscored() {
        return Err(why);
    }
    if features.columns() == 0 || features.first_not_finite().is_some() {
        return Err(Unscored::NotFinite);
    }
    let unlabelled = setting.images.len() - gallery.rows.len();
    let others: Vec<usize> = (0..gallery.rows.len()).filter(|&member| !gallery.wanted[member]).collect();
    let identities = [gallery.positives(), others].map(|members| gallery.identities(&members));
    if identities.into_iter().all(|identities| identities >= LEAST_IDENTITIES)
        && let Some(scores) = by_probe(features, &gallery, seed)
    {
        return Ok(FoundImages { by: RankedBy::Probe, ranked: sorted(gallery.rows, scores), unlabelled });
    }
    let scores = by_mean(features, &gallery);
    Ok(FoundImages { by: RankedBy::Mean, ranked: sorted(gallery.rows, scores), unlabelled })
}

/// `None` where a fold's training images lack a class.
fn by_probe(features: &Matrix, gallery: &Gallery, seed: u64) -> Option<Vec<f64>> {
    let (mut target, mut fold) = (vec![None; features.rows()], vec![0; features.rows()]);
    let folds = halves_and_folds(gallery, seed).fold;
    for (member, &row) in gallery.rows.iter().enumerate() {
        (target[row], fold[row]) = (Some(gallery.wanted[member]), folds[member]);
    }
    let log_odds = probe(features, &[ProbeTask { target: &target, fold: &fold, weight: None }]).remove(0);
    let scores: Vec<f64> = gallery.rows.iter().map(|&row| log_odds[row]).collect();
    scores.iter().all(|score| score.is_finite()).then_some(scores)
}

fn by_mean(features: &Matrix, gallery: &Gallery) -> Vec<f64> {
    let directions = Directions::of(features);
    let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for member in gallery.positives() {
        rows.entry(gallery.identity[member]).or_default().push(gallery.rows[member]);
    }
    let all: Vec<usize> = rows.values().flatten().copied().collect();
    let mean_of_all = directions.mean(&all);
    let mut scores = directions.likeness(&gallery.rows, &[mean_of_all]).remove(0);
    // Those of an identity that fits are held against the mean of the others.
    for identity in rows.keys() {
        let others: Vec<usize> =
            rows.iter().filter(|(other, _)| *other != identity).flat_map(|(_, rows)| rows).copied().collect();
        let own: Vec<usize> = (0..gallery.rows.len()).filter(|&member| gallery.identity[member] == *identity).collect();
        let own_rows: Vec<usize> = own.iter().map(|&member| gallery.rows[member]).collect();
        let likeness = directions.likeness(&own_rows, &[directions.mean(&others)]).remove(0);
        own.into_iter().zip(likeness).for_each(|(member, score)| scores[member] = score);
    }
    scores
}

fn sorted(rows: Vec<usize>, scores: Vec<f64>) -> Vec<(usize, f64)> {
    let mut ranked: Vec<(usize, f64)> = rows.into_iter().zip(scores).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::image::{Column, Images, Labels},
        numeric::PhiloxStream,
    };

    /// People of two images; the first `wanted` of them are moved along the first column.
    struct Scene {
        images: Images,
        identities: Column,
        labels: Labels,
        features: Matrix,
    }

    fn scene(people: usize, wanted: usize) -> Scene {
        let mut stream = PhiloxStream::for_test(12, 0);
        let id = |i: usize| format!("{i:04}");
        let n = 2 * people;
        let values = (0..n).flat_map(|i| (0..6).map(move |k| (i, k)));
        let values: Vec<f32> =
            values.map(|(i, k)| (stream.normals(1.0)[0] + if k == 0 && i / 2 < wanted { 4.0 } else { 0.0 }) as f32).collect();
        Scene {
            images: Images((0..n).map(|i| (id(i), None)).collect()),
            identities: (0..n).map(|i| (id(i), format!("p{}", i / 2))).collect(),
            labels: [("x".to_owned(), (0..n - 1).map(|i| (id(i), u8::from(i / 2 < wanted).to_string())).collect::<Column>())]
                .into_iter()
                .collect(),
            features: Matrix::new(n, 6, values).unwrap(),
        }
    }

    fn fitting(scene: &Scene) -> Result<FoundImages, Unscored> {
        let setting = Setting { images: &scene.images, labels: &scene.labels, identities: Some(&scene.identities) };
        images_that_fit(&setting, &scene.features, &"x".parse().unwrap(), 3)
    }

    #[test]
    fn of_many_identities_a_probe_ranks_and_of_few_their_mean() {
        for (people, wanted, by) in [(100, 30, RankedBy::Probe), (100, 8, RankedBy::Mean)] {
            let scene = scene(people, wanted);
            let found = fitting(&scene).unwrap();
            assert_eq!((found.by, found.unlabelled, found.ranked.len()), (by, 1, 2 * people - 1));
            let first = found.ranked[..2 * wanted].iter().filter(|(row, _)| row / 2 < wanted).count();
            assert!(first * 10 > 2 * wanted * 8, "{by:?}: {first} of {}", 2 * wanted);
            assert!(found.ranked.windows(2).all(|two| two[0].1 >= two[1].1));
        }
    }

    #[test]
    fn an_image_is_never_scored_by_its_own_identity() {
        // Of two identities that fit, each is held against the other alone.
        let scene = scene(40, 2);
        let found = fitting(&scene).unwrap();
        let directions = Directions::of(&scene.features);
        let score = found.ranked.iter().find(|(row, _)| *row == 0).unwrap().1;
        let by_hand = directions.likeness(&[0], &[directions.mean(&[2, 3])])[0][0];
        assert_eq!(score, by_hand);
        assert_eq!(fitting(&self::scene(40, 0)).unwrap_err(), Unscored::Nobody);
        assert_eq!(fitting(&self::scene(40, 1)).unwrap_err(), Unscored::OneIdentity);
    }

    #[test]
    fn what_is_like_an_image_is_first_and_the_image_itself_is_not_there() {
        let values = vec![1.0, 0.0, 0.9, 0.1, 0.0, 1.0, -1.0, 0.0];
        let features = Matrix::new(4, 2, values).unwrap();
        let found = images_like(&features, 0).unwrap();
        assert_eq!(found.ranked.iter().map(|(row, _)| *row).collect::<Vec<_>>()[0], 1);
        assert_eq!(found.ranked.len(), 3);
        assert!(found.ranked.iter().all(|(row, score)| *row != 0 && (-1.0..=1.000_001).contains(score)));
        assert_eq!(images_like(&features, 4), None);
        assert_eq!(images_like(&Matrix::new(1, 1, vec![f32::NAN]).unwrap(), 0), None);
    }
}
