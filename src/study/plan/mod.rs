//! The plan: every step of a study, which results are there, which steps can run now, and what is missing.
//!
//! Making a plan looks results up ([`ResultLookup`]); it writes nothing and takes no lock. Keys of what consumes a result become known when
//! it exists, so a plan grows in waves: what a wave finds makes the next one's tasks.

mod lookup;
mod read;
pub(crate) mod sources;
mod states;
mod tally;
#[cfg(test)]
mod tests;

pub(crate) use lookup::{OnlyThese, ResultLookup, StoredResult};
pub use states::StageStatus;
pub use tally::Tally;

use super::{
    OpenedStudy, Pins, figures,
    missing::{Missing, Need},
    steps::{self, Node, Step},
    tasks::KnownResults,
};
use rayon::prelude::*;
use sources::Sources;
use states::StepStates;
use std::collections::{BTreeSet, HashMap};
use visavis_core::{
    dataset::People,
    domain::{
        Fault, Key, Result,
        job::{JobId, JobState},
        pin::{self, Pinned},
        result::Manifest,
        stage::Task,
        study::Study,
    },
    store::Workspace,
};

pub struct Plan {
    pub study: Study,
    /// What its steps wait for.
    pub missing: Vec<Missing>,
    /// The same, with what only steps wait for that [`Plan::only`] left out.
    all_missing: Vec<Missing>,
    /// Is it known who is on the pictures?
    pub people: People,
    /// What was found odd about the data, and what was done with them, for people.
    pub remarks: Vec<String>,
    /// Why nobody knows what is pinned.
    pub unread: Option<Fault>,
    /// Results that are there and cannot be read.
    pub damaged: Vec<(Step, String)>,
    workspace: Workspace,
    lookup: Box<dyn ResultLookup>,
    sources: Sources,
    /// Could anybody be verified? Without identities nobody.
    verifies: bool,
    states: StepStates,
    /// The tasks of steps whose needs are there.
    tasks: HashMap<Step, (Key, Task)>,
    /// Steps by the key of their task: two models may share one.
    of_key: HashMap<Key, Vec<Step>>,
    results: HashMap<Step, Manifest>,
    /// Steps whose results must be made again: `--force`, or an object that is gone.
    forced: BTreeSet<Step>,
    /// What people asked of jobs.
    aside: HashMap<JobId, JobState>,
    /// Figures that people want in the report.
    pinned: Vec<Pinned>,
    /// Tasks that failed in this run, and why.
    failed: HashMap<Key, String>,
    /// Steps whose results this run made.
    made: BTreeSet<Step>,
    news: News,
}

/// What has changed since a dispatcher last asked.
#[derive(Default)]
struct News {
    ready: Vec<Step>,
    found: Vec<Step>,
    has_grown: bool,
}

/// A task that can be made, with what is there of its result.
struct FoundTask {
    key: Key,
    task: Task,
    stored: StoredResult,
}

impl Plan {
    /// The plan of a study, with what is there of its results.
    ///
    /// # Errors
    /// A weight file with another digest than the study names; results that cannot be read.
    pub fn new(opened: &OpenedStudy, workspace: &Workspace, pins: Pins) -> Result<Self> {
        Self::over(opened, workspace, pins, Box::new(workspace.clone()))
    }

    /// The same, with results looked up elsewhere than among all of the workspace's.
    pub(super) fn over(opened: &OpenedStudy, workspace: &Workspace, pins: Pins, lookup: Box<dyn ResultLookup>) -> Result<Self> {
        let study = &opened.file.study;
        let sources = Sources::of(opened, workspace)?;
        let mut plan = Plan::empty(study.clone(), sources, workspace, lookup);
        plan.all_missing.clone_from(&opened.missing);
        plan.verifies = opened.survey.images.is_none() || opened.survey.identities.is_some();
        plan.people = opened.survey.people;
        plan.remarks = opened.warnings.iter().chain(&opened.notes).cloned().collect();
        plan.unread = pins.unread;
        if !pins.found.is_empty() {
            let figures = figures::known_figures(study, &|path| workspace.shareable(path));
            plan.pinned = pin::find(pins.found, &figures);
        }
        plan.start_with_all()?;
        Ok(plan)
    }

