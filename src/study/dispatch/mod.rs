//! The dispatcher on this machine: carries out what its [`engine`] decides, with workers, a journal and the plan; and tells it what came
//! of it.

mod apart;
mod engine;
mod executors;
mod run_devices;
mod run_journal;
mod running_clock;
mod standing_told;

use super::{
    cluster::ClusterRun,
    cost::Costs,
    devices::Device,
    job_requests::JobRequests,
    plan::{Plan, StageStatus},
    programs::WorkerProgram,
    steps::Step,
};
pub use apart::{MadeApart, carry_out_apart};
use engine::{DispatchCommand, DispatchEvent, Engine, Limits, PlanNews};
pub use executors::slurm::{DispatcherJob, SubmittedDispatcher};
use executors::{
    LocalExecutor, MessageKind, MixedExecutor, SlurmExecutor, WorkerExecutor, WorkerMessage, WorkerPlace,
    slurm::{JobProgram, WorkerJob, end_earlier_runs, handed_on, name_of as job_name, own_variables},
};
use run_journal::RunJournal;
use running_clock::RunningClock;
use standing_told::StandingTold;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{
        Fault, Key, Result,
        event::{Event, EventKind, PersonRequest, RunOrigin, WorkerAnswer},
        job::{Cause, JobId, JobState, PlannedJob},
        stage::{Kind, Order},
        study::DeviceClass,
        text::count,
    },
    store::{Aside, Lock, Workspace},
};

/// How a study is run.
pub struct Dispatch<'a> {
    pub workspace: &'a Workspace,
    /// The program that is its own worker: `PROGRAM work …`.
    pub program: PathBuf,
    /// Those that also run networks, of which the study has some that can run.
    pub programs: BTreeMap<WorkerProgram, PathBuf>,
    pub devices: Vec<Device>,
    /// The study file's path and text.
    pub file: String,
    pub text: &'a str,
    pub origin: RunOrigin,
    /// Workers are started by Slurm, on the last device of this run.
    pub cluster: Option<ClusterRun>,
    /// How often a job is tried whose attempts end in a way that another may not.
    pub attempts: u32,
    /// A worker that is silent for so long hangs.
    pub patience: Duration,
    /// What an attempt may take.
    pub limit: Option<Duration>,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
    /// Set where another dispatcher has the workspace.
    pub refused: Option<&'a AtomicBool>,
    /// Told what keeps it waiting before it begins.
    pub remark: &'a dyn Fn(&str),
}

/// What a face is told while a run goes on.
pub struct Notice<'a> {
    pub event: &'a Event,
    /// The job that the event is about.
    pub job: Option<(Kind, String)>,
    pub done: usize,
    pub left: usize,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSummary {
    pub ran: usize,
    pub stored: usize,
    pub failed: usize,
    pub paused: usize,
    pub cancelled: usize,
    pub interrupted: bool,
    /// Why what was being made when the run was interrupted could not be kept, of each stage that said so.
    pub not_kept: Vec<String>,
    /// A person asked it to finish what ran and to start nothing more, and something was left.
    pub drained: bool,
    /// Stages that wait for a kind of device that the run had none of.
    pub homeless: usize,
    /// Results that the store could not take in, of whatever study.
    pub set_aside: Vec<Aside>,
    /// Stages that could have run and did not: never, unless the run was stopped or people stepped in.
    pub left: usize,
}

/// How often the journals of others are looked at. Where workers are on a cluster: how long a message is waited for, how often the journals
/// of people are looked at, and how often all of them.
const LOOK: Duration = Duration::from_millis(100);
const CLUSTER_WAIT: Duration = Duration::from_millis(250);
const CLUSTER_LOOK: Duration = Duration::from_secs(2);
const CLUSTER_LOOK_AT_ALL: Duration = Duration::from_secs(60);

/// Messages of workers that are taken in before what they led to is kept.
const MOST_MESSAGES: usize = 4096;

/// A worker of a cluster that is silent for so long is given up, whatever Slurm says of it.
const CLUSTER_SILENCE: Duration = Duration::from_secs(600);

