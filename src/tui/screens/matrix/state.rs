//! The matrix, and where in it the person is.

use super::pivot::{CellIndex, FIELDS, MatrixAxis, MatrixSquare, Pivot};
use crate::{
    study::{Step, matrix_snapshot::MatrixSnapshot},
    tui::{
        filter::Filter,
        layout::ScreenLayout,
        shared::Shared,
        table::{TableValue, by_number},
    },
};
use visavis_core::domain::ledger::CellId;

#[derive(Default)]
pub(crate) struct MatrixState {
    pub pivot: Pivot,
    pub index: CellIndex,
    pub squares: Vec<Vec<Option<MatrixSquare>>>,
    /// Rows as they are shown: filtered and sorted.
    pub order: Vec<usize>,
    pub row: usize,
    pub column: usize,
    /// The axis that `<` and `>` step along.
    pub stepping: Option<MatrixAxis>,
    /// Sorted by this column; `true`: the least first.
    pub sorted: Option<(usize, bool)>,
    pub filter: String,
    /// Which view of the cell is shown, counted through its projection's views; `None`: its best.
    pub view: Option<usize>,
    /// The list of levels has the keys, and this line of it the cursor.
    pub levels: Option<usize>,
    /// Wide columns.
    pub wide: bool,
    /// The figure by itself.
    pub zoom: bool,
    /// Levels that were fixed in the last session, until the study's names are known.
    remembered: Vec<Option<String>>,
}

impl MatrixState {
    pub(crate) fn restore(&mut self, layout: &ScreenLayout) {
        if let (Some(rows), Some(columns)) = (MatrixAxis::of_word(&layout.rows), MatrixAxis::of_word(&layout.columns))
            && rows != columns
        {
            (self.pivot.rows, self.pivot.columns) = (rows, columns);
        }
        self.remembered.clone_from(&layout.fixed);
    }

    pub(crate) fn remember(&self, layout: &mut ScreenLayout) {
        self.pivot.rows.word().clone_into(&mut layout.rows);
        self.pivot.columns.word().clone_into(&mut layout.columns);
        layout.fixed = MatrixAxis::ALL.map(|axis| self.fixed_level(axis)).into();
    }

    /// The level that an axis is fixed at, by name.
    fn fixed_level(&self, axis: MatrixAxis) -> Option<String> {
        self.index.names(axis).get(self.pivot.fixed[axis as usize]?).cloned()
    }

    /// The study has changed: levels are found again by their names, for their places may be others.
    pub(crate) fn take_study(&mut self, matrix_snapshot: &MatrixSnapshot) {
        let mut fixed = MatrixAxis::ALL.map(|axis| self.fixed_level(axis));
        for (level, name) in fixed.iter_mut().zip(std::mem::take(&mut self.remembered)) {
            *level = name;
        }
        let columns = self.index.names(self.pivot.columns).to_vec();
        self.index = CellIndex::of(matrix_snapshot);
        for (axis, name) in MatrixAxis::ALL.into_iter().zip(fixed) {
            let place = |name: String| self.index.names(axis).iter().position(|of| *of == name);
            self.pivot.fixed[axis as usize] = name.and_then(place);
        }
        if columns != self.index.names(self.pivot.columns) {
            self.sorted = None;
        }
    }

    pub(crate) fn rebuild(&mut self, shared: &Shared) {
        let Some(matrix_snapshot) = shared.matrix_snapshot() else { return };
        self.squares = self.index.squares(matrix_snapshot, &shared.seen.states, &self.pivot);
        self.order(matrix_snapshot);
    }

    /// Filters and sorts the rows.
    pub(crate) fn order(&mut self, matrix_snapshot: &MatrixSnapshot) {
        let names = self.index.names(self.pivot.rows);
        let filter = Filter::parse(&self.filter, &FIELDS).unwrap_or_default();
        let factors = |row: usize| {
            if self.pivot.rows != MatrixAxis::Model {
                return None;
            }
            let model = matrix_snapshot.families.position(|(family, _)| *family == names[row])?;
            Some(matrix_snapshot.study.models[model].factors())
        };
        let holds = |row: &usize| {
            let field = |name: &str| match name {
                "auc" => {
                    let scores = self.squares[*row].iter().flatten().filter_map(|square| Some(square.best?.1.quoted.value));
                    TableValue::of(scores.reduce(f64::max))
                }
                axis if axis == self.pivot.rows.word() => TableValue::from(names[*row].as_str()),
                factor => TableValue::of(factors(*row).and_then(|of| of.get(factor.replace(' ', "_").as_str()).cloned())),
            };
            filter.holds(&names[*row], &field)
        };
        let mut order: Vec<usize> = (0..names.len()).filter(holds).collect();
        if let Some((column, least)) = self.sorted {
            let value = |row: usize| self.squares.get(row)?.get(column)?.as_ref()?.best.map(|(_, best)| best.quoted.value);
            order.sort_by(|&a, &b| by_number(value(a), value(b), least));
        }
        let columns = self.index.names(self.pivot.columns).len();
        self.row = self.row.min(order.len().saturating_sub(1));
        self.column = self.column.min(columns.saturating_sub(1));
        self.order = order;
    }

    /// The square under the cursor.
    pub(crate) fn square(&self) -> Option<&MatrixSquare> {
        let row = *self.order.get(self.row)?;
        self.squares.get(row)?.get(self.column)?.as_ref()
    }

    /// The figure that is looked at: the square's best, or the view that was chosen of the same cell.
    pub(crate) fn figure(&self, matrix_snapshot: &MatrixSnapshot) -> Option<CellId> {
        let mut figure = self.square()?.figure(matrix_snapshot)?;
        if let Some(view) = self.view {
            let views = matrix_snapshot.study.projections[figure.projection].views();
            figure.view = *views.get(view % views.len())?;
        }
        Some(figure)
    }

    /// The model that is looked at, by what its trainings have in common.
    pub(crate) fn model(&self, matrix_snapshot: &MatrixSnapshot) -> Option<String> {
        if self.pivot.rows == MatrixAxis::Model {
            return self.index.names(MatrixAxis::Model).get(*self.order.get(self.row)?).cloned();
        }
        Some(matrix_snapshot.families[self.figure(matrix_snapshot)?.model].0.clone())
    }

    /// The expression that names the stage which scores the cell looked at, and no other.
    pub(crate) fn only(&self, matrix_snapshot: &MatrixSnapshot) -> Option<String> {
        let CellId { model, layer, projection, comparison, .. } = self.figure(matrix_snapshot)?;
        Some(format!("={}", Step::Score { model, layer, projection, comparison }.label(&matrix_snapshot.study)))
    }

    /// Axes that are neither rows nor columns, and have levels to step along.
    pub(crate) fn steppable(&self) -> Vec<MatrixAxis> {
        self.pivot.hidden().filter(|axis| self.index.names(*axis).len() > 1).collect()
    }
}
