//! What a study waits for: inputs that are absent, and abilities that are not here; each with the cells that wait.

use super::{model_files::files_of, programs::WorkerProgram, torch};
use std::{collections::BTreeSet, path::PathBuf};
use visavis_core::{
    dataset::Survey,
    domain::{
        index::ModelIx,
        model::{Model, Source, Weights},
        study::{DeviceClass, Study},
    },
};

pub(crate) use visavis_core::dataset::Need;

/// What kind of thing is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Data or weights: without them nobody knows which results are the study's.
    Input,
    /// A program, a device, a later release: the study's results are known without it, and are not made here.
    Ability,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    pub lack: Lack,
    pub input: String,
    pub expected_at: String,
    pub need: Need,
    /// How many cells wait for it (many wait for several inputs).
    pub cells: usize,
}

impl Missing {
    /// All networks that a program runs, because it cannot.
    pub fn networks(study: &Study, program: WorkerProgram, why: String) -> Self {
        let runs = |model: &Model| matches!(&model.source, Source::Network(network) if WorkerProgram::of(network) == program);
        let need = Need::Models(places(study, &runs));
        let cells = need.cells(study);
        Missing { lack: Lack::Ability, input: why, expected_at: "`visavis doctor` says what is here".to_owned(), need, cells }
    }
}

/// The models that are so, by place.
fn places(study: &Study, wanted: &dyn Fn(&Model) -> bool) -> BTreeSet<ModelIx> {
    study.models.iter_enumerated().filter(|(_, model)| wanted(model)).map(|(place, _)| place).collect()
}

/// `cards`: this machine has a graphics card.
pub(crate) fn missing(study: &Study, survey: &Survey, cards: bool) -> Vec<Missing> {
    let mut missing: Vec<Missing> = Vec::new();
    let mut add = |lack: Lack, input: String, expected_at: String, need: Need| {
        let cells = need.cells(study);
        missing.push(Missing { lack, input, expected_at, need, cells });
    };
    for absent in &survey.missing {
        let expected_at = absent.expected_at.as_ref().map_or("a later visavis".to_owned(), |path| path.display().to_string());
        let lack = if absent.expected_at.is_some() { Lack::Input } else { Lack::Ability };
        add(lack, absent.input.clone(), expected_at, absent.need.clone());
    }
    let models = |wanted: &dyn Fn(&Model) -> bool| places(study, wanted);
    for (name, dataset) in &study.datasets {
        let trained = models(&|model| model.learns_from(name));
        if !trained.is_empty() && !dataset.is_here() && study.numerics.device != DeviceClass::Pretend {
            add(Lack::Input, format!("training set `{name}`"), dataset.root().display().to_string(), Need::Models(trained));
        }
    }
    let mut files: Vec<(PathBuf, BTreeSet<ModelIx>)> = Vec::new();
    for (place, model) in study.models.iter_enumerated() {
        let Source::Network(_) = &model.source else { continue };
        for file in files_of(&model.source) {
            note(&mut files, file, place);
        }
    }
    for (file, models) in files.into_iter().filter(|(file, _)| !file.exists()) {
        let names: Vec<&str> = models.iter().map(|&place| study.models[place].name.as_str()).collect();
        add(Lack::Input, format!("weights of {}", names.join(", ")), file.display().to_string(), Need::Models(models));
    }
    // Pretending takes no libtorch, and no weights that were learned elsewhere.
    let pretends = study.numerics.device == DeviceClass::Pretend;
    let mut networks = BTreeSet::new();
    let mut beyond: Vec<(String, BTreeSet<ModelIx>)> = Vec::new();
    for (place, model) in study.models.iter_enumerated() {
        match &model.source {
            Source::Network(network) if pretends => {
                if !matches!(network.weights, Weights::Recipe { .. }) {
                    networks.insert(place);
                }
            }
            Source::Network(network) => {
                networks.insert(place);
                if let Some(what) = torch::beyond(network) {
                    note(&mut beyond, what, place);
                }
            }
            Source::Baseline { .. } | Source::Given(_) => {}
        }
    }
    for (what, models) in beyond {
        add(Lack::Ability, what, "a later visavis".to_owned(), Need::Models(models));
    }
    let of_program = |program: WorkerProgram| {
        let runs =
            |place: &ModelIx| matches!(&study.models[*place].source, Source::Network(of) if WorkerProgram::of(of) == program);
        networks.iter().copied().filter(runs).collect::<BTreeSet<ModelIx>>()
    };
    for program in [WorkerProgram::Torch, WorkerProgram::Onnx] {
        let models = of_program(program);
        if !models.is_empty() && (pretends || program.path().is_none()) {
            let at = if pretends { "numerics.device: cpu or cuda" } else { "beside visavis: `make` builds it" };
            add(Lack::Ability, format!("{}, which runs {}", program.name(), program.runs()), at.to_owned(), Need::Models(models));
        }
    }
    let of_torch = of_program(WorkerProgram::Torch);
    if !of_torch.is_empty() && study.numerics.device == DeviceClass::Cuda && !cards {
        let at = "a machine with a card and its driver; or numerics.device: cpu".to_owned();
        add(
            Lack::Ability,
            "networks cannot run here: `numerics.device: cuda` asks for a graphics card, and there is none".to_owned(),
            at,
            Need::Models(of_torch),
        );
    }
    let looked_at: BTreeSet<ModelIx> =
        networks.into_iter().chain(models(&|model| matches!(model.source, Source::Baseline { .. }))).collect();
    if !pretends && !looked_at.is_empty() && survey.images.is_some() && survey.pictures.is_none() {
        let root =
            study.evaluation.dataset.as_ref().map_or(String::new(), |name| study.datasets[name].root().display().to_string());
        add(Lack::Input, "the evaluation's pictures".to_owned(), root, Need::Models(looked_at));
    }
    missing
}

/// Notes that a model waits for something, in the order in which things were first waited for.
fn note<T: PartialEq>(waiting: &mut Vec<(T, BTreeSet<ModelIx>)>, what: T, model: ModelIx) {
    match waiting.iter_mut().find(|(known, _)| *known == what) {
        Some((_, models)) => _ = models.insert(model),
        None => waiting.push((what, [model].into())),
    }
}
