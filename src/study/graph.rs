//! The stages of a study and what each consumes. Pure: a step becomes a task once the results it consumes are there.

use super::devices::Class;
use crate::domain::{
    ledger::{CellId, Ledger, ShownAs},
    model::{Source, Weights},
    projection::{Method, View},
    result::Manifest,
    stage::{ArrayFormat, AxisNames, Extraction, Figure, Input, Kind, Location, Ranking, Slot, Task, Training, Work},
    study::{Preparation, Study},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

/// One stage of a study, by places in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Index,
    /// A network's training: for visavis-torch.
    Train {
        model: usize,
    },
    Features {
        model: usize,
        tap: usize,
    },
    Project {
        model: usize,
        tap: usize,
        projection: usize,
        seed: usize,
    },
    /// `projection: None` scores the features themselves.
    Score {
        model: usize,
        tap: usize,
        projection: Option<usize>,
        comparison: usize,
    },
    Rank,
    DrawFrequencies,
    Draw(CellId),
}

impl Step {
    pub fn kind(self) -> Kind {
        match self {
            Step::Index => Kind::Index,
            Step::Train { .. } => Kind::Train,
            Step::Features { .. } => Kind::Features,
            Step::Project { .. } => Kind::Project,
            Step::Score { .. } => Kind::Score,
            Step::Rank => Kind::Rank,
            Step::DrawFrequencies | Step::Draw(_) => Kind::Draw,
        }
    }

    /// Work that takes about as long, as [`Work::alike`] says once the task is known.
    pub fn alike(self, study: &Study) -> String {
        match self {
            Step::Project { projection, .. } => format!("project {}", study.projections[projection].method.word()),
            Step::Score { projection: None, .. } => "score features".to_owned(),
            Step::Train { model } => match &study.models[model].source {
                Source::Network(of) => {
                    format!("train {} {} {} {} {}", study.numerics.device, of.architecture, of.loss, of.trained_on, of.prepare)
                }
                Source::Given(_) => "train".to_owned(),
            },
            Step::Features { model, .. } if matches!(study.models[model].source, Source::Network(_)) => {
                format!("features {}", study.numerics.device)
            }
            other => other.kind().word().to_owned(),
        }
    }

    /// The class of devices it runs on.
    pub fn class(self, study: &Study) -> Class {
        let network = |model: usize| matches!(study.models[model].source, Source::Network(_));
        match self {
            Step::Train { model } | Step::Features { model, .. } if network(model) => Class::of_word(&study.numerics.device),
            _ => Class::Cpu,
        }
    }

    /// How people tell it from others: names by places.
    pub fn label(self, study: &Study) -> String {
        let model = |model: usize| study.models[model].name.clone();
        let at =
            |place: usize, tap: usize| format!("{} · {}", model(place), study.models[place].taps(study.taps.as_deref())[tap]);
        let projection =
            |projection: Option<usize>| projection.map_or("features", |place| study.projections[place].name.as_str());
        let what = match self {
            Step::Index => study.evaluation.dataset.clone().unwrap_or_else(|| "given images".to_owned()),
            Step::Train { model: place } => model(place),
            Step::Features { model, tap } => at(model, tap),
            Step::Project { model, tap, projection: place, seed } => {
                let seeds = study.projections[place].seeds;
                format!(
                    "{} · {}{}",
                    at(model, tap),
                    study.projections[place].name,
                    if seeds > 1 { format!(" @{}", seed + 1) } else { String::new() }
                )
            }
            Step::Score { model, tap, projection: place, comparison } => {
                format!("{} · {} · {}", at(model, tap), projection(place), study.comparisons[comparison].name)
            }
            Step::Rank => "all cells".to_owned(),
            Step::DrawFrequencies => "frequencies".to_owned(),
            Step::Draw(cell) => format!(
                "{} · {} {} · {}",
                at(cell.model, cell.tap),
                study.projections[cell.projection].name,
                cell.view,
                study.comparisons[cell.comparison].name
            ),
        };
        format!("{} {what}", self.kind())
    }
}

/// A step and the steps it consumes.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub step: Step,
    pub needs: Vec<Step>,
}

