//! Levels that could be added to a study, as far as they can be run here.

use crate::study::matrix_snapshot::Board;
use visavis_core::domain::model::BUILT;

/// Levels of a factor of the matrix, as the study file writes them.
pub fn known(board: &Board, factor: &str) -> Vec<String> {
    match factor {
        "architecture" => BUILT.iter().flat_map(|(word, _)| [(*word).to_owned(), format!("{word}: {{ width: 0.25 }}")]).collect(),
        "loss" => board.offers.losses.clone(),
        "trained_on" => board.offers.training_sets.clone(),
        _ => board.offers.preparations.clone(),
    }
}

/// Projections with their usual parameters.
pub const PROJECTIONS: [&str; 4] = [
    "pca: { axes: 10 }",
    "ica: { axes: 10 }",
    "tsne: { perplexity: 30, seeds: 5 }",
    "umap: { neighbors: 15, min_dist: 0.1, seeds: 5 }",
];
