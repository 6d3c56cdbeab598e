//! The matrix as people turn it: any two of five axes are its rows and columns, the others are fixed or taken together.

use super::table::{ScreenTable, TableValue};
use crate::study::{
    matrix_snapshot::{Best, Board},
    watch::CellState,
};
use visavis_core::domain::ledger::CellId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixAxis {
    Model,
    Layer,
    Projection,
    Comparison,
    Seed,
}

impl MatrixAxis {
    pub const ALL: [MatrixAxis; 5] =
        [MatrixAxis::Model, MatrixAxis::Layer, MatrixAxis::Projection, MatrixAxis::Comparison, MatrixAxis::Seed];

    pub fn word(self) -> &'static str {
        match self {
            MatrixAxis::Model => "model",
            MatrixAxis::Layer => "layer",
            MatrixAxis::Projection => "projection",
            MatrixAxis::Comparison => "comparison",
            MatrixAxis::Seed => "training seed",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        MatrixAxis::ALL.into_iter().find(|axis| axis.word() == word)
    }
}

/// Fields of a filter of rows: their own name, the factors of models, and the best score in them.
pub const FIELDS: [&str; 10] =
    ["model", "layer", "projection", "comparison", "training seed", "architecture", "loss", "trained on", "prepare", "auc"];

/// Every cell of a board by its place on each axis.
#[derive(Default)]
pub struct Lattice {
    /// The levels of each axis, in the study's order.
    pub levels: [Vec<String>; 5],
    places: Vec<[u16; 5]>,
}

/// One square of the matrix as it is turned: the cells that fall into it, the most urgent state, the view that is best on half A.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSquare {
    pub state: CellState,
    pub count: usize,
    pub done: usize,
    /// Which cell of the board the best is of.
    pub best: Option<(usize, Best)>,
    /// A cell in this state: the one to look at where nothing is done.
    pub urgent: usize,
}

/// How the matrix is turned.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub rows: MatrixAxis,
    pub columns: MatrixAxis,
    /// The level of each axis that is neither, or all of its levels.
    pub fixed: [Option<usize>; 5],
}

impl Default for Turn {
    fn default() -> Self {
        Turn { rows: MatrixAxis::Model, columns: MatrixAxis::Comparison, fixed: [None; 5] }
    }
}

impl Turn {
    /// The axes that are neither rows nor columns.
    pub fn hidden(&self) -> impl Iterator<Item = MatrixAxis> + use<> {
        let (rows, columns) = (self.rows, self.columns);
        MatrixAxis::ALL.into_iter().filter(move |axis| *axis != rows && *axis != columns)
    }
}

