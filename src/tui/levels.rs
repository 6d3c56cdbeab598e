//! Levels that could be added to a study, as far as they can be run here.

use crate::study::{LossSpec, METHODS, MethodSpec, families, matrix_snapshot::MatrixSnapshot};

/// Levels of a factor of the matrix, as the study file writes them.
pub(crate) fn known(matrix_snapshot: &MatrixSnapshot, factor: &str) -> Vec<String> {
    match factor {
        "architecture" => families::trained_words()
            .into_iter()
            .flat_map(|word| [word.to_owned(), format!("{word}: {{ width: 0.25 }}")])
            .collect(),
        "loss" => matrix_snapshot.offers.losses.clone(),
        "trained_on" => matrix_snapshot.offers.training_sets.clone(),
        _ => matrix_snapshot.offers.preparations.clone(),
    }
}

/// Losses, each by its word and with its usual parameters: `arcface`, `arcface: { s: 64, m: 0.5 }`.
pub(crate) fn losses(words: &[String]) -> Vec<String> {
    let specs = words.iter().filter_map(|word| LossSpec::of(word));
    let mut all: Vec<String> = specs.flat_map(|of| [of.word.to_owned(), of.written()]).collect();
    all.dedup();
    all
}

/// Projections with their usual parameters, as the study file writes them: `pca: { axes: 10 }`.
pub(crate) fn projections() -> Vec<String> {
    let text = |of: &MethodSpec| {
        let own = of.parameters.iter().filter(|parameter| !parameter.added_later);
        let own = own.map(|parameter| format!("{}: {}", parameter.name, parameter.default()));
        let all: Vec<String> = own.chain(of.seeds.map(|seeds| format!("seeds: {seeds}"))).collect();
        if all.is_empty() { of.word.to_owned() } else { format!("{}: {{ {} }}", of.word, all.join(", ")) }
    };
    // A supervised one has to be told what it learns: it is written, not chosen from a list.
    METHODS.iter().copied().filter(|of| !of.supervised).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_offered_by_its_word_and_with_its_usual_parameters() {
        let offered = losses(&["softmax".to_owned(), "subcentre".to_owned()]);
        assert_eq!(offered, ["softmax", "subcentre", "subcentre: { s: 64, m: 0.5, k: 3 }"]);
    }

    #[test]
    fn a_projection_is_offered_with_its_usual_parameters() {
        let offered = projections();
        assert_eq!(offered[0], "pca: { axes: 10 }");
        assert_eq!(offered[3], "umap: { neighbors: 15, min_dist: 0.1, seeds: 5 }");
    }
}