/// What the workers of a run on Slurm are started with.
fn worker_job(plan: &Plan, how: &Dispatch, cluster: &ClusterRun, run: &str, identity: String) -> Result<WorkerJob> {
    let device = cluster.device(&plan.study);
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| Fault::io("find", path, &error));
    let mut programs = Vec::new();
    for needed in plan.programs() {
        let path = how.programs.get(&needed).ok_or_else(|| {
            Fault::missing(format!(
                "{} is not beside this program, and workers that run {} are that",
                needed.name(),
                needed.runs()
            ))
            .next("`make` builds it; `visavis doctor` says what is here")
        })?;
        programs.push(JobProgram::new(needed.name(), absolute(path)?));
    }
    if programs.is_empty() {
        programs.push(JobProgram::new("visavis", absolute(&how.program)?));
    }
    let stem = run.strip_suffix(".journal").unwrap_or(run);
    let post = absolute(&how.workspace.post().join(stem))?;
    Ok(WorkerJob {
        name: job_name(stem),
        settings: cluster.settings.clone(),
        workspace: absolute(how.workspace.root())?,
        identity,
        programs,
        logs: post.join("logs"),
        post,
        run: run.to_owned(),
        device: device.name.to_string(),
        threads: device.threads,
        environment: handed_on(own_variables()),
        barred: vec![],
    })
}

/// What a run on Slurm would submit, as a shell would be given it; `RUN` and `WORKSPACE` stand for names that are drawn when it begins.
///
/// # Errors
/// A study that cannot run there.
pub fn submission(plan: &Plan, how: &Dispatch) -> Result<Option<String>> {
    let Some(cluster) = &how.cluster else { return Ok(None) };
    let identity = Some(how.workspace.identity()).filter(|name| !name.is_empty()).unwrap_or_else(|| "WORKSPACE".to_owned());
    let job = worker_job(plan, how, cluster, "RUN", identity)?;
    let stages = if how.is_mixed() { plan.networks_to_run() } else { plan.to_run() };
    let workers = cluster.settings.workers.min(stages.max(1));
    Ok(Some(job.printed(workers)))
}

/// Runs what the plan lacks until nothing more can run.
///
/// # Errors
/// Another dispatcher in this workspace, or a workspace that cannot be written. A failed stage is no error: see [`RunSummary`].
pub fn dispatch(plan: &mut Plan, how: &Dispatch, tell: &mut dyn FnMut(&Notice)) -> Result<RunSummary> {
    if !plan.is_ready() {
        return Ok(RunSummary { stored: plan.stored(), ..RunSummary::default() });
    }
    let lock = how.workspace.lock_or_say(&format!("running {}", plan.study.name), how.remark).inspect_err(|_| {
        if let Some(refused) = how.refused {
            refused.store(true, Ordering::SeqCst);
        }
    })?;
    let mut run = Run::start(plan, how, tell, lock)?;
    let outcome = run.go();
    run.close(outcome)
}

struct Run<'a> {
    plan: &'a mut Plan,
    how: &'a Dispatch<'a>,
    tell: &'a mut dyn FnMut(&Notice),
    engine: Engine,
    workers: Box<dyn WorkerExecutor>,
    /// How workers that come by themselves were last said to stand.
    standing: StandingTold,
    /// Stages that are still to be made.
    left: usize,
    /// And of them, those that train a network or look through one, in a run on both places.
    networks_left: usize,
    journal: RunJournal,
    costs: Costs,
    upward_ranks: HashMap<Step, f64>,
    /// The steps that people call by these names.
    jobs: HashMap<JobId, Step>,
    clock: RunningClock,
    not_kept: Vec<String>,
    /// When the journals of others were looked at.
    looked: Instant,
    looked_at_all: Instant,
    lock: Lock,
}

