//! The images of a study, and which of them belong to one identity. Which images are in a class is decided in `domain/membership.rs`.

use crate::domain::{
    comparison::Question,
    image::{Column, Images, Labels},
    membership::Members,
};
use std::collections::{BTreeMap, HashMap};

/// The images that all scores of a study are about.
pub struct Setting<'a> {
    /// Rows of features and points are in their order.
    pub images: &'a Images,
    /// Their attributes.
    pub labels: &'a Labels,
    /// Who is on each image; without it every image is an identity of its own, but for copies of one picture.
    pub identities: Option<&'a Column>,
}

impl Setting<'_> {
    /// The images that take part in a question, with their classes.
    pub fn members(&self, question: &Question) -> Members {
        Members::of(self.images, self.labels, question)
    }
}

/// By image, the number of its group: images of one identity, or of the same picture, are in one group. Numbered from 0 in the order of
/// images.
pub(crate) fn groups(setting: &Setting) -> Vec<usize> {
    // Union-find, by smallest row: there are few merges, so no ranks are needed.
    let mut parent: Vec<usize> = (0..setting.images.len()).collect();
    fn root(parent: &[usize], mut i: usize) -> usize {
        while parent[i] != i {
            i = parent[i];
        }
        i
    }
    let identities = setting.identities.map(|column| column.aligned(setting.images));
    let (mut first_of_identity, mut first_of_picture) = (HashMap::new(), HashMap::new());
    let mut join = |row: usize, other: usize| {
        let (other, own) = (root(&parent, other), root(&parent, row));
        parent[own.max(other)] = own.min(other);
    };
    for (row, (_, digest)) in setting.images.0.iter().enumerate() {
        if let Some(identity) = identities.as_ref().and_then(|identities| identities[row]) {
            join(row, *first_of_identity.entry(identity).or_insert(row));
        }
        if let Some(digest) = digest {
            join(row, *first_of_picture.entry(digest).or_insert(row));
        }
    }
    let mut number = BTreeMap::new();
    (0..parent.len())
        .map(|row| root(&parent, row))
        .map(|root| {
            let next = number.len();
            *number.entry(root).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::Digest;

    #[test]
    fn images_of_one_identity_or_one_picture_are_in_one_group() {
        let digests = [None, Some(1), None, Some(1), None];
        let images = Images(
            digests
                .iter()
                .enumerate()
                .map(|(i, digest)| (i.to_string(), digest.map(|digest: u8| Digest::of(&[digest]))))
                .collect(),
        );
        let identities: Column = [("0", "p"), ("1", "p"), ("4", "q")].map(|(id, of)| (id, of.to_owned())).into_iter().collect();
        let labels = Labels::default();
        let with = |identities| groups(&Setting { images: &images, labels: &labels, identities });
        // The fourth image is a copy of the second, and so belongs to identity p.
        assert_eq!(with(Some(&identities)), [0, 0, 1, 0, 2]);
        assert_eq!(with(None), [0, 1, 2, 1, 3]);
    }
}
