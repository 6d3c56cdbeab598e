//! Two models paired on the same images.

use super::row::best_by_model;
use crate::study::matrix_snapshot::MatrixSnapshot;
use visavis_core::domain::{
    contrast::ContrastSides,
    index::{ComparisonIx, ModelIx},
    model::{Model, differences},
    score::Estimate,
    simultaneous::{Difference, DifferenceVerdict, Verdicts},
};

/// One comparison of two models.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PairedRow {
    pub comparison: String,
    pub left: f64,
    pub right: f64,
    /// Right less left, and its verdict; `None` where the study's tests hold no such difference.
    pub difference: Option<(Estimate, DifferenceVerdict)>,
}

/// Two models on the same images, as `visavis compare` has them: right less left.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Paired {
    pub left: String,
    pub right: String,
    /// Factor, and what each side has of it.
    pub differs: Vec<(String, String, String)>,
    /// The verdicts on right against left; `None`: the study names no contrast of these two.
    pub verdicts: Option<Verdicts>,
    /// The median of right less left.
    pub median: f64,
    pub rows: Vec<PairedRow>,
}

/// Two models, by what their trainings have in common. Their sides are those of the study's contrast, else in the study's order.
pub(crate) fn paired(matrix_snapshot: &MatrixSnapshot, one: &str, other: &str) -> Option<Paired> {
    let side =
        |name: &str| matrix_snapshot.trainings().into_values().find(|models| matrix_snapshot.families[models[0]].0 == name);
    let (one, other) = (side(one)?, side(other)?);
    let found = matrix_snapshot.found.as_ref();
    let held = found.and_then(|found| {
        let is = |of: &ContrastSides| of.left == one && of.right == other || of.left == other && of.right == one;
        found.held.iter().position(is)
    });
    let (left, right) = match (held.zip(found), one[0] < other[0]) {
        (Some((place, found)), _) => (found.held[place].left.clone(), found.held[place].right.clone()),
        (None, true) => (one, other),
        (None, false) => (other, one),
    };
    let best = best_by_model(matrix_snapshot);
    let mean = |models: &[ModelIx], comparison: ComparisonIx| {
        let values: Vec<f64> = models.iter().filter_map(|&model| Some(best.get(&(model, comparison))?.quoted.value)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let difference = |comparison: ComparisonIx| {
        let (place, found) = (held?, found?);
        let mut judged = found.grid.differences.iter().zip(&found.verdicts);
        judged.find(|(of, _)| of.held == place && of.comparison == comparison)
    };
    let mut rows = Vec::new();
    for (place, comparison) in matrix_snapshot.study.comparisons.iter_enumerated() {
        let comparison = comparison.name.clone();
        if let Some((of, verdict)) = difference(place) {
            let Difference { left, right, difference, .. } = *of;
            rows.push(PairedRow { comparison, left, right, difference: Some((difference, *verdict)) });
        } else if let (Some(left), Some(right)) = (mean(&left, place), mean(&right, place)) {
            rows.push(PairedRow { comparison, left, right, difference: None });
        }
    }
    let mut differences: Vec<f64> = rows.iter().map(|row| row.right - row.left).collect();
    differences.sort_by(f64::total_cmp);
    let median = if differences.is_empty() {
        f64::NAN
    } else {
        f64::midpoint(differences[(differences.len() - 1) / 2], differences[differences.len() / 2])
    };
    Some(Paired {
        left: matrix_snapshot.families[left[0]].0.clone(),
        right: matrix_snapshot.families[right[0]].0.clone(),
        differs: differing(&matrix_snapshot.study.models[left[0]], &matrix_snapshot.study.models[right[0]]),
        verdicts: held.map(|_| rows.iter().filter_map(|row| Some(row.difference?.1)).collect()),
        median,
        rows,
    })
}

fn differing(left: &Model, right: &Model) -> Vec<(String, String, String)> {
    let (a, b) = (left.factors(), right.factors());
    let level = |factors: &std::collections::BTreeMap<&'static str, String>, name: &str| {
        factors.get(name).cloned().unwrap_or_else(|| "–".to_owned())
    };
    differences(left, right).into_iter().map(|name| (name.replace('_', " "), level(&a, name), level(&b, name))).collect()
}
