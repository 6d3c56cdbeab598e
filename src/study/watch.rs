//! Watching a study: what screens show of it, brought up to date when something has changed, and not otherwise.
//!
//! The board (every cell and its score) is made anew when results or the study file change; how jobs stand is read whenever
//! the store has turned, which is cheap.

use super::{
    Pins, Plan,
    cost::Costs,
    devices::{self, GraphicsCard},
    look,
    matrix_snapshot::{Board, Cache, CellStatus, Former},
    steps::Step,
    timeline::{Phase, Timeline},
};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{
        Result,
        job::{JobId, JobState},
        model::{Model, Network, Source, Weights},
        study::{Dataset, Identities, Study},
        text::printable,
    },
    store::{Index, JobRow, LastAudit, Workspace, WrittenPage, stamp},
};

/// How a cell stands now.
#[derive(Clone, Debug, PartialEq)]
pub enum CellState {
    NotRun,
    Queued,
    /// About how much of it is done, where anything is known of that.
    Running(Option<f32>),
    Done,
    Verified,
    Failed(String),
    Stale,
    Waits(String),
    Paused,
    Cancelled,
}

impl CellState {
    pub fn word(&self) -> &'static str {
        match self {
            CellState::NotRun => "not run",
            CellState::Queued => "queued",
            CellState::Running(_) => "running",
            CellState::Done => "done",
            CellState::Verified => "verified",
            CellState::Failed(_) => "failed",
            CellState::Stale => "stale",
            CellState::Waits(_) => "waits",
            CellState::Paused => "paused",
            CellState::Cancelled => "cancelled",
        }
    }

    /// Of several cells in one place the most urgent is shown.
    pub fn urgency(&self) -> u8 {
        match self {
            CellState::Running(_) => 9,
            CellState::Failed(_) => 8,
            CellState::Stale => 7,
            CellState::Queued => 6,
            CellState::Paused => 5,
            CellState::Cancelled => 4,
            CellState::NotRun => 3,
            CellState::Waits(_) => 2,
            CellState::Done => 1,
            CellState::Verified => 0,
        }
    }
}

/// A job of the latest run.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSeen {
    pub row: JobRow,
    /// Device and slot of what runs, and which attempt it is.
    pub on: Option<(String, usize, u32)>,
    /// About how much of it is done.
    pub progress: Option<f32>,
}

/// A device of the latest run, and how busy it is.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSeen {
    pub name: String,
    pub slots: usize,
    pub busy: usize,
    /// Share of the device that works, and bytes used and there; `None` where nobody says.
    pub load: Option<f32>,
    pub memory: Option<(u64, u64)>,
    pub model: String,
}

/// What screens show. Nothing in it changes.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// The study files of the workspace.
    pub studies: Vec<PathBuf>,
    pub board: Option<Arc<Board>>,
    /// How each cell of the board stands.
    pub states: Arc<Vec<CellState>>,
    pub run: Option<Timeline>,
    pub jobs: Arc<Vec<JobSeen>>,
    /// How many runs there were.
    pub runs: usize,
    pub devices: Vec<DeviceSeen>,
    /// What is wrong with the study file or its data.
    pub trouble: Option<visavis_core::domain::Fault>,
    /// What is odd about the store, or wrong with it; it is tried again.
    pub store: Option<String>,
    /// Why the store cannot be read, if it cannot.
    pub unread: Option<String>,
    pub audit: Option<LastAudit>,
    /// The report as it was written.
    pub report: Option<WrittenPage>,
    /// The study is being read.
    pub reading: bool,
}

impl Snapshot {
    pub fn is_live(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.phase() == Phase::Running)
    }
}

/// Jobs of one state that are shown.
const MOST: usize = 500;
/// The board is made anew no oftener than this, and than a tenth of the time that takes.
const PAUSE: Duration = Duration::from_secs(2);

pub struct Watch {
    workspace: Workspace,
    threads: usize,
    index: Option<Index>,
    file: Option<PathBuf>,
    pub(super) plan: Option<Plan>,
    costs: Costs,
    cache: Cache,
    /// How the study's jobs stand, and the latest clock that was seen.
    jobs: HashMap<JobId, JobRow>,
    clock: u64,
    turn: Option<i64>,
    made: Option<SnapshotInputs>,
    /// When devices were looked at.
    measured: Option<Instant>,
    seen: Snapshot,
}

