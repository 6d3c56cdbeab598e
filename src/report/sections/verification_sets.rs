//! Verification sets: how well each network tells their pairs apart, by the protocol of LFW.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, OutputSource},
        source::ReportSource,
    },
    study::pairs::{self, TakenWhole},
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    model::Model,
    pairs::{OverFolds, PairVerification},
    study::Crop,
};

#[derive(Serialize)]
pub(crate) struct VerificationSets {
    rows: Vec<PairsRow>,
    /// The share of pairs of two identities that may be accepted.
    target_far: ClaimId,
    /// Models that cannot be asked.
    without: Vec<WithoutPairs>,
    /// Networks whose pairs are not verified yet, by set.
    open: Vec<OpenPairs>,
    /// Sets whose pictures are taken whole by networks that crop others.
    whole: Vec<WholePictures>,
    /// The page has a section of the study's own verification.
    is_beside_own: bool,
}

#[derive(Serialize)]
struct PairsRow {
    set: String,
    model: String,
    same: ClaimId,
    different: ClaimId,
    accuracy: FoldClaims,
    tar: FoldClaims,
    far: ClaimId,
}

/// A mean over folds with its standard deviation.
#[derive(Serialize)]
struct FoldClaims {
    mean: ClaimId,
    deviation: ClaimId,
}

#[derive(Serialize)]
struct OpenPairs {
    set: String,
    model: String,
}

#[derive(Serialize)]
struct WholePictures {
    set: String,
    models: Vec<WholeModel>,
}

#[derive(Serialize)]
struct WholeModel {
    model: String,
    crop: String,
}

#[derive(Serialize)]
struct WithoutPairs {
    model: String,
    why: &'static str,
}

impl Section for VerificationSets {
    const ANCHOR: &'static str = "verification-sets";
    const TITLE: &'static str = "Verification sets";
    const TEMPLATE: &'static str = "verification_sets.html";
}

impl VerificationSets {
    /// `None` where no pairs were verified. `is_beside_own`: the page has a section of the study's own verification.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource, is_beside_own: bool) -> Result<Option<Self>> {
        let names = source.names();
        let mut rows = Vec::new();
        let mut target_far = None;
        for of in source.outcome.results.pairs()? {
            let (set, model) = (names.pair_set(of.set).to_owned(), names.model(of.model).to_owned());
            let output = source.output(&of.verified, format!("{model} · pairs of {set}"));
            let target = of.verified.value.target_far;
            target_far
                .get_or_insert_with(|| source.claims.enter(&output, "/target_far", "FAR asked for", NumberForm::Rate, target));
            rows.push(row(source, &output, set, model, &of.verified.value));
        }
        let study = source.study();
        let is_there = |set: &str, model: &str| rows.iter().any(|row: &PairsRow| row.set == set && row.model == model);
        let asked = study.models.iter().filter(|model| model.gives_no_embeddings().is_none());
        let all = asked.flat_map(|model| study.verification.sets.iter().map(move |set| (&set.name, &model.name)));
        let open = all.filter(|(set, model)| !is_there(set, model));
        let open = open.map(|(set, model)| OpenPairs { set: set.clone(), model: model.clone() }).collect();
        let whole = pairs::taken_whole(study).into_iter().map(|of| WholePictures::of(&of)).collect();
        let without = pairs::without(study).into_iter();
        let without = without.map(|(model, why)| WithoutPairs { model: model.name.clone(), why }).collect();
        Ok(target_far.map(|target_far| VerificationSets { rows, target_far, without, open, whole, is_beside_own }))
    }
}

impl WholePictures {
    fn of(whole: &TakenWhole) -> Self {
        let model = |(model, crop): &(&Model, Crop)| WholeModel { model: model.name.clone(), crop: crop.to_string() };
        WholePictures { set: whole.set.name.clone(), models: whole.models.iter().map(model).collect() }
    }
}

fn row(source: &ReportSource, output: &OutputSource, set: String, model: String, of: &PairVerification) -> PairsRow {
    let score = |at: &str, what: &str, value: f64| source.claims.enter(output, at, what, NumberForm::Score, value);
    let folds = |at: &str, what: &str, of: OverFolds| FoldClaims {
        mean: score(&format!("{at}/mean"), what, of.mean),
        deviation: score(&format!("{at}/deviation"), &format!("{what}: standard deviation over folds"), of.deviation),
    };
    PairsRow {
        set,
        model,
        same: source.claims.count(output, "/same", "pairs of one identity", of.same),
        different: source.claims.count(output, "/different", "pairs of two identities", of.different),
        accuracy: folds("/accuracy", "accuracy", of.accuracy),
        tar: folds("/tar", "TAR", of.tar),
        far: source.claims.enter(output, "/far", "FAR that was reached", NumberForm::Rate, of.far),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        claims::Claims,
        fixture::{self, Fixture, text_of},
    };

    #[test]
    fn a_row_says_of_which_pairs_its_numbers_are() {
        let (claims, output, fixture) = (Claims::default(), fixture::output(), Fixture::new());
        let outcome = fixture.outcome();
        let source = ReportSource { outcome: &outcome, claims: &claims };
        let over = |mean: f64, deviation: f64| OverFolds { mean, deviation };
        let verified = PairVerification {
            format: 1,
            same: 3000,
            different: 3000,
            accuracy: over(0.9955, 0.0031),
            thresholds: vec![1.2; 10],
            target_far: 0.001,
            tar: over(0.9923, 0.004),
            far: 0.0012,
        };
        let rows = vec![row(&source, &output, "lfw".to_owned(), "resnet".to_owned(), &verified)];
        let target_far = claims.enter(&output, "/target_far", "x", NumberForm::Rate, 0.001);
        let without = vec![WithoutPairs { model: "given".to_owned(), why: "its features are given" }];
        let open = vec![OpenPairs { set: "agedb".to_owned(), model: "resnet".to_owned() }];
        let model = WholeModel { model: "resnet".to_owned(), crop: "aligned".to_owned() };
        let whole = vec![WholePictures { set: "lfw".to_owned(), models: vec![model] }];
        let section = VerificationSets { rows, target_far, without, open, whole, is_beside_own: true };
        let text = text_of(&section, &claims);
        assert!(
            text.contains("lfw resnet 3,000 3,000") && text.contains("± 0.003") && text.contains("TAR at FAR 0.001"),
            "{text}"
        );
        assert!(text.contains("given: its features are given"), "{text}");
        assert!(text.contains("Not verified yet: agedb by resnet."), "{text}");
        assert!(text.contains("images of lfw are taken whole, also by resnet (crop aligned elsewhere)"), "{text}");
        assert!(VerificationSets::of(&source, false).unwrap().is_none(), "the study has no verification sets");
    }
}
