//! How to make the report again, and from what it was made.

use super::Section;
use crate::report::{Extras, phrase::Phrase, source::ReportSource};
use serde::Serialize;
use visavis_core::domain::{Digest, result::Manifest, stage::Kind, text::shell};

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
    inputs: Vec<InputRow>,
    results: Vec<ResultRow>,
}

#[derive(Serialize)]
struct InputRow {
    role: String,
    digest: Digest,
}

#[derive(Serialize)]
struct ResultRow {
    label: Phrase,
    key: String,
    content: String,
}

impl Section for Reproduction {
    const ANCHOR: &'static str = "reproduction";
    const TITLE: &'static str = "Reproduction";
    const TEMPLATE: &'static str = "reproduction.html";
}

impl Reproduction {
    pub(crate) fn of(source: &ReportSource, extras: &Extras) -> Self {
        let plan = source.outcome.plan;
        let environment = |of: &Manifest| format!("{}, {}, {}", of.provenance.program, of.provenance.cpu, of.provenance.system);
        let mut environments: Vec<String> = plan.results().map(|(_, of)| environment(of)).collect();
        environments.sort();
        environments.dedup();
        let is_there = |kind: &Kind| plan.results().any(|(_, of)| of.stage == *kind);
        Reproduction {
            study_file: shell(&plan.workspace().shareable(extras.study_file).display().to_string()),
            study_digest: extras.made_of.study,
            file: Phrase::name(&plan.study.name) + ".html",
            stages: Kind::ALL.into_iter().filter(is_there).map(Kind::word).collect::<Vec<_>>().join(", "),
            environments,
            inputs: plan.source_digests().into_iter().map(|(role, digest)| InputRow { role, digest }).collect(),
            results: plan
                .results()
                .map(|(step, of)| ResultRow {
                    label: step.label_in_pieces(&plan.study).into_iter().collect(),
                    key: of.key.short(),
                    content: of.content().short(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use std::path::Path;

    #[test]
    fn the_commands_stand_there_as_they_are_typed() {
        let missing_labels = Default::default();
        let extras = Extras::of_text(&missing_labels, Path::new("experiments/my study.yaml"), "x");
        let text = Fixture::new().text(|source| Some(Reproduction::of(source, &extras)));
        assert!(text.contains("visavis audit tiny.html"), "{text}");
        assert!(text.contains(&Digest::of(b"x").to_string()) && text.contains("labels/digit"), "{text}");
    }
}