/// Of what the board was made, and what that took.
struct SnapshotInputs {
    file: Option<(u64, u64)>,
    inputs: u64,
    audit: Option<(u64, u64)>,
    page: Option<(u64, u64)>,
    done: (usize, u64),
    pins: usize,
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
            cache: Cache::new(),
            jobs: HashMap::new(),
            clock: 0,
            turn: None,
            made: None,
            measured: None,
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
        (self.clock, self.turn, self.made) = (0, None, None);
        self.seen.board = None;
    }

    /// The study that is watched: one that was chosen, else the latest run's, else the first there is.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What the store says, without the study: there at once.
    pub fn glance(&mut self) -> Snapshot {
        self.seen.studies = self.workspace.studies();
        self.read_store();
        if self.file.is_none() {
            let of_run = self.seen.run.as_ref().map(|run| PathBuf::from(&run.run.file)).filter(|file| file.is_file());
            self.file = of_run.or_else(|| self.seen.studies.first().cloned());
        }
        self.seen.reading = self.file.is_some() && self.made.is_none();
        self.seen.clone()
    }

    /// Brings everything up to date; `None` when nothing has changed.
    pub fn refresh(&mut self) -> Option<Snapshot> {
        let mut changed = self.read_store();
        let found = self.workspace.studies();
        changed |= found != self.seen.studies;
        self.seen.studies = found;
        changed |= self.look_at_devices();
        if self.file.is_none() {
            self.file = self.seen.studies.first().cloned();
        }
        if self.is_due() {
            self.make_board();
            changed = true;
        }
        if changed {
            self.stand();
        }
        changed.then(|| self.seen.clone())
    }

    /// Makes the board anew, whatever it was made of.
    pub fn renew(&mut self) {
        self.made = None;
        self.turn = None;
    }

    fn read_store(&mut self) -> bool {
        if self.index.is_some() && !self.workspace.store().exists() {
            self.index = None;
        }
        let before = (self.turn, self.seen.store.clone());
        let outcome = self.read_index();
        if let Err(fault) = &outcome {
            self.index = None;
            self.turn = None;
            self.seen.store = Some(printable(&fault.to_string().replace("\n  ", " · ")));
        }
        self.seen.unread = outcome.err().map(|fault| printable(&fault.what));
        (self.turn, &self.seen.store) != (before.0, &before.1)
    }

    fn read_index(&mut self) -> Result<()> {
        if self.index.is_none() {
            let looked = look(&self.workspace)?;
            self.seen.store = looked.remark;
            self.index = looked.index;
        }
        let Some(index) = &self.index else { return Ok(()) };
        let turn = index.turn()?;
        let lost = self.seen.run.as_ref().is_some_and(|run| run.live) && self.workspace.holder().is_none();
        if self.turn == Some(turn) && !lost {
            return Ok(());
        }
        let run = Timeline::read(index, &self.workspace)?;
        let mut jobs = Vec::new();
        if let Some(run) = &run {
            let states =
                [JobState::Running, JobState::Failed, JobState::Queued, JobState::Paused, JobState::Cancelled, JobState::Done];
            let mut rows = Vec::new();
            for state in states {
                rows.extend(run.jobs(index, state, MOST)?);
            }
            // What earlier runs of the study made is there too, and its curves.
            rows.extend(index.jobs_done_before(&run.run.study, &run.run.journal, MOST)?);
            jobs = rows.into_iter().map(|row| self.seen_job(index, row)).collect::<Result<_>>()?;
        }
        self.seen.runs = index.count_runs()?;
        self.seen.jobs = Arc::new(jobs);
        let study = self.seen.board.as_ref().map(|board| board.study.name.clone());
        if let Some(study) = study {
            for row in index.jobs_after(&study, self.clock)? {
                self.clock = self.clock.max(row.clock);
                self.jobs.insert(row.id, row);
            }
        }
        self.seen.run = run;
        self.turn = Some(turn);
        Ok(())
    }

    fn seen_job(&self, index: &Index, row: JobRow) -> Result<JobSeen> {
        if row.state != JobState::Running {
            return Ok(JobSeen { row, on: None, progress: None });
        }
        let attempt = index.attempts_at(row.id)?.pop();
        let epochs = self.epochs(&row);
        let progress = match (&attempt, epochs) {
            (Some(attempt), Some(epochs)) => {
                Some(index.count_points(attempt.key, "accuracy")? as f32 / epochs as f32).filter(|share| *share > 0.0)
            }
            _ => None,
        };
        let on = attempt.map(|attempt| (attempt.device, attempt.slot, attempt.number));
        Ok(JobSeen { row, on, progress: progress.map(|share| share.min(1.0)) })
    }

    /// Of a training: how many epochs it has.
    fn epochs(&self, row: &JobRow) -> Option<usize> {
        let plan = self.plan.as_ref()?;
        let model = plan.study.models.keys().find(|&model| plan.job(Step::Train { model }) == row.id)?;
        plan.study.models[model].recipe().and_then(|recipe| plan.study.recipes.get(recipe)).map(|recipe| recipe.epochs)
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
            && (made.page != self.page() || made.done != self.done() || made.audit != self.audited() || made.pins != self.pins())
    }

    /// How many jobs are done, and when the latest was.
    fn done(&self) -> (usize, u64) {
        let done = || self.jobs.values().filter(|row| row.state == JobState::Done);
        (done().count(), done().map(|row| row.clock).max().unwrap_or(0))
    }

    /// A number that changes with what is pinned.
    fn pins(&self) -> usize {
        let study = self.seen.board.as_ref().map(|board| board.study.name.as_str());
        let pins = self.index.as_ref().zip(study).and_then(|(index, study)| index.pins(study).ok());
        pins.map_or(0, |pins| pins.iter().map(|pin| 1 + pin.note.len() + pin.figure.len()).sum())
    }

    fn audit(&self) -> Option<LastAudit> {
        LastAudit::of(&self.workspace, &self.seen.board.as_ref()?.study.name)
    }

    fn audited(&self) -> Option<(u64, u64)> {
        stamp(&self.workspace.audit(&self.seen.board.as_ref()?.study.name))
    }

    fn page(&self) -> Option<(u64, u64)> {
        stamp(&self.workspace.report(&self.seen.board.as_ref()?.study.name))
    }

    fn make_board(&mut self) {
        let Some(file) = self.file.clone() else { return };
        let begun = Instant::now();
        let written = stamp(&file);
        let made = self.board(&file);
        self.seen.reading = false;
        match made {
            Ok(board) => {
                self.seen.report = WrittenPage::read(&self.workspace.report(&board.study.name));
                self.seen.board = Some(Arc::new(board));
                self.seen.trouble = None;
            }
            Err(fault) => self.seen.trouble = Some(fault),
        }
        self.seen.audit = self.audit();
        // With the study's name known, its jobs are.
        if self.jobs.is_empty() {
            self.turn = None;
            self.read_store();
        }
        self.made = Some(SnapshotInputs {
            file: written,
            inputs: self.plan.as_ref().map_or(0, |plan| inputs(&plan.study)),
            audit: self.audited(),
            page: self.page(),
            done: self.done(),
            pins: self.pins(),
            at: Instant::now(),
            took: begun.elapsed(),
        });
    }

    fn board(&mut self, file: &Path) -> Result<Board> {
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
        let board = Board::of(&opened, &plan, &former, self.seconds(&plan), &mut self.cache)?;
        self.plan = Some(plan);
        Ok(board)
    }

    /// How every cell stands: what its board knew, and what its jobs have come to since.
    fn stand(&mut self) {
        let Some(board) = &self.seen.board else { return };
        let live = self.seen.is_live();
        let progress: HashMap<JobId, Option<f32>> = self
            .seen
            .jobs
            .iter()
            .filter(|job| job.row.state == JobState::Running)
            .map(|job| (job.row.id, job.progress))
            .collect();
        let run = self.seen.run.as_ref().map(|run| run.run.journal.as_str());
        let state = |cell: &super::matrix_snapshot::BoardCell| {
            let settled = match &cell.status {
                CellStatus::Done => return CellState::Done,
                CellStatus::Verified => return CellState::Verified,
                CellStatus::Stale => CellState::Stale,
                CellStatus::Open => CellState::NotRun,
                CellStatus::Waits(why) => CellState::Waits(why.clone()),
                CellStatus::Cancelled => CellState::Cancelled,
            };
            let own = board.job(cell).and_then(|job| self.jobs.get(&job));
            // Its board is not made anew yet.
            if own.is_some_and(|row| row.state == JobState::Done && live && Some(row.run.as_str()) == run) {
                return CellState::Done;
            }
            let mut urgent = settled;
            for row in board.jobs(cell).filter_map(|job| self.jobs.get(&job)) {
                let of_run = live && Some(row.run.as_str()) == run;
                let state = match self.seen.run.as_ref().map_or(row.state, |run| run.state(row)) {
                    JobState::Running if of_run => CellState::Running(progress.get(&row.id).copied().flatten()),
                    JobState::Queued if of_run => CellState::Queued,
                    JobState::Failed => CellState::Failed(row.why.clone().unwrap_or_default()),
                    JobState::Paused => CellState::Paused,
                    JobState::Cancelled => CellState::Cancelled,
                    _ => continue,
                };
                if state.urgency() > urgent.urgency() {
                    urgent = state;
                }
            }
            urgent
        };
        self.seen.states = Arc::new(board.cells.iter().map(state).collect());
    }

    /// What is left of a plan takes about so long here.
    pub(super) fn seconds(&self, plan: &Plan) -> f64 {
        plan.estimate(&self.costs, plan.study.resources.cpu_slots.min(self.threads)).seconds
    }
}

