//! `visavis export STUDY --what verification`: how well models tell pairs of pictures apart.

use super::table::ExportTable;
use crate::study::StudyResults;
use visavis_core::domain::{
    Result,
    pairs::OverFolds,
    score::{Estimate, Verification},
};

/// The study's own pairs, of the images that are evaluated.
const OWN: &str = "study";
/// Given pairs, by the protocol of LFW.
const GIVEN: &str = "insightface";

struct VerificationRow {
    model: String,
    set: String,
    protocol: &'static str,
    pairs: [usize; 2],
    accuracy: Option<OverFolds>,
    tar: OverFoldsOr,
    target_far: f64,
    /// What was reached, where it may be another than what was asked for.
    far: Option<f64>,
    auc: Option<Estimate>,
    key: String,
}

/// A share with its deviation over folds, or with its interval.
enum OverFoldsOr {
    Folds(OverFolds),
    Interval(Estimate),
}

impl OverFoldsOr {
    fn value(&self) -> f64 {
        match self {
            OverFoldsOr::Folds(of) => of.mean,
            OverFoldsOr::Interval(of) => of.value,
        }
    }

    fn deviation(&self) -> Option<f64> {
        match self {
            OverFoldsOr::Folds(of) => Some(of.deviation),
            OverFoldsOr::Interval(_) => None,
        }
    }

    fn ends(&self) -> [Option<f64>; 2] {
        match self {
            OverFoldsOr::Folds(_) => [None, None],
            OverFoldsOr::Interval(of) => [of.low(), of.high()],
        }
    }
}

/// One row a model and set of pairs: first the study's own pairs, then verification sets.
pub(crate) fn verification(results: &StudyResults, evaluated: &str) -> Result<ExportTable> {
    let names = results.names();
    let mut rows = Vec::new();
    for training in results.training()? {
        let (Some(source), Some(of)) = (&training.verified, training.verification()) else { continue };
        let Verification { same, different, far, auc, tar, .. } = *of;
        rows.push(VerificationRow {
            model: names.model(training.model).to_owned(),
            set: evaluated.to_owned(),
            protocol: OWN,
            pairs: [same, different],
            accuracy: None,
            tar: OverFoldsOr::Interval(tar),
            target_far: far,
            far: None,
            auc: Some(auc),
            key: source.key.to_string(),
        });
    }
    for of in results.pairs()? {
        let verified = &of.verified.value;
        rows.push(VerificationRow {
            model: names.model(of.model).to_owned(),
            set: names.pair_set(of.set).to_owned(),
            protocol: GIVEN,
            pairs: [verified.same, verified.different],
            accuracy: Some(verified.accuracy),
            tar: OverFoldsOr::Folds(verified.tar),
            target_far: verified.target_far,
            far: Some(verified.far),
            auc: None,
            key: of.verified.key.to_string(),
        });
    }
    let mut table = ExportTable::default();
    table.text("model", rows.iter().map(|row| Some(row.model.clone())));
    table.text("set", rows.iter().map(|row| Some(row.set.clone())));
    table.text("protocol", rows.iter().map(|row| Some(row.protocol.to_owned())));
    table.whole("pairs_same", rows.iter().map(|row| Some(row.pairs[0])));
    table.whole("pairs_different", rows.iter().map(|row| Some(row.pairs[1])));
    table.number("accuracy", rows.iter().map(|row| Some(row.accuracy?.mean)));
    table.number("accuracy_deviation", rows.iter().map(|row| Some(row.accuracy?.deviation)));
    table.number("tar", rows.iter().map(|row| Some(row.tar.value())));
    table.number("tar_deviation", rows.iter().map(|row| row.tar.deviation()));
    table.number("tar_low", rows.iter().map(|row| row.tar.ends()[0]));
    table.number("tar_high", rows.iter().map(|row| row.tar.ends()[1]));
    table.number("target_far", rows.iter().map(|row| Some(row.target_far)));
    table.number("far", rows.iter().map(|row| row.far));
    table.number("auc", rows.iter().map(|row| Some(row.auc?.value)));
    table.number("auc_low", rows.iter().map(|row| row.auc?.low()));
    table.number("auc_high", rows.iter().map(|row| row.auc?.high()));
    table.text("key", rows.iter().map(|row| Some(row.key.clone())));
    Ok(table)
}
