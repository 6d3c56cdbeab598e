//! How far annotators agree, where the study reads the labels of several.

use crate::report::{
    claims::{ClaimId, Claims, EstimateClaims, OutputSource},
    source::ReportSource,
};
use serde::Serialize;
use visavis_core::domain::{
    Key, Result,
    agreement::{Agreement, Agreements, AttributeAgreement},
    claim::NumberForm,
    stage::MeasureAgreement,
};

/// Two annotators of an attribute.
#[derive(Serialize)]
pub(super) struct AgreementRow {
    attribute: String,
    first: String,
    second: String,
    /// Images that each labelled.
    by_first: ClaimId,
    by_second: ClaimId,
    shared: ClaimId,
    differ: ClaimId,
    /// `None` where it is not defined.
    kappa: Option<EstimateClaims>,
}

impl AgreementRow {
    /// Every two annotators of every attribute.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(super) fn all(source: &ReportSource) -> Result<Vec<Self>> {
        let found = source.outcome.results.agreement()?;
        Ok(found.map_or(vec![], |found| rows(source.claims, found.key, &found.value)))
    }
}

fn rows(claims: &Claims, key: Key, found: &Agreements) -> Vec<AgreementRow> {
    let of = |(place, of): (usize, &AttributeAgreement)| {
        let output = OutputSource { key, output: MeasureAgreement::AGREEMENT, of: of.attribute.clone() };
        let labelled = |name: &String| {
            let at = of.annotators.iter().position(|other| other.annotator == *name)?;
            let pointer = format!("/attributes/{place}/annotators/{at}/images");
            Some(claims.count(&output, &pointer, &format!("images labelled by {name}"), of.annotators[at].images))
        };
        let row = |(at, pair): (usize, &Agreement)| {
            let [first, second] = &pair.annotators;
            let (pointer, both) = (format!("/attributes/{place}/pairs/{at}"), format!("{first} and {second}"));
            let count = |field: &str, what: &str, value| {
                claims.count(&output, &format!("{pointer}/{field}"), &format!("{both}: {what}"), value)
            };
            let kappa = |kappa| {
                claims.estimate(&output, &format!("{pointer}/kappa"), &format!("{both}: Cohen's κ"), NumberForm::Score, kappa)
            };
            Some(AgreementRow {
                attribute: of.attribute.clone(),
                first: first.clone(),
                second: second.clone(),
                by_first: labelled(first)?,
                by_second: labelled(second)?,
                shared: count("shared", "images that both labelled", pair.shared),
                differ: count("differ", "of these those with two labels", pair.differ),
                kappa: pair.kappa.map(kappa),
            })
        };
        of.pairs.iter().enumerate().filter_map(row).collect::<Vec<_>>()
    };
    found.attributes.iter().enumerate().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        fixture::{Fixture, output, rendered},
        sections::Data,
    };
    use visavis_core::domain::{agreement::AnnotatorCount, score::Estimate};

    #[test]
    fn every_two_annotators_have_a_row_of_claims_and_a_study_without_annotators_has_no_table() {
        let pair =
            |second: &str, kappa| Agreement { annotators: ["anna".to_owned(), second.to_owned()], shared: 40, differ: 3, kappa };
        let count = |(annotator, images): (&str, usize)| AnnotatorCount { annotator: annotator.to_owned(), images };
        let race = AttributeAgreement {
            attribute: "race".to_owned(),
            annotators: [("anna", 100), ("ben", 50), ("cleo", 40)].map(count).into(),
            pairs: vec![pair("ben", Some(Estimate::new(0.871, 0.8, 0.9))), pair("cleo", None)],
        };
        let claims = Claims::default();
        let found = rows(&claims, output().key, &Agreements { format: 1, attributes: vec![race] });
        let fixture = Fixture::new();
        let outcome = fixture.outcome();
        let source = ReportSource { outcome: &outcome, claims: &claims };
        let mut data = serde_json::to_value(Data::of(&source, &Default::default()).unwrap()).unwrap();
        assert!(!rendered("data.html", &data, &claims).contains("How far annotators agree"));
        data["agreement"] = serde_json::to_value(found).unwrap();
        let text = rendered("data.html", &data, &claims);
        assert!(text.contains("race anna and ben 100 and 50 40 3 0.871 (0.800–0.900)"), "{text}");
        assert!(text.contains("race anna and cleo 100 and 40 40 3 undefined"), "{text}");
        let shown = claims.shown();
        let pointer = |pointer: &str| shown.iter().any(|claim| claim.from.pointer == pointer);
        assert!(pointer("/attributes/0/annotators/2/images") && pointer("/attributes/0/pairs/0/kappa/value"));
    }
}
