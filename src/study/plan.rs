//! The plan: every stage of a study, which results are there, which can run now, and what is missing.
//!
//! Pure but for looking up what is there. Keys of what consumes a result become known when it exists, so a plan grows in
//! waves: what a wave finds makes the next one's tasks.

use super::{
    OpenedStudy, figures,
    missing::{Missing, Need},
    steps::{self, Node, Step},
    tasks::KnownResults,
};
use rayon::prelude::*;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::PathBuf,
};
use visavis_core::{
    dataset::{DigestCache, People},
    domain::{
        Digest, Ending, Fault, Key, Result,
        image::Column,
        job::{JobId, JobState},
        ledger::{CellId, Frequencies, Ledger, ShownAs},
        made_of::MadeOf,
        matrix,
        model::{Network, Source as ModelSource, Weights},
        pin::{self, Pinned},
        result::Manifest,
        stage::{Input, Kind, Location, Ranking, Task},
        study::Study,
    },
    store::Workspace,
};

pub struct Plan {
    pub study: Study,
    pub missing: Vec<Missing>,
    /// Is it known who is on the pictures?
    pub people: People,
    /// What was found odd about the data, and what was done with them, for people.
    pub remarks: Vec<String>,
    workspace: Workspace,
    /// Stages, prerequisites first.
    stages: Vec<Stage>,
    places: HashMap<Step, usize>,
    of_key: HashMap<Key, Vec<usize>>,
    /// Bytes that the run stores as objects before it starts: image listing, label columns, identities.
    sources: BTreeMap<String, Input>,
    source_bytes: Vec<(String, SourceContent)>,
    files: BTreeMap<PathBuf, Input>,
    /// Where the evaluation's pictures are, and those of training sets.
    pictures_at: Option<PathBuf>,
    training_at: BTreeMap<String, PathBuf>,
    results: HashMap<Step, Manifest>,
    /// Results that must be made again: `--force`, or an object that is gone.
    forced: BTreeSet<Step>,
    /// How many images are evaluated; 0 while nobody knows.
    pub(super) images: usize,
    /// What people asked of jobs.
    aside: HashMap<JobId, JobState>,
    /// Figures that people want in the report.
    pinned: Vec<Pinned>,
    /// Why nobody knows what is pinned.
    pub unread: Option<Fault>,
    failed: HashMap<Key, String>,
    ran: BTreeSet<Step>,
    newly: Vec<usize>,
    grown: bool,
    turned_up: Vec<Step>,
    /// Results that are there and cannot be read.
    pub damaged: Vec<(Step, String)>,
}

/// What a source is made of: a column is kept as small numbers until somebody asks for its bytes.
enum SourceContent {
    Bytes(Vec<u8>),
    Column(Column),
}

impl SourceContent {
    fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            SourceContent::Bytes(bytes) => Cow::Borrowed(bytes),
            SourceContent::Column(column) => Cow::Owned(column.to_text().into_bytes()),
        }
    }
}

struct Stage {
    step: Step,
    needs: Vec<usize>,
    wanted_by: Vec<usize>,
    /// How many of the stages it needs are not settled yet.
    unsettled: usize,
    standing: StageStatus,
    task: Option<(Key, Task)>,
}

/// How a stage stands.
#[derive(Clone, Debug, PartialEq)]
pub enum StageStatus {
    /// Something it consumes is not there yet.
    Open,
    Ready,
    Done,
    Failed(String),
    /// It waits for something missing, or for a stage that failed.
    Barred,
    /// A person paused or cancelled it.
    Aside(JobState),
}

impl StageStatus {
    /// Nothing will become of it in this run, or all that will has.
    fn settled(&self) -> bool {
        !matches!(self, StageStatus::Open | StageStatus::Ready | StageStatus::Aside(JobState::Paused))
    }
}

/// Stages of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub stored: usize,
    /// What a run here would make.
    pub to_run: usize,
    /// What it would not: something is missing, failed, or was set aside by a person.
    pub waiting: usize,
}

