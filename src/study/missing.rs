//! What a study waits for: inputs that are absent, and abilities that are not here; each with the cells that wait.

use crate::{
    dataset::Survey,
    domain::{
        ledger::CellId,
        matrix,
        model::{Source, Weights},
        study::Study,
    },
    projection,
};
use std::{collections::BTreeSet, path::PathBuf};

pub use crate::dataset::Need;

#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    pub input: String,
    pub expected_at: String,
    pub need: Need,
    /// How many cells wait for it (many wait for several inputs).
    pub cells: usize,
}

pub fn missing(study: &Study, survey: &Survey) -> Vec<Missing> {
    let cells = matrix::cells(study);
    let mut missing: Vec<Missing> = Vec::new();
    let mut add = |input: String, expected_at: String, need: Need| {
        let cells = cells.iter().filter(|cell| need.concerns(study, cell)).count();
        missing.push(Missing { input, expected_at, need, cells });
    };
    for absent in &survey.missing {
        let expected_at = absent.expected_at.as_ref().map_or("a later visavis".to_owned(), |path| path.display().to_string());
        add(absent.input.clone(), expected_at, absent.need.clone());
    }
    let models = |wanted: &dyn Fn(&Source) -> bool| {
        study
            .models
            .iter()
            .enumerate()
            .filter(|(_, model)| wanted(&model.source))
            .map(|(place, _)| place)
            .collect::<BTreeSet<_>>()
    };
    for (name, dataset) in &study.datasets {
        let trained = models(
            &|source| matches!(source, Source::Network(network) if network.trained_on == *name && matches!(network.weights, Weights::Recipe { .. })),
        );
        if !trained.is_empty() && !dataset.root().is_dir() && study.numerics.device != "pretend" {
            add(format!("training set `{name}`"), dataset.root().display().to_string(), Need::Models(trained));
        }
    }
    let mut files: Vec<(PathBuf, BTreeSet<usize>)> = Vec::new();
    for (place, model) in study.models.iter().enumerate() {
        let Source::Network(network) = &model.source else { continue };
        let Weights::File { file, .. } = &network.weights else { continue };
        match files.iter_mut().find(|(known, _)| known == file) {
            Some((_, models)) => _ = models.insert(place),
            None => files.push((file.clone(), [place].into())),
        }
    }
    for (file, models) in files.into_iter().filter(|(file, _)| !file.is_file()) {
        let names: Vec<&str> = models.iter().map(|&place| study.models[place].name.as_str()).collect();
        add(format!("weights of {}", names.join(", ")), file.display().to_string(), Need::Models(models));
    }
    // Pretending takes no libtorch, and no weights that were learned elsewhere.
    let pretends = study.numerics.device == "pretend";
    let networks = models(
        &|source| matches!(source, Source::Network(network) if !pretends || matches!(network.weights, Weights::File { .. })),
    );
    if !networks.is_empty() {
        add("visavis-torch, which runs networks".to_owned(), "a later visavis".to_owned(), Need::Models(networks));
    }
    for (place, projection) in study.projections.iter().enumerate() {
        if !projection::can(&projection.method) {
            add(format!("the projection {}", projection.name), "a later visavis".to_owned(), Need::Projection(place));
        }
    }
    missing
}

impl Need {
    fn concerns(&self, study: &Study, cell: &CellId) -> bool {
        match self {
            Need::Everything => true,
            Need::Models(models) => models.contains(&cell.model),
            Need::Attribute(attribute) => study.comparisons[cell.comparison].question.attributes().contains(attribute.as_str()),
            Need::Projection(projection) => cell.projection == *projection,
        }
    }
}
