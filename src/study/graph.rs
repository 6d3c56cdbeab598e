//! The stages of a study and what each consumes. Pure: a step becomes a task once the results it consumes are there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{
        canonical::Value,
        comparison::Question,
        contrast,
        ledger::{CellId, Ledger, LedgerRow, ShownAs},
        matrix,
        model::{EMBEDDING, Model, Source, WeightFamily, Weights},
        pin,
        projection::View,
        result::Manifest,
        stage::{
            ArrayFormat, AxisNames, Baseline, Extraction, FeatureImport, Figure, GroupFairness, Index, Input, Kind, Location,
            MeasureQuality, Probes, ProjectFeatures, Ranking, Robustness, ScoreFeatures, ScoreSlot, ScoreViews, Simultaneous,
            StageName, Task, Training, VerifyIdentities, Work, features_at, ranks_of,
        },
        study::{Dataset, DeviceClass, Preparation, Recipe, Study},
    },
    projection,
};

/// One stage of a study, by places in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Index,
    /// A network's training: for visavis-torch.
    Train {
        model: usize,
    },
    /// Given features, one array a layer.
    Features {
        model: usize,
        layer: usize,
    },
    /// All layers of a network in one pass.
    Extract {
        model: usize,
    },
    /// Features that take no network.
    Baseline {
        model: usize,
    },
    Project {
        model: usize,
        layer: usize,
        projection: usize,
        seed: usize,
    },
    Score {
        model: usize,
        layer: usize,
        projection: usize,
        comparison: usize,
    },
    /// The features themselves, on all comparisons.
    FeatureScores {
        model: usize,
        layer: usize,
    },
    /// How faithful is the projection to the features?
    Quality {
        model: usize,
        layer: usize,
        projection: usize,
    },
    /// Are two pictures of the same person? Asked at the last layer.
    Verify {
        model: usize,
    },
    /// The probes of a model's last layer, among groups.
    Fairness {
        model: usize,
    },
    /// All cells, resampled together.
    Simultaneous,
    Rank,
    DrawFrequencies,
    /// How a training went.
    DrawCurves {
        model: usize,
    },
    /// What a shown figure has beside its score.
    Robustness(CellId),
    Draw(CellId),
}

impl Step {
    /// The stage that it is one of.
    pub fn stage(self) -> StageName {
        match self {
            Step::Index => StageName::Index,
            Step::Train { .. } => StageName::Train,
            Step::Features { .. } => StageName::Features,
            Step::Extract { .. } => StageName::Extract,
            Step::Baseline { .. } => StageName::Baseline,
            Step::Project { .. } => StageName::Project,
            Step::Score { .. } => StageName::Score,
            Step::FeatureScores { .. } => StageName::FeatureScores,
            Step::Quality { .. } => StageName::Quality,
            Step::Verify { .. } => StageName::Verify,
            Step::Fairness { .. } => StageName::Fairness,
            Step::Simultaneous => StageName::Simultaneous,
            Step::Rank => StageName::Rank,
            Step::DrawFrequencies | Step::DrawCurves { .. } | Step::Draw(_) => StageName::Draw,
            Step::Robustness(_) => StageName::Robustness,
        }
    }

    pub fn kind(self) -> Kind {
        self.stage().kind()
    }

    /// The [cost class](Work::cost_class) that its work has once the task is known.
    pub fn cost_class(self, study: &Study) -> String {
        let network = |model: usize| match &study.models[model].source {
            Source::Network(of) => Some(of),
            Source::Given(_) | Source::Baseline { .. } => None,
        };
        let finer = match self {
            Step::Train { model } => {
                network(model).map(|of| Training::cost_class_of(&study.numerics, &of.architecture, &of.loss))
            }
            Step::Extract { model } => network(model).map(|of| Extraction::cost_class_of(&study.numerics, &of.architecture)),
            Step::Project { projection, .. } => Some(ProjectFeatures::cost_class_of(&study.projections[projection].method)),
            Step::Robustness(cell) => Some(Robustness::cost_class_of(&study.projections[cell.projection].method)),
            Step::DrawCurves { .. } => Some(Figure::CURVES_COST_CLASS.to_owned()),
            _ => None,
        };
        finer.unwrap_or_else(|| self.stage().cost_class().to_owned())
    }