impl Lattice {
    pub fn of(board: &Board) -> Self {
        let mut families: Vec<String> = Vec::new();
        let mut layers: Vec<String> = Vec::new();
        let mut seeds = 1;
        for ((family, seed), of) in board.families.iter().zip(&board.layers) {
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
        let depth = |layer: &String| visavis_core::domain::model::LAYERS.iter().position(|of| of == layer).unwrap_or(usize::MAX);
        layers.sort_by_key(depth);
        let find = |names: &[String], name: &str| names.iter().position(|of| of == name).unwrap_or(0) as u16;
        let family_of: Vec<u16> = board.families.iter().map(|(family, _)| find(&families, family)).collect();
        let layer_of: Vec<Vec<u16>> =
            board.layers.iter().map(|of| of.iter().map(|layer| find(&layers, layer)).collect()).collect();
        let place = |cell: &crate::study::matrix_snapshot::BoardCell| {
            [
                family_of[cell.model],
                layer_of[cell.model][cell.layer],
                cell.projection as u16,
                cell.comparison as u16,
                (board.families[cell.model].1 - 1) as u16,
            ]
        };
        let study = &board.study;
        Lattice {
            places: board.cells.iter().map(place).collect(),
            levels: [
                families,
                layers,
                study.projections.iter().map(|of| of.name.clone()).collect(),
                study.comparisons.iter().map(|of| of.name.clone()).collect(),
                (1..=seeds).map(|seed| format!("@{seed}")).collect(),
            ],
        }
    }

    pub fn names(&self, axis: MatrixAxis) -> &[String] {
        &self.levels[axis as usize]
    }

    /// Rows × columns of the matrix as it is turned; `None` where the study has no cell.
    pub fn spots(&self, board: &Board, states: &[CellState], turn: &Turn) -> Vec<Vec<Option<MatrixSquare>>> {
        let (rows, columns) = (turn.rows as usize, turn.columns as usize);
        let mut spots: Vec<Vec<Option<MatrixSquare>>> = vec![vec![None; self.levels[columns].len()]; self.levels[rows].len()];
        let fits = |place: &[u16; 5]| {
            turn.hidden().all(|axis| turn.fixed[axis as usize].is_none_or(|level| usize::from(place[axis as usize]) == level))
        };
        for (number, place) in self.places.iter().enumerate().filter(|(_, place)| fits(place)) {
            let (cell, state) = (&board.cells[number], states.get(number).unwrap_or(&CellState::NotRun));
            let done = usize::from(cell.scores.is_some());
            let best = cell.best.map(|best| (number, best));
            let spot = &mut spots[usize::from(place[rows])][usize::from(place[columns])];
            match spot {
                None => *spot = Some(MatrixSquare { state: state.clone(), count: 1, done, best, urgent: number }),
                Some(spot) => {
                    spot.count += 1;
                    spot.done += done;
                    if state.urgency() > spot.state.urgency() {
                        (spot.state, spot.urgent) = (state.clone(), number);
                    }
                    spot.best = match (spot.best, best) {
                        (Some((own, of)), Some((other, better))) => {
                            let chosen = of.better(better);
                            Some((if chosen == of { own } else { other }, chosen))
                        }
                        (own, other) => own.or(other),
                    };
                }
            }
        }
        spots
    }
}

impl MatrixSquare {
    /// The figure that the square stands for.
    pub fn figure(&self, board: &Board) -> Option<CellId> {
        let (number, view) = match &self.best {
            Some((number, best)) => (*number, best.view),
            None => {
                let cell = &board.cells[self.urgent];
                (self.urgent, *board.study.projections[cell.projection].views().first()?)
            }
        };
        let cell = &board.cells[number];
        Some(CellId { model: cell.model, layer: cell.layer, projection: cell.projection, view, comparison: cell.comparison })
    }
}

/// Every cell of a board: its state, and its view that is best on half A, quoted on half B.
pub fn table(board: Option<&Board>, states: &[CellState]) -> ScreenTable {
    let heads =
        vec!["model", "layer", "projection", "comparison", "state", "view", "score", "value", "half", "n", "people", "why"];
    let Some(board) = board else { return ScreenTable { title: "no study is open".to_owned(), heads, rows: vec![] } };
    let study = &board.study;
    let row = |(cell, state): (&crate::study::matrix_snapshot::BoardCell, &CellState)| {
        let why = match state {
            CellState::Failed(why) | CellState::Waits(why) => why.lines().next().unwrap_or(""),
            _ => cell.scores.as_ref().and_then(|scores| scores.unranked.as_deref()).unwrap_or(""),
        };
        vec![
            study.models[cell.model].name.as_str().into(),
            board.layers[cell.model][cell.layer].as_str().into(),
            study.projections[cell.projection].name.as_str().into(),
            study.comparisons[cell.comparison].name.as_str().into(),
            state.word().into(),
            TableValue::of(cell.best.map(|best| best.view.to_string())),
            TableValue::of(cell.best.map(|best| best.score)),
            TableValue::of(cell.best.map(|best| best.quoted)),
            TableValue::of(cell.best.map(|best| if best.held_back { "B" } else { "all" })),
            TableValue::of(cell.scores.as_ref().map(|scores| scores.counts.n)),
            TableValue::of(cell.scores.as_ref().map(|scores| scores.counts.people)),
            why.into(),
        ]
    };
    ScreenTable { title: study.title(), heads, rows: board.cells.iter().zip(states).map(row).collect() }
}