/// A number that changes when a file does that the study is made from.
fn inputs(study: &Study) -> u64 {
    let of_set = |set: &Dataset| {
        let mut files = vec![set.root().clone()];
        match set {
            Dataset::Images { labels, .. } => files.extend(labels.clone()),
            Dataset::CelebA { root, .. } => {
                files.extend(["list_attr_celeba.txt", "identity_CelebA.txt"].map(|table| root.join(table)));
            }
            Dataset::Vggface2 { .. } | Dataset::Folders { .. } => {}
        }
        if let Identities::File(file) = set.identities() {
            files.push(file.clone());
        }
        files
    };
    let of_model = |model: &Model| match &model.source {
        Source::Given(given) => given.layers.values().chain([&given.images]).cloned().collect(),
        Source::Network(Network { weights: Weights::File { file, .. }, .. }) => vec![file.clone()],
        Source::Network(_) | Source::Baseline { .. } => vec![],
    };
    let labels = study.evaluation.labels.iter().map(|labels| labels.file.clone());
    let files = study.datasets.values().flat_map(of_set).chain(labels).chain(study.models.iter().flat_map(of_model));
    let mut hasher = DefaultHasher::new();
    files.for_each(|file| stamp(&file).hash(&mut hasher));
    hasher.finish()
}