    /// The class of devices it runs on.
    pub fn class(self, study: &Study) -> DeviceClass {
        match self {
            Step::Train { .. } | Step::Extract { .. } => study.numerics.device,
            _ => DeviceClass::Cpu,
        }
    }

    /// Does it make do with what is there? A ledger of the cells that can be scored is better than none.
    pub fn gathers(self) -> bool {
        matches!(self, Step::Simultaneous | Step::Rank)
    }

    /// How people tell it from others: names by places.
    pub fn label(self, study: &Study) -> String {
        let model = |model: usize| study.models[model].name.clone();
        let at = |place: usize, layer: usize| {
            format!("{} · {}", model(place), study.models[place].layers(study.layers.as_deref())[layer])
        };
        let what = match self {
            Step::Index => study.evaluation.dataset.clone().unwrap_or_else(|| "given images".to_owned()),
            Step::Train { model: place } | Step::Extract { model: place } | Step::Baseline { model: place } => model(place),
            Step::Features { model, layer } => at(model, layer),
            Step::Project { model, layer, projection: place, seed } => {
                let seeds = study.projections[place].seeds;
                format!(
                    "{} · {}{}",
                    at(model, layer),
                    study.projections[place].name,
                    if seeds > 1 { format!(" @{}", seed + 1) } else { String::new() }
                )
            }
            Step::Score { model, layer, projection: place, comparison } => {
                format!("{} · {} · {}", at(model, layer), study.projections[place].name, study.comparisons[comparison].name)
            }
            Step::FeatureScores { model, layer } => format!("{} · features", at(model, layer)),
            Step::Quality { model, layer, projection: place } => {
                format!("{} · {} · quality", at(model, layer), study.projections[place].name)
            }
            Step::Verify { model } => format!("{} · verification", at(model, last_layer(study, model))),
            Step::DrawCurves { model: place } => format!("{} · curves", model(place)),
            Step::Fairness { model } => format!("{} · fairness", at(model, last_layer(study, model))),
            Step::Simultaneous => "grid".to_owned(),
            Step::Rank => "all cells".to_owned(),
            Step::DrawFrequencies => "frequencies".to_owned(),
            Step::Draw(cell) => figure_name(study, cell),
            Step::Robustness(cell) => format!("{} · again", figure_name(study, cell)),
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
        if !matches!(of.source, Source::Given(_)) && !of.layers(study.layers.as_deref()).is_empty() {
            // Any layer of it: one step gives them all.
            nodes.push(Node { step: features(study, model, 0), needs: [Step::Index].into_iter().chain(trained).collect() });
        }
        let layers = of.layers(study.layers.as_deref()).len();
        if has_identities(study) && layers > 0 {
            let needs = vec![Step::Index, features(study, model, last_layer(study, model))];
            scores.push(Node { step: Step::Verify { model }, needs });
        }
        for layer in 0..layers {
            let features = features(study, model, layer);
            if let Step::Features { .. } = features {
                nodes.push(Node { step: features, needs: vec![Step::Index] });
            }
            scores.push(Node { step: Step::FeatureScores { model, layer }, needs: vec![Step::Index, features] });
            for (projection, of) in study.projections.iter().enumerate() {
                let points: Vec<Step> = (0..of.seeds).map(|seed| Step::Project { model, layer, projection, seed }).collect();
                nodes.extend(points.iter().map(|&step| Node { step, needs: vec![features] }));
                let step = Step::Quality { model, layer, projection };
                nodes.push(Node { step, needs: [vec![features], points.clone()].concat() });
                for comparison in 0..study.comparisons.len() {
                    let step = Step::Score { model, layer, projection, comparison };
                    scores.push(Node { step, needs: [vec![Step::Index], points.clone()].concat() });
                }
            }
        }
        if !study.fairness.groups.is_empty() && layers > 0 {
            let (step, layer) = (Step::Fairness { model }, last_layer(study, model));
            scores.push(Node {
                step,
                needs: vec![Step::Index, features(study, model, layer), Step::FeatureScores { model, layer }],
            });
        }
    }
    let gathered =
        scores.iter().map(|node| node.step).filter(|step| matches!(step, Step::Score { .. } | Step::FeatureScores { .. }));
    let gathered: Vec<Step> = [Step::Index].into_iter().chain(gathered).collect();
    nodes.extend(scores);
    nodes.push(Node { step: Step::Simultaneous, needs: gathered.clone() });
    nodes.push(Node { step: Step::Rank, needs: [gathered, vec![Step::Simultaneous]].concat() });
    nodes.push(Node { step: Step::DrawFrequencies, needs: vec![Step::Rank] });
    nodes
}

/// Does the evaluation know who is on its pictures?
fn has_identities(study: &Study) -> bool {
    let of = study.evaluation.dataset.as_ref().and_then(|name| study.datasets.get(name));
    of.is_some_and(Dataset::may_know_identities)
}

/// The embedding, or what is nearest to one.
pub fn last_layer(study: &Study, model: usize) -> usize {
    let layers = study.models[model].layers(study.layers.as_deref());
    layers.iter().position(|layer| layer == EMBEDDING).unwrap_or(layers.len().saturating_sub(1))
}

/// The step that makes the features of a model at a layer.
pub fn features(study: &Study, model: usize, layer: usize) -> Step {
    match study.models[model].source {
        Source::Given(_) => Step::Features { model, layer },
        Source::Network(_) => Step::Extract { model },
        Source::Baseline { .. } => Step::Baseline { model },
    }
}

/// What that step calls them.
pub fn features_name(study: &Study, model: usize, layer: usize) -> String {
    match study.models[model].source {
        Source::Given(_) => FeatureImport::FEATURES.to_owned(),
        Source::Network(_) | Source::Baseline { .. } => features_at(&study.models[model].layers(study.layers.as_deref())[layer]),
    }
}

/// `model · layer · umap map · comparison`.
pub fn figure_name(study: &Study, cell: CellId) -> String {
    let layer = &study.models[cell.model].layers(study.layers.as_deref())[cell.layer];
    let (model, projection) = (&study.models[cell.model].name, &study.projections[cell.projection].name);
    format!("{model} · {layer} · {projection} {} · {}", cell.view, study.comparisons[cell.comparison].name)
}

/// Every figure of the study, with what it is called and what it is: its model, projection and question as the study defines them,
/// by no name of the study's. `shareable` gives files the same names in every folder.
pub fn known_figures(study: &Study, shareable: &dyn Fn(&Path) -> PathBuf) -> Vec<pin::KnownFigure> {
    let file = |path: &Path| Value::text(shareable(path).display().to_string());
    let prepared = |name: &String| study.preparations.get(name).map_or_else(|| Value::text(name), Preparation::canonical);
    let learned_from = |name: &String| study.datasets.get(name).map_or_else(|| Value::text(name), |set| file(set.root()));
    let weights = |of: &Weights| match of {
        Weights::File { file: path, family, .. } => Value::List(vec![file(path), Value::text(family.word())]),
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
        Source::Network(of) => Value::List(vec![
            Value::text("network"),
            of.architecture.canonical(),
            of.loss.canonical(),
            learned_from(&of.trained_on),
            prepared(&of.prepare),
            weights(&of.weights),
        ]),
    };
    let models: Vec<Value> = study.models.iter().map(model).collect();
    let definition = |cell: &CellId| {
        let of = &study.models[cell.model];
        Value::List(vec![
            models[cell.model].clone(),
            Value::text(&of.layers(study.layers.as_deref())[cell.layer]),
            study.projections[cell.projection].method.canonical(),
            cell.view.canonical(),
            study.comparisons[cell.comparison].question.canonical(),
        ])
        .digest()
    };
    let known = |cell: CellId| pin::KnownFigure { cell, name: figure_name(study, cell), definition: definition(&cell) };
    matrix::cells(study).into_iter().map(known).collect()
}

/// Why each figure that the report holds is there, in rank order: picked ones first, then those beside them, those that a person
/// pinned last.
pub fn shown(ledger: &Ledger, pinned: &BTreeSet<CellId>) -> Vec<(CellId, Vec<ShownAs>)> {
    let of = |row: &LedgerRow| {
        let pinned = pinned.contains(&row.candidate.cell).then_some(ShownAs::Pinned);
        row.shown_as.iter().copied().chain(pinned).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = ledger.rows.iter().map(|row| (row, of(row))).filter(|(_, shown_as)| !shown_as.is_empty()).collect();
    rows.sort_by_key(|(row, shown_as)| (!row.picked, *shown_as == [ShownAs::Pinned], row.rank));
    rows.into_iter().map(|(row, shown_as)| (row.candidate.cell, shown_as)).collect()
}

/// What is made for a figure that is shown.
pub fn steady(study: &Study, cell: CellId) -> Node {
    let points = Step::Project { model: cell.model, layer: cell.layer, projection: cell.projection, seed: 0 };
    Node { step: Step::Robustness(cell), needs: vec![Step::Index, features(study, cell.model, cell.layer), points, Step::Rank] }
}

pub fn figure(cell: CellId) -> Node {
    let points = Step::Project { model: cell.model, layer: cell.layer, projection: cell.projection, seed: 0 };
    Node { step: Step::Draw(cell), needs: vec![Step::Index, points, Step::Rank] }
}

/// What the plan knows of the world when it makes tasks.
pub struct KnownResults<'a> {
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

impl KnownResults<'_> {
    /// The task of a step; `None` while something it consumes is not there, or when this program cannot carry it out.
    pub fn task(&self, step: Step) -> Option<Task> {
        let study = self.study;
        let (work, inputs) = match step {
            Step::Train { model } => self.train(model)?,
            Step::Extract { model } => self.extract(model)?,
            Step::Baseline { model } => self.baseline(model)?,
            Step::Index => (Work::Index(Index { take: study.evaluation.take }), vec![self.source("listing")?]),
            Step::Features { model, layer } => {
                let Source::Given(given) = &study.models[model].source else { return None };
                let layer = &study.models[model].layers(study.layers.as_deref())[layer];
                let array = &given.layers[layer];
                let format = ArrayFormat::of(array);
                let file = |role: &str, path: &PathBuf| {
                    self.files.get(path).map(|input| Input { role: role.to_owned(), ..input.clone() })
                };
                (
                    Work::Features(FeatureImport { layer: layer.clone(), format }),
                    vec![file("array", array)?, file("rows", &given.images)?, self.images()?],
                )
            }
            Step::Project { model, layer, projection, seed } => {
                let features = self.features(model, layer, "features")?;
                let seed = if study.projections[projection].seeds > 1 { study.seed.wrapping_add(seed as u64) } else { 0 };
                let method = study.projections[projection].method.clone();
                let mut inputs = vec![features];
                if method.is_of_cosines() {
                    inputs.push(self.images()?);
                    inputs.extend(self.output(self::features(study, model, layer), FeatureImport::OFFSETS, "offsets"));
                }
                (Work::Project(ProjectFeatures { method, seed }), inputs)
            }
            Step::Score { model, layer, projection, comparison } => self.score(model, layer, projection, comparison)?,
            Step::Quality { model, layer, projection } => {
                let features = self.features(model, layer, "features")?;
                let inputs = [vec![features], self.points(model, layer, projection)?].concat();
                let views = study.projections[projection].pictures();
                (Work::Quality(MeasureQuality { views, seed: study.seed }), inputs)
            }
            Step::Verify { model } => self.verify(model)?,
            Step::DrawCurves { model } => {
                (Work::Draw(Figure::Curves), vec![self.output(Step::Train { model }, Training::CURVES, "curves")?])
            }
            Step::FeatureScores { model, layer } => self.space(model, layer)?,
            Step::Fairness { model } => self.fairness(model)?,
            Step::Simultaneous => self.grid()?,
            Step::Rank => self.rank()?,
            Step::DrawFrequencies => {
                (Work::Draw(Figure::Frequencies), vec![self.output(Step::Rank, Ranking::FREQUENCIES, "frequencies")?])
            }
            Step::Robustness(cell) => self.steady(cell)?,
            Step::Draw(cell) => self.draw(cell)?,
        };
        Some(Task { work, inputs })
    }

    fn train(&self, model: usize) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let Source::Network(network) = &study.models[model].source else { return None };
        let Weights::Recipe { recipe, seed } = &network.weights else { return None };
        let pretends = study.numerics.device == DeviceClass::Pretend;
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
        let Source::Network(network) = &study.models[model].source else { return None };
        let (family, untrained, weights) = match &network.weights {
            Weights::File { file, family, .. } => {
                let weights = self.files.get(file)?;
                (*family, None, Some(Input { role: "weights".to_owned(), ..weights.clone() }))
            }
            Weights::Untrained { seed } => (WeightFamily::Visavis, Some(self.training_seed(*seed)), None),
            Weights::Recipe { .. } => {
                (WeightFamily::Visavis, None, Some(self.output(Step::Train { model }, Training::WEIGHTS, "weights")?))
            }
        };
        let extraction = Extraction {
            architecture: network.architecture.clone(),
            preparation: study.preparations.get(&network.prepare)?.clone(),
            layers: study.models[model].layers(study.layers.as_deref()),
            family,
            untrained,
            numerics: study.numerics.clone(),
        };
        let images = if study.pretends() { self.images()? } else { self.pictures()? };
        Some((Work::Extract(extraction), weights.into_iter().chain([images]).collect()))
    }

