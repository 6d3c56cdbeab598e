//! How often labels occur, overall and per group: counts first, rates beside them with Wilson's interval.

use crate::{
    domain::{
        comparison::{Measured, Question},
        ledger::{Frequencies, Frequency, Group, Rate},
        score::Estimate,
    },
    scoring::{
        design::members::{Setting, groups},
        inference::proportion::{effective, wilson},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// More values than this make a quantity, not classes.
const MOST_VALUES: usize = 24;

/// `attributes` are counted; `fairness` attributes and their intersections to `depth` are the groups.
pub fn frequencies(
    setting: &Setting,
    attributes: &[String],
    questions: &[Question],
    fairness: &[String],
    depth: usize,
) -> Frequencies {
    let identity = groups(setting);
    let everybody: Vec<usize> = (0..identity.len()).collect();
    let people = |rows: &[usize]| rows.iter().map(|&row| identity[row]).collect::<BTreeSet<_>>().len();
    let ids: Vec<&str> = setting.images.ids().collect();
    let value = |attribute: &str, row: usize| setting.labels.of(attribute, ids[row]);
    let rate = |rows: &[usize], is: &dyn Fn(usize) -> Option<bool>| {
        let labelled: Vec<usize> = rows.iter().copied().filter(|&row| is(row).is_some()).collect();
        let positives = labelled.iter().filter(|&&row| is(row) == Some(true)).count();
        // Images of one identity are not independent: its positives of n.
        let mut by_identity: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for &row in &labelled {
            let (yes, n) = by_identity.entry(identity[row]).or_default();
            *yes += usize::from(is(row) == Some(true));
            *n += 1;
        }
        let identities = by_identity.len();
        let effective = effective(&by_identity.into_values().collect::<Vec<_>>());
        let value = positives as f64 / labelled.len().max(1) as f64;
        let share = wilson(value, effective).map(|(low, high)| Estimate::new(value, low, high));
        Rate { positives, n: labelled.len(), identities, share }
    };

    let mut counted = Vec::new();
    for attribute in attributes {
        let Some(column) = setting.labels.get(attribute) else { continue };
        let one = |of: Option<&str>| {
            let wanted = of.unwrap_or("1");
            Frequency {
                attribute: attribute.clone(),
                value: of.map(str::to_owned),
                rate: rate(&everybody, &|row| value(attribute, row).map(|value| value == wanted)),
            }
        };
        if column.is_binary() {
            counted.push(one(None));
        } else if column.values().len() <= MOST_VALUES {
            counted.extend(column.values().into_iter().map(|value| one(Some(value))));
        }
    }

    let in_group = |members: &[(String, String)], row: usize| {
        members.iter().all(|(attribute, wanted)| value(attribute, row) == Some(wanted))
    };
    // By question and class, which images are in it; nothing of a quantity.
    let classes = |question: &Question| match &question.measured {
        Measured::Quantity(_) => vec![],
        Measured::Classes(classes) => {
            let members = setting.members(question);
            (0..classes.len()).map(|class| members.is_in(class, ids.len())).collect()
        }
    };
    let classes: Vec<Vec<Vec<Option<bool>>>> = questions.iter().map(classes).collect();
    let group = |members: Vec<(String, String)>| {
        let rows: Vec<usize> = everybody.iter().copied().filter(|&row| in_group(&members, row)).collect();
        let class_rates = |classes: &Vec<Vec<Option<bool>>>| classes.iter().map(|is_in| rate(&rows, &|row| is_in[row])).collect();
        Group { n: rows.len(), identities: people(&rows), rates: classes.iter().map(class_rates).collect(), members }
    };
    Frequencies {
        format: 1,
        images: ids.len(),
        identities: people(&everybody),
        attributes: counted,
        groups: intersections(setting, fairness, depth).into_iter().map(group).collect(),
    }
}

/// Every value of each attribute, then of every pair and triple of attributes up to `depth`. Empty ones are kept: that
/// nobody is there is a finding.
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
