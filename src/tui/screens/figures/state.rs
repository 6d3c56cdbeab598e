//! Figures in the ledger's order, and which of them is looked at.

use super::close_up::CloseUp;
use crate::{
    study::matrix_snapshot::MatrixSnapshot,
    tui::{
        filter::Filter,
        ledger::{quoted, row, shown_as},
        table::{ScreenTable, TableValue},
    },
};
use visavis_core::domain::ledger::CellId;

#[derive(Default)]
pub(crate) struct FiguresState {
    pub cursor: usize,
    pub filter: String,
    pub list: Vec<CellId>,
    /// One figure is looked at by itself.
    pub alone: bool,
    /// A figure that was put aside: shown on the left of the one looked at.
    pub beside: Option<CellId>,
    /// The map of a figure is looked at closely.
    pub close_up: Option<CloseUp>,
}

pub(crate) const FIELDS: [&str; 9] = ["model", "layer", "projection", "view", "comparison", "auc", "rank", "shown", "reason"];

/// The least that a figure on the wall is seen in.
const WIDE: u16 = 30;
const HIGH: u16 = 12;

/// How many figures fit across and down on a terminal of this size.
pub(crate) fn wall(size: (u16, u16)) -> (usize, usize) {
    let (wide, high) = (size.0.saturating_sub(2), size.1.saturating_sub(7));
    (usize::from((wide / WIDE).clamp(1, 6)), usize::from((high / HIGH).clamp(1, 6)))
}

impl FiguresState {
    pub(crate) fn rebuild(&mut self, matrix_snapshot: &MatrixSnapshot) {
        let filter = Filter::parse(&self.filter, &FIELDS).unwrap_or_default();
        let here = self.here();
        self.list = matrix_snapshot.figures();
        if !filter.is_empty() {
            self.list.retain(|cell| {
                filter.holds(&format!("{} {}", matrix_snapshot.name(cell), shown_as(matrix_snapshot, cell)), &|name| {
                    field(matrix_snapshot, cell, name)
                })
            });
        }
        // The same figure stays under the cursor.
        let place = here.and_then(|here| self.list.iter().position(|cell| *cell == here));
        self.cursor = place.unwrap_or(self.cursor).min(self.list.len().saturating_sub(1));
    }

    pub(crate) fn at(&self, place: usize) -> Option<CellId> {
        self.list.get(place).copied()
    }

    /// The figure under the cursor.
    pub(crate) fn here(&self) -> Option<CellId> {
        self.at(self.cursor)
    }

    /// The first figure on a wall that holds so many.
    pub(crate) fn first(&self, page: usize) -> usize {
        self.cursor / page.max(1) * page.max(1)
    }

    /// The figures on the screen.
    pub(crate) fn on_screen(&self, (across, down): (usize, usize)) -> Vec<CellId> {
        if self.alone {
            return self.beside.into_iter().chain(self.here()).collect();
        }
        let page = across * down;
        self.list.iter().skip(self.first(page)).take(page).copied().collect()
    }
}

fn field(matrix_snapshot: &MatrixSnapshot, cell: &CellId, name: &str) -> TableValue {
    let study = &matrix_snapshot.study;
    match name {
        "model" => study.models[cell.model].name.as_str().into(),
        "layer" => matrix_snapshot.layers[cell.model][cell.layer].as_str().into(),
        "projection" => study.projections[cell.projection].name.as_str().into(),
        "view" => cell.view.to_string().into(),
        "comparison" => study.comparisons[cell.comparison].name.as_str().into(),
        "auc" => TableValue::of(quoted(matrix_snapshot, cell)),
        "rank" => TableValue::of(row(matrix_snapshot, cell).and_then(|(row, _)| row.rank)),
        "shown" => shown_as(matrix_snapshot, cell).into(),
        _ => TableValue::of(row(matrix_snapshot, cell).map(|(_, reason)| reason)),
    }
}

pub(crate) fn table(matrix_snapshot: Option<&MatrixSnapshot>, list: &[CellId]) -> ScreenTable {
    let heads = vec!["rank", "model", "layer", "projection", "view", "comparison", "auc", "shown", "reason"];
    let rows = matrix_snapshot.map_or(vec![], |matrix_snapshot| {
        list.iter().map(|cell| heads.iter().map(|head| field(matrix_snapshot, cell, head)).collect()).collect()
    });
    ScreenTable { title: "figures, in the ledger's order; AUC on the evaluation half".to_owned(), heads, rows }
}