impl<'a> Run<'a> {
    fn start(plan: &'a mut Plan, how: &'a Dispatch, tell: &'a mut dyn FnMut(&Notice), lock: Lock) -> Result<Self> {
        how.workspace.sweep();
        plan.store_sources()?;
        let text = how.workspace.objects().put(how.text.as_bytes())?;
        let mut journal = RunJournal::start(how.workspace)?;
        let requests = JobRequests::standing(journal.index())?;
        let costs = Costs::learn(Some(journal.index()))?;
        journal.note(EventKind::RunStarted {
            study: plan.study.name.clone(),
            file: how.file.clone(),
            text,
            devices: how.slots(),
            origin: Box::new(how.origin.clone()),
        });
        plan.replan(requests.aside().clone(), &[])?;
        let silence_joined = how.patience.max(CLUSTER_SILENCE);
        let limits = Limits { attempts: how.attempts, silence: how.patience, silence_joined, attempt: how.limit };
        let is_shared = how.workspace.is_shared() || how.cluster.is_some();
        let workers: Box<dyn WorkerExecutor> = match &how.cluster {
            Some(cluster) => {
                let job = worker_job(plan, how, cluster, &journal.name(), how.workspace.identity())?;
                let slurm = SlurmExecutor::new(job, cluster.places.clone())?;
                if slurm.adopted() > 0 {
                    let workers = count(slurm.adopted(), "worker");
                    (how.remark)(&format!(
                        "{workers} of the run before, whose dispatcher ended without a word, go on for this one"
                    ));
                }
                if how.is_mixed() {
                    Box::new(MixedExecutor::new(LocalExecutor::new(how.workspace, journal.name()), slurm))
                } else {
                    Box::new(slurm)
                }
            }
            None => {
                // A Slurm that is away is not waited for.
                let posts = how.workspace.post();
                std::thread::spawn(move || end_earlier_runs(&posts));
                Box::new(LocalExecutor::new(how.workspace, journal.name()))
            }
        };
        // Devices that networks run on have workers that can do all; each start is paid once. Beside a cluster, processors run none.
        let usual = |device: &Device| {
            if how.is_mixed() && device.name.class == DeviceClass::Cpu {
                return None;
            }
            let runs = |program: &&WorkerProgram| program.runs_on(device.name.class, plan.study.numerics.device);
            how.programs.keys().find(runs).copied()
        };
        let usual = how.devices.iter().map(usual).collect();
        let mut run = Run {
            plan,
            how,
            tell,
            engine: Engine::new(how.devices.clone(), limits, requests, is_shared).with_usual(usual).with_joining(how.joining()),
            workers,
            standing: StandingTold::default(),
            journal,
            costs,
            upward_ranks: HashMap::new(),
            jobs: HashMap::new(),
            clock: RunningClock::start(Instant::now()),
            not_kept: vec![],
            left: 0,
            networks_left: 0,
            looked: Instant::now(),
            looked_at_all: Instant::now(),
            lock,
        };
        let news = run.news();
        run.handle(DispatchEvent::Planned(news))?;
        Ok(run)
    }

    fn go(&mut self) -> Result<()> {
        if self.how.cluster.is_some() {
            // Workers that were adopted tell what they are at before that is given to others.
            self.hear()?;
        }
        loop {
            if self.lock.is_lost() {
                return Err(self.taken_over());
            }
            if self.how.stop.load(Ordering::SeqCst) {
                self.handle(DispatchEvent::Stop)?;
            }
            self.handle(DispatchEvent::Fill)?;
            self.keep()?;
            if self.engine.is_over() {
                return Ok(());
            }
            let wanted = self.for_the_cluster();
            self.workers.want(wanted);
            self.engine.want(wanted);
            self.hear()?;
            self.tell_how_workers_stand();
            self.read_requests()?;
            self.handle(DispatchEvent::Tick)?;
        }
    }

    /// Another dispatcher has the workspace now: it has the workers of a cluster, too.
    fn taken_over(&mut self) -> Fault {
        self.workers.abandon();
        let who = self.how.workspace.holder().map_or(String::new(), |holder| format!(": {}", holder.told()));
        Fault::missing(format!("this run stood still for so long that another visavis took the workspace over{who}"))
            .next("what was finished is kept; follow the other one with `visavis attach`")
    }

    /// Ends the workers, says how the run ended.
    fn close(mut self, outcome: Result<()>) -> Result<RunSummary> {
        // Machines that do not see locks are told by a worker's last words that it is gone.
        let ended = self.handle(DispatchEvent::Close { dismiss: self.how.workspace.is_shared() || self.how.cluster.is_some() });
        if let Some(words) = self.workers.left_over() {
            (self.how.remark)(words);
        }
        let summary = RunSummary {
            ran: self.engine.ran(),
            stored: self.plan.stored(),
            failed: self.plan.failures(),
            paused: self.plan.count_aside(JobState::Paused),
            cancelled: self.plan.count_aside(JobState::Cancelled),
            interrupted: self.how.stop.load(Ordering::SeqCst),
            not_kept: std::mem::take(&mut self.not_kept),
            drained: self.engine.is_drained(),
            homeless: self.engine.homeless(),
            set_aside: vec![],
            left: self.engine.left(),
        };
        let RunSummary { ran, stored, failed, interrupted, .. } = summary;
        self.how.workspace.sweep();
        self.journal.read().ok();
        self.journal.note(EventKind::RunFinished { ran, stored, failed, interrupted });
        let kept = self.keep();
        let set_aside = self.journal.index().set_aside().unwrap_or_default();
        outcome.and(ended).and(kept).map(|()| RunSummary { set_aside, ..summary })
    }