impl Plan {
    /// # Errors
    /// Files that are there and cannot be read.
    pub fn new(opened: &OpenedStudy, workspace: &Workspace) -> Result<Self> {
        let study = opened.file.study.clone();
        let mut plan = Plan {
            study,
            missing: opened.missing.clone(),
            people: opened.survey.people,
            remarks: opened.warnings.iter().chain(&opened.notes).cloned().collect(),
            workspace: workspace.clone(),
            stages: vec![],
            places: HashMap::new(),
            of_key: HashMap::new(),
            sources: BTreeMap::new(),
            source_bytes: vec![],
            files: BTreeMap::new(),
            pictures_at: opened.survey.pictures.as_ref().map(|folder| workspace.place(folder)),
            training_at: BTreeMap::new(),
            results: HashMap::new(),
            forced: BTreeSet::new(),
            images: 0,
            aside: HashMap::new(),
            pinned: vec![],
            unread: None,
            failed: HashMap::new(),
            ran: BTreeSet::new(),
            newly: vec![],
            grown: false,
            turned_up: vec![],
            damaged: vec![],
        };
        plan.take_pins();
        plan.take_sources(opened)?;
        // Without identities nobody can be verified.
        let nobody = opened.survey.images.is_some() && opened.survey.identities.is_none();
        let asked = |node: &Node| !(nobody && matches!(node.step, Step::Verify { .. }));
        plan.add(steps::steps(&plan.study).into_iter().filter(asked).collect());
        plan.look()?;
        Ok(plan)
    }

    /// A store that cannot be read keeps nobody from what results say.
    fn take_pins(&mut self) {
        let pins =
            super::look(&self.workspace).and_then(|looked| looked.index.map_or(Ok(vec![]), |index| index.pins(&self.study.name)));
        match pins {
            Ok(pins) if pins.is_empty() => {}
            Ok(pins) => {
                let figures = figures::known_figures(&self.study, &|path| self.workspace.shareable(path));
                self.pinned = pin::find(pins, &figures);
            }
            Err(fault) => self.unread = Some(fault),
        }
    }

    fn take_sources(&mut self, opened: &OpenedStudy) -> Result<()> {
        let Some(images) = &opened.survey.images else { return Ok(()) };
        let taken = self.study.evaluation.take.as_ref().map_or(usize::MAX, |take| take.images);
        self.images = images.0.len().min(taken);
        self.source("listing".to_owned(), images.to_text().into_bytes());
        // Labels enter as parsed and sorted columns; which file they came from does not matter.
        let labels = opened.survey.labels.iter().map(|(attribute, column)| (format!("labels/{attribute}"), column));
        let identities = opened.survey.identities.iter().map(|column| ("identities".to_owned(), column));
        let columns: Vec<(String, &Column)> = labels.chain(identities).collect();
        let digests: Vec<Digest> = columns.par_iter().map(|(_, column)| column.digest()).collect();
        for ((role, column), digest) in columns.into_iter().zip(digests) {
            self.put_source(role, digest, SourceContent::Column(column.clone()));
        }
        for (name, set) in &opened.survey.training {
            self.source(format!("pictures/{name}"), set.images.to_text().into_bytes());
            self.source(format!("classes/{name}"), set.classes.to_text().into_bytes());
            self.training_at.insert(name.clone(), self.workspace.place(&set.pictures));
        }
        if let Some(truth) = &opened.survey.truth {
            self.source("truth".to_owned(), truth.clone());
        }
        let mut digests = DigestCache::open(self.workspace.digests());
        for model in &self.study.models {
            let paths: Vec<&PathBuf> = match &model.source {
                ModelSource::Given(given) => given.layers.values().chain([&given.images]).collect(),
                ModelSource::Network(Network { weights: Weights::File { file, .. }, .. }) => vec![file],
                ModelSource::Network(_) | ModelSource::Baseline { .. } => continue,
            };
            if let ModelSource::Network(Network { weights: Weights::File { file, blake3: Some(wanted), .. }, .. }) = &model.source
                && file.is_file()
                && digests.of(file)?.to_string() != *wanted
            {
                return Err(Fault::asked(format!(
                    "the weights of {} are not those the study names: their digest is another",
                    model.name
                ))
                .in_file(file)
                .next("`visavis weights inspect` prints a file's digest; write it into the study if the file is the right one"));
            }
            for path in paths {
                if path.is_file() {
                    let at = Location::File(self.workspace.place(path));
                    let input = Input { role: String::new(), digest: digests.of(path)?, at };
                    self.files.insert(path.clone(), input);
                }
            }
        }
        digests.keep();
        Ok(())
    }

