//! Watching a study: what screens show of it, brought up to date when something has changed, and not otherwise.
//!
//! The matrix snapshot (every cell and its score) is made anew when results or the study file change; how jobs stand is read whenever
//! the store has turned, which is cheap.

mod cell_state;
mod devices_seen;
mod inputs;
mod read;
mod snapshot;

pub use cell_state::CellState;
pub use devices_seen::DeviceSeen;
pub use snapshot::{JobSeen, Snapshot};

use self::{
    cell_state::{CellJob, cell_state},
    devices_seen::devices,
    inputs::inputs,
};
use super::{
    Pins, Plan,
    cost::{Cost, Costs},
    matrix_snapshot::{Former, MatrixSnapshot, SnapshotCell},
    results::ScoreCache,
    standing::standings,
    steps::Step,
    time_left::{OpenStage, Progress, Running, TimeLeft},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{
        Result,
        job::{JobId, JobState},
    },
    store::{Index, JobRow, LastAudit, Workspace, WrittenPage, now, stamp},
};

/// The matrix snapshot is made anew no oftener than this, and than a tenth of the time that takes.
const PAUSE: Duration = Duration::from_secs(2);

pub struct Watch {
    workspace: Workspace,
    threads: usize,
    index: Option<Index>,
    file: Option<PathBuf>,
    pub(super) plan: Option<Plan>,
    costs: Costs,
    /// Of the plan: the step of each job, and what it takes.
    steps: HashMap<JobId, (Step, Cost)>,
    cache: ScoreCache,
    /// How the study's jobs stand, and the latest clock that was seen.
    jobs: HashMap<JobId, JobRow>,
    clock: u64,
    data_version: Option<i64>,
    /// Which answers of annotators the labels that are shown are made of.
    labelled: Option<(u64, u64)>,
    made: Option<SnapshotInputs>,
    /// When devices were looked at.
    measured: Option<Instant>,
    /// When studies were looked at.
    listed: Option<Instant>,
    seen: Snapshot,
}

/// Of what the matrix snapshot was made, and what that took.
struct SnapshotInputs {
    file: Option<(u64, u64)>,
    inputs: u64,
    audit: Option<(u64, u64)>,
    page: Option<(u64, u64)>,
    done: (usize, u64),
    pins: usize,
    answers: (u64, u64),
    at: Instant,
    took: Duration,
}

impl Watch {
    /// `threads`: what a run here would have.
    pub fn new(workspace: &Workspace, threads: usize) -> Self {
        Watch {
            workspace: workspace.clone(),
            threads,
            index: None,
            file: None,
            plan: None,
            costs: Costs::default(),
            steps: HashMap::new(),
            cache: ScoreCache::new(),
            jobs: HashMap::new(),
            clock: 0,
            data_version: None,
            labelled: None,
            made: None,
            measured: None,
            listed: None,
            seen: Snapshot::default(),
        }
    }

    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub fn index(&self) -> Option<&Index> {
        self.index.as_ref()
    }

    /// Watches this study from now on.
    pub fn choose(&mut self, file: &Path) {
        self.file = Some(file.to_owned());
        self.plan = None;
        self.jobs.clear();
        (self.clock, self.data_version, self.made) = (0, None, None);
        self.seen.matrix_snapshot = None;
    }

    /// The study that is watched: one that was chosen, else the latest run's, else the first there is.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What the store says, without the study: there at once.
    pub fn glance(&mut self) -> Snapshot {
        self.read_store();
        self.look_at_studies();
        if self.file.is_none() {
            let of_run = self.seen.run.as_ref().map(|run| PathBuf::from(&run.run.file)).filter(|file| file.is_file());
            self.file = of_run.or_else(|| self.first_study());
        }
        self.seen.reading = self.file.is_some() && self.made.is_none();
        self.seen.clone()
    }

    /// Brings everything up to date; `None` when nothing has changed.
    pub fn refresh(&mut self) -> Option<Snapshot> {
        let mut changed = self.read_store();
        if changed || self.listed.is_none_or(|at| at.elapsed() > Duration::from_secs(1)) {
            changed |= self.look_at_studies();
        }
        changed |= self.look_at_devices();
        if self.file.is_none() {
            self.file = self.first_study();
        }
        if self.is_due() {
            self.make_matrix_snapshot();
            changed = true;
        }
        let left = self.time_left();
        changed |= left.map(|of| of.seconds.round()) != self.seen.left.map(|of| of.seconds.round());
        self.seen.left = left;
        if changed {
            self.stand();
        }
        changed.then(|| self.seen.clone())
    }

