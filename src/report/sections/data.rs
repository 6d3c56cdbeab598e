//! The images that are evaluated, and their labels.

use super::{Section, agreement::AgreementRow, overlap::SharedWithTraining};
use crate::{
    report::{
        claims::ClaimId,
        source::{Drawing, RateClaims, ReportSource},
    },
    study::{People, Step},
};
use serde::Serialize;
use std::collections::BTreeMap;
use visavis_core::domain::{Result, ledger::Frequency, missing::MissingLabels, study::LabelProvenance};

#[derive(Serialize)]
pub(crate) struct Data {
    name: Option<String>,
    images: ClaimId,
    identities: ClaimId,
    /// Every image is an identity of its own: as the study says, or because nobody knows.
    each_image: bool,
    is_assumed: bool,
    is_celeba: bool,
    provenance: Vec<LabelFile>,
    missing: Vec<MissingRow>,
    figure: Option<Drawing>,
    attributes: Vec<AttributeRow>,
    agreement: Vec<AgreementRow>,
    overlap: SharedWithTraining,
}

#[derive(Serialize)]
struct LabelFile {
    attribute: String,
    provenance: Option<&'static str>,
}

/// An attribute that some images have no label of, and how files spell that.
#[derive(Serialize)]
struct MissingRow {
    attribute: String,
    labelled: ClaimId,
    words: Vec<String>,
    empty: bool,
}

#[derive(Serialize)]
struct AttributeRow {
    name: String,
    rate: RateClaims,
}

impl Section for Data {
    const ANCHOR: &'static str = "data";
    const TITLE: &'static str = "Data";
    const TEMPLATE: &'static str = "data.html";
}

impl Data {
    /// # Errors
    /// A figure or another result that is damaged.
    pub(crate) fn of(source: &ReportSource, missing: &BTreeMap<String, MissingLabels>) -> Result<Self> {
        let (plan, counted) = (source.outcome.plan, &source.outcome.frequencies);
        let evaluation = &plan.study.evaluation;
        Ok(Data {
            name: evaluation.dataset.clone(),
            images: source.images(),
            identities: source.identities(),
            each_image: plan.people != People::Known,
            is_assumed: plan.people == People::Unknown,
            is_celeba: source.labels_are_celebas(),
            provenance: evaluation
                .labels
                .iter()
                .map(|file| LabelFile {
                    attribute: file.attribute.clone(),
                    provenance: file.provenance.map(LabelProvenance::word),
                })
                .collect(),
            missing: missing_labels(source, missing),
            figure: source.drawing(Step::DrawFrequencies)?,
            attributes: counted.attributes.iter().enumerate().map(|(place, of)| attribute(source, place, of)).collect(),
            agreement: AgreementRow::all(source)?,
            overlap: SharedWithTraining::of(source)?,
        })
    }
}

fn attribute(source: &ReportSource, place: usize, of: &Frequency) -> AttributeRow {
    let name = of.value.as_ref().map_or(of.attribute.clone(), |value| format!("{} = {value}", of.attribute));
    let rate = source.rate(&format!("/attributes/{place}/rate"), &format!("share of {name}"), &of.rate);
    AttributeRow { name, rate }
}

fn missing_labels(source: &ReportSource, missing: &BTreeMap<String, MissingLabels>) -> Vec<MissingRow> {
    let counted = &source.outcome.frequencies;
    let mut rows: Vec<MissingRow> = vec![];
    for (place, of) in counted.attributes.iter().enumerate() {
        if of.rate.n >= counted.images || rows.iter().any(|row| row.attribute == of.attribute) {
            continue;
        }
        let spelled = missing.get(&of.attribute).map(|of| &of.spelled);
        let words = spelled.into_iter().flat_map(|words| words.keys()).filter(|word| !word.is_empty());
        let (pointer, what) = (format!("/attributes/{place}/rate/n"), format!("images with a label of {}", of.attribute));
        rows.push(MissingRow {
            attribute: of.attribute.clone(),
            labelled: source.claims.count(&source.frequencies_output(), &pointer, &what, of.rate.n),
            words: words.cloned().collect(),
            empty: spelled.is_some_and(|words| words.contains_key("")),
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn images_are_counted_and_missing_labels_are_named() {
        let spelled = [("".to_owned(), 1), ("NA".to_owned(), 1)].into();
        let missing = [("even".to_owned(), MissingLabels { spelled, ..MissingLabels::default() })].into();
        let text = Fixture::new().text(|source| Some(Data::of(source, &missing).unwrap()));
        for sentence in [
            "Data set digits: 4 images. Each image is one identity, as the study says.",
            "3 of 4 images have a label of even; the others are in no class of it (in the file: empty, NA).",
            "even 2 3 66.7 % (20.0 %–90.0 %)",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }
}