/// Of a run that has ended nothing is measured: it would be somebody else's load.
fn devices(run: &Timeline, jobs: &[JobSeen], live: bool) -> Vec<DeviceSeen> {
    let cards = if live && run.run.devices.iter().any(|of| of.device.starts_with("cuda")) { devices::cards().0 } else { vec![] };
    let of = |slots: &visavis_core::domain::event::Slots| {
        let busy = jobs.iter().filter(|job| job.on.as_ref().is_some_and(|(device, ..)| *device == slots.device)).count();
        let card = slots.device.strip_prefix("cuda:").and_then(|number| number.parse().ok());
        let card: Option<&GraphicsCard> = card.and_then(|number: u32| cards.iter().find(|card| card.number == number));
        let (load, memory, model) = match card {
            Some(card) => (Some(card.load as f32 / 100.0), Some((card.used, card.memory)), card.model.clone()),
            None if slots.device == "cpu" && live => {
                let (load, memory) = devices::processor();
                (Some(load), Some(memory), run.run.origin.cpu.clone())
            }
            None if slots.device == "cpu" => (None, None, run.run.origin.cpu.clone()),
            None => (None, None, String::new()),
        };
        DeviceSeen { name: slots.device.clone(), slots: slots.slots, busy, load, memory, model }
    };
    run.run.devices.iter().map(of).collect()
}
