//! Who takes part in a question, in which classes, and who belongs together.

use crate::domain::{
    comparison::{Measured, Question},
    image::{Column, Images, Labels},
    score::Counts,
};
use std::collections::{BTreeMap, BTreeSet};

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
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (row, (id, digest)) in setting.images.0.iter().enumerate() {
        let identity = setting.identities.and_then(|column| column.0.get(id)).map(|identity| format!("identity {identity}"));
        let picture = digest.map(|digest| format!("picture {digest}"));
        for sign in identity.into_iter().chain(picture) {
            let other = root(&parent, *first.entry(sign).or_insert(row));
            let own = root(&parent, row);
            parent[own.max(other)] = own.min(other);
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
    for (row, id) in setting.images.ids().enumerate() {
        let label = |attribute: &str| setting.labels.of(attribute, id);
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