    fn source(&mut self, role: String, bytes: Vec<u8>) {
        self.put_source(role, Digest::of(&bytes), SourceContent::Bytes(bytes));
    }

    fn put_source(&mut self, role: String, digest: Digest, source: SourceContent) {
        self.sources.insert(role.clone(), Input { role: role.clone(), digest, at: Location::Object });
        self.source_bytes.push((role, source));
    }

    /// Stores the objects that tasks consume and no stage makes.
    pub fn store_sources(&self) -> Result<()> {
        let objects = self.workspace.objects();
        self.source_bytes.iter().try_for_each(|(_, source)| objects.put(&source.bytes()).map(|_| ()))
    }

    /// The bytes of those objects, by role.
    pub fn sources(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        self.source_bytes.iter().map(|(role, source)| (role.as_str(), source.bytes()))
    }

    /// The labels of an attribute.
    pub fn labels(&self, attribute: &str) -> Option<&Column> {
        self.source_bytes.iter().find_map(|(role, source)| match source {
            SourceContent::Column(column) if role.strip_prefix("labels/") == Some(attribute) => Some(column),
            _ => None,
        })
    }

    /// The digests of everything outside that the study's stages consume; files by names that are the same on every machine.
    pub fn source_digests(&self) -> BTreeMap<String, Digest> {
        let mut digests: BTreeMap<String, Digest> =
            self.sources.iter().map(|(role, input)| (role.clone(), input.digest)).collect();
        // By content where names are alike: the order of absolute paths is another on another machine.
        let mut files: Vec<_> = self.files.iter().map(|(path, input)| (self.workspace.shareable(path), input)).collect();
        files.sort_by(|(one, input), (name, other)| (one, input.digest).cmp(&(name, other.digest)));
        for (path, input) in files {
            let name = format!("file {}", path.display());
            // Two files of one name, from outside the workspace, are told apart by their order.
            let names = std::iter::once(name.clone()).chain((2..).map(|place| format!("{name} ({place})")));
            let free = names.into_iter().find(|name| !digests.contains_key(name)).unwrap_or(name);
            digests.insert(free, input.digest);
        }
        digests
    }

    /// Has it come to hold other steps since this was last asked?
    pub fn has_grown(&mut self) -> bool {
        std::mem::take(&mut self.grown)
    }

    fn add(&mut self, nodes: Vec<Node>) {
        self.grown = true;
        for Node { step, needs } in nodes {
            let place = self.stages.len();
            let needs: Vec<usize> = needs.iter().filter_map(|need| self.places.get(need).copied()).collect();
            for &need in &needs {
                self.stages[need].wanted_by.push(place);
            }
            let unsettled = needs.iter().filter(|&&need| !self.stages[need].standing.settled()).count();
            let standing = StageStatus::Open;
            self.stages.push(Stage { step, needs, wanted_by: vec![], unsettled, standing, task: None });
            self.places.insert(step, place);
        }
    }

    /// Every result must be made again.
    pub fn force(&mut self) -> Result<()> {
        self.forced = self.stages.iter().map(|stage| stage.step).collect();
        self.again_from_the_start()
    }

    /// Keeps the steps whose label holds every word of the filter, and what they need; behind `=` stands a label itself, for names
    /// may hold each other.
    pub fn only(&mut self, filter: &str) -> Result<()> {
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        let wanted = |stage: &Stage| {
            let label = stage.step.label(&self.study);
            filter.strip_prefix('=').map_or_else(
                || {
                    let label = label.to_lowercase();
                    words.iter().all(|word| label.contains(word))
                },
                |whole| label == whole,
            )
        };
        let mut kept: Vec<bool> = self.stages.iter().map(wanted).collect();
        if !kept.contains(&true) {
            return Err(Fault::asked(format!("no stage of the study matches `{filter}`")).next(
                "a filter is words of a stage's label, such as --only \"score gender\", or `=` and a whole one; \
                 `visavis run STUDY` names them, `visavis plan STUDY --json` lists kinds",
            ));
        }
        for place in (0..kept.len()).rev() {
            if kept[place] {
                self.stages[place].needs.iter().for_each(|&need| kept[need] = true);
            }
        }
        let nodes: Vec<Node> = self.nodes().zip(&kept).filter(|(_, kept)| **kept).map(|(node, _)| node).collect();
        // What others wait for is missing to nobody here.
        let lacked: Vec<Missing> =
            nodes.iter().filter(|node| !node.step.gathers()).flat_map(|node| self.lacking(node.step)).cloned().collect();
        self.missing.retain(|missing| lacked.contains(missing));
        self.start_over(nodes)
    }

