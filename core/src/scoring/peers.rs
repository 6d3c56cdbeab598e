//! Reads what AIF360, Fairlearn, statsmodels and SciPy say of the same tables (`tests/fairness.py` writes it).
//! Only tests use it.

use super::fairness::rates::{Confusion, RateOf};
use proptest::prelude::*;
use serde_json::Value as Json;

/// The rates of a confusion table, under the names that the fixture gives them.
pub(super) const RATES: [(&str, RateOf); 4] =
    [("base_rate", Confusion::base_rate), ("tpr", Confusion::tpr), ("fnr", Confusion::fnr), ("fpr", Confusion::fpr)];

/// Any confusion table of up to 80 images.
pub(super) fn confusion() -> impl Strategy<Value = Confusion> {
    prop::array::uniform4(0u32..20).prop_map(|cells| {
        let [true_positives, false_positives, true_negatives, false_negatives] = cells.map(f64::from);
        Confusion { true_positives, false_positives, true_negatives, false_negatives }
    })
}

/// The whole fixture.
pub(super) fn fixture() -> Json {
    serde_json::from_str(include_str!("../../../tests/fixtures/fairness.json")).unwrap()
}

/// A list of numbers.
pub(super) fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Both undefined, or equal to 1e-9.
pub(super) fn assert_agrees(what: &str, found: Option<f64>, peer: &Json) {
    let same = match (found, peer.as_f64()) {
        (Some(found), Some(peer)) => (found - peer).abs() < 1e-9,
        (found, _) => found.is_none() && peer.is_null(),
    };
    assert!(same, "{what}: {found:?}, the peer says {peer}");
}

/// One table of the fixture: a group, a label, a prediction and a weight per image.
pub(super) struct PeerTable {
    pub group: Vec<usize>,
    pub label: Vec<bool>,
    pub prediction: Vec<bool>,
    pub weights: Option<Vec<f64>>,
}

impl PeerTable {
    /// From the fixture: groups, labels and predictions are strings of digits.
    pub(super) fn read(table: &Json) -> Self {
        let digits = |key: &str| table[key].as_str().unwrap().bytes().map(|digit| usize::from(digit - b'0'));
        PeerTable {
            group: digits("group").collect(),
            label: digits("label").map(|digit| digit == 1).collect(),
            prediction: digits("prediction").map(|digit| digit == 1).collect(),
            weights: table["weight"].is_array().then(|| numbers(&table["weight"])),
        }
    }

    /// Of the images whose group is taken.
    pub(super) fn confusion(&self, takes_group: impl Fn(usize) -> bool, weights: Option<&[f64]>) -> Confusion {
        let rows = (0..self.group.len()).filter(|row| takes_group(self.group[*row]));
        rows.map(|row| (self.label[row], self.prediction[row], weights.map_or(1.0, |weights| weights[row]))).collect()
    }

    /// One table a group.
    pub(super) fn by_group(&self, weights: Option<&[f64]>) -> Vec<Confusion> {
        (0..=*self.group.iter().max().unwrap()).map(|group| self.confusion(|own| own == group, weights)).collect()
    }
}

/// Every rate that the peer has.
pub(super) fn assert_rates_agree(name: &str, found: &Confusion, peer: &Json) {
    for (rate, rate_of) in RATES {
        if let Some(peer) = peer.get(rate) {
            assert_agrees(&format!("{name}: {rate}"), rate_of(found), peer);
        }
    }
}