/// Every step of the study that does not depend on the ledger, prerequisites first.
pub fn steps(study: &Study) -> Vec<Node> {
    let mut nodes = vec![Node { step: Step::Index, needs: vec![] }];
    let mut scores = Vec::new();
    for (model, of) in study.models.iter().enumerate() {
        let network = matches!(of.source, Source::Network(_));
        if let Source::Network(network) = &of.source
            && matches!(network.weights, Weights::Recipe { .. })
        {
            nodes.push(Node { step: Step::Train { model }, needs: vec![] });
        }
        for tap in 0..of.taps(study.taps.as_deref()).len() {
            let features = Step::Features { model, tap };
            let trained = network.then_some(Step::Train { model }).filter(|step| nodes.iter().any(|node| node.step == *step));
            nodes.push(Node { step: features, needs: [Step::Index].into_iter().chain(trained).collect() });
            let mut score = |projection: Option<usize>, points: Vec<Step>| {
                for comparison in 0..study.comparisons.len() {
                    let step = Step::Score { model, tap, projection, comparison };
                    scores.push(Node { step, needs: [vec![Step::Index], points.clone()].concat() });
                }
            };
            score(None, vec![features]);
            for (projection, of) in study.projections.iter().enumerate() {
                let points: Vec<Step> = (0..of.seeds).map(|seed| Step::Project { model, tap, projection, seed }).collect();
                nodes.extend(points.iter().map(|&step| Node { step, needs: vec![features] }));
                score(Some(projection), points);
            }
        }
    }
    let ranked = scores.iter().map(|node| node.step).filter(|step| matches!(step, Step::Score { projection: Some(_), .. }));
    let rank = Node { step: Step::Rank, needs: [Step::Index].into_iter().chain(ranked).collect() };
    nodes.extend(scores);
    nodes.push(rank);
    nodes.push(Node { step: Step::DrawFrequencies, needs: vec![Step::Rank] });
    nodes
}

/// The figures that a ledger shows, in rank order: picked ones first, then those beside them.
pub fn shown(ledger: &Ledger) -> Vec<(CellId, Vec<ShownAs>)> {
    let mut rows: Vec<_> = ledger.rows.iter().filter(|row| !row.shown_as.is_empty()).collect();
    rows.sort_by_key(|row| (!row.picked, row.rank));
    rows.into_iter().map(|row| (row.candidate.cell, row.shown_as.clone())).collect()
}

pub fn figure(cell: CellId) -> Node {
    let points = Step::Project { model: cell.model, tap: cell.tap, projection: cell.projection, seed: 0 };
    Node { step: Step::Draw(cell), needs: vec![Step::Index, points, Step::Rank] }
}

/// What the plan knows of the world when it makes tasks.
pub struct Known<'a> {
    pub study: &'a Study,
    /// Objects made of the data before anything runs: role → digest (`listing`, `labels/…`, `identities`).
    pub sources: &'a BTreeMap<String, Input>,
    /// Outside files → digest.
    pub files: &'a BTreeMap<PathBuf, Input>,
    pub results: &'a HashMap<Step, Manifest>,
}

