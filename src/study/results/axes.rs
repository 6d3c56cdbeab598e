//! What each axis of a projection shows, and which layer of a model shows a comparison best.

use super::StudyOutcome;
use std::collections::BTreeMap;
use visavis_core::domain::{
    index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
    ledger::LedgerRow,
    projection::View,
};

/// One axis, counted from 1, and the comparison that the selection half prefers along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AxisFinding {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub projection: ProjectionIx,
    pub axis: usize,
    /// The place in the ledger.
    pub row: usize,
    /// It may be named: above chance on the evaluation half, all cells of its family considered.
    pub is_named: bool,
}

/// A model on a comparison: one view a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayersOn {
    pub model: ModelIx,
    pub comparison: ComparisonIx,
    /// By layer the place in the ledger of the view that the selection half prefers; only layers with a ranked view.
    pub rows: BTreeMap<LayerIx, usize>,
    /// The layer whose view the selection half prefers.
    pub best: LayerIx,
}

impl StudyOutcome<'_> {
    /// Every axis of which something is ranked, in the order of models, layers, projections and axes.
    pub fn axes(&self) -> Vec<AxisFinding> {
        let of_axis = |row: &LedgerRow| match row.candidate.cell.view {
            View::Axis(axis) => Some((row.candidate.cell.model, row.candidate.cell.layer, row.candidate.cell.projection, axis)),
            _ => None,
        };
        let finding = |((model, layer, projection, axis), row)| AxisFinding {
            model,
            layer,
            projection,
            axis,
            row,
            is_named: self.tells(&self.ledger.rows[row]),
        };
        self.preferred_of_each(of_axis).into_iter().map(finding).collect()
    }

    /// Every model with several layers, on every comparison that is ranked.
    pub fn layers(&self) -> Vec<LayersOn> {
        let of_layer = |row: &LedgerRow| {
            let cell = &row.candidate.cell;
            Some((cell.model, cell.comparison, cell.layer))
        };
        let mut all: Vec<LayersOn> = Vec::new();
        for ((model, comparison, layer), row) in self.preferred_of_each(of_layer) {
            match all.last_mut().filter(|last| (last.model, last.comparison) == (model, comparison)) {
                Some(last) => {
                    if self.is_preferred(row, last.rows[&last.best]) {
                        last.best = layer;
                    }
                    last.rows.insert(layer, row);
                }
                None => all.push(LayersOn { model, comparison, rows: [(layer, row)].into(), best: layer }),
            }
        }
        all.retain(|of| of.rows.len() > 1);
        all
    }

    /// Comparisons on which something is ranked and nothing is above chance.
    pub fn told_by_none(&self) -> Vec<ComparisonIx> {
        let mut is_told: BTreeMap<ComparisonIx, bool> = BTreeMap::new();
        for row in self.ledger.rows.iter().filter(|row| row.rank.is_some()) {
            *is_told.entry(row.candidate.cell.comparison).or_default() |= self.tells(row);
        }
        is_told.into_iter().filter(|(_, is_told)| !is_told).map(|(comparison, _)| comparison).collect()
    }

    /// Of the ranked rows of each `group` the one that the selection half prefers; of equals the first.
    fn preferred_of_each<G: Ord>(&self, group: impl Fn(&LedgerRow) -> Option<G>) -> BTreeMap<G, usize> {
        let mut preferred: BTreeMap<G, usize> = BTreeMap::new();
        for (place, row) in self.ledger.rows.iter().enumerate().filter(|(_, row)| row.rank.is_some()) {
            let Some(group) = group(row) else { continue };
            let best = preferred.entry(group).or_insert(place);
            if self.is_preferred(place, *best) {
                *best = place;
            }
        }
        preferred
    }

    /// Does the selection half prefer the view of one row to that of another?
    pub(super) fn is_preferred(&self, row: usize, to: usize) -> bool {
        let score = |place: usize| self.ledger.rows[place].candidate.a.map_or(f64::NEG_INFINITY, |estimate| estimate.value);
        score(row) > score(to)
    }
}