    /// Makes the matrix snapshot anew, whatever it was made of.
    pub fn renew(&mut self) {
        self.made = None;
        self.data_version = None;
        // Opened anew, the store takes in what nobody has taken in yet.
        self.index = None;
    }

    fn first_study(&self) -> Option<PathBuf> {
        self.seen.studies.first().map(|study| study.file.clone())
    }

    /// Whether anything about them has changed. What cannot be read stays as it was.
    fn look_at_studies(&mut self) -> bool {
        self.listed = Some(Instant::now());
        let Ok(found) = standings(&self.workspace, self.index.as_ref(), self.seen.is_live()) else { return false };
        let changed = found != self.seen.studies;
        self.seen.studies = found;
        changed
    }

    /// Load and memory change without anybody's doing: while a run goes on they are read every second.
    fn look_at_devices(&mut self) -> bool {
        let live = self.seen.is_live();
        if live && self.measured.is_some_and(|at| at.elapsed() < Duration::from_secs(1)) {
            return false;
        }
        self.measured = live.then(Instant::now);
        let found = self.seen.run.as_ref().map_or(vec![], |run| devices(run, &self.seen.jobs, live));
        let changed = found != self.seen.devices;
        self.seen.devices = found;
        changed
    }

    fn is_due(&self) -> bool {
        let Some(file) = &self.file else { return false };
        let Some(made) = &self.made else { return true };
        if made.file != stamp(file) || self.plan.as_ref().is_some_and(|plan| inputs(&plan.study) != made.inputs) {
            return true;
        }
        // What was wrong may be mended meanwhile.
        if self.seen.trouble.is_some() && made.at.elapsed() > PAUSE {
            return true;
        }
        let rested = made.at.elapsed() > PAUSE.max(10 * made.took);
        rested
            && (made.page != self.page()
                || made.done != self.done()
                || made.audit != self.audited()
                || made.pins != self.pins()
                || made.answers != self.answers())
    }

    /// How many jobs are done, and when the latest was.
    fn done(&self) -> (usize, u64) {
        let done = || self.jobs.values().filter(|row| row.state == JobState::Done);
        (done().count(), done().map(|row| row.clock).max().unwrap_or(0))
    }

    /// A number that changes with what is pinned.
    fn pins(&self) -> usize {
        let study = self.seen.matrix_snapshot.as_ref().map(|matrix_snapshot| matrix_snapshot.study.name.as_str());
        let pins = self.index.as_ref().zip(study).and_then(|(index, study)| index.pins(study).ok());
        pins.map_or(0, |pins| pins.iter().map(|pin| 1 + pin.note.len() + pin.figure.len()).sum())
    }

    /// A number that changes with the labels that annotators give here, if the study reads any.
    fn answers(&self) -> (u64, u64) {
        let reads = self.plan.as_ref().is_some_and(|plan| !plan.study.evaluation.journaled().is_empty());
        self.index.as_ref().filter(|_| reads).and_then(|index| index.answers_state().ok()).unwrap_or_default()
    }

    fn audit(&self) -> Option<LastAudit> {
        LastAudit::of(&self.workspace, &self.seen.matrix_snapshot.as_ref()?.study.name)
    }

    fn audited(&self) -> Option<(u64, u64)> {
        stamp(&self.workspace.audit(&self.seen.matrix_snapshot.as_ref()?.study.name))
    }

    fn page(&self) -> Option<(u64, u64)> {
        stamp(&self.workspace.report(&self.seen.matrix_snapshot.as_ref()?.study.name))
    }

    fn make_matrix_snapshot(&mut self) {
        let Some(file) = self.file.clone() else { return };
        let begun = Instant::now();
        let written = stamp(&file);
        let made = self.matrix_snapshot(&file);
        self.seen.reading = false;
        match made {
            Ok(matrix_snapshot) => {
                self.seen.report = WrittenPage::read(&self.workspace.report(&matrix_snapshot.study.name));
                self.seen.matrix_snapshot = Some(Arc::new(matrix_snapshot));
                self.seen.trouble = None;
            }
            Err(fault) => self.seen.trouble = Some(fault),
        }
        self.seen.audit = self.audit();
        // With the study's name known, its jobs are.
        if self.jobs.is_empty() {
            self.data_version = None;
            self.read_store();
        }
        self.made = Some(SnapshotInputs {
            file: written,
            inputs: self.plan.as_ref().map_or(0, |plan| inputs(&plan.study)),
            audit: self.audited(),
            page: self.page(),
            done: self.done(),
            pins: self.pins(),
            answers: self.answers(),
            at: Instant::now(),
            took: begun.elapsed(),
        });
    }

