//! How often labels occur, overall and per group: counts, and rates with Wilson's interval.

use crate::{
    domain::{
        comparison::{Measured, Question},
        index::ComparisonIx,
        ledger::{Frequencies, Frequency, Group, Rate},
        score::Estimate,
    },
    scoring::{
        design::members::{Setting, groups},
        inference::proportion::{effective_images, wilson},
    },
};
use std::collections::{BTreeMap, BTreeSet};
use typed_index_collections::{TiSlice, TiVec};

/// An attribute with more values than this is not counted by value.
const MOST_VALUES: usize = 24;

/// Counts every value of `attributes`, and every class of the questions in every group. The groups are the values of the `fairness`
/// attributes and their intersections of up to `depth` attributes.
pub fn frequencies(
    setting: &Setting,
    attributes: &[String],
    questions: &TiSlice<ComparisonIx, Question>,
    fairness: &[String],
    depth: usize,
) -> Frequencies {
    let counter = LabelCounter { setting, identity: groups(setting), ids: setting.images.ids().collect() };
    let everybody: Vec<usize> = (0..counter.ids.len()).collect();
    // By question and class, whether an image is in it; nothing for a quantity.
    let classes = |question: &Question| match &question.measured {
        Measured::Quantity(_) => vec![],
        Measured::Classes(classes) => {
            let members = setting.members(question);
            (0..classes.len()).map(|class| members.is_in(class, counter.ids.len())).collect()
        }
    };
    let classes: TiVec<ComparisonIx, Vec<Vec<Option<bool>>>> = questions.iter().map(classes).collect();
    let group = |members: Vec<(String, String)>| {
        let in_group = |row: &usize| members.iter().all(|(attribute, value)| counter.value(attribute, *row) == Some(value));
        let rows: Vec<usize> = everybody.iter().copied().filter(in_group).collect();
        let class_rates =
            |classes: &Vec<Vec<Option<bool>>>| classes.iter().map(|is_in| counter.rate(&rows, &|row| is_in[row])).collect();
        Group { n: rows.len(), identities: counter.identities(&rows), rates: classes.iter().map(class_rates).collect(), members }
    };
    Frequencies {
        format: 1,
        images: counter.ids.len(),
        identities: counter.identities(&everybody),
        attributes: attributes.iter().flat_map(|attribute| counter.attribute(attribute, &everybody)).collect(),
        groups: intersections(setting, fairness, depth).into_iter().map(group).collect(),
    }
}

/// Counts labels among rows of images.
struct LabelCounter<'a> {
    setting: &'a Setting<'a>,
    /// By row, the number of its identity.
    identity: Vec<usize>,
    /// By row, the image's name.
    ids: Vec<&'a str>,
}

impl LabelCounter<'_> {
    fn value(&self, attribute: &str, row: usize) -> Option<&str> {
        self.setting.labels.of(attribute, self.ids[row])
    }

    /// Distinct identities.
    fn identities(&self, rows: &[usize]) -> usize {
        rows.iter().map(|&row| self.identity[row]).collect::<BTreeSet<_>>().len()
    }

    /// The share of positives among the rows that have a label.
    fn rate(&self, rows: &[usize], label: &dyn Fn(usize) -> Option<bool>) -> Rate {
        // Images of one identity are not independent: for each, its positives and its images.
        let mut by_identity: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for (row, positive) in rows.iter().filter_map(|&row| Some((row, label(row)?))) {
            let (positives, n) = by_identity.entry(self.identity[row]).or_default();
            *positives += usize::from(positive);
            *n += 1;
        }
        let identities = by_identity.len();
        let counts: Vec<(usize, usize)> = by_identity.into_values().collect();
        let (positives, n) = counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        let value = positives as f64 / n.max(1) as f64;
        let share = wilson(value, effective_images(&counts)).map(|(low, high)| Estimate::new(value, low, high));
        Rate { positives, n, identities, share }
    }

    /// One count of a binary attribute, one a value of another; nothing of a quantity.
    fn attribute(&self, attribute: &str, rows: &[usize]) -> Vec<Frequency> {
        let Some(column) = self.setting.labels.get(attribute) else { return vec![] };
        let frequency = |value: Option<&str>| {
            let counted = value.unwrap_or("1");
            let is_counted = |row: usize| self.value(attribute, row).map(|value| value == counted);
            Frequency { attribute: attribute.to_owned(), value: value.map(str::to_owned), rate: self.rate(rows, &is_counted) }
        };
        if column.is_binary() {
            vec![frequency(None)]
        } else if column.values().len() <= MOST_VALUES {
            column.values().into_iter().map(|value| frequency(Some(value))).collect()
        } else {
            vec![]
        }
    }
}

/// Every value of each attribute, then of every pair and triple of attributes up to `depth`, as (attribute, value) pairs. Empty
/// intersections are kept: that no image is in one is a finding.
pub fn intersections(setting: &Setting, attributes: &[String], depth: usize) -> Vec<Vec<(String, String)>> {
    let values: BTreeMap<&String, Vec<String>> = attributes
        .iter()
        .filter_map(|attribute| Some((attribute, setting.labels.get(attribute)?)))
        .filter(|(_, column)| column.values().len() <= MOST_VALUES)
        .map(|(attribute, column)| (attribute, column.values().into_iter().map(str::to_owned).collect()))
        .collect();
    let known: Vec<&String> = attributes.iter().filter(|attribute| values.contains_key(attribute)).collect();
    let mut all = Vec::new();
    let mut layer: Vec<(usize, Vec<(String, String)>)> = vec![(0, vec![])];
    for _ in 0..depth {
        let grow = |(next, members): &(usize, Vec<(String, String)>)| {
            let (next, members) = (*next, members.clone());
            (next..known.len())
                .flat_map(|i| values[known[i]].iter().map(move |value| (i, value)))
                .map(|(i, value)| (i + 1, [members.clone(), vec![(known[i].clone(), value.clone())]].concat()))
                .collect::<Vec<_>>()
        };
        layer = layer.iter().flat_map(grow).collect();
        all.extend(layer.iter().map(|(_, members)| members.clone()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::image::{Column, Images, Labels};

    fn column(values: &[&str]) -> Column {
        values.iter().enumerate().map(|(i, value)| (i.to_string(), (*value).to_owned())).collect()
    }

    #[test]
    fn groups_are_counted_by_images_and_identities_and_empty_intersections_are_kept() {
        let images = Images((0..4).map(|i| (i.to_string(), None)).collect());
        let labels: Labels = [("a", column(&["0", "1", "1", "1"])), ("b", column(&["x", "x", "y", "y"]))].into_iter().collect();
        let identities = column(&["p", "p", "q", "r"]);
        let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
        let names = ["a".to_owned(), "b".to_owned()];
        let found = frequencies(&setting, &names, TiSlice::from_ref(&[]), &names, 2);
        assert_eq!((found.images, found.identities), (4, 3));
        assert_eq!(found.attributes.iter().map(|of| of.rate.positives).collect::<Vec<_>>(), [3, 2, 2]);
        let sizes: Vec<(usize, usize)> = found.groups.iter().map(|group| (group.n, group.identities)).collect();
        // a = 0, a = 1, b = x, b = y, then the four intersections; nobody has a = 0 and b = y.
        assert_eq!(sizes, [(1, 1), (3, 3), (2, 1), (2, 2), (1, 1), (0, 0), (1, 1), (2, 2)]);
    }
}
