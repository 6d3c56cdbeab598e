//! The matrix as a pivot table: any two of five axes are its rows and columns, the others are fixed at a level or pooled.

use crate::study::{
    families,
    matrix_snapshot::{Best, MatrixSnapshot, SnapshotCell},
    watch::CellState,
};
use typed_index_collections::TiVec;
use visavis_core::domain::{
    index::{LayerIx, ModelIx},
    ledger::CellId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatrixAxis {
    Model,
    Layer,
    Projection,
    Comparison,
    Seed,
}

impl MatrixAxis {
    pub(crate) const ALL: [MatrixAxis; 5] =
        [MatrixAxis::Model, MatrixAxis::Layer, MatrixAxis::Projection, MatrixAxis::Comparison, MatrixAxis::Seed];

    pub(crate) fn word(self) -> &'static str {
        match self {
            MatrixAxis::Model => "model",
            MatrixAxis::Layer => "layer",
            MatrixAxis::Projection => "projection",
            MatrixAxis::Comparison => "comparison",
            MatrixAxis::Seed => "training seed",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        MatrixAxis::ALL.into_iter().find(|axis| axis.word() == word)
    }
}

/// Fields of a filter of rows: their own name, the factors of models, and the best score in them.
pub(crate) const FIELDS: [&str; 10] =
    ["model", "layer", "projection", "comparison", "training seed", "architecture", "loss", "trained on", "prepare", "auc"];

/// Every cell of a study by its level on each axis.
#[derive(Default)]
pub(crate) struct CellIndex {
    /// The levels of each axis, in the study's order.
    pub levels: [Vec<String>; 5],
    /// Cell by cell of the study: its level on each axis.
    places: Vec<[u16; 5]>,
}

/// One square of the matrix: the cells that fall into it, their most urgent state, their view that is best on the selection half.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MatrixSquare {
    pub state: CellState,
    pub count: usize,
    pub done: usize,
    /// The cell with the best view, by its place in the study, and that view.
    pub best: Option<(usize, Best)>,
    /// A cell in this state: the one to look at where nothing is done.
    pub urgent: usize,
    /// What is asked lies outside of the crop of the model that it shows.
    pub unseen: bool,
}

/// Which axes are rows and columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pivot {
    pub rows: MatrixAxis,
    pub columns: MatrixAxis,
    /// The level of each axis that is neither, or all of its levels.
    pub fixed: [Option<usize>; 5],
}

impl Default for Pivot {
    fn default() -> Self {
        Pivot { rows: MatrixAxis::Model, columns: MatrixAxis::Comparison, fixed: [None; 5] }
    }
}

impl Pivot {
    /// The axes that are neither rows nor columns.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = MatrixAxis> + use<> {
        let (rows, columns) = (self.rows, self.columns);
        MatrixAxis::ALL.into_iter().filter(move |axis| *axis != rows && *axis != columns)
    }
}

impl CellIndex {
    pub(crate) fn of(matrix_snapshot: &MatrixSnapshot) -> Self {
        let mut families: Vec<String> = Vec::new();
        let mut layers: Vec<String> = Vec::new();
        let mut seeds = 1;
        for ((family, seed), of) in matrix_snapshot.families.iter().zip(&matrix_snapshot.layers) {
            if !families.contains(family) {
                families.push(family.clone());
            }
            seeds = seeds.max(*seed);
            for layer in of {
                if !layers.contains(layer) {
                    layers.push(layer.clone());
                }
            }
        }
        // In order of depth, whichever model was first.
        let known = families::all_layers();
        let depth = |layer: &String| known.iter().position(|of| of == layer).unwrap_or(usize::MAX);
        layers.sort_by_key(depth);
        let find = |names: &[String], name: &str| names.iter().position(|of| of == name).unwrap_or(0) as u16;
        let family_of: TiVec<ModelIx, u16> = matrix_snapshot.families.iter().map(|(family, _)| find(&families, family)).collect();
        let layer_of: TiVec<ModelIx, TiVec<LayerIx, u16>> =
            matrix_snapshot.layers.iter().map(|of| of.iter().map(|layer| find(&layers, layer)).collect()).collect();
        let place = |cell: &SnapshotCell| {
            [
                family_of[cell.model],
                layer_of[cell.model][cell.layer],
                usize::from(cell.projection) as u16,
                usize::from(cell.comparison) as u16,
                (matrix_snapshot.families[cell.model].1 - 1) as u16,
            ]
        };
        let study = &matrix_snapshot.study;
        CellIndex {
            places: matrix_snapshot.cells.iter().map(place).collect(),
            levels: [
                families,
                layers,
                study.projections.iter().map(|of| of.name.clone()).collect(),
                study.comparisons.iter().map(|of| of.name.clone()).collect(),
                (1..=seeds).map(|seed| format!("@{seed}")).collect(),
            ],
        }
    }

    pub(crate) fn names(&self, axis: MatrixAxis) -> &[String] {
        &self.levels[axis as usize]
    }