    fn matrix_snapshot(&mut self, file: &Path) -> Result<MatrixSnapshot> {
        let opened = super::open(file, &self.workspace)?;
        let index = self.index.as_ref();
        let plan = Plan::new(&opened, &self.workspace, Pins::read(index, &opened.file.study.name))?;
        self.costs = Costs::learn(index)?;
        let study = &plan.study.name;
        let keys = index.map_or(Ok(vec![]), |index| index.jobs_of(study))?;
        let verified = LastAudit::of(&self.workspace, study).map_or(vec![], |audit| audit.verified);
        let former = Former {
            keys: keys.into_iter().filter_map(|row| Some((row.id, row.key?))).collect(),
            verified: verified.into_iter().collect(),
        };
        // A plan that ran in part has a ledger of that part only when nothing more will come.
        let matrix_snapshot = MatrixSnapshot::of(&opened, &plan, &former, self.seconds(&plan), &mut self.cache)?;
        self.steps = plan.steps().map(|(step, _)| (plan.job(step), (step, plan.cost(step, &self.costs)))).collect();
        self.plan = Some(plan);
        Ok(matrix_snapshot)
    }

    /// Brings up to date how every cell stands.
    fn stand(&mut self) {
        let Some(matrix_snapshot) = &self.seen.matrix_snapshot else { return };
        let live = self.seen.is_live();
        let progress: HashMap<JobId, Option<f32>> = self
            .seen
            .jobs
            .iter()
            .filter(|job| job.row.state == JobState::Running)
            .map(|job| (job.row.id, job.progress.map(Progress::share)))
            .collect();
        let run = self.seen.run.as_ref();
        let is_live = |row: &JobRow| live && run.is_some_and(|run| run.run.journal == row.run);
        let state = |cell: &SnapshotCell| {
            let own = matrix_snapshot.job(cell).and_then(|job| self.jobs.get(&job));
            let is_scored = own.is_some_and(|row| row.state == JobState::Done && is_live(row));
            let jobs = matrix_snapshot.jobs(cell).filter_map(|job| self.jobs.get(&job)).map(|row| CellJob {
                state: run.map_or(row.state, |run| run.state(row)),
                is_live: is_live(row),
                progress: progress.get(&row.id).copied().flatten(),
                why: row.why.as_deref(),
            });
            cell_state(&cell.status, is_scored, jobs)
        };
        self.seen.states = Arc::new(matrix_snapshot.cells.iter().map(state).collect());
    }

    /// What is left of the run that goes on, if it is one of the study that is watched.
    fn time_left(&self) -> Option<TimeLeft> {
        let run = self.seen.run.as_ref().filter(|_| self.seen.is_live())?;
        self.plan.as_ref().filter(|plan| plan.study.name == run.run.study)?;
        let progress: HashMap<JobId, Progress> =
            self.seen.jobs.iter().filter_map(|job| Some((job.row.id, job.progress?))).collect();
        let stage = |(job, (_, cost)): (&JobId, &(Step, Cost))| {
            let row = self.jobs.get(job)?;
            let running = match run.state(row) {
                JobState::Queued => None,
                JobState::Running => {
                    let since = now().saturating_sub(row.at) as f64 / 1000.0;
                    Some(Running { since, progress: progress.get(job).copied() })
                }
                JobState::Done | JobState::Failed | JobState::Paused | JobState::Cancelled => return None,
            };
            Some(OpenStage { cost: *cost, running })
        };
        let open: Vec<OpenStage> = self.steps.iter().filter_map(stage).collect();
        let running = open.iter().filter(|of| of.running.is_some()).count();
        // Workers of a cluster come and go: those that work count.
        let slots = if run.workers.is_some() { 0 } else { run.run.devices.iter().map(|device| device.slots).sum() };
        Some(TimeLeft::of(&open, running.max(slots)))
    }

    /// What is left of a plan takes about so long here.
    pub(super) fn seconds(&self, plan: &Plan) -> f64 {
        plan.estimate(&self.costs, plan.study.resources.cpu_slots.min(self.threads)).seconds
    }
}
