//! What the ledger says of a figure.

use crate::study::matrix_snapshot::MatrixSnapshot;
use visavis_core::domain::{
    ledger::{CellId, LedgerRow},
    score::Estimate,
};

/// A figure's row of the ledger, and why it stands there.
pub(crate) fn row<'a>(matrix_snapshot: &'a MatrixSnapshot, cell: &CellId) -> Option<(&'a LedgerRow, &'a str)> {
    let found = matrix_snapshot.found.as_ref()?;
    let place = *found.rows.get(cell)?;
    Some((&found.ledger.rows[place], &found.reasons[place]))
}

/// Why it is in the report: `best`, `pinned`, or nothing where it is not.
pub(crate) fn shown_as(matrix_snapshot: &MatrixSnapshot, cell: &CellId) -> String {
    let shown = matrix_snapshot.shown.iter().find(|(of, _)| of == cell);
    shown.map_or(String::new(), |(_, shown_as)| shown_as.iter().map(|of| of.word()).collect::<Vec<_>>().join(" "))
}

/// Its AUC on the evaluation half.
pub(crate) fn quoted(matrix_snapshot: &MatrixSnapshot, cell: &CellId) -> Option<Estimate> {
    row(matrix_snapshot, cell)?.0.candidate.b
}
