//! The plan: every stage of a study, which results are there, which can run now, and what is missing.

use super::{
    Opened,
    graph::{self, Known, Node, Step},
    missing::{Missing, Need},
};
use crate::{
    dataset::DigestCache,
    domain::{
        Digest, Fault, Key, Result,
        ledger::{Frequencies, Ledger},
        matrix,
        model::Source,
        result::Manifest,
        stage::{Input, Kind, Location, Task},
        study::Study,
    },
    store::Workspace,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

pub struct Plan {
    pub study: Study,
    pub missing: Vec<Missing>,
    workspace: Workspace,
    /// Steps in their order, prerequisites first; and what each needs.
    nodes: Vec<Node>,
    needs: BTreeMap<Step, Vec<Step>>,
    /// Bytes that the run stores as objects before it starts: image listing, label columns, identities.
    sources: BTreeMap<String, Input>,
    source_bytes: Vec<(String, Vec<u8>)>,
    files: BTreeMap<PathBuf, Input>,
    results: BTreeMap<Step, Manifest>,
    tasks: BTreeMap<Step, (Key, Task)>,
    /// Keys whose results came since they were last looked up.
    fresh: BTreeSet<Key>,
    /// Steps whose results must be made again: `--force`, or an object that is gone.
    forced: BTreeSet<Step>,
    failed: BTreeMap<Step, String>,
    ran: BTreeSet<Step>,
}

/// Stages of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub stored: usize,
    pub to_run: usize,
}

impl Plan {
    /// # Errors
    /// Files that are there and cannot be read.
    pub fn new(opened: &Opened, workspace: &Workspace) -> Result<Self> {
        let study = opened.file.study.clone();
        let mut plan = Plan {
            nodes: vec![],
            needs: BTreeMap::new(),
            study,
            missing: opened.missing.clone(),
            workspace: workspace.clone(),
            sources: BTreeMap::new(),
            source_bytes: vec![],
            files: BTreeMap::new(),
            results: BTreeMap::new(),
            tasks: BTreeMap::new(),
            fresh: BTreeSet::new(),
            forced: BTreeSet::new(),
            failed: BTreeMap::new(),
            ran: BTreeSet::new(),
        };
        plan.add(graph::steps(&plan.study));
        plan.take_sources(opened)?;
        plan.refresh()?;
        Ok(plan)
    }

    fn add(&mut self, nodes: Vec<Node>) {
        self.needs.extend(nodes.iter().map(|node| (node.step, node.needs.clone())));
        self.nodes.extend(nodes);
    }

    fn take_sources(&mut self, opened: &Opened) -> Result<()> {
        let Some(images) = &opened.survey.images else { return Ok(()) };
        self.source("listing".to_owned(), images.to_text().into_bytes());
        // Labels enter as parsed and sorted columns; which file they came from does not matter.
        let labels = opened.survey.labels.0.iter().map(|(attribute, column)| (format!("labels/{attribute}"), column));
        for (role, column) in labels.chain(opened.survey.identities.iter().map(|column| ("identities".to_owned(), column))) {
            self.source(role, column.to_text().into_bytes());
        }
        let mut digests = DigestCache::open(self.workspace.digests());
        for model in &self.study.models {
            let Source::Given(given) = &model.source else { continue };
            for path in given.taps.values().chain([&given.images]) {
                if path.is_file() {
                    let input = Input { role: String::new(), digest: digests.of(path)?, at: Location::File(path.clone()) };
                    self.files.insert(path.clone(), input);
                }
            }
        }
        digests.keep();
        Ok(())
    }

    fn source(&mut self, role: String, bytes: Vec<u8>) {
        let input = Input { role: role.clone(), digest: Digest::of(&bytes), at: Location::Object };
        self.sources.insert(role.clone(), input);
        self.source_bytes.push((role, bytes));
    }

    /// Stores the objects that tasks consume and no stage makes.
    pub fn store_sources(&self) -> Result<()> {
        let objects = self.workspace.objects();
        self.source_bytes.iter().try_for_each(|(_, bytes)| objects.put(bytes).map(|_| ()))
    }

