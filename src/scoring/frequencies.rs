//! How often labels occur, overall and per group: counts first, rates beside them with Wilson's interval.

use super::members::{Setting, groups};
use crate::domain::{
    comparison::{Measured, Question},
    ledger::{Frequencies, Frequency, Group, Rate},
    score::Estimate,
};
use std::collections::{BTreeMap, BTreeSet};

/// z of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

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
        Rate {
            positives,
            n: labelled.len(),
            identities: people(&labelled),
            share: wilson(positives, labelled.len(), people(&labelled)),
        }
    };

    let mut counted = Vec::new();
    for attribute in attributes {
        let Some(column) = setting.labels.0.get(attribute) else { continue };
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
    let group = |members: Vec<(String, String)>| {
        let rows: Vec<usize> = everybody.iter().copied().filter(|&row| in_group(&members, row)).collect();
        let class_rates = |question: &Question| match &question.measured {
            Measured::Quantity(_) => vec![],
            Measured::Classes(classes) => classes
                .iter()
                .map(|class| {
                    let is = |row: usize| {
                        let label = |attribute: &str| value(attribute, row);
                        if question.within.as_ref().is_some_and(|within| within.holds(&label) != Some(true)) {
                            None
                        } else {
                            class.holds(&label)
                        }
                    };
                    rate(&rows, &is)
                })
                .collect(),
        };
        Group { n: rows.len(), identities: people(&rows), rates: questions.iter().map(class_rates).collect(), members }
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
fn intersections(setting: &Setting, attributes: &[String], depth: usize) -> Vec<Vec<(String, String)>> {
    let values: BTreeMap<&String, Vec<String>> = attributes
        .iter()
        .filter_map(|attribute| Some((attribute, setting.labels.0.get(attribute)?)))
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

/// Wilson's score interval (1927) on the effective n: images of one identity are not independent, so no more than the
/// number of identities counts as evidence.
fn wilson(positives: usize, n: usize, identities: usize) -> Option<Estimate> {
    if n == 0 {
        return None;
    }
    let share = positives as f64 / n as f64;
    let effective = identities as f64;
    let scale = 1.0 + Z * Z / effective;
    let centre = (share + Z * Z / (2.0 * effective)) / scale;
    let reach = Z / scale * (share * (1.0 - share) / effective + Z * Z / (4.0 * effective * effective)).sqrt();
    // At the ends the formula gives them exactly; rounding would not.
    let low = if positives == 0 { 0.0 } else { (centre - reach).max(0.0) };
    let high = if positives == n { 1.0 } else { (centre + reach).min(1.0) };
    Some(Estimate { value: share, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_is_the_published_one() {
        // Newcombe (1998), table I: 81 of 263 and 0 of 20.
        let estimate = wilson(81, 263, 263).unwrap();
        assert!((estimate.low - 0.2553).abs() < 5e-5 && (estimate.high - 0.3662).abs() < 5e-5);
        let none = wilson(0, 20, 20).unwrap();
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 5e-5);
        assert_eq!(wilson(0, 0, 0), None);
    }
}
