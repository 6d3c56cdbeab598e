//! A table of models, one row each, and how it is sorted and filtered.

use super::row::{best_by_model, row};
use crate::{
    study::matrix_snapshot::MatrixSnapshot,
    tui::{
        filter::Filter,
        table::{ScreenTable, TableValue, by_number},
    },
};
use std::collections::BTreeSet;
use visavis_core::domain::index::{ComparisonIx, ModelIx, PairSetIx};

#[derive(Default)]
pub(crate) struct CompareState {
    pub cursor: usize,
    pub column: usize,
    pub sorted: Option<(usize, bool)>,
    pub hidden: BTreeSet<usize>,
    pub filter: String,
    pub table: ScreenTable,
    /// Rows as they are shown.
    pub order: Vec<usize>,
    /// By row: the models that are its trainings.
    pub families: Vec<Vec<ModelIx>>,
    /// Every comparison of two marked models is shown.
    pub diff: bool,
}

pub(crate) const HEADS: [&str; 18] = [
    "model",
    "auc",
    "best",
    "best on",
    "separates",
    "probe",
    "features",
    "verification",
    "tar",
    "pairs",
    "pairs tar",
    "accuracy",
    "last",
    "seeds",
    "architecture",
    "loss",
    "trained on",
    "prepare",
];

/// Fields of a filter: the columns, and the comparisons and verification sets that they are means over.
pub(crate) const FIELDS: [&str; HEADS.len() + 2] = {
    let mut fields = ["comparison"; HEADS.len() + 2];
    fields[HEADS.len()] = "set";
    let mut at = 0;
    while at < HEADS.len() {
        fields[at] = HEADS[at];
        at += 1;
    }
    fields
};

/// What a column holds, in a line.
pub(crate) fn explained(column: usize) -> &'static str {
    match HEADS[column] {
        "auc" => {
            "mean over comparisons of the view that is best on the selection half, quoted on the evaluation half; over training seeds with its 95 % interval"
        }
        "best" => "of the comparison that is best on the selection half, quoted on the evaluation half",
        "best on" => "the comparison that is best on the selection half",
        "separates" => "comparisons whose lower bound, corrected for all chosen cells, reaches the threshold",
        "probe" => "a linear probe of the features, mean over comparisons, evaluation half",
        "features" => "nearest neighbours in the features, mean over comparisons, evaluation half",
        "verification" => "do two images show the same identity? AUC over pairs",
        "tar" => "true acceptance rate of pairs of images at a false acceptance rate of 1 %",
        "pairs" => {
            "share of pairs that are told right (InsightFace's protocol), mean over all verification sets; of one training on one set ± standard deviation over folds"
        }
        "pairs tar" => {
            "share of their pairs of one identity that are accepted at the study's false acceptance rate, mean over sets"
        }
        "accuracy" => "on its training set, the best epoch's",
        "last" => "on its training set, the last epoch's",
        "seeds" => "trainings of the same recipe",
        _ => "",
    }
}

impl CompareState {
    /// Makes the table anew.
    pub(crate) fn rebuild(&mut self, matrix_snapshot: &MatrixSnapshot) {
        let filter = Filter::parse(&self.filter, &FIELDS).unwrap_or_default();
        // A comparison or a set that the filter names restricts what scores are means of; it takes no model away.
        let study = &matrix_snapshot.study;
        let named = |field: &str, name: &str| filter.only(field).holds("", &|_| TableValue::from(name));
        let comparisons: Vec<ComparisonIx> =
            study.comparisons.iter_enumerated().filter(|(_, of)| named("comparison", &of.name)).map(|(place, _)| place).collect();
        let sets = study.verification.sets.iter_enumerated();
        let sets: Vec<PairSetIx> = sets.filter(|(_, of)| named("set", &of.name)).map(|(place, _)| place).collect();
        let filter = filter.without("comparison").without("set");
        let best = best_by_model(matrix_snapshot);
        self.families = matrix_snapshot.trainings().into_values().collect();
        let rows = self.families.iter().map(|models| row(matrix_snapshot, models, (&comparisons, &sets), &best)).collect();
        self.table = ScreenTable { title: "model against model".to_owned(), heads: HEADS.to_vec(), rows };
        let holds = |row: &usize| {
            let cells = &self.table.rows[*row];
            let field = |name: &str| match HEADS.iter().position(|head| *head == name) {
                Some(column) => cells[column].clone(),
                None => TableValue::Empty,
            };
            filter.holds(&cells[0].text(), &field)
        };
        let mut order: Vec<usize> = (0..self.table.rows.len()).filter(holds).collect();
        if let Some((column, least)) = self.sorted {
            let rows = &self.table.rows;
            order.sort_by(|&a, &b| {
                let (a, b) = (&rows[a][column], &rows[b][column]);
                by_number(a.number(), b.number(), least).then_with(|| a.text().cmp(&b.text()))
            });
        }
        self.order = order;
        self.cursor = self.cursor.min(self.order.len().saturating_sub(1));
    }

    /// Columns that hold anything, without those that were hidden.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let holds = |column: &usize| self.table.rows.iter().any(|row| row[*column] != TableValue::Empty);
        (0..self.table.heads.len()).filter(|column| !self.hidden.contains(column)).filter(holds).collect()
    }

    /// As it is shown: filtered, sorted, without hidden columns.
    pub(crate) fn shown(&self) -> ScreenTable {
        let columns = self.columns();
        ScreenTable {
            title: self.table.title.clone(),
            heads: columns.iter().map(|&column| self.table.heads[column]).collect(),
            rows: self
                .order
                .iter()
                .map(|&row| columns.iter().map(|&column| self.table.rows[row][column].clone()).collect())
                .collect(),
        }
    }

    pub(crate) fn at(&self, row: usize) -> Option<&str> {
        match self.table.rows.get(*self.order.get(row)?)?.first()? {
            TableValue::Text(name) => Some(name),
            _ => None,
        }
    }
}
