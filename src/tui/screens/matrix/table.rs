//! The matrix as a table: one row a cell.

use crate::{
    study::{
        matrix_snapshot::{MatrixSnapshot, SnapshotCell},
        watch::CellState,
    },
    tui::table::{ScreenTable, TableValue},
};

/// Every cell of a study: its state, and its view that is best on the selection half, quoted on the evaluation half.
pub(crate) fn table(matrix_snapshot: Option<&MatrixSnapshot>, states: &[CellState]) -> ScreenTable {
    let heads =
        vec!["model", "layer", "projection", "comparison", "state", "view", "score", "value", "half", "n", "identities", "why"];
    let Some(matrix_snapshot) = matrix_snapshot else {
        return ScreenTable { title: "no study is open".to_owned(), heads, rows: vec![] };
    };
    let study = &matrix_snapshot.study;
    let row = |(cell, state): (&SnapshotCell, &CellState)| {
        let why = match state {
            CellState::Failed(why) | CellState::Waits(why) => why.lines().next().unwrap_or(""),
            _ => cell.scores.as_ref().and_then(|scores| scores.unranked.as_deref()).unwrap_or(""),
        };
        let unseen = matrix_snapshot.visibility.mark(cell.model, cell.comparison);
        let why: Vec<&str> = [why, unseen.as_deref().unwrap_or("")].into_iter().filter(|of| !of.is_empty()).collect();
        vec![
            study.models[cell.model].name.as_str().into(),
            matrix_snapshot.layers[cell.model][cell.layer].as_str().into(),
            study.projections[cell.projection].name.as_str().into(),
            study.comparisons[cell.comparison].name.as_str().into(),
            state.word().into(),
            TableValue::of(cell.best.map(|best| best.view.to_string())),
            TableValue::of(cell.best.map(|best| best.score)),
            TableValue::of(cell.best.map(|best| best.quoted)),
            TableValue::of(cell.best.map(|best| if best.held_back { "B" } else { "all" })),
            TableValue::of(cell.scores.as_ref().map(|scores| scores.counts.n)),
            TableValue::of(cell.scores.as_ref().map(|scores| scores.counts.people)),
            why.join("; ").into(),
        ]
    };
    ScreenTable { title: study.title(), heads, rows: matrix_snapshot.cells.iter().zip(states).map(row).collect() }
}
