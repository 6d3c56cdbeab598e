//! What all scores of a study are about, and which of its images belong together. Who is in which class, `domain/membership.rs` says.

use crate::domain::{
    comparison::Question,
    image::{Column, Images, Labels},
    membership::Members,
};
use std::collections::{BTreeMap, HashMap};

/// The images all scores of a study are about.
pub struct Setting<'a> {
    pub images: &'a Images,
    pub labels: &'a Labels,
    pub identities: Option<&'a Column>,
}

impl Setting<'_> {
    pub fn members(&self, question: &Question) -> Members {
        Members::of(self.images, self.labels, question)
    }
}

/// Images that belong together: one identity, or the same picture. Numbered from 0 in the images' order.
pub fn groups(setting: &Setting) -> Vec<usize> {
    // Union by smallest row: few merges, so no ranks are needed.
    let mut parent: Vec<usize> = (0..setting.images.len()).collect();
    fn root(parent: &[usize], mut i: usize) -> usize {
        while parent[i] != i {
            i = parent[i];
        }
        i
    }
    let identities = setting.identities.map(|column| column.aligned(setting.images));
    let (mut people, mut pictures) = (HashMap::new(), HashMap::new());
    let mut join = |row: usize, other: usize| {
        let (other, own) = (root(&parent, other), root(&parent, row));
        parent[own.max(other)] = own.min(other);
    };
    for (row, (_, digest)) in setting.images.0.iter().enumerate() {
        if let Some(identity) = identities.as_ref().and_then(|identities| identities[row]) {
            join(row, *people.entry(identity).or_insert(row));
        }
        if let Some(digest) = digest {
            join(row, *pictures.entry(digest).or_insert(row));
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