    fn nodes(&self) -> impl Iterator<Item = Node> {
        let step = |need: &usize| self.stages[*need].step;
        self.stages.iter().map(move |stage| Node { step: stage.step, needs: stage.needs.iter().map(step).collect() })
    }

    /// Looks everything up anew: after a person's act, or when results are to be made again.
    fn again_from_the_start(&mut self) -> Result<()> {
        let nodes = self.nodes().filter(|node| !matches!(node.step, Step::Draw(_) | Step::Robustness(_))).collect();
        self.start_over(nodes)
    }

    fn start_over(&mut self, nodes: Vec<Node>) -> Result<()> {
        self.stages.clear();
        self.places.clear();
        self.of_key.clear();
        self.newly.clear();
        self.damaged.clear();
        self.results.clear();
        self.add(nodes);
        self.look()
    }

    /// Looks anew, with what people asked of jobs in place of what they asked before, and what failed with these keys
    /// forgiven. Everything that is ready is new again.
    pub fn replan(&mut self, aside: HashMap<JobId, JobState>, forgiven: &[Key]) -> Result<()> {
        self.failed.retain(|key, _| !forgiven.contains(key));
        if aside != self.aside || !forgiven.is_empty() {
            self.aside = aside;
            return self.again_from_the_start();
        }
        let ready = |place: &usize| self.stages[*place].standing == StageStatus::Ready;
        self.newly = (0..self.stages.len()).filter(ready).collect();
        Ok(())
    }

    /// Takes what is there for all there is: a study that ran only in part has a ledger of that part.
    pub fn as_it_stands(mut self) -> Result<Self> {
        loop {
            let ready = |place: &usize| self.stages[*place].standing == StageStatus::Ready;
            let (gathering, mut absent): (Vec<usize>, Vec<usize>) =
                (0..self.stages.len()).filter(ready).partition(|&place| self.stages[place].step.gathers());
            // The grid of what is there was not made either: only then is it given up.
            if absent.is_empty() {
                absent = gathering.into_iter().filter(|&place| self.stages[place].step == Step::Simultaneous).collect();
            }
            if absent.is_empty() {
                return Ok(self);
            }
            let mut wave = Vec::new();
            for place in absent {
                self.settle(place, StageStatus::Failed("not run".to_owned()), &mut wave);
            }
            self.follow(wave)?;
        }
    }

    /// Looks up what is there, from the stages that need nothing.
    fn look(&mut self) -> Result<()> {
        let mut wave = Vec::new();
        for place in 0..self.stages.len() {
            let stage = &self.stages[place];
            if stage.standing != StageStatus::Open {
                continue;
            }
            if !stage.step.gathers() && !self.lacking(stage.step).is_empty() {
                self.settle(place, StageStatus::Barred, &mut wave);
            } else if stage.unsettled == 0 {
                wave.push(place);
            }
        }
        self.follow(wave)
    }

    /// Notes how a stage stands, and puts those that can be looked at because of it into the wave.
    fn settle(&mut self, place: usize, standing: StageStatus, wave: &mut Vec<usize>) {
        let before = self.stages[place].standing.settled();
        let bars = matches!(standing, StageStatus::Failed(_) | StageStatus::Barred | StageStatus::Aside(JobState::Cancelled));
        let now = standing.settled();
        self.stages[place].standing = standing;
        if before || !now {
            return;
        }
        for wanting in self.stages[place].wanted_by.clone() {
            let stage = &mut self.stages[wanting];
            stage.unsettled -= 1;
            // A ledger of the cells that can be scored is better than none.
            let bars = bars && !stage.step.gathers();
            if stage.standing != StageStatus::Open {
                continue;
            }
            if bars {
                self.settle(wanting, StageStatus::Barred, wave);
            } else if stage.unsettled == 0 {
                wave.push(wanting);
            }
        }
    }

