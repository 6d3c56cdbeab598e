//! The gallery: figures in the ledger's order, each with why it is shown or left out.

use super::{
    filter::Filter,
    table::{ScreenTable, TableValue},
};
use crate::study::matrix_snapshot::Board;
use visavis_core::domain::{ledger::CellId, ledger::LedgerRow, score::Estimate};

#[derive(Default)]
pub struct Figures {
    pub cursor: usize,
    pub filter: String,
    pub list: Vec<CellId>,
    /// Figures that fit on the screen, and in a row of it.
    pub page: usize,
    pub across: usize,
    /// One figure is looked at by itself; or two, this one on the left.
    pub alone: bool,
    pub beside: Option<CellId>,
}

pub const FIELDS: [&str; 9] = ["model", "layer", "projection", "view", "comparison", "auc", "rank", "shown", "reason"];

impl Figures {
    pub fn rebuild(&mut self, board: &Board) {
        let filter = Filter::parse(&self.filter, &FIELDS).unwrap_or_default();
        let here = self.at(self.cursor);
        self.list = board.figures();
        if !filter.is_empty() {
            self.list.retain(|cell| {
                filter.holds(&format!("{} {}", board.name(cell), shown_as(board, cell)), &|name| field(board, cell, name))
            });
        }
        // The same figure stays under the cursor.
        let place = here.and_then(|here| self.list.iter().position(|cell| *cell == here));
        self.cursor = place.unwrap_or(self.cursor).min(self.list.len().saturating_sub(1));
    }

    pub fn at(&self, place: usize) -> Option<CellId> {
        self.list.get(place).copied()
    }

    /// The first figure on the screen.
    pub fn first(&self) -> usize {
        self.cursor / self.page.max(1) * self.page.max(1)
    }

    /// Those whose points are to be read: what is on the screen.
    pub fn wanted(&self) -> Vec<CellId> {
        if self.alone {
            return self.beside.into_iter().chain(self.at(self.cursor)).collect();
        }
        self.list.iter().skip(self.first()).take(self.page).copied().collect()
    }
}

/// A figure's row of the ledger, and why it stands there.
pub fn row<'a>(board: &'a Board, cell: &CellId) -> Option<(&'a LedgerRow, &'a str)> {
    let found = board.found.as_ref()?;
    let place = *found.rows.get(cell)?;
    Some((&found.ledger.rows[place], &found.reasons[place]))
}

/// Why it is in the report: `best`, `pinned`, or nothing.
pub fn shown_as(board: &Board, cell: &CellId) -> String {
    let shown = board.shown.iter().find(|(of, _)| of == cell);
    shown.map_or(String::new(), |(_, shown_as)| shown_as.iter().map(|of| of.word()).collect::<Vec<_>>().join(" "))
}

pub fn quoted(board: &Board, cell: &CellId) -> Option<Estimate> {
    row(board, cell)?.0.candidate.b
}

fn field(board: &Board, cell: &CellId, name: &str) -> TableValue {
    let study = &board.study;
    match name {
        "model" => study.models[cell.model].name.as_str().into(),
        "layer" => board.layers[cell.model][cell.layer].as_str().into(),
        "projection" => study.projections[cell.projection].name.as_str().into(),
        "view" => cell.view.to_string().into(),
        "comparison" => study.comparisons[cell.comparison].name.as_str().into(),
        "auc" => TableValue::of(quoted(board, cell)),
        "rank" => TableValue::of(row(board, cell).and_then(|(row, _)| row.rank)),
        "shown" => shown_as(board, cell).into(),
        _ => TableValue::of(row(board, cell).map(|(_, reason)| reason)),
    }
}

pub fn table(board: Option<&Board>, list: &[CellId]) -> ScreenTable {
    let heads = vec!["rank", "model", "layer", "projection", "view", "comparison", "auc", "shown", "reason"];
    let rows = board
        .map_or(vec![], |board| list.iter().map(|cell| heads.iter().map(|head| field(board, cell, head)).collect()).collect());
    ScreenTable { title: "figures, in the ledger's order; AUC on half B".to_owned(), heads, rows }
}
