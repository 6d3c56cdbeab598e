//! The comparisons of the study: their classes, and how many images these hold.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, OutputSource},
        phrase::Phrase,
        source::ReportSource,
    },
    study::ScoreOf,
};
use serde::Serialize;
use visavis_core::domain::{
    comparison::{Comparison, Measured},
    index::ComparisonIx,
};

#[derive(Serialize)]
pub(crate) struct Comparisons {
    images: ClaimId,
    rows: Vec<ComparisonRow>,
}

#[derive(Serialize)]
struct ComparisonRow {
    name: String,
    classes: Vec<ClassRow>,
    within: Option<String>,
    /// Images of the evaluation half that labels were permuted among, and all; `None` where they are the same.
    permuted: Option<[ClaimId; 2]>,
}

#[derive(Serialize)]
struct ClassRow {
    /// `None` where it is that of the comparison, as of a quantity.
    name: Option<String>,
    expression: Phrase,
    /// `None` where nothing was scored.
    images: Option<ClaimId>,
}

impl Section for Comparisons {
    const ANCHOR: &'static str = "comparisons";
    const TITLE: &'static str = "Comparisons";
    const TEMPLATE: &'static str = "comparisons.html";
}

impl Comparisons {
    pub(crate) fn of(source: &ReportSource) -> Self {
        let comparisons = source.study().comparisons.iter_enumerated();
        Comparisons {
            images: source.images(),
            rows: comparisons.map(|(place, of)| ComparisonRow::of(source, place, of)).collect(),
        }
    }
}

impl ComparisonRow {
    fn of(source: &ReportSource, place: ComparisonIx, of: &Comparison) -> Self {
        let scored = source.outcome.scores.iter().find(|(score, _)| score.comparison == place).map(|(_, scored)| scored);
        let images = |class: usize| {
            let scored = scored?;
            let output = OutputSource { key: scored.key, output: scored.output, of: of.name.clone() };
            let pointer = format!("{}/counts/classes/{class}", scored.pointer);
            let n = scored.scores.counts.classes[class];
            Some(source.claims.count(&output, &pointer, &format!("images of {}", of.classes[class]), n))
        };
        let expression = |class: usize| match &of.question.measured {
            Measured::Classes(classes) => Phrase::name(&classes[class].to_string()),
            Measured::Quantity(attribute) => Phrase::name(attribute) + " (a quantity)",
        };
        let class = |(class, name): (usize, &String)| ClassRow {
            name: (*name != of.name).then(|| name.clone()),
            expression: expression(class),
            images: images(class),
        };
        ComparisonRow {
            permuted: permuted(source, place, of),
            name: of.name.clone(),
            classes: of.classes.iter().enumerate().map(class).collect(),
            within: of.question.within.as_ref().map(ToString::to_string),
        }
    }
}

fn permuted(source: &ReportSource, place: ComparisonIx, of: &Comparison) -> Option<[ClaimId; 2]> {
    let is_of_view = |score: &ScoreOf| score.comparison == place && score.projection.is_some();
    let (_, scored) = source.outcome.scores.iter().find(|(score, _)| is_of_view(score))?;
    let sampled = scored.scores.permuted_sample?;
    let output = OutputSource { key: scored.key, output: scored.output, of: of.name.clone() };
    let count = |at: usize, what: &str| {
        source.claims.count(&output, &format!("{}/permuted_sample/{at}", scored.pointer), what, sampled[at])
    };
    Some([count(0, "images that labels are permuted among"), count(1, "images of both classes on the evaluation half")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn each_class_has_its_expression() {
        let text = Fixture::new().text(|source| Some(Comparisons::of(source)));
        assert!(text.contains("zero or one Zero digit=0 One digit=1"), "{text}");
    }
}