    /// Looks at the stages of a wave, and of the waves that follow from it.
    fn follow(&mut self, mut wave: Vec<usize>) -> Result<()> {
        while !wave.is_empty() {
            wave.retain(|&place| self.stages[place].standing == StageStatus::Open);
            let listed = self.listed()?;
            let there = |key: &Key| listed.as_ref().is_none_or(|listed| listed.contains(key));
            let seen: Vec<(usize, TaskLookup)> =
                wave.par_iter().map(|&place| Ok((place, self.see(place, &there)?))).collect::<Result<_>>()?;
            let mut next = Vec::new();
            for (place, seen) in seen {
                let step = self.stages[place].step;
                let Some((key, task, found)) = seen else {
                    self.settle(place, StageStatus::Barred, &mut next);
                    continue;
                };
                self.stages[place].task = Some((key, task));
                self.of_key.entry(key).or_default().push(place);
                // What is there needs no run: only what would have to run can be set aside, or have failed.
                let standing = match (&found, self.failed.get(&key), self.asked_aside(step)) {
                    (StoredResult::Whole(_), ..) => StageStatus::Done,
                    (_, Some(why), _) => StageStatus::Failed(why.clone()),
                    (_, None, Some(state)) => StageStatus::Aside(state),
                    (_, None, None) => StageStatus::Ready,
                };
                match found {
                    StoredResult::Whole(manifest) => self.found(place, *manifest, &mut next),
                    StoredResult::Nothing => {}
                    // An object was taken away, or the result is damaged: it is made again and takes the other's place.
                    StoredResult::Part => _ = self.forced.insert(step),
                    StoredResult::Damaged(why) => {
                        self.forced.insert(step);
                        self.damaged.push((step, why));
                    }
                }
                match standing {
                    StageStatus::Done => {}
                    StageStatus::Ready => self.ready(place),
                    other => self.settle(place, other, &mut next),
                }
            }
            next.extend(self.grow_figures()?);
            wave = next;
        }
        Ok(())
    }

    fn asked_aside(&self, step: Step) -> Option<JobState> {
        if self.aside.is_empty() { None } else { self.aside.get(&self.job(step)).copied() }
    }

    fn ready(&mut self, place: usize) {
        self.stages[place].standing = StageStatus::Ready;
        self.newly.push(place);
    }

    fn found(&mut self, place: usize, manifest: Manifest, wave: &mut Vec<usize>) {
        self.results.insert(self.stages[place].step, manifest);
        self.turned_up.push(self.stages[place].step);
        self.settle(place, StageStatus::Done, wave);
    }

    /// The results that a shared folder lists: one that is asked for by name too early is "not there" for as long as a cache
    /// lasts. `None` on a disk of this machine alone.
    fn listed(&self) -> Result<Option<HashSet<Key>>> {
        if !self.workspace.is_shared() {
            return Ok(None);
        }
        Ok(Some(self.workspace.results().all()?.into_iter().collect()))
    }

    fn see(&self, place: usize, there: &dyn Fn(&Key) -> bool) -> Result<TaskLookup> {
        let step = self.stages[place].step;
        let known = KnownResults {
            study: &self.study,
            sources: &self.sources,
            files: &self.files,
            results: &self.results,
            pictures_at: self.pictures_at.as_ref(),
            training_at: &self.training_at,
        };
        let Some(task) = known.task(step) else { return Ok(None) };
        let key = task.key();
        let found = if self.forced.contains(&step) || !there(&key) { StoredResult::Nothing } else { self.look_up(key)? };
        Ok(Some((key, task, found)))
    }