impl Known<'_> {
    /// The task of a step; `None` while something it consumes is not there, or when this program cannot carry it out.
    pub fn task(&self, step: Step) -> Option<Task> {
        let study = self.study;
        let (work, inputs) = match step {
            Step::Train { model } => (Work::Train(self.training(model)?), vec![]),
            Step::Index => (Work::Index { take: study.evaluation.take }, vec![self.source("listing")?]),
            Step::Features { model, tap } => {
                let Source::Given(given) = &study.models[model].source else { return self.extract(model, tap) };
                let tap = &study.models[model].taps(study.taps.as_deref())[tap];
                let array = &given.taps[tap];
                let format = if array.extension().is_some_and(|ending| ending == "npy") {
                    ArrayFormat::Npy
                } else {
                    ArrayFormat::Safetensors
                };
                let file = |role: &str, path: &PathBuf| {
                    self.files.get(path).map(|input| Input { role: role.to_owned(), ..input.clone() })
                };
                (
                    Work::Features { tap: tap.clone(), format },
                    vec![file("array", array)?, file("rows", &given.images)?, self.images()?],
                )
            }
            Step::Project { model, tap, projection, seed } => {
                let features = self.output(Step::Features { model, tap }, "features.npy", "features")?;
                let seed = if study.projections[projection].seeds > 1 { study.seed.wrapping_add(seed as u64) } else { 0 };
                (Work::Project { method: study.projections[projection].method.clone(), seed }, vec![features])
            }
            Step::Score { model, tap, projection, comparison } => self.score(model, tap, projection, comparison)?,
            Step::Rank => self.rank()?,
            Step::DrawFrequencies => {
                (Work::Draw(Figure::Frequencies), vec![self.output(Step::Rank, "frequencies.json", "frequencies")?])
            }
            Step::Draw(cell) => self.draw(cell)?,
        };
        Some(Task { work, inputs })
    }

    /// Networks are visavis-torch's, unless they only pretend.
    fn training(&self, model: usize) -> Option<Training> {
        let study = self.study;
        let Source::Network(network) = &study.models[model].source else { return None };
        let Weights::Recipe { recipe, seed } = &network.weights else { return None };
        let recipe = &study.recipes[recipe];
        let Preparation { crop, size, pad, scale } = study.preparations.get(&network.prepare)?;
        let optimizer: Vec<String> = recipe.optimizer.iter().map(|(name, value)| format!("{name} {value:e}")).collect();
        let settings =
            format!("{crop} {size} {pad} {scale} · {} {} · {}", recipe.optimizer_word, optimizer.join(" "), recipe.schedule);
        (study.numerics.device == "pretend").then(|| Training {
            network: format!("{} {} {} {}", network.architecture, network.loss, network.trained_on, network.prepare),
            recipe: settings,
            epochs: recipe.epochs,
            batch: recipe.batch,
            seed: study.seed.wrapping_add(*seed as u64),
            numerics: study.numerics.clone(),
        })
    }

    fn extract(&self, model: usize, tap: usize) -> Option<Task> {
        self.training(model)?;
        let tap = self.study.models[model].taps(self.study.taps.as_deref())[tap].clone();
        let work = Work::Extract(Extraction { tap, numerics: self.study.numerics.clone() });
        Some(Task { work, inputs: vec![self.output(Step::Train { model }, "weights", "weights")?, self.images()?] })
    }

    fn source(&self, role: &str) -> Option<Input> {
        self.sources.get(role).cloned()
    }

    fn output(&self, step: Step, name: &str, role: &str) -> Option<Input> {
        let digest = self.results.get(&step)?.output(name)?.digest;
        Some(Input { role: role.to_owned(), digest, at: Location::Object })
    }

    fn images(&self) -> Option<Input> {
        self.output(Step::Index, "images", "images")
    }

    /// The columns of these attributes, and the identities.
    fn labels<'a>(&self, attributes: impl IntoIterator<Item = &'a str>) -> Option<Vec<Input>> {
        let columns: Option<Vec<Input>> =
            attributes.into_iter().map(|attribute| self.source(&format!("labels/{attribute}"))).collect();
        Some(columns?.into_iter().chain(self.source("identities")).collect())
    }

    fn score(&self, model: usize, tap: usize, projection: Option<usize>, comparison: usize) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let question = study.comparisons[comparison].question.clone();
        let (points, views) = match projection {
            None => (vec![self.output(Step::Features { model, tap }, "features.npy", "points/0")?], vec![View::Features]),
            Some(place) => {
                let seeds = (0..study.projections[place].seeds).map(|seed| {
                    self.output(
                        Step::Project { model, tap, projection: place, seed },
                        "coordinates.npy",
                        &format!("points/{seed}"),
                    )
                });
                (seeds.collect::<Option<_>>()?, study.projections[place].views())
            }
        };
        let inputs = [vec![self.images()?], points, self.labels(question.attributes())?].concat();
        Some((Work::Score { question, views, statistics: study.statistics, seed: study.seed }, inputs))
    }

    fn rank(&self) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let (mut slots, mut scores) = (Vec::new(), Vec::new());
        // What is missing is left out: a ledger of the cells that can be scored is better than none.
        for step in steps(study).into_iter().map(|node| node.step) {
            if let Step::Score { model, tap, projection: Some(projection), comparison } = step
                && let Some(input) = self.output(step, "scores.json", &format!("scores/{}", scores.len()))
            {
                slots.push(Slot { model, tap, projection, comparison });
                scores.push(input);
            }
        }
        if scores.is_empty() {
            return None;
        }
        let questions: Vec<_> = study.comparisons.iter().map(|comparison| comparison.question.clone()).collect();
        let attributes: Vec<String> =
            self.sources.keys().filter_map(|role| role.strip_prefix("labels/")).map(str::to_owned).collect();
        let inputs = [vec![self.images()?], scores, self.labels(attributes.iter().map(String::as_str))?].concat();
        let ranking = Ranking {
            slots,
            separates_at: study.statistics.separates_at,
            show: study.show,
            seed: study.seed,
            attributes,
            groups: study.fairness.groups.clone(),
            depth: study.fairness.depth,
            questions,
        };
        Some((Work::Rank(ranking), inputs))
    }

    fn draw(&self, cell: CellId) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let comparison = &study.comparisons[cell.comparison];
        let projected = Step::Project { model: cell.model, tap: cell.tap, projection: cell.projection, seed: 0 };
        let method = &study.projections[cell.projection].method;
        let word = match method {
            Method::Pca { .. } => "PCA",
            Method::Ica { .. } => "ICA",
            Method::Tsne { .. } => "t-SNE",
            Method::Umap { .. } => "UMAP",
        };
        let axes = match cell.view {
            View::Map => AxisNames::Map { method: word.to_owned() },
            _ => {
                AxisNames::Explained { method: word.to_owned(), shares: self.results.get(&projected)?.fact("explained").to_vec() }
            }
        };
        let figure = Figure::View {
            view: cell.view,
            question: comparison.question.clone(),
            classes: comparison.classes.clone(),
            axes,
            seed: study.seed,
        };
        let inputs = [
            vec![self.images()?, self.output(projected, "coordinates.npy", "points")?],
            self.labels(comparison.question.attributes())?,
        ]
        .concat();
        Some((Work::Draw(figure), inputs))
    }
}
