//! The stages of a study and what each consumes. Pure: a step becomes a task once the results it consumes are there.

use super::devices::Class;
use crate::domain::{
    ledger::{CellId, Ledger, ShownAs},
    model::{EMBEDDING, OWN_FAMILY, Source, Weights},
    projection::{Method, View},
    result::Manifest,
    stage::{
        ArrayFormat, AxisNames, Baseline, CURVES, Extraction, Figure, Input, Kind, Location, Ranking, Slot, Task, Training,
        WEIGHTS, Work, features_at,
    },
    study::{Dataset, Study},
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
    /// Given features, one array a tap.
    Features {
        model: usize,
        tap: usize,
    },
    /// All taps of a network in one pass, or a baseline.
    Extract {
        model: usize,
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
    /// How faithful is the projection to the features?
    Quality {
        model: usize,
        tap: usize,
        projection: usize,
    },
    /// Are two pictures of the same person? Asked at the last tap.
    Verify {
        model: usize,
    },
    Rank,
    DrawFrequencies,
    /// How a training went.
    DrawCurves {
        model: usize,
    },
    Draw(CellId),
}

impl Step {
    pub fn kind(self) -> Kind {
        match self {
            Step::Index => Kind::Index,
            Step::Train { .. } => Kind::Train,
            Step::Features { .. } | Step::Extract { .. } => Kind::Features,
            Step::Project { .. } => Kind::Project,
            Step::Score { .. } | Step::Quality { .. } | Step::Verify { .. } => Kind::Score,
            Step::Rank => Kind::Rank,
            Step::DrawFrequencies | Step::DrawCurves { .. } | Step::Draw(_) => Kind::Draw,
        }
    }

    /// Work that takes about as long, as [`Work::alike`] says once the task is known.
    pub fn alike(self, study: &Study) -> String {
        match self {
            Step::Project { projection, .. } => format!("project {}", study.projections[projection].method.word()),
            Step::Score { projection: None, .. } => "score features".to_owned(),
            Step::Quality { .. } => "score quality".to_owned(),
            Step::Verify { .. } => "score verification".to_owned(),
            Step::DrawCurves { .. } => "draw curves".to_owned(),
            Step::Train { model } => match &study.models[model].source {
                Source::Network(of) => {
                    format!("train {} {} {}", study.numerics.device, of.architecture, of.loss)
                }
                Source::Given(_) | Source::Baseline { .. } => "train".to_owned(),
            },
            Step::Extract { model } => match &study.models[model].source {
                Source::Network(of) => format!("features {} {}", study.numerics.device, of.architecture),
                _ => "features baseline".to_owned(),
            },
            other => other.kind().word().to_owned(),
        }
    }

    /// The class of devices it runs on.
    pub fn class(self, study: &Study) -> Class {
        let network = |model: usize| matches!(study.models[model].source, Source::Network(_));
        match self {
            Step::Train { model } | Step::Extract { model } if network(model) => Class::of_word(&study.numerics.device),
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
            Step::Train { model: place } | Step::Extract { model: place } => model(place),
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
            Step::Quality { model, tap, projection: place } => {
                format!("{} · {} · quality", at(model, tap), study.projections[place].name)
            }
            Step::Verify { model } => format!("{} · verification", at(model, last_tap(study, model))),
            Step::DrawCurves { model: place } => format!("{} · curves", model(place)),
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
        let learns = matches!(&of.source, Source::Network(network) if matches!(network.weights, Weights::Recipe { .. }));
        let trained = learns.then_some(Step::Train { model });
        nodes.extend(trained.map(|step| Node { step, needs: vec![] }));
        let curves =
            trained.filter(|_| !study.pretends()).map(|step| Node { step: Step::DrawCurves { model }, needs: vec![step] });
        nodes.extend(curves);
        if !matches!(of.source, Source::Given(_)) && !of.taps(study.taps.as_deref()).is_empty() {
            nodes.push(Node { step: Step::Extract { model }, needs: [Step::Index].into_iter().chain(trained).collect() });
        }
        let taps = of.taps(study.taps.as_deref()).len();
        if has_identities(study) && taps > 0 {
            let needs = vec![Step::Index, features(study, model, last_tap(study, model))];
            scores.push(Node { step: Step::Verify { model }, needs });
        }
        for tap in 0..taps {
            let features = features(study, model, tap);
            if let Step::Features { .. } = features {
                nodes.push(Node { step: features, needs: vec![Step::Index] });
            }
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
                let step = Step::Quality { model, tap, projection };
                nodes.push(Node { step, needs: [vec![features], points.clone()].concat() });
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

/// Does the evaluation know who is on its pictures?
fn has_identities(study: &Study) -> bool {
    let of = study.evaluation.dataset.as_ref().and_then(|name| study.datasets.get(name));
    matches!(of, Some(Dataset::CelebA { .. } | Dataset::Vggface2 { .. }))
}

/// The embedding, or what is nearest to one.
pub fn last_tap(study: &Study, model: usize) -> usize {
    let taps = study.models[model].taps(study.taps.as_deref());
    taps.iter().position(|tap| tap == EMBEDDING).unwrap_or(taps.len().saturating_sub(1))
}

/// The step that makes the features of a model at a tap.
pub fn features(study: &Study, model: usize, tap: usize) -> Step {
    match study.models[model].source {
        Source::Given(_) => Step::Features { model, tap },
        Source::Network(_) | Source::Baseline { .. } => Step::Extract { model },
    }
}

/// What that step calls them.
pub fn features_name(study: &Study, model: usize, tap: usize) -> String {
    match study.models[model].source {
        Source::Given(_) => "features.npy".to_owned(),
        Source::Network(_) | Source::Baseline { .. } => features_at(&study.models[model].taps(study.taps.as_deref())[tap]),
    }
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
    /// The folder that the ids of the evaluation's images are paths in.
    pub pictures_at: Option<&'a PathBuf>,
    /// The same for training sets, by name.
    pub training_at: &'a BTreeMap<String, PathBuf>,
}

impl Known<'_> {
    /// The task of a step; `None` while something it consumes is not there, or when this program cannot carry it out.
    pub fn task(&self, step: Step) -> Option<Task> {
        let study = self.study;
        let (work, inputs) = match step {
            Step::Train { model } => self.train(model)?,
            Step::Extract { model } => self.extract(model)?,
            Step::Index => (Work::Index { take: study.evaluation.take }, vec![self.source("listing")?]),
            Step::Features { model, tap } => {
                let Source::Given(given) = &study.models[model].source else { return None };
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
                let features = self.features(model, tap, "features")?;
                let seed = if study.projections[projection].seeds > 1 { study.seed.wrapping_add(seed as u64) } else { 0 };
                (Work::Project { method: study.projections[projection].method.clone(), seed }, vec![features])
            }
            Step::Score { model, tap, projection, comparison } => self.score(model, tap, projection, comparison)?,
            Step::Quality { model, tap, projection } => {
                let features = self.features(model, tap, "features")?;
                let inputs = [vec![features], self.points(model, tap, projection)?].concat();
                (Work::Quality { views: study.projections[projection].pictures(), seed: study.seed }, inputs)
            }
            Step::Verify { model } => self.verify(model)?,
            Step::DrawCurves { model } => {
                (Work::Draw(Figure::Curves), vec![self.output(Step::Train { model }, CURVES, "curves")?])
            }
            Step::Rank => self.rank()?,
            Step::DrawFrequencies => {
                (Work::Draw(Figure::Frequencies), vec![self.output(Step::Rank, "frequencies.json", "frequencies")?])
            }
            Step::Draw(cell) => self.draw(cell)?,
        };
        Some(Task { work, inputs })
    }

    fn train(&self, model: usize) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let Source::Network(network) = &study.models[model].source else { return None };
        let Weights::Recipe { recipe, seed } = &network.weights else { return None };
        let pretends = study.numerics.device == "pretend";
        let training = Training {
            architecture: network.architecture.clone(),
            loss: network.loss.clone(),
            preparation: study.preparations.get(&network.prepare)?.clone(),
            recipe: study.recipes[recipe].clone(),
            seed: self.training_seed(*seed),
            numerics: study.numerics.clone(),
            pretended: pretends.then(|| network.trained_on.clone()),
        };
        let inputs = if pretends {
            vec![]
        } else {
            let root = self.training_at.get(&network.trained_on)?.clone();
            let source = |role: &str, at: Location| {
                let input = self.source(&format!("{role}/{}", network.trained_on))?;
                Some(Input { role: role.to_owned(), at, ..input })
            };
            vec![source("pictures", Location::Pictures(root))?, source("classes", Location::Object)?]
        };
        Some((Work::Train(training), inputs))
    }

    fn training_seed(&self, seed: usize) -> u64 {
        self.study.seed.wrapping_add(seed as u64)
    }

    fn extract(&self, model: usize) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let preparation = |name: &str| study.preparations.get(name).cloned();
        match &study.models[model].source {
            Source::Given(_) => None,
            Source::Baseline { word, prepare } => {
                let baseline = Baseline { word: word.clone(), preparation: preparation(prepare)? };
                Some((Work::Baseline(baseline), vec![self.pictures()?]))
            }
            Source::Network(network) => {
                let (family, untrained, weights) = match &network.weights {
                    Weights::File { file, family, .. } => {
                        let weights = self.files.get(file)?;
                        (family.clone(), None, Some(Input { role: "weights".to_owned(), ..weights.clone() }))
                    }
                    Weights::Untrained { seed } => (OWN_FAMILY.to_owned(), Some(self.training_seed(*seed)), None),
                    Weights::Recipe { .. } => {
                        (OWN_FAMILY.to_owned(), None, Some(self.output(Step::Train { model }, WEIGHTS, "weights")?))
                    }
                };
                let extraction = Extraction {
                    architecture: network.architecture.clone(),
                    preparation: preparation(&network.prepare)?,
                    taps: study.models[model].taps(study.taps.as_deref()),
                    family,
                    untrained,
                    numerics: study.numerics.clone(),
                };
                let images = if study.pretends() { self.images()? } else { self.pictures()? };
                Some((Work::Extract(extraction), weights.into_iter().chain([images]).collect()))
            }
        }
    }

    /// The features of a model at a tap, in a role.
    fn features(&self, model: usize, tap: usize, role: &str) -> Option<Input> {
        self.output(features(self.study, model, tap), &features_name(self.study, model, tap), role)
    }

    /// The images with the folder their pictures are in.
    fn pictures(&self) -> Option<Input> {
        Some(Input { at: Location::Pictures(self.pictures_at?.clone()), ..self.images()? })
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

    /// The coordinates of a projection, one a seed.
    fn points(&self, model: usize, tap: usize, projection: usize) -> Option<Vec<Input>> {
        let of = |seed: usize| {
            let step = Step::Project { model, tap, projection, seed };
            self.output(step, "coordinates.npy", &format!("points/{seed}"))
        };
        (0..self.study.projections[projection].seeds).map(of).collect()
    }

    fn score(&self, model: usize, tap: usize, projection: Option<usize>, comparison: usize) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let question = study.comparisons[comparison].question.clone();
        let (points, views) = match projection {
            None => (vec![self.features(model, tap, "points/0")?], vec![View::Features]),
            Some(place) => (self.points(model, tap, place)?, study.projections[place].views()),
        };
        let inputs = [vec![self.images()?], points, self.labels(question.attributes())?].concat();
        Some((Work::Score { question, views, statistics: study.statistics, seed: study.seed }, inputs))
    }

    fn verify(&self, model: usize) -> Option<(Work, Vec<Input>)> {
        let points = self.features(model, last_tap(self.study, model), "points/0")?;
        let work = Work::Verify { bootstraps: self.study.statistics.bootstraps, seed: self.study.seed };
        Some((work, vec![self.images()?, points, self.source("identities")?]))
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
        let truth = self.source("truth").into_iter().collect();
        let inputs = [vec![self.images()?], scores, self.labels(attributes.iter().map(String::as_str))?, truth].concat();
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