    /// The bytes of those objects, by role.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.source_bytes.iter().map(|(role, bytes)| (role.as_str(), bytes.as_slice()))
    }

    /// Every result must be made again.
    pub fn force(&mut self) {
        self.forced = self.nodes.iter().map(|node| node.step).collect();
        self.results.clear();
        self.tasks.clear();
    }

    /// Keeps the steps whose label holds every word of the filter, and what they need.
    pub fn only(&mut self, filter: &str) -> Result<()> {
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        let wanted = |node: &&Node| {
            let label = node.step.label(&self.study).to_lowercase();
            words.iter().all(|word| label.contains(word))
        };
        let mut kept: BTreeSet<Step> = self.nodes.iter().filter(wanted).map(|node| node.step).collect();
        if kept.is_empty() {
            return Err(Fault::asked(format!("no stage of the study matches `{filter}`")).next(
                "a filter is words of a stage's label, such as --only \"score gender\"; `visavis plan STUDY --json` lists kinds",
            ));
        }
        for node in self.nodes.iter().rev() {
            if kept.contains(&node.step) {
                kept.extend(node.needs.iter().copied());
            }
        }
        self.nodes.retain(|node| kept.contains(&node.step));
        self.needs.retain(|step, _| kept.contains(step));
        Ok(())
    }

    /// Takes what is there for all there is: a study that ran only in part has a ledger of that part.
    pub fn as_it_stands(mut self) -> Result<Self> {
        loop {
            let open =
                |step: &Step| !matches!(step, Step::Rank) && !self.results.contains_key(step) && !self.failed.contains_key(step);
            let absent: Vec<Step> = self.tasks.keys().copied().filter(open).collect();
            if absent.is_empty() {
                return Ok(self);
            }
            self.failed.extend(absent.into_iter().map(|step| (step, "not run".to_owned())));
            self.refresh()?;
        }
    }

    /// Looks up what is there: a result that is found makes the keys of what consumes it known, and so on.
    pub fn refresh(&mut self) -> Result<()> {
        let (results, objects) = (self.workspace.results(), self.workspace.objects());
        loop {
            let mut grew = false;
            for place in 0..self.nodes.len() {
                let step = self.nodes[place].step;
                if self.results.contains_key(&step)
                    || !self.settled(&self.nodes[place])
                    || (step != Step::Rank && self.waits(step))
                {
                    continue;
                }
                let key = match self.tasks.get(&step) {
                    Some((key, _)) if !self.fresh.contains(key) => continue,
                    Some((key, _)) => *key,
                    None => {
                        let known =
                            Known { study: &self.study, sources: &self.sources, files: &self.files, results: &self.results };
                        let Some(task) = known.task(step) else { continue };
                        let key = task.key();
                        self.tasks.insert(step, (key, task));
                        key
                    }
                };
                if !self.forced.contains(&step)
                    && let Some(manifest) = results.get(key)?
                {
                    if manifest.outputs.iter().all(|output| objects.has(output.digest)) {
                        self.results.insert(step, manifest);
                        grew = true;
                    } else {
                        // An object was taken away: the result is made again.
                        self.forced.insert(step);
                    }
                }
            }
            grew |= self.grow_figures()?;
            if !grew {
                self.fresh.clear();
                return Ok(());
            }
        }
    }

    /// Everything a step needs is done or cannot be done; a rank over scores that are still to come would be made twice.
    fn settled(&self, node: &Node) -> bool {
        let done = |need: &Step| self.results.contains_key(need);
        let settled = |need: &Step| done(need) || self.failed.contains_key(need) || self.waits(*need);
        if node.step == Step::Rank { node.needs.iter().all(settled) } else { node.needs.iter().all(done) }
    }

    /// Once the ledger is there, the figures it shows are known.
    fn grow_figures(&mut self) -> Result<bool> {
        if self.nodes.iter().any(|node| matches!(node.step, Step::Draw(_))) || !self.needs.contains_key(&Step::DrawFrequencies) {
            return Ok(false);
        }
        let Some(ledger) = self.ledger()? else { return Ok(false) };
        let figures: Vec<Node> = graph::shown(&ledger).into_iter().map(|(cell, _)| graph::figure(cell)).collect();
        let grew = !figures.is_empty();
        if !self.forced.is_empty() {
            self.forced.extend(figures.iter().map(|node| node.step));
        }
        self.add(figures);
        Ok(grew)
    }

    pub fn ledger(&self) -> Result<Option<Ledger>> {
        self.json(Step::Rank, "ledger.json")
    }

    pub fn frequencies(&self) -> Result<Option<Frequencies>> {
        self.json(Step::Rank, "frequencies.json")
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

    /// Steps that have no result.
    pub fn open_steps(&self) -> impl Iterator<Item = Step> {
        self.nodes.iter().map(|node| node.step).filter(|step| !self.results.contains_key(step))
    }

    /// Every result of the study that is there, in the order of its steps.
    pub fn results(&self) -> impl Iterator<Item = (Step, &Manifest)> {
        self.nodes.iter().filter_map(|node| Some((node.step, self.results.get(&node.step)?)))
    }

    /// The objects that are made of the data before any stage: role → digest; outside files by their paths.
    pub fn source_digests(&self) -> BTreeMap<String, Digest> {
        let files = self.files.iter().map(|(path, input)| (format!("file {}", path.display()), input.digest));
        self.sources.iter().map(|(role, input)| (role.clone(), input.digest)).chain(files).collect()
    }

    /// Tasks that can run now, one a key: stages that two models share run once.
    pub fn ready(&self) -> Vec<(Key, Step, &Task)> {
        let mut seen = BTreeSet::new();
        let waiting = self.tasks.iter().filter(|(step, _)| !self.results.contains_key(*step) && !self.failed.contains_key(*step));
        let kept = waiting.filter(|(step, _)| self.needs.contains_key(*step));
        kept.map(|(step, (key, task))| (*key, *step, task)).filter(|(key, ..)| seen.insert(*key)).collect()
    }

    /// Must the step be made even though a result of it may be there?
    pub fn again(&self, step: Step) -> bool {
        self.forced.contains(&step)
    }

    fn steps_of(&self, key: Key) -> Vec<Step> {
        self.tasks.iter().filter(|(_, (of, _))| *of == key).map(|(step, _)| *step).collect()
    }

    /// Notes that a task is done: `forced` no longer holds its steps back.
    pub fn finished(&mut self, key: Key) {
        self.fresh.insert(key);
        for step in self.steps_of(key) {
            self.forced.remove(&step);
            self.ran.insert(step);
        }
    }

    pub fn failed(&mut self, key: Key, why: &str) {
        self.failed.extend(self.steps_of(key).into_iter().map(|step| (step, why.to_owned())));
    }

    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// Is the result there from before this run?
    pub fn stored(&self) -> usize {
        self.results.keys().filter(|step| !self.ran.contains(step)).count()
    }

    /// Does the step, or one it needs, wait for something missing?
    fn waits(&self, step: Step) -> bool {
        self.missing.iter().any(|missing| match (&missing.need, step) {
            (Need::Everything, _) => true,
            (
                Need::Models(models),
                Step::Train { model } | Step::Features { model, .. } | Step::Project { model, .. } | Step::Score { model, .. },
            ) => models.contains(&model),
            (Need::Attribute(attribute), Step::Score { comparison, .. }) => {
                self.study.comparisons[comparison].question.attributes().contains(attribute.as_str())
            }
            (Need::Projection(of), Step::Project { projection, .. } | Step::Score { projection: Some(projection), .. }) => {
                *of == projection
            }
            _ => false,
        }) || self.needs.get(&step).is_some_and(|needs| {
            needs.iter().any(|need| self.failed.contains_key(need) || (step != Step::Rank && self.waits(*need)))
        })
    }

    /// Figures that the ledger will show, as far as can be said before it is there.
    fn figures_to_come(&self) -> usize {
        let draws = self.needs.contains_key(&Step::DrawFrequencies) && !self.results.contains_key(&Step::Rank);
        if draws && self.study.show > 0 {
            self.study.show.min(self.study.models.len() * self.study.comparisons.len()) + 3
        } else {
            0
        }
    }

    /// What is stored and what would run, by kind, in the order of work.
    pub fn tally(&self) -> Vec<(Kind, Tally)> {
        let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
        for node in &self.nodes {
            let tally = tallies.entry(node.step.kind()).or_default();
            if self.results.contains_key(&node.step) { tally.stored += 1 } else { tally.to_run += 1 }
        }
        if let Some(tally) = tallies.get_mut(&Kind::Draw) {
            tally.to_run += self.figures_to_come();
        }
        tallies.into_iter().collect()
    }

    pub fn cells(&self) -> usize {
        matrix::cells(&self.study).len()
    }

    /// Cells whose score is there.
    pub fn cells_done(&self) -> usize {
        let done = |step: &Step| matches!(step, Step::Score { projection: Some(_), .. });
        let views = |step: &Step| {
            if let Step::Score { projection: Some(place), .. } = step { self.study.projections[*place].views().len() } else { 0 }
        };
        self.results.keys().filter(|step| done(step)).map(views).sum()
    }

    /// Cells that wait for something missing (each once).
    pub fn cells_waiting(&self) -> usize {
        let waits = |cell: &crate::domain::ledger::CellId| {
            self.waits(Step::Score {
                model: cell.model,
                tap: cell.tap,
                projection: Some(cell.projection),
                comparison: cell.comparison,
            })
        };
        matrix::cells(&self.study).iter().filter(|cell| waits(cell)).count()
    }

    /// Expected seconds and bytes of what is still to run: the mean of the same kind's stored results here, else what the
    /// kind usually takes for a few thousand images.
    pub fn estimate(&self) -> (f64, u64) {
        let usual = |kind: Kind| match kind {
            Kind::Index => (0.05, 200_000),
            Kind::Train => (3600.0, 100_000_000),
            Kind::Features => (0.1, 4_000_000),
            Kind::Project => (0.5, 150_000),
            Kind::Score => (0.5, 6_000),
            Kind::Rank => (0.1, 100_000),
            Kind::Draw => (0.1, 60_000),
        };
        let (mut seconds, mut bytes) = (0.0, 0);
        for (kind, tally) in self.tally() {
            let like: Vec<&Manifest> = self.results.values().filter(|manifest| manifest.stage == kind).collect();
            let (each, size) = match like.len() {
                0 => usual(kind),
                n => (
                    like.iter().map(|m| m.provenance.seconds).sum::<f64>() / n as f64,
                    like.iter().flat_map(|m| &m.outputs).map(|output| output.bytes).sum::<u64>() / n as u64,
                ),
            };
            seconds += each * tally.to_run as f64;
            bytes += size * tally.to_run as u64;
        }
        (seconds / self.study.resources.cpu_slots as f64, bytes)
    }
}
