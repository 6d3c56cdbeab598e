//! Who takes part in a question, in which classes, and who belongs together.

use crate::domain::{
    comparison::{Measured, Question},
    image::{Column, Images, Labels},
    score::Counts,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The images all scores of a study are about.
pub struct Setting<'a> {
    pub images: &'a Images,
    pub labels: &'a Labels,
    pub identities: Option<&'a Column>,
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

/// The images of one question.
pub struct Members {
    /// Rows (of the images) that take part.
    pub rows: Vec<usize>,
    /// Per class, per entry of `rows`: is it a member?
    pub classes: Vec<Vec<bool>>,
    /// Per entry of `rows`: the quantity, for such a question.
    pub quantity: Option<Vec<f64>>,
    /// Labelled images in no class.
    pub none: usize,
}

pub fn members(setting: &Setting, question: &Question) -> Members {
    let width = question.width();
    let mut members = Members { rows: vec![], classes: vec![vec![]; width], quantity: None, none: 0 };
    let mut quantity = Vec::new();
    let columns: Vec<(&str, Vec<Option<&str>>)> = question
        .attributes()
        .into_iter()
        .filter_map(|attribute| Some((attribute, setting.labels.get(attribute)?.aligned(setting.images))))
        .collect();
    for row in 0..setting.images.len() {
        let label = |attribute: &str| columns.iter().find(|(name, _)| *name == attribute).and_then(|(_, values)| values[row]);
        if question.within.as_ref().is_some_and(|within| within.holds(&label) != Some(true)) {
            continue;
        }
        let belongs: Vec<bool> = match &question.measured {
            Measured::Quantity(attribute) => {
                match label(attribute).and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite()) {
                    Some(value) => {
                        quantity.push(value);
                        vec![true]
                    }
                    None => continue,
                }
            }
            Measured::Classes(classes) => match classes.iter().map(|class| class.holds(&label)).collect::<Option<Vec<bool>>>() {
                Some(belongs) => belongs,
                None => continue,
            },
        };
        if !belongs.contains(&true) {
            members.none += 1;
            continue;
        }
        members.rows.push(row);
        members.classes.iter_mut().zip(belongs).for_each(|(class, belongs)| class.push(belongs));
    }
    if matches!(question.measured, Measured::Quantity(_)) {
        members.quantity = Some(quantity);
    }
    members
}

impl Members {
    /// Counts over the members that `takes` says take part; `group` is by row.
    pub fn counts(&self, group: &[usize], takes: impl Fn(usize) -> bool) -> Counts {
        let part: Vec<usize> = (0..self.rows.len()).filter(|&i| takes(i)).collect();
        let of = |set: &[bool]| part.iter().copied().filter(|&i| set[i]).collect::<Vec<_>>();
        let people = |rows: &[usize]| rows.iter().map(|&i| group[self.rows[i]]).collect::<BTreeSet<_>>().len();
        let width = self.classes.len();
        let alone = |p: usize| {
            (0..width)
                .filter(|&q| q != p)
                .map(|q| of(&self.exclusive(p, q)))
                .min_by_key(Vec::len)
                .unwrap_or_else(|| of(&self.classes[p]))
        };
        let exclusive: Vec<Vec<usize>> = (0..width).map(alone).collect();
        Counts {
            n: part.len(),
            classes: self.classes.iter().map(|class| of(class).len()).collect(),
            exclusive: exclusive.iter().map(Vec::len).collect(),
            identities: exclusive.iter().map(|rows| people(rows)).collect(),
            people: people(&part),
            several: part.iter().filter(|&&i| self.classes.iter().filter(|class| class[i]).count() > 1).count(),
            none: self.none,
        }
    }

    /// Members of class `p` that are not in class `q`: what a pair compares.
    pub fn exclusive(&self, p: usize, q: usize) -> Vec<bool> {
        self.classes[p].iter().zip(&self.classes[q]).map(|(p, q)| *p && !*q).collect()
    }
}