    fn look_up(&self, key: Key) -> Result<StoredResult> {
        let objects = self.workspace.objects();
        Ok(match self.workspace.results().get(key) {
            Err(fault) if fault.ending == Ending::Differs => StoredResult::Damaged(fault.to_string()),
            Err(fault) => return Err(fault),
            Ok(None) => StoredResult::Nothing,
            Ok(Some(manifest)) if manifest.outputs.iter().all(|output| objects.has(output.digest)) => {
                StoredResult::Whole(Box::new(manifest))
            }
            Ok(Some(_)) => StoredResult::Part,
        })
    }

    /// Once the ledger is there, the figures it shows are known.
    fn grow_figures(&mut self) -> Result<Vec<usize>> {
        let first = self.stages.len();
        let drawn = |stage: &Stage| matches!(stage.step, Step::Draw(_));
        if !self.places.contains_key(&Step::DrawFrequencies) || self.stages.last().is_some_and(drawn) {
            return Ok(vec![]);
        }
        let Some(ledger) = self.ledger()? else { return Ok(vec![]) };
        let shown = self.shown(&ledger);
        let shown = || shown.iter().map(|(cell, _)| *cell);
        let steady = shown().map(|cell| steps::robustness(&self.study, cell));
        let figures: Vec<Node> = steady.chain(shown().map(steps::drawing)).collect();
        if self.forced.contains(&Step::DrawFrequencies) {
            self.forced.extend(figures.iter().map(|node| node.step));
        }
        self.add(figures);
        Ok((first..self.stages.len()).filter(|&place| self.stages[place].unsettled == 0).collect())
    }

    pub fn ledger(&self) -> Result<Option<Ledger>> {
        self.json(Step::Rank, Ranking::LEDGER)
    }

    /// The figures that the report shows, and why.
    pub fn shown(&self, ledger: &Ledger) -> Vec<(CellId, Vec<ShownAs>)> {
        figures::shown(ledger, &self.pinned.iter().filter_map(|of| of.cell).collect())
    }

    /// Figures that people want in the report, those too that are lost.
    pub fn pinned(&self) -> &[Pinned] {
        &self.pinned
    }

    /// What is pinned, and no figure of the study any more: what it was called.
    pub fn lost_pins(&self) -> impl Iterator<Item = &str> {
        self.pinned.iter().filter(|of| of.cell.is_none()).map(|of| of.name.as_str())
    }

    /// What a person notes to a figure.
    pub fn note(&self, cell: CellId) -> Option<&str> {
        self.pinned.iter().find(|of| of.cell == Some(cell)).map(|of| of.pin.note.as_str())
    }

    pub fn frequencies(&self) -> Result<Option<Frequencies>> {
        self.json(Step::Rank, Ranking::FREQUENCIES)
    }

