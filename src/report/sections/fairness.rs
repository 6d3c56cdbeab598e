//! Fairness: base rates of the labels by group, and how the models' probes fare among groups.

use super::{
    Section,
    group_rates::{GroupRatesPart, GroupTable, TestCount, WidestGap},
};
use crate::report::{
    claims::ClaimId,
    phrase::Phrase,
    source::{RateClaims, ReportSource},
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{
    Result,
    comparison::{Comparison, Expression, Measured},
    index::ComparisonIx,
    ledger::Group,
    study::Study,
};

#[derive(Serialize)]
pub(crate) struct Fairness {
    comparisons: Vec<ComparisonFairness>,
    /// The widest gap of each comparison, in the model whose probe is best at it; the widest first.
    gaps: Vec<GapRow>,
    /// Some model's probes were looked at.
    has_probes: bool,
    /// Gaps that were tested, by model.
    tests: Vec<TestCount>,
}

/// One comparison: what a probe does in each group, and, as its detail, how often each class occurs there.
#[derive(Serialize)]
struct ComparisonFairness {
    comparison: String,
    probe: Option<GroupTable>,
    base_rates: Option<BaseRateTable>,
}

#[derive(Serialize)]
struct GapRow {
    comparison: String,
    gap: WidestGap,
}

/// How often each class of one comparison occurs in each group.
#[derive(Serialize)]
struct BaseRateTable {
    classes: Vec<String>,
    rows: Vec<BaseRateRow>,
}

#[derive(Serialize)]
struct BaseRateRow {
    group: Phrase,
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
    pub(crate) fn of(source: &ReportSource) -> Result<Self> {
        Ok(Fairness::joined(source, GroupRatesPart::of(source)?))
    }

    /// By comparison: what probes do, and the base rates of the labels.
    pub(crate) fn joined(source: &ReportSource, probes: Option<GroupRatesPart>) -> Self {
        let has_probes = probes.is_some();
        let (mut tables, tests) = probes.map_or_else(Default::default, |probes| (probes.tables, probes.tests));
        let comparison = |(place, of): (ComparisonIx, &Comparison)| {
            let (probe, base_rates) = (tables.remove(&place), base_rates(source, place, of));
            (probe.is_some() || base_rates.is_some()).then(|| ComparisonFairness {
                comparison: of.name.clone(),
                probe,
                base_rates,
            })
        };
        let comparisons: Vec<ComparisonFairness> = source.study().comparisons.iter_enumerated().filter_map(comparison).collect();
        let gap = |of: &ComparisonFairness| {
            let gap = of.probe.as_ref()?.widest_of_shown()?.clone();
            Some(GapRow { comparison: of.comparison.clone(), gap })
        };
        let mut gaps: Vec<GapRow> = comparisons.iter().filter_map(gap).collect();
        gaps.sort_by(|one, other| other.gap.width.total_cmp(&one.gap.width));
        Fairness { comparisons, gaps, has_probes, tests }
    }
}

/// `None` without groups, and of a quantity.
fn base_rates(source: &ReportSource, place: ComparisonIx, of: &Comparison) -> Option<BaseRateTable> {
    let has_classes = matches!(of.question.measured, Measured::Classes(_));
    (has_classes && !source.outcome.frequencies.groups.is_empty()).then(|| BaseRateTable::of(source, place, of))
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
                group: group_phrase(source.study(), &group.members),
            }
        };
        let groups = source.outcome.frequencies.groups.iter().enumerate();
        BaseRateTable {
            classes: of.classes.clone(),
            rows: groups.filter(|(_, group)| !is_by_definition(&group.members, &asked)).map(row).collect(),
        }
    }
}

/// What claims about a group are called.
pub(crate) fn group_name(members: &[(String, String)]) -> String {
    members.iter().map(|(attribute, value)| format!("{attribute} = {value}")).collect::<Vec<_>>().join(" and ")
}

/// A group as people read it: by the classes of a comparison that asks just this, such as `age: Old` for `Young = 0`; else by attribute and
/// value.
pub(crate) fn group_phrase(study: &Study, members: &[(String, String)]) -> Phrase {
    let named = members.iter().map(|(attribute, value)| {
        class_of(study, attribute, value).unwrap_or_else(|| Phrase::name(&format!("{attribute} = {value}")))
    });
    named.reduce(|one, other| one + " and " + other).unwrap_or_default()
}

/// The class of the first comparison that is this value of this attribute and nothing else.
fn class_of(study: &Study, attribute: &str, value: &str) -> Option<Phrase> {
    let has = Expression::Has(attribute.to_owned());
    let wanted = match value {
        "1" => has,
        "0" => Expression::Not(Box::new(has)),
        other => Expression::Equals(attribute.to_owned(), other.to_owned()),
    };
    study.comparisons.iter().find_map(|comparison| {
        let Measured::Classes(classes) = &comparison.question.measured else { return None };
        let is_of_all = comparison.question.within.is_none();
        let class = classes.iter().position(|class| is_of_all && class.normal() == wanted)?;
        Some(Phrase::name(&comparison.name) + ": " + Phrase::name(&comparison.classes[class]))
    })
}

/// A group of the attribute that is asked is in one class by definition.
pub(crate) fn is_by_definition(members: &[(String, String)], asked: &BTreeSet<&str>) -> bool {
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

    /// The fixture asks `zero or one` of an attribute of its own: groups of it are called by its classes, others by attribute and value.
    #[test]
    fn a_group_is_called_by_the_class_that_it_is() {
        let fixture = Fixture::new().with_groups();
        let mut study = fixture.outcome().plan.study.clone();
        let called = |study: &Study, attribute: &str, value: &str| {
            group_phrase(study, &[(attribute.to_owned(), value.to_owned()), ("race".to_owned(), "asian".to_owned())]).text()
        };
        assert_eq!(called(&study, "Young", "0"), "Young = 0 and race = asian");
        let asked = &mut study.comparisons[ComparisonIx(0)];
        asked.name = "age".to_owned();
        asked.classes = vec!["Old".to_owned(), "Young".to_owned()];
        let has = Expression::Has("Young".to_owned());
        asked.question.measured = Measured::Classes(vec![Expression::Not(Box::new(has.clone())), has]);
        assert_eq!(called(&study, "Young", "0"), "age: Old and race = asian");
        // A comparison among some images says nothing of the others.
        study.comparisons[ComparisonIx(0)].question.within = Some(Expression::Has("Male".to_owned()));
        assert_eq!(called(&study, "Young", "0"), "Young = 0 and race = asian");
    }

    #[test]
    fn without_groups_the_section_says_so() {
        let text = Fixture::new().text(|source| Some(Fairness::of(source).unwrap()));
        assert!(text.contains("The study names no groups (fairness: groups)."), "{text}");
    }
}