    /// The plan of a study that a page carries: its data are known by their digests alone.
    pub(super) fn carried(
        opened: &OpenedStudy,
        sources: Sources,
        workspace: &Workspace,
        pinned: Vec<Pinned>,
        verifies: bool,
        lookup: Box<dyn ResultLookup>,
    ) -> Result<Self> {
        let mut plan = Plan::empty(opened.file.study.clone(), sources, workspace, lookup);
        plan.verifies = verifies;
        plan.people = opened.survey.people;
        plan.remarks.clone_from(&opened.warnings);
        plan.pinned = pinned;
        plan.start_with_all()?;
        Ok(plan)
    }

    /// The plan of a study whose data are made up, over results in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(study: &Study, sources: Sources, lookup: impl ResultLookup + 'static) -> Self {
        let workspace = Workspace::new(".".into(), None).expect("the store is in the workspace");
        let mut plan = Plan::empty(study.clone(), sources, &workspace, Box::new(lookup));
        plan.start_with_all().expect("what is in memory can be read");
        plan
    }

    /// A plan of no steps.
    fn empty(study: Study, sources: Sources, workspace: &Workspace, lookup: Box<dyn ResultLookup>) -> Self {
        Plan {
            study,
            missing: vec![],
            all_missing: vec![],
            people: People::Unknown,
            remarks: vec![],
            unread: None,
            damaged: vec![],
            workspace: workspace.clone(),
            lookup,
            sources,
            verifies: true,
            states: StepStates::default(),
            tasks: HashMap::new(),
            of_key: HashMap::new(),
            results: HashMap::new(),
            forced: BTreeSet::new(),
            aside: HashMap::new(),
            pinned: vec![],
            failed: HashMap::new(),
            made: BTreeSet::new(),
            news: News::default(),
        }
    }

    /// Every step of the study, with everything that is missing.
    fn start_with_all(&mut self) -> Result<()> {
        self.missing.clone_from(&self.all_missing);
        let is_asked = |node: &Node| self.verifies || !matches!(node.step, Step::Verify { .. });
        let nodes = steps::steps(&self.study).into_iter().filter(is_asked).collect();
        self.start_over(nodes)
    }

    /// Looks everything up anew, as if this had been known to be missing from the start: steps that [`Plan::only`] left out are back,
    /// and none is forced.
    ///
    /// # Errors
    /// Results that cannot be read.
    pub fn lack(&mut self, missing: Missing) -> Result<()> {
        self.all_missing.push(missing);
        self.forced.clear();
        self.news = News::default();
        self.start_with_all()
    }

    fn add(&mut self, nodes: Vec<Node>) {
        self.news.has_grown = true;
        self.states.add(nodes);
    }

    /// Every result must be made again.
    ///
    /// # Errors
    /// Results that cannot be read.
    pub fn force(&mut self) -> Result<()> {
        self.forced = self.states.iter().map(|(step, _)| step).collect();
        self.again_from_the_start()
    }

    /// Keeps the steps whose label holds every word of the filter, and what they need; behind `=` stands a label itself, for names
    /// may hold each other.
    ///
    /// # Errors
    /// A filter that no step matches.
    pub fn only(&mut self, filter: &str) -> Result<()> {
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        let is_wanted = |step: Step| {
            let label = step.label(&self.study);
            filter.strip_prefix('=').map_or_else(
                || {
                    let label = label.to_lowercase();
                    words.iter().all(|word| label.contains(word))
                },
                |whole| label == whole,
            )
        };
        let nodes: Vec<Node> = self.states.nodes().collect();
        let mut kept: BTreeSet<Step> = nodes.iter().map(|node| node.step).filter(|step| is_wanted(*step)).collect();
        if kept.is_empty() {
            return Err(Fault::asked(format!("no stage of the study matches `{filter}`")).next(
                "a filter is words of a stage's label, such as --only \"score gender\", or `=` and a whole one; \
                 `visavis run STUDY` names them, `visavis plan STUDY --json` lists kinds",
            ));
        }
        for node in nodes.iter().rev() {
            if kept.contains(&node.step) {
                kept.extend(&node.needs);
            }
        }
        let nodes: Vec<Node> = nodes.into_iter().filter(|node| kept.contains(&node.step)).collect();
        // What others wait for is missing to nobody here.
        let lacked: Vec<Missing> =
            nodes.iter().filter(|node| !node.step.gathers()).flat_map(|node| self.lacking(node.step)).cloned().collect();
        self.missing.retain(|missing| lacked.contains(missing));
        self.start_over(nodes)
    }

    /// Looks everything up anew: after a person's act, or when results are to be made again.
    fn again_from_the_start(&mut self) -> Result<()> {
        let nodes = self.states.nodes().filter(|node| !node.step.is_of_figure()).collect();
        self.start_over(nodes)
    }

    fn start_over(&mut self, nodes: Vec<Node>) -> Result<()> {
        self.states = StepStates::default();
        self.tasks.clear();
        self.of_key.clear();
        self.news.ready.clear();
        self.damaged.clear();
        self.results.clear();
        self.add(nodes);
        let steps: Vec<Step> = self.states.iter().map(|(step, _)| step).collect();
        for step in steps {
            let is_open = self.states.status(step) == Some(&StageStatus::Open);
            if is_open && !step.gathers() && !self.lacking(step).is_empty() {
                self.states.set(step, StageStatus::Barred);
            }
        }
        self.follow()
    }

    /// Looks anew, with what people asked of jobs in place of what they asked before, and what failed with these keys
    /// forgiven. Everything that is ready is new again.
    ///
    /// # Errors
    /// Results that cannot be read.
    pub fn replan(&mut self, aside: HashMap<JobId, JobState>, forgiven: &[Key]) -> Result<()> {
        self.failed.retain(|key, _| !forgiven.contains(key));
        if aside != self.aside || !forgiven.is_empty() {
            self.aside = aside;
            return self.again_from_the_start();
        }
        self.news.ready = self.states.of(&StageStatus::Ready);
        Ok(())
    }

    /// Takes what is there for all there is: a study that ran only in part has a ledger of that part.
    ///
    /// # Errors
    /// Results that cannot be read.
    pub fn as_it_stands(mut self) -> Result<Self> {
        loop {
            let ready = self.states.of(&StageStatus::Ready);
            let (gathering, mut absent): (Vec<Step>, Vec<Step>) = ready.into_iter().partition(|step| step.gathers());
            // The simultaneous tests of what is there were not made either: only then are they given up.
            if absent.is_empty() {
                absent = gathering.into_iter().filter(|&step| step == Step::Simultaneous).collect();
            }
            if absent.is_empty() {
                return Ok(self);
            }
            for step in absent {
                self.states.set(step, StageStatus::Failed("not run".to_owned()));
            }
            self.follow()?;
        }
    }

    /// Looks at the steps that are due, and at those that come to be because of it.
    fn follow(&mut self) -> Result<()> {
        loop {
            let due = self.states.take_due();
            if due.is_empty() {
                return Ok(());
            }
            let listed = self.lookup.listed()?;
            let may_be_there = |key: &Key| listed.as_ref().is_none_or(|listed| listed.contains(key));
            let found: Vec<Option<FoundTask>> =
                due.par_iter().map(|&step| self.find(step, &may_be_there)).collect::<Result<_>>()?;
            for (step, found) in due.into_iter().zip(found) {
                match found {
                    Some(found) => self.take(step, found),
                    None => self.states.set(step, StageStatus::Barred),
                }
            }
            self.grow_figures()?;
        }
    }

    /// The task of a step with what is there of its result; `None` where the task cannot be made here.
    fn find(&self, step: Step, may_be_there: &dyn Fn(&Key) -> bool) -> Result<Option<FoundTask>> {
        let known = KnownResults { study: &self.study, sources: &self.sources, results: &self.results, recropped: None };
        let Some(task) = known.task(step) else { return Ok(None) };
        let key = task.key();
        let is_looked_up = !self.forced.contains(&step) && may_be_there(&key);
        let stored = if is_looked_up { self.lookup.look_up(key)? } else { StoredResult::Nothing };
        Ok(Some(FoundTask { key, task, stored }))
    }

    /// Notes what was found of a step.
    fn take(&mut self, step: Step, FoundTask { key, task, stored }: FoundTask) {
        self.tasks.insert(step, (key, task));
        self.of_key.entry(key).or_default().push(step);
        match stored {
            StoredResult::Whole(manifest) => return self.take_result(step, *manifest),
            StoredResult::Nothing => {}
            // An object was taken away, or the result is damaged: it is made again and takes the other's place.
            StoredResult::Part => _ = self.forced.insert(step),
            StoredResult::Damaged(why) => {
                self.forced.insert(step);
                self.damaged.push((step, why));
            }
        }
        // Only what would have to run can have failed or be set aside.
        let status = match (self.failed.get(&key), self.asked_aside(step)) {
            (Some(why), _) => StageStatus::Failed(why.clone()),
            (None, Some(state)) => StageStatus::Aside(state),
            (None, None) => {
                self.news.ready.push(step);
                StageStatus::Ready
            }
        };
        self.states.set(step, status);
    }

    fn take_result(&mut self, step: Step, manifest: Manifest) {
        self.results.insert(step, manifest);
        self.news.found.push(step);
        self.states.set(step, StageStatus::Done);
    }

    fn asked_aside(&self, step: Step) -> Option<JobState> {
        if self.aside.is_empty() { None } else { self.aside.get(&self.job(step)).copied() }
    }

    /// Once the ledger is there, the figures it shows are known.
    fn grow_figures(&mut self) -> Result<()> {
        let is_drawn = self.states.iter().next_back().is_some_and(|(step, _)| matches!(step, Step::Draw(_)));
        if is_drawn || !self.states.contains(Step::DrawFrequencies) {
            return Ok(());
        }
        let Some(ledger) = self.ledger()? else { return Ok(()) };
        let shown = self.shown(&ledger);
        let cells = || shown.iter().map(|(cell, _)| *cell);
        let robustness = cells().map(|cell| steps::robustness(&self.study, cell));
        let subgroups = cells().filter_map(|cell| steps::subgroups(&self.study, cell));
        let adjusted = cells().filter_map(|cell| steps::adjusted(&self.study, cell));
        let figures: Vec<Node> = robustness.chain(subgroups).chain(adjusted).chain(cells().map(steps::drawing)).collect();
        if self.forced.contains(&Step::DrawFrequencies) {
            self.forced.extend(figures.iter().map(|node| node.step));
        }
        self.add(figures);
        Ok(())
    }

    /// Has it come to hold other steps since this was last asked?
    pub fn has_grown(&mut self) -> bool {
        std::mem::take(&mut self.news.has_grown)
    }

    /// Tasks that have become ready since this was last asked, one a key: stages that two models share run once.
    pub fn newly_ready(&mut self) -> Vec<(Key, Step)> {
        let is_ready = |step: &Step| self.states.status(*step) == Some(&StageStatus::Ready);
        let is_first = |step: Step, key: &Key| self.of_key[key].iter().find(|step| is_ready(step)) == Some(&step);
        let with_key = |step: Step| Some((self.tasks.get(&step)?.0, step));
        let news = std::mem::take(&mut self.news.ready).into_iter().filter(is_ready);
        news.filter_map(with_key).filter(|(key, step)| is_first(*step, key)).collect()
    }

    /// Steps whose results were found since this was last asked.
    pub fn newly_found(&mut self) -> Vec<(Step, Key)> {
        let key = |step: Step| Some((step, self.results.get(&step)?.key));
        std::mem::take(&mut self.news.found).into_iter().filter_map(key).collect()
    }

    /// Notes that a task is done, and looks up what follows; its manifest, or `None` where it does not show yet. `made`: this run made it,
    /// rather than found that another had.
    ///
    /// # Errors
    /// A result that was there a moment ago and cannot be read.
    pub fn finished(&mut self, key: Key, made: bool) -> Result<Option<Manifest>> {
        if self.lookup.listed()?.is_some_and(|listed| !listed.contains(&key)) {
            return Ok(None);
        }
        let StoredResult::Whole(manifest) = self.lookup.look_up(key)? else { return Ok(None) };
        for step in self.of_key.get(&key).cloned().unwrap_or_default() {
            self.forced.remove(&step);
            if made {
                self.made.insert(step);
            }
            self.take_result(step, (*manifest).clone());
        }
        self.follow()?;
        Ok(Some(*manifest))
    }

    /// Notes that a task failed for good, and looks at what is left because of it.
    ///
    /// # Errors
    /// Results that cannot be read.
    pub fn failed(&mut self, key: Key, why: &str) -> Result<()> {
        self.failed.insert(key, why.to_owned());
        for step in self.of_key.get(&key).cloned().unwrap_or_default() {
            self.states.set(step, StageStatus::Failed(why.to_owned()));
        }
        self.follow()
    }

    /// Stores the objects that tasks consume and no stage makes.
    ///
    /// # Errors
    /// A disk that takes no object.
    pub fn store_sources(&self) -> Result<()> {
        let objects = self.workspace.objects();
        self.sources.contents(|digest| self.lookup.object(digest)).try_for_each(|(_, bytes)| objects.put(&bytes).map(|_| ()))
    }
}