    /// Rows × columns; `None` where the study has no cell.
    pub(crate) fn squares(
        &self,
        matrix_snapshot: &MatrixSnapshot,
        states: &[CellState],
        pivot: &Pivot,
    ) -> Vec<Vec<Option<MatrixSquare>>> {
        let (rows, columns) = (pivot.rows as usize, pivot.columns as usize);
        let mut squares: Vec<Vec<Option<MatrixSquare>>> = vec![vec![None; self.levels[columns].len()]; self.levels[rows].len()];
        let fits = |place: &[u16; 5]| {
            pivot.hidden().all(|axis| pivot.fixed[axis as usize].is_none_or(|level| usize::from(place[axis as usize]) == level))
        };
        for (number, place) in self.places.iter().enumerate().filter(|(_, place)| fits(place)) {
            let (cell, state) = (&matrix_snapshot.cells[number], states.get(number).unwrap_or(&CellState::NotRun));
            let done = usize::from(cell.scores.is_some());
            let best = cell.best.map(|best| (number, best));
            let square = &mut squares[usize::from(place[rows])][usize::from(place[columns])];
            match square {
                None => {
                    *square = Some(MatrixSquare { state: state.clone(), count: 1, done, best, urgent: number, unseen: false });
                }
                Some(square) => {
                    square.count += 1;
                    square.done += done;
                    if state.urgency() > square.state.urgency() {
                        (square.state, square.urgent) = (state.clone(), number);
                    }
                    square.best = match (square.best, best) {
                        (Some((own, of)), Some((other, better))) => {
                            let chosen = of.better(better);
                            Some((if chosen == of { own } else { other }, chosen))
                        }
                        (own, other) => own.or(other),
                    };
                }
            }
        }
        for square in squares.iter_mut().flatten().flatten() {
            let shown = &matrix_snapshot.cells[square.best.map_or(square.urgent, |(cell, _)| cell)];
            square.unseen = matrix_snapshot.visibility.mark(shown.model, shown.comparison).is_some();
        }
        squares
    }
}

impl MatrixSquare {
    /// The figure that the square stands for.
    pub(crate) fn figure(&self, matrix_snapshot: &MatrixSnapshot) -> Option<CellId> {
        let (number, view) = match &self.best {
            Some((number, best)) => (*number, best.view),
            None => {
                let cell = &matrix_snapshot.cells[self.urgent];
                (self.urgent, *matrix_snapshot.study.projections[cell.projection].views().first()?)
            }
        };
        let cell = &matrix_snapshot.cells[number];
        Some(CellId { model: cell.model, layer: cell.layer, projection: cell.projection, view, comparison: cell.comparison })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::study;

    fn squares(pivot: &Pivot) -> Vec<Vec<Option<MatrixSquare>>> {
        let matrix_snapshot = study();
        CellIndex::of(&matrix_snapshot).squares(&matrix_snapshot, &vec![CellState::Done; matrix_snapshot.cells.len()], pivot)
    }

    #[test]
    fn models_stand_in_rows_and_comparisons_in_columns_at_first() {
        let squares = squares(&Pivot::default());
        assert_eq!((squares.len(), squares[0].len()), (3, 2));
    }

    #[test]
    fn a_square_pools_the_cells_of_the_axes_that_are_neither() {
        let pooled = squares(&Pivot::default());
        let square = pooled[0][0].as_ref().unwrap();
        assert_eq!(square.count, 2, "two projections");
        let (_, best) = square.best.unwrap();
        assert_eq!(best.quoted.value, 0.9, "the projection that is best on the selection half");
        let mut pivot = Pivot::default();
        pivot.fixed[MatrixAxis::Projection as usize] = Some(0);
        let fixed = squares(&pivot);
        assert_eq!(fixed[0][0].as_ref().unwrap().count, 1);
    }

    #[test]
    fn a_square_shows_its_most_urgent_state() {
        let matrix_snapshot = study();
        let mut states = vec![CellState::Done; matrix_snapshot.cells.len()];
        states[1] = CellState::Failed("memory".to_owned());
        let squares = CellIndex::of(&matrix_snapshot).squares(&matrix_snapshot, &states, &Pivot::default());
        let failed: Vec<&MatrixSquare> =
            squares.iter().flatten().flatten().filter(|square| matches!(square.state, CellState::Failed(_))).collect();
        assert_eq!((failed.len(), failed[0].urgent), (1, 1));
    }

    #[test]
    fn any_two_axes_can_be_rows_and_columns() {
        let pivot = Pivot { rows: MatrixAxis::Projection, columns: MatrixAxis::Model, fixed: [None; 5] };
        let squares = squares(&pivot);
        assert_eq!((squares.len(), squares[0].len()), (2, 3));
        assert_eq!(pivot.hidden().collect::<Vec<_>>(), [MatrixAxis::Layer, MatrixAxis::Comparison, MatrixAxis::Seed]);
    }
}