    /// Lets the engine take an event in, carries out what it decides, and so on with what comes of that.
    fn handle(&mut self, event: DispatchEvent) -> Result<()> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.clock.at(Instant::now());
            for command in self.engine.handle(event, now) {
                events.extend(self.carry_out(command)?);
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, command: DispatchCommand) -> Result<Option<DispatchEvent>> {
        match command {
            DispatchCommand::Spawn { worker, device, slot, program } => {
                let found = &self.how.devices[device];
                let program = self.program(program);
                let place = WorkerPlace { program, device: found.name.to_string(), slot, threads: found.threads };
                self.workers.spawn(worker, &place)?;
            }
            DispatchCommand::Assign { worker, step, attempt } => self.workers.assign(worker, &self.order(step, attempt)?)?,
            DispatchCommand::Recall { worker, keys } => self.workers.recall(worker, keys),
            DispatchCommand::GoOnAs { worker, program } => self.workers.go_on_as(worker, program.name()),
            DispatchCommand::Dismiss { worker } => self.workers.dismiss(worker),
            DispatchCommand::Terminate { worker } => self.workers.terminate(worker),
            DispatchCommand::Kill { worker } => self.workers.kill(worker),
            DispatchCommand::EndAll { grace } => {
                let failures = self.workers.end_all(grace).into_iter().filter_map(|answer| match answer {
                    WorkerAnswer::Failed { cause, why, .. } if cause != Cause::Stopped => Some(why),
                    _ => None,
                });
                self.not_kept.extend(failures);
            }
            DispatchCommand::Note(what) => self.journal.note(what),
            DispatchCommand::ReadJournal(name) => self.journal.grew(&name),
            DispatchCommand::Learn { step, seconds } => self.costs.note(&step.cost_class(&self.plan.study), step.kind(), seconds),
            DispatchCommand::LookUp { key, made } => {
                let manifest = self.plan.finished(key, made)?;
                let is_there = manifest.is_some();
                manifest.into_iter().for_each(|manifest| self.journal.result(manifest));
                return Ok(Some(DispatchEvent::LookedUp { key, made, is_there }));
            }
            DispatchCommand::GiveUp { key, why } => self.plan.failed(key, &why)?,
            DispatchCommand::Replan { aside, forgiven } => self.plan.replan(aside, &forgiven)?,
            DispatchCommand::TakeNews => return Ok(Some(DispatchEvent::Planned(self.news()))),
            DispatchCommand::RefuseBuild { program } => {
                return Err(Fault::missing("the worker is of another build than visavis: it gives a stage another key")
                    .in_file(self.program(program))
                    .next("build all programs from one source (`make build` or `make install`), then run again"));
            }
        }
        Ok(None)
    }