    /// An output of a step's result, parsed; `None` while the result is not there.
    pub fn json<T: serde::de::DeserializeOwned>(&self, step: Step, output: &str) -> Result<Option<T>> {
        let Some(bytes) = self.bytes(step, output)? else { return Ok(None) };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Fault::unexpected(format!("{output} is not what it should be: {error}")))
    }

    pub fn bytes(&self, step: Step, output: &str) -> Result<Option<Vec<u8>>> {
        let output = self.results.get(&step).and_then(|manifest| manifest.output(output));
        output.map(|output| self.workspace.objects().get(output.digest)).transpose()
    }

    pub fn result(&self, step: Step) -> Option<&Manifest> {
        self.results.get(&step)
    }

    /// Every step with how it stands, prerequisites first.
    pub fn steps(&self) -> impl Iterator<Item = (Step, &StageStatus)> {
        self.stages.iter().map(|stage| (stage.step, &stage.standing))
    }

    /// What a report of the plan's results would be made of; `text`: the study file's.
    pub fn made_of(&self, text: &str) -> MadeOf {
        MadeOf::new(self.results().map(|(_, manifest)| manifest), text, &self.pinned)
    }

    /// Steps that have no result.
    pub fn open_steps(&self) -> impl Iterator<Item = Step> {
        self.steps().filter(|(_, standing)| **standing != StageStatus::Done).map(|(step, _)| step)
    }

    /// Every result of the study that is there, in the order of its steps.
    pub fn results(&self) -> impl Iterator<Item = (Step, &Manifest)> {
        self.stages.iter().filter_map(|stage| Some((stage.step, self.results.get(&stage.step)?)))
    }

    pub fn standing(&self, step: Step) -> Option<&StageStatus> {
        self.places.get(&step).map(|&place| &self.stages[place].standing)
    }

    /// Will networks learn, or be read?
    pub fn runs_networks(&self) -> bool {
        let network = |step: Step| matches!(step, Step::Train { .. } | Step::Extract { .. });
        !self.study.pretends()
            && self
                .stages
                .iter()
                .any(|stage| network(stage.step) && matches!(stage.standing, StageStatus::Open | StageStatus::Ready))
    }

    /// What a step consumes.
    pub fn needs(&self, step: Step) -> Vec<Step> {
        let needs = self.places.get(&step).map_or(&[][..], |&place| &self.stages[place].needs);
        needs.iter().map(|&need| self.stages[need].step).collect()
    }

    /// The task of a step, once all it consumes is there.
    pub fn task(&self, step: Step) -> Option<&(Key, Task)> {
        self.stages[*self.places.get(&step)?].task.as_ref()
    }

    /// What the step itself lacks.
    pub fn lacking(&self, step: Step) -> Vec<&Missing> {
        let lacks = |missing: &&Missing| match (&missing.need, step) {
            (Need::Everything, _) => true,
            (
                Need::Models(models),
                Step::Train { model }
                | Step::Features { model, .. }
                | Step::Extract { model }
                | Step::Baseline { model }
                | Step::Quality { model, .. }
                | Step::Verify { model }
                | Step::DrawCurves { model }
                | Step::Project { model, .. }
                | Step::Score { model, .. }
                | Step::FeatureScores { model, .. }
                | Step::Fairness { model },
            ) => models.contains(&model),
            (Need::Attribute(attribute), Step::Score { comparison, .. }) => {
                self.study.comparisons[comparison].question.attributes().contains(attribute.as_str())
            }
            _ => false,
        };
        self.missing.iter().filter(lacks).collect()
    }

    pub fn job(&self, step: Step) -> JobId {
        JobId::of(&self.study.name, &step.label(&self.study))
    }

    /// Tasks that have become ready since this was last asked, one a key: stages that two models share run once.
    pub fn newly_ready(&mut self) -> Vec<(Key, Step)> {
        let places = std::mem::take(&mut self.newly);
        let ready = |place: usize| self.stages[place].standing == StageStatus::Ready;
        let first = |place: usize, key: &Key| self.of_key[key].iter().copied().find(|&place| ready(place)) == Some(place);
        let of = |place: usize| Some((self.stages[place].task.as_ref()?.0, self.stages[place].step));
        let mut found = Vec::new();
        for place in places.into_iter().filter(|&place| ready(place)) {
            found.extend(of(place).filter(|(key, _)| first(place, key)));
        }
        found
    }

    /// Steps whose results were found since this was last asked.
    pub fn newly_found(&mut self) -> Vec<(Step, Key)> {
        let key = |step: Step| Some((step, self.results.get(&step)?.key));
        std::mem::take(&mut self.turned_up).into_iter().filter_map(key).collect()
    }

    /// Does anything wait to run?
    pub fn is_ready(&self) -> bool {
        self.stages.iter().any(|stage| stage.standing == StageStatus::Ready)
    }

    /// Must the step be made even though a result of it may be there?
    pub fn again(&self, step: Step) -> bool {
        self.forced.contains(&step)
    }

    /// Notes that a task is done, and looks up what follows; its manifest.
    ///
    /// # Errors
    /// A result that was there a moment ago and cannot be read.
    pub fn finished(&mut self, key: Key) -> Result<Option<Manifest>> {
        if self.listed()?.is_some_and(|listed| !listed.contains(&key)) {
            return Ok(None);
        }
        let StoredResult::Whole(manifest) = self.look_up(key)? else { return Ok(None) };
        let mut wave = Vec::new();
        for place in self.of_key.get(&key).cloned().unwrap_or_default() {
            let step = self.stages[place].step;
            self.forced.remove(&step);
            self.ran.insert(step);
            self.found(place, (*manifest).clone(), &mut wave);
        }
        self.follow(wave)?;
        Ok(Some(*manifest))
    }

    pub fn failed(&mut self, key: Key, why: &str) -> Result<()> {
        self.failed.insert(key, why.to_owned());
        let mut wave = Vec::new();
        for place in self.of_key.get(&key).cloned().unwrap_or_default() {
            self.settle(place, StageStatus::Failed(why.to_owned()), &mut wave);
        }
        self.follow(wave)
    }

    pub fn failures(&self) -> usize {
        self.stages.iter().filter(|stage| matches!(stage.standing, StageStatus::Failed(_))).count()
    }

    /// How many stages people paused or cancelled.
    pub fn count_aside(&self, state: JobState) -> usize {
        self.stages.iter().filter(|stage| stage.standing == StageStatus::Aside(state)).count()
    }

    /// Is the result there from before this run?
    pub fn stored(&self) -> usize {
        self.results.keys().filter(|step| !self.ran.contains(step)).count()
    }

    /// Figures that the ledger will show, as far as can be said before it is there.
    fn figures_to_come(&self) -> usize {
        let will_rank = self.places.get(&Step::Rank).is_some_and(|&place| self.will_run()[place]);
        let draws = self.places.contains_key(&Step::DrawFrequencies) && will_rank;
        if draws && self.study.show > 0 {
            self.study.show.min(self.study.models.len() * self.study.comparisons.len()) + 3
        } else {
            0
        }
    }

    /// Which stages a run here would make, by place: those that are open, and whose needs are there or would be made. What gathers
    /// makes do with some of its needs, and with none not.
    fn will_run(&self) -> Vec<bool> {
        let mut will_run: Vec<bool> = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let comes = |need: &usize| will_run[*need] || self.stages[*need].standing == StageStatus::Done;
            let gathered = |need: &&usize| self.stages[**need].step != Step::Index;
            let open = matches!(stage.standing, StageStatus::Open | StageStatus::Ready);
            let needs = || {
                let enough = stage.needs.iter().filter(gathered).any(comes);
                if stage.step.gathers() { enough } else { stage.needs.iter().all(comes) }
            };
            let runs = open && needs();
            will_run.push(runs);
        }
        will_run
    }

    /// The steps that a run here would make.
    pub fn runs(&self) -> Vec<Step> {
        self.stages.iter().zip(self.will_run()).filter(|(_, will_run)| *will_run).map(|(stage, _)| stage.step).collect()
    }

    /// What is stored and what would run, by kind, in the order of work.
    pub fn tally(&self) -> Vec<(Kind, Tally)> {
        let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
        for (stage, will_run) in self.stages.iter().zip(self.will_run()) {
            let tally = tallies.entry(stage.step.kind()).or_default();
            match (&stage.standing, will_run) {
                (StageStatus::Done, _) => tally.stored += 1,
                (_, true) => tally.to_run += 1,
                (_, false) => tally.waiting += 1,
            }
        }
        if let Some(tally) = tallies.get_mut(&Kind::Draw) {
            tally.to_run += self.figures_to_come();
        }
        tallies.into_iter().collect()
    }

    /// How many stages a run here would make.
    pub fn to_run(&self) -> usize {
        self.tally().iter().map(|(_, tally)| tally.to_run).sum()
    }

    pub fn cells(&self) -> usize {
        matrix::cells(&self.study).len()
    }

    /// The cells that a step scores.
    fn cells_of(&self, step: Step) -> usize {
        match step {
            Step::Score { projection, .. } => self.study.projections[projection].views().len(),
            _ => 0,
        }
    }

    /// Cells whose score is there.
    pub fn cells_done(&self) -> usize {
        self.results.keys().map(|step| self.cells_of(*step)).sum()
    }

    /// Cells that wait for something missing (each once).
    pub fn cells_waiting(&self) -> usize {
        self.steps().filter(|(_, standing)| **standing == StageStatus::Barred).map(|(step, _)| self.cells_of(step)).sum()
    }

    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }
}

/// What is there of a result.
enum StoredResult {
    Whole(Box<Manifest>),
    /// A manifest, and not every object it names.
    Part,
    /// A manifest that cannot be read.
    Damaged(String),
    Nothing,
}

/// `None`: the task cannot be made here.
type TaskLookup = Option<(Key, Task, StoredResult)>;
