//! How to make the report again, and from what it was made.

use super::Section;
use crate::report::{Extras, phrase::Phrase, source::ReportSource};
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use visavis_core::domain::{Digest, result::Provenance, stage::Kind};

#[derive(Serialize)]
pub(crate) struct Reproduction {
    /// As command lines name it.
    study_file: String,
    study_digest: Digest,
    /// The name of the page's file.
    file: Phrase,
    stages: String,
    /// Programs, processors and systems that made results.
    environments: Vec<String>,
    /// Of a study whose results were made on several kinds of machine: how many on each.
    machines: Vec<MachineRow>,
    inputs: Vec<InputRow>,
}

/// A kind of machine, and how many results were made on such.
#[derive(Debug, PartialEq, Serialize)]
struct MachineRow {
    kind: String,
    results: usize,
}

#[derive(Serialize)]
struct InputRow {
    role: String,
    digest: Digest,
}

impl Section for Reproduction {
    const ANCHOR: &'static str = "reproduction";
    const TITLE: &'static str = "Reproduction";
    const TEMPLATE: &'static str = "reproduction.html";
}

impl Reproduction {
    pub(crate) fn of(source: &ReportSource, extras: &Extras) -> Self {
        let plan = source.outcome.plan;
        let mut environments: Vec<String> = plan.results().map(|(_, of)| of.provenance.environment()).collect();
        environments.sort();
        environments.dedup();
        let is_there = |kind: &Kind| plan.results().any(|(_, of)| of.stage == *kind);
        Reproduction {
            study_file: source.study_file(extras.study_file),
            study_digest: extras.made_of.study,
            file: Phrase::name(&plan.study.name) + ".html",
            stages: Kind::ALL.into_iter().filter(is_there).map(Kind::word).collect::<Vec<_>>().join(", "),
            environments,
            machines: machines(plan.results().map(|(_, of)| &of.provenance)),
            inputs: plan.source_digests().into_iter().map(|(role, digest)| InputRow { role, digest }).collect(),
        }
    }
}

/// The kinds of machine that results were made on, most results first; none where there is one kind only. A card is told of results that
/// were computed on one, so two kinds that differ in nothing but that are one where the models are.
fn machines<'a>(results: impl Iterator<Item = &'a Provenance>) -> Vec<MachineRow> {
    let results: Vec<&Provenance> = results.collect();
    let differ =
        |of: fn(&Provenance) -> Option<&str>| results.iter().filter_map(|made| of(made)).collect::<BTreeSet<_>>().len() > 1;
    if !differ(|made| Some(&made.cpu).filter(|cpu| !cpu.is_empty()).map(String::as_str)) && !differ(|made| made.card.as_deref()) {
        return vec![];
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for made in results.iter().filter(|made| !made.cpu.is_empty()) {
        *counts.entry(made.machine_kind()).or_default() += 1;
    }
    let mut rows: Vec<MachineRow> = counts.into_iter().map(|(kind, results)| MachineRow { kind, results }).collect();
    rows.sort_by_key(|row| Reverse(row.results));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use std::path::Path;

    fn made(cpu: &str, card: Option<&str>) -> Provenance {
        Provenance { cpu: cpu.to_owned(), card: card.map(str::to_owned), ..Provenance::unknown() }
    }

    #[test]
    fn results_of_one_kind_of_machine_are_not_told_apart() {
        assert_eq!(machines([].iter()), []);
        assert_eq!(machines([made("Xeon", None), made("Xeon", Some("H200")), made("", None)].iter()), []);
    }

    #[test]
    fn results_of_several_kinds_of_machine_are_counted() {
        let results = [made("EPYC", None), made("Xeon", None), made("Xeon", None), made("Xeon", Some("H200"))];
        let told: Vec<(String, usize)> = machines(results.iter()).into_iter().map(|row| (row.kind, row.results)).collect();
        assert_eq!(told, [("Xeon".to_owned(), 2), ("EPYC".to_owned(), 1), ("Xeon, H200".to_owned(), 1)]);
        let cards = [made("Xeon", Some("H100")), made("Xeon", Some("H200"))];
        assert_eq!(machines(cards.iter()).len(), 2);
    }

    #[test]
    fn the_commands_stand_there_as_they_are_typed() {
        let missing_labels = Default::default();
        let extras = Extras::of_text(&missing_labels, Path::new("experiments/my study.yaml"), "x");
        let text = Fixture::new().text(|source| Some(Reproduction::of(source, &extras)));
        assert!(text.contains("visavis audit tiny.html"), "{text}");
        assert!(text.contains(&Digest::of(b"x").to_string()) && text.contains("labels/digit"), "{text}");
    }
}
