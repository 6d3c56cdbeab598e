//! Reweighing: weights that make the base rate of every group that of all (Kamiran and Calders 2012).

use std::collections::BTreeMap;

/// A group in which one label does not occur: no weight makes its base rate that of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("group {group} has no {} image to weight", if *label { "positive" } else { "negative" })]
pub struct EmptyCell {
    /// As the caller numbers it.
    pub group: usize,
    /// The label that no image of the group has.
    pub label: bool,
}

/// New weights: each image's own weight (1 without `weights`) times N(group) · N(label) / (N · N(group, label)), where N sums own weights. The
/// weighted base rate of every group is then that of all (Kamiran and Calders 2012). All slices have one entry an image.
///
/// # Errors
/// A group in which one label has no weight.
///
/// # Panics
/// If the slices have different lengths.
pub fn reweigh(group: &[usize], label: &[bool], weights: Option<&[f64]>) -> Result<Vec<f64>, EmptyCell> {
    assert!(group.len() == label.len() && weights.is_none_or(|weights| weights.len() == group.len()));
    let own = |image: usize| weights.map_or(1.0, |weights| weights[image]);
    let mut cells = BTreeMap::<usize, [f64; 2]>::new();
    for image in 0..group.len() {
        cells.entry(group[image]).or_default()[usize::from(label[image])] += own(image);
    }
    for (&group, cell) in &cells {
        for label in [false, true] {
            if cell[usize::from(label)] <= 0.0 {
                return Err(EmptyCell { group, label });
            }
        }
    }
    let labelled = [0, 1].map(|label| cells.values().map(|cell| cell[label]).sum::<f64>());
    let all = labelled[0] + labelled[1];
    let weight = |image: usize| {
        let (cell, label) = (&cells[&group[image]], usize::from(label[image]));
        own(image) * (cell[0] + cell[1]) * labelled[label] / (all * cell[label])
    };
    Ok((0..group.len()).map(weight).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::{
        fairness::rates::Confusion,
        peers::{PeerTable, assert_agrees, fixture},
    };
    use proptest::prelude::*;

    #[test]
    fn weights_are_those_of_aif360() {
        let mut compared = 0;
        for table in fixture()["tables"].as_array().unwrap() {
            let (name, peer) = (table["name"].as_str().unwrap(), &table["aif360"]["reweighed"]);
            let table = PeerTable::read(table);
            let weights = reweigh(&table.group, &table.label, table.weights.as_deref());
            assert_eq!(weights.is_err(), peer.is_null(), "{name}");
            for (row, weight) in weights.unwrap_or_default().into_iter().enumerate() {
                assert_agrees(&format!("{name}: weight of {row}"), Some(weight), &peer[row]);
                compared += 1;
            }
        }
        assert!(compared > 20, "{compared} weights were compared");
    }

    #[test]
    fn an_empty_cell_is_named() {
        let empty = |group: &[usize], label: &[bool]| reweigh(group, label, None).unwrap_err();
        assert_eq!(empty(&[0, 0, 4, 4], &[true, false, false, false]), EmptyCell { group: 4, label: true });
        assert_eq!(empty(&[2, 2], &[true, true]).to_string(), "group 2 has no negative image to weight");
        let weightless = reweigh(&[0, 0, 1, 1], &[true, false, true, false], Some(&[1.0, 1.0, 0.0, 1.0]));
        assert_eq!(weightless, Err(EmptyCell { group: 1, label: true }));
        assert_eq!(reweigh(&[], &[], None), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn weighted_base_rates_are_equal_in_all_groups(
            rows in prop::collection::vec((0usize..4, any::<bool>(), 0.01f64..10.0), 1..60),
        ) {
            // One row of the other label is added for each, so that every group has both.
            let rows: Vec<_> = rows.iter().flat_map(|row| [*row, (row.0, !row.1, 1.0)]).collect();
            let group: Vec<usize> = rows.iter().map(|row| row.0).collect();
            let label: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let own: Vec<f64> = rows.iter().map(|row| row.2).collect();
            for weights in [None, Some(own.as_slice())] {
                let before = |row: usize| weights.map_or(1.0, |weights| weights[row]);
                let reweighed = reweigh(&group, &label, weights).unwrap();
                let confusion = |within: &dyn Fn(usize) -> bool, weight: &dyn Fn(usize) -> f64| {
                    let rows = (0..rows.len()).filter(|row| within(group[*row]));
                    rows.map(|row| (label[row], label[row], weight(row))).collect::<Confusion>()
                };
                let all = confusion(&|_| true, &before);
                for wanted in 0..4 {
                    let (old, new) = (confusion(&|own| own == wanted, &before), confusion(&|own| own == wanted, &|row| reweighed[row]));
                    prop_assert!((old.n() - new.n()).abs() < 1e-12 * all.n(), "a group keeps its weight");
                    if let Some(rate) = new.base_rate() {
                        prop_assert!((rate - all.base_rate().unwrap()).abs() < 1e-12);
                    }
                }
            }
        }
    }
}
