//! The figures of a study: what each of them is, and which of them the report shows.

use super::names::StudyNames;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use typed_index_collections::TiVec;
use visavis_core::domain::{
    canonical::Value,
    index::ModelIx,
    ledger::{CellId, Ledger, LedgerRow, ShownAs},
    matrix,
    model::{Model, ModelFile, Source, Weights},
    pin,
    study::{Preparation, Recipe, Study},
};

/// Every figure of the study, with what it is called and what it is: its model, projection and question as the study defines them,
/// by no name of the study's. `shareable` gives files the same names in every folder.
pub fn known_figures(study: &Study, shareable: &dyn Fn(&Path) -> PathBuf) -> Vec<pin::KnownFigure> {
    let names = StudyNames::of(study);
    let file = |path: &Path| Value::text(shareable(path).display().to_string());
    let prepared = |name: &String| study.preparations.get(name).map_or_else(|| Value::text(name), Preparation::canonical);
    let learned_from = |name: &String| study.datasets.get(name).map_or_else(|| Value::text(name), |set| file(set.root()));
    let weights = |of: &Weights| match of {
        Weights::File { file: path, family, .. } => Value::List(vec![file(path), Value::text(family.word())]),
        Weights::Whole(ModelFile { file: path, format, reads, blake3: _ }) => Value::List(vec![
            file(path),
            Value::text(format.word()),
            Value::list(reads, |(layer, of)| Value::List(vec![Value::text(layer), Value::text(of)])),
        ]),
        Weights::Recipe { recipe, seed } => {
            let recipe = study.recipes.get(recipe).map_or_else(|| Value::text(recipe), Recipe::canonical);
            Value::List(vec![recipe, Value::Int(*seed as i64)])
        }
        Weights::Untrained { seed } => Value::List(vec![Value::Int(*seed as i64)]),
    };
    let model = |of: &Model| match &of.source {
        Source::Given(given) => Value::List(vec![
            Value::text("given"),
            Value::list(&given.layers, |(layer, path)| Value::List(vec![Value::text(layer), file(path)])),
            file(&given.images),
        ]),
        Source::Baseline { word, prepare } => {
            Value::List(vec![Value::text("baseline"), Value::text(word.word()), prepared(prepare)])
        }
        Source::Network(of) => {
            let network = [
                Value::text("network"),
                of.architecture.canonical(),
                of.loss.canonical(),
                learned_from(&of.trained_on),
                prepared(&of.prepare),
                weights(&of.weights),
            ];
            Value::List(network.into_iter().chain(of.embedding.canonical()).collect())
        }
    };
    let models: TiVec<ModelIx, Value> = study.models.iter().map(model).collect();
    let definition = |cell: &CellId| {
        Value::List(vec![
            models[cell.model].clone(),
            Value::text(names.layer(cell.model, cell.layer)),
            study.projections[cell.projection].method.canonical(),
            cell.view.canonical(),
            study.comparisons[cell.comparison].question.canonical(),
        ])
        .digest()
    };
    let known = |cell: CellId| pin::KnownFigure { cell, name: names.cell(&cell), definition: definition(&cell) };
    matrix::cells(study).into_iter().map(known).collect()
}

/// Why each figure that the report holds is there, in rank order: picked ones first, then those beside them, those that a person
/// pinned last.
pub(crate) fn shown(ledger: &Ledger, pinned: &BTreeSet<CellId>) -> Vec<(CellId, Vec<ShownAs>)> {
    let of = |row: &LedgerRow| {
        let pinned = pinned.contains(&row.candidate.cell).then_some(ShownAs::Pinned);
        row.shown_as.iter().copied().chain(pinned).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = ledger.rows.iter().map(|row| (row, of(row))).filter(|(_, shown_as)| !shown_as.is_empty()).collect();
    rows.sort_by_key(|(row, shown_as)| (!row.picked, *shown_as == [ShownAs::Pinned], row.rank));
    rows.into_iter().map(|(row, shown_as)| (row.candidate.cell, shown_as)).collect()
}