    fn baseline(&self, model: usize) -> Option<(Work, Vec<Input>)> {
        let Source::Baseline { word, prepare } = &self.study.models[model].source else { return None };
        let baseline = Baseline { word: *word, preparation: self.study.preparations.get(prepare)?.clone() };
        Some((Work::Baseline(baseline), vec![self.pictures()?]))
    }

    /// The features of a model at a layer, in a role.
    fn features(&self, model: usize, layer: usize, role: &str) -> Option<Input> {
        self.output(features(self.study, model, layer), &features_name(self.study, model, layer), role)
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
        self.output(Step::Index, Index::IMAGES, "images")
    }

    /// The columns of these attributes, and the identities.
    fn labels<'a>(&self, attributes: impl IntoIterator<Item = &'a str>) -> Option<Vec<Input>> {
        let columns: Option<Vec<Input>> =
            attributes.into_iter().map(|attribute| self.source(&format!("labels/{attribute}"))).collect();
        Some(columns?.into_iter().chain(self.source("identities")).collect())
    }

    /// The coordinates of a projection, one a seed.
    fn points(&self, model: usize, layer: usize, projection: usize) -> Option<Vec<Input>> {
        let of = |seed: usize| {
            let step = Step::Project { model, layer, projection, seed };
            self.output(step, ProjectFeatures::COORDINATES, &format!("points/{seed}"))
        };
        (0..self.study.projections[projection].seeds).map(of).collect()
    }

    fn score(&self, model: usize, layer: usize, projection: usize, comparison: usize) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let question = study.comparisons[comparison].question.clone();
        let (points, views) = (self.points(model, layer, projection)?, study.projections[projection].views());
        let inputs = [vec![self.images()?], points, self.labels(question.attributes())?].concat();
        Some((Work::Score(ScoreViews { question, views, statistics: study.statistics, seed: study.seed }), inputs))
    }

    /// The comparisons whose labels are all there.
    fn labelled(&self) -> Vec<usize> {
        let questions = self.study.comparisons.iter().enumerate();
        let there =
            |question: &Question| question.attributes().iter().all(|of| self.sources.contains_key(&format!("labels/{of}")));
        questions.filter(|(_, comparison)| there(&comparison.question)).map(|(place, _)| place).collect()
    }

    fn questions(&self, comparisons: &[usize]) -> Vec<Question> {
        comparisons.iter().map(|&place| self.study.comparisons[place].question.clone()).collect()
    }

    /// The columns that questions ask for, each once.
    fn labels_of(&self, questions: &[Question]) -> Option<Vec<Input>> {
        let attributes: BTreeSet<&str> = questions.iter().flat_map(Question::attributes).collect();
        self.labels(attributes)
    }

    fn space(&self, model: usize, layer: usize) -> Option<(Work, Vec<Input>)> {
        let questions = self.questions(&self.labelled());
        let features = self.features(model, layer, "features")?;
        let inputs = [vec![self.images()?, features], self.labels_of(&questions)?].concat();
        let work = ScoreFeatures { questions, statistics: self.study.statistics, seed: self.study.seed };
        Some((Work::FeatureScores(work), inputs))
    }

    fn fairness(&self, model: usize) -> Option<(Work, Vec<Input>)> {
        let (study, layer) = (self.study, last_layer(self.study, model));
        let questions = self.questions(&self.labelled());
        let there = |group: &&String| self.sources.contains_key(&format!("labels/{group}"));
        let groups: Vec<String> = study.fairness.groups.iter().filter(there).cloned().collect();
        let attributes = questions.iter().flat_map(Question::attributes).chain(groups.iter().map(String::as_str));
        let labels = self.labels(attributes.collect::<BTreeSet<_>>())?;
        let decisions = self.output(Step::FeatureScores { model, layer }, ScoreFeatures::DECISIONS, "decisions")?;
        let inputs = [vec![self.images()?, self.features(model, layer, "features")?, decisions], labels].concat();
        let (statistics, seed) = (study.statistics, study.seed);
        Some((Work::Fairness(GroupFairness { questions, groups, depth: study.fairness.depth, statistics, seed }), inputs))
    }

    fn grid(&self) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let (mut slots, mut inputs) = (Vec::new(), vec![self.images()?]);
        for (slot, step) in self.scored() {
            for (output, role) in
                [(ScoreViews::SCORES, "scores"), (ScoreViews::RANKS, "ranks"), (ScoreViews::PERMUTED, "permuted")]
            {
                inputs.push(self.output(step, output, &format!("{role}/{}", slots.len()))?);
            }
            slots.push(slot);
        }
        if slots.is_empty() {
            return None;
        }
        let mut spaces = Vec::new();
        for step in steps(study).into_iter().map(|node| node.step) {
            let Step::FeatureScores { model, layer } = step else { continue };
            for (place, comparison) in self.labelled().into_iter().enumerate() {
                if let Some(input) = self.output(step, &ranks_of(place), &format!("spaces/{}", spaces.len())) {
                    spaces.push([model, layer, comparison]);
                    inputs.push(input);
                }
            }
        }
        let all: Vec<usize> = (0..study.comparisons.len()).collect();
        let questions = self.questions(&all);
        inputs.extend(self.labels_of(&self.questions(&self.labelled()))?);
        let (statistics, seed) = (study.statistics, study.seed);
        Some((
            Work::Simultaneous(Simultaneous { slots, spaces, questions, held: contrast::held(study), statistics, seed }),
            inputs,
        ))
    }

    /// Scores of projections that are there. What is missing is left out.
    fn scored(&self) -> Vec<(ScoreSlot, Step)> {
        let of = |step: Step| match step {
            Step::Score { model, layer, projection, comparison } if self.results.contains_key(&step) => {
                Some((ScoreSlot { model, layer, projection, comparison }, step))
            }
            _ => None,
        };
        steps(self.study).into_iter().filter_map(|node| of(node.step)).collect()
    }

    fn verify(&self, model: usize) -> Option<(Work, Vec<Input>)> {
        let points = self.features(model, last_layer(self.study, model), "points/0")?;
        let work = VerifyIdentities { bootstraps: self.study.statistics.bootstraps, seed: self.study.seed };
        Some((Work::Verify(work), vec![self.images()?, points, self.source("identities")?]))
    }

    fn rank(&self) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let (mut slots, mut scores) = (Vec::new(), Vec::new());
        for (slot, step) in self.scored() {
            scores.push(self.output(step, ScoreViews::SCORES, &format!("scores/{}", scores.len()))?);
            slots.push(slot);
        }
        if scores.is_empty() {
            return None;
        }
        let questions: Vec<_> = study.comparisons.iter().map(|comparison| comparison.question.clone()).collect();
        let attributes: Vec<String> =
            self.sources.keys().filter_map(|role| role.strip_prefix("labels/")).map(str::to_owned).collect();
        let truth: Vec<Input> = self.source("truth").into_iter().collect();
        let (probes, spaces) = if truth.is_empty() { Default::default() } else { self.probes() };
        let grid = self.output(Step::Simultaneous, Simultaneous::TESTS, "grid")?;
        let inputs =
            [vec![self.images()?, grid], scores, self.labels(attributes.iter().map(String::as_str))?, truth, spaces].concat();
        let ranking = Ranking {
            slots,
            separates_at: study.statistics.separates_at,
            show: study.show,
            seed: study.seed,
            attributes,
            groups: study.fairness.groups.clone(),
            depth: study.fairness.depth,
            questions,
            probes,
        };
        Some((Work::Rank(ranking), inputs))
    }

    /// Feature spaces that are there, with their probes.
    fn probes(&self) -> (Probes, Vec<Input>) {
        let (mut spaces, mut inputs) = (Vec::new(), Vec::new());
        for step in steps(self.study).into_iter().map(|node| node.step) {
            let Step::FeatureScores { model, layer } = step else { continue };
            if let Some(input) = self.output(step, ScoreFeatures::SCORES, &format!("spaces/{}", spaces.len())) {
                spaces.push([model, layer]);
                inputs.push(input);
            }
        }
        (Probes { spaces, asked: self.labelled() }, inputs)
    }

    fn steady(&self, cell: CellId) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let projection = &study.projections[cell.projection];
        let question = study.comparisons[cell.comparison].question.clone();
        let projected = Step::Project { model: cell.model, layer: cell.layer, projection: cell.projection, seed: 0 };
        let inputs = [
            vec![self.images()?, self.features(cell.model, cell.layer, "features")?],
            vec![self.output(projected, ProjectFeatures::COORDINATES, "points")?],
            self.labels(question.attributes())?,
        ];
        let projected = if projection.seeds > 1 { study.seed } else { 0 };
        let (view, method, seed) = (cell.view, projection.method.clone(), study.seed);
        Some((Work::Robustness(Robustness { question, view, method, projected, seed }), inputs.concat()))
    }

    fn draw(&self, cell: CellId) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let comparison = &study.comparisons[cell.comparison];
        let projected = Step::Project { model: cell.model, layer: cell.layer, projection: cell.projection, seed: 0 };
        let method = projection::title(&study.projections[cell.projection].method);
        let axes = match cell.view {
            View::Map => AxisNames::Map { method },
            _ => AxisNames::Explained { method, shares: self.results.get(&projected)?.fact("explained").to_vec() },
        };
        let figure = Figure::View {
            view: cell.view,
            question: comparison.question.clone(),
            classes: comparison.classes.clone(),
            axes,
            seed: study.seed,
        };
        let inputs = [
            vec![self.images()?, self.output(projected, ProjectFeatures::COORDINATES, "points")?],
            self.labels(comparison.question.attributes())?,
        ]
        .concat();
        Some((Work::Draw(figure), inputs))
    }
}

#[cfg(test)]
mod tests;