    fn program(&self, program: Option<WorkerProgram>) -> &'a Path {
        program.and_then(|program| self.how.programs.get(&program)).unwrap_or(&self.how.program)
    }

    fn order(&self, step: Step, attempt: u32) -> Result<Order> {
        let task = self.plan.task(step).map(|(_, task)| task.clone());
        let task = task.ok_or_else(|| Fault::unexpected("a step was taken up that is not ready"))?;
        let label = step.label(&self.plan.study);
        Ok(Order { task, label, attempt, clock: self.journal.clock(), again: self.plan.again(step) })
    }

    /// What has changed in the plan since this was last asked.
    fn news(&mut self) -> PlanNews {
        let jobs = if self.plan.has_grown() { self.new_jobs() } else { vec![] };
        let found: Vec<(JobId, Key)> =
            self.plan.newly_found().into_iter().map(|(step, key)| (self.plan.job(step), key)).collect();
        let ready = self.plan.newly_ready().into_iter();
        let ready = ready.map(|(key, step)| self.plan.waiting(key, step, &self.costs, &self.upward_ranks)).collect();
        PlanNews { jobs, found, ready }
    }

    /// The steps that this run had not seen yet, and whether anything is still to become of them.
    fn new_jobs(&mut self) -> Vec<(PlannedJob, bool)> {
        let new: Vec<Step> =
            self.plan.steps().map(|(step, _)| step).filter(|step| !self.upward_ranks.contains_key(step)).collect();
        if new.is_empty() {
            return vec![];
        }
        self.upward_ranks = self.plan.upward_ranks(&self.costs);
        let planned = |step: Step| {
            let label = step.label(&self.plan.study);
            let job = JobId::of(&self.plan.study.name, &label);
            self.jobs.insert(job, step);
            let status = self.plan.status(step);
            let is_open = matches!(status, Some(StageStatus::Open | StageStatus::Ready | StageStatus::Aside(_)));
            (PlannedJob { job, stage: step.kind(), label }, is_open)
        };
        new.into_iter().map(planned).collect()
    }

    /// Waits for something to be said, and takes everything that was.
    fn hear(&mut self) -> Result<()> {
        let mut patience = if self.how.cluster.is_some() { CLUSTER_WAIT } else { LOOK };
        for _ in 0..MOST_MESSAGES {
            let Some(WorkerMessage { worker, what }) = self.workers.next_message(patience)? else { return Ok(()) };
            patience = Duration::ZERO;
            self.handle(match what {
                MessageKind::Joined { slot, program, holds } => {
                    let device = self.how.devices.len().saturating_sub(1);
                    DispatchEvent::Joined { worker, device, slot: self.how.first_of_cluster() + slot, program, holds }
                }
                MessageKind::Answer(answer) => DispatchEvent::Answered { worker, answer },
                MessageKind::Line(line) => DispatchEvent::Printed { worker, line },
                MessageKind::Exited(exit) => DispatchEvent::Exited { worker, exit },
            })?;
        }
        Ok(())
    }

    /// Notes how workers stand that come by themselves, for whoever looks at the run.
    fn tell_how_workers_stand(&mut self) {
        let now = self.clock.at(Instant::now());
        if let Some(news) = self.workers.waits_for().and_then(|standing| self.standing.news(standing, now)) {
            self.journal.note(EventKind::Workers(news));
        }
    }

    /// Takes in what people asked since this was last looked for.
    fn read_requests(&mut self) -> Result<()> {
        let is_cluster = self.how.cluster.is_some();
        if self.looked.elapsed() < if is_cluster { CLUSTER_LOOK } else { LOOK } {
            return Ok(());
        }
        self.looked = Instant::now();
        let taken = if is_cluster && self.looked_at_all.elapsed() < CLUSTER_LOOK_AT_ALL {
            self.journal.read_others()?
        } else {
            self.looked_at_all = self.looked;
            self.journal.read()?
        };
        let asked = taken.into_iter().filter_map(|taken| match taken.event.what {
            EventKind::Asked { act, .. } => Some(act),
            _ => None,
        });
        let requests: Vec<PersonRequest> = asked.collect();
        if requests.is_empty() {
            return Ok(());
        }
        let failed = self.plan.steps().filter(|(_, status)| matches!(status, StageStatus::Failed(_)));
        let failed = failed.filter_map(|(step, _)| Some((self.plan.job(step), self.plan.task(step)?.0))).collect();
        self.handle(DispatchEvent::Asked { requests, failed })
    }

    /// How many of the stages that are still to be made workers of a cluster may take.
    fn for_the_cluster(&self) -> usize {
        let demand = self.engine.demand(self.left);
        if self.how.is_mixed() { (self.networks_left + self.engine.unbearable()).min(demand) } else { demand }
    }

    /// Keeps what was noted, then tells.
    fn keep(&mut self) -> Result<()> {
        let events = self.journal.keep()?;
        if !events.is_empty() {
            self.networks_left = if self.how.is_mixed() { self.plan.networks_to_run() } else { 0 };
            self.left = self.plan.to_run();
        }
        for event in &events {
            let job = match &event.what {
                EventKind::Started { job, .. } | EventKind::Finished { job, .. } | EventKind::Failed { job, .. } => {
                    self.jobs.get(job)
                }
                _ => None,
            };
            let job = job.map(|step| (step.kind(), step.label(&self.plan.study)));
            (self.tell)(&Notice { event, job, done: self.engine.ran(), left: self.left });
        }
        Ok(())
    }
}
