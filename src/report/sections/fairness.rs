//! Fairness: base rates of the labels by group, and how the models' probes fare among groups.

use super::{Section, group_rates::GroupRatesPart};
use crate::report::{
    claims::ClaimId,
    source::{RateClaims, ReportSource},
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{
    Result,
    comparison::{Comparison, Measured},
    index::ComparisonIx,
    ledger::Group,
};

#[derive(Serialize)]
pub struct Fairness {
    base_rates: Vec<BaseRateTable>,
    probes: Option<GroupRatesPart>,
}

/// How often each class of one comparison occurs in each group.
#[derive(Serialize)]
struct BaseRateTable {
    comparison: String,
    classes: Vec<String>,
    rows: Vec<BaseRateRow>,
}

#[derive(Serialize)]
struct BaseRateRow {
    group: String,
    is_empty: bool,
    images: ClaimId,
    identities: ClaimId,
    rates: Vec<RateClaims>,
}

impl Section for Fairness {
    const ANCHOR: &'static str = "fairness";
    const TITLE: &'static str = "Fairness";
    const TEMPLATE: &'static str = "fairness.html";
}

impl Fairness {
    /// # Errors
    /// A result that is damaged.
    pub fn of(source: &ReportSource) -> Result<Self> {
        Ok(Fairness { base_rates: base_rates(source), probes: GroupRatesPart::of(source)? })
    }
}

#[cfg(test)]
impl Fairness {
    pub fn set_probes(&mut self, probes: GroupRatesPart) {
        self.probes = Some(probes);
    }
}

fn base_rates(source: &ReportSource) -> Vec<BaseRateTable> {
    if source.outcome.frequencies.groups.is_empty() {
        return vec![];
    }
    let comparisons = source.study().comparisons.iter_enumerated();
    let has_classes = |of: &Comparison| matches!(of.question.measured, Measured::Classes(_));
    comparisons.filter(|(_, of)| has_classes(of)).map(|(place, of)| BaseRateTable::of(source, place, of)).collect()
}

impl BaseRateTable {
    fn of(source: &ReportSource, comparison: ComparisonIx, of: &Comparison) -> Self {
        let output = source.frequencies_output();
        let asked = of.question.attributes();
        let row = |(place, group): (usize, &Group)| {
            let name = group_name(&group.members);
            let count = |field: &str, what: &str, value: usize| {
                source.claims.count(&output, &format!("/groups/{place}/{field}"), &format!("{what} in {name}"), value)
            };
            let rate = |(class, rate)| {
                let what = format!("share of {} in {name}", of.classes[class]);
                source.rate(&format!("/groups/{place}/rates/{comparison}/{class}"), &what, rate)
            };
            BaseRateRow {
                is_empty: group.n == 0,
                images: count("n", "images", group.n),
                identities: count("identities", "identities", group.identities),
                rates: group.rates[comparison].iter().enumerate().map(rate).collect(),
                group: name,
            }
        };
        let groups = source.outcome.frequencies.groups.iter().enumerate();
        BaseRateTable {
            comparison: of.name.clone(),
            classes: of.classes.clone(),
            rows: groups.filter(|(_, group)| !is_by_definition(&group.members, &asked)).map(row).collect(),
        }
    }
}

/// How people read a group.
pub fn group_name(members: &[(String, String)]) -> String {
    members.iter().map(|(attribute, value)| format!("{attribute} = {value}")).collect::<Vec<_>>().join(" and ")
}

/// A group of the attribute that is asked is in one class by definition.
pub fn is_by_definition(members: &[(String, String)], asked: &BTreeSet<&str>) -> bool {
    members.iter().any(|(attribute, _)| asked.contains(attribute.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn base_rates_stand_by_group_and_not_for_groups_of_what_is_asked() {
        let text = Fixture::new().with_groups().text(|source| Some(Fairness::of(source).unwrap()));
        assert!(text.contains("bold = 1 2 2 1 of 2 50.0 % (20.0 %–80.0 %) 1 of 2 50.0 % (20.0 %–80.0 %)"), "{text}");
        let even = text.split("even or odd").nth(1).unwrap();
        assert!(!even.contains("even = 1"), "{even}");
    }

    #[test]
    fn without_groups_the_section_says_so() {
        let text = Fixture::new().text(|source| Some(Fairness::of(source).unwrap()));
        assert!(text.contains("The study names no groups (fairness: groups)."), "{text}");
    }
}
