//! What a supervised projection learns from: the class and the fold of every image. Images of one identity or of one picture share a
//! fold, so that no image is placed by a fit that knew its label, or another image of its identity.

use super::{
    members::{Setting, groups},
    split::{FOLDS, split},
};
use crate::domain::projection::LearnedLabels;
use std::collections::BTreeMap;

/// The labels and folds behind a [`Supervision`](crate::projection::Supervision), by image.
pub struct LearnedClasses {
    /// The class of each image, from 0; `None`: not known, in no class, or in several.
    pub classes: Vec<Option<usize>>,
    /// The fold of each image, below 5.
    pub folds: Vec<usize>,
}

impl LearnedClasses {
    /// Of identities the pictures are dealt to folds, of classes the identities, by `seed`.
    pub fn of(setting: &Setting, labels: &LearnedLabels, seed: u64) -> Self {
        match labels {
            LearnedLabels::Identity => of_identities(setting),
            LearnedLabels::Classes(question) => {
                let (members, group) = (setting.members(question), groups(setting));
                let split = split(&members, &group, seed);
                let mut fold_of_group: BTreeMap<usize, usize> = BTreeMap::new();
                let mut classes = vec![None; setting.images.len()];
                for (member, row) in members.rows.iter().enumerate() {
                    fold_of_group.insert(group[*row], split.fold[member]);
                    let mut own = (0..members.classes.len()).filter(|class| members.classes[*class][member]);
                    if let (Some(class), None) = (own.next(), own.next()) {
                        classes[*row] = Some(class);
                    }
                }
                let folds = group.iter().map(|group| fold_of_group.get(group).copied().unwrap_or(group % FOLDS)).collect();
                LearnedClasses { classes, folds }
            }
        }
    }
}

/// The k-th picture of an identity is in fold k mod 5; copies of a picture are one.
fn of_identities(setting: &Setting) -> LearnedClasses {
    let identities =
        setting.identities.map(|column| column.aligned(setting.images)).unwrap_or_else(|| vec![None; setting.images.len()]);
    let mut number: BTreeMap<&str, usize> = BTreeMap::new();
    let mut pictures: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut fold_of_picture = BTreeMap::new();
    let (mut classes, mut folds) = (Vec::new(), Vec::new());
    for (row, (_, digest)) in setting.images.0.iter().enumerate() {
        let next = number.len();
        let class = identities[row].map(|identity| *number.entry(identity).or_insert(next));
        classes.push(class);
        let dealt = pictures.entry(class.unwrap_or(usize::MAX)).or_default();
        let fold = match digest.as_ref().and_then(|digest| fold_of_picture.get(digest)) {
            Some(fold) => *fold,
            None => {
                dealt.push(row);
                (dealt.len() - 1) % FOLDS
            }
        };
        if let Some(digest) = digest {
            fold_of_picture.insert(*digest, fold);
        }
        folds.push(fold);
    }
    LearnedClasses { classes, folds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Digest,
        comparison::{Expression, Measured, Question},
        image::{Column, Images, Labels},
    };

    fn images(n: usize) -> Images {
        // The last two are one picture.
        Images((0..n).map(|i| (format!("{i:03}"), Some(Digest::of(&[i.min(n - 2) as u8])))).collect())
    }

    #[test]
    fn pictures_of_an_identity_are_dealt_to_folds_and_copies_stay_together() {
        let images = images(20);
        let identities: Column = (0..20).map(|i| (format!("{i:03}"), format!("p{}", i / 10))).collect();
        let setting = Setting { images: &images, labels: &Labels::default(), identities: Some(&identities) };
        let found = LearnedClasses::of(&setting, &LearnedLabels::Identity, 1);
        assert_eq!(found.classes, (0..20).map(|i| Some(i / 10)).collect::<Vec<_>>());
        assert_eq!(found.folds[..10], [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
        assert_eq!(found.folds[18], found.folds[19]);
    }

    #[test]
    fn identities_keep_to_one_fold_where_a_comparison_is_learned() {
        let images = images(40);
        let identities: Column = (0..40).map(|i| (format!("{i:03}"), format!("p{}", i / 4))).collect();
        let hats: Column = (0..40).filter(|i| *i != 7).map(|i| (format!("{i:03}"), (i % 3 == 0).to_string())).collect();
        let labels: Labels = [("hat".to_owned(), hats)].into_iter().collect();
        let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
        let classes = ["hat = true", "hat = false"].map(|text| text.parse::<Expression>().unwrap()).to_vec();
        let question = Question { measured: Measured::Classes(classes), within: None };
        let found = LearnedClasses::of(&setting, &LearnedLabels::Classes(question), 1);
        assert_eq!((found.classes[6], found.classes[7], found.classes[8]), (Some(0), None, Some(1)));
        for i in 0..40 {
            assert_eq!(found.folds[i], found.folds[i / 4 * 4], "image {i}");
        }
        assert!((0..5).all(|fold| found.folds.contains(&fold)));
    }
}
