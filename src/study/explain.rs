//! Why a job waits, failed, or must be made again: said so that somebody who did not write the study understands it.

use super::{
    cost::Costs,
    job_requests::JobRequests,
    plan::{Plan, StageStatus},
    queue::StageQueue,
    steps::Step,
    timeline::{HeldBecause, Timeline},
};
use visavis_core::{
    domain::{
        Key, Result,
        event::WorkersStanding,
        job::{Cause, JobId, JobState},
        machine::WorkerMachine,
        result::Manifest,
        stage::Task,
        text::count,
    },
    store::{AttemptRow, Index, JobRow},
};

/// What can be said of one job; each line a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    pub job: JobId,
    pub label: String,
    /// One word: done, ready, running, waiting, failed, paused, cancelled, stale, missing.
    pub state: &'static str,
    pub why: Vec<String>,
    /// What to do, if there is anything to do.
    pub next: Option<String>,
}

/// A result that was made from other inputs than there are now.
#[derive(Clone, Debug, PartialEq)]
pub struct Stale {
    pub old: Manifest,
    pub reasons: Vec<String>,
}

/// Explains a step of the plan. `study`: how the study file is named in what to do next.
///
/// # Errors
/// A store or a result that cannot be read.
pub fn explain(plan: &Plan, step: Step, index: Option<&Index>, study: &str) -> Result<Explained> {
    let job = plan.job(step);
    let rows = index.map_or(Ok(vec![]), |index| index.jobs_of(&plan.study.name))?;
    let attempts = index.map_or(Ok(vec![]), |index| index.attempts_at(job))?;
    let timeline = index.map_or(Ok(None), |index| Timeline::read(index, plan.workspace()))?;
    let live = timeline.filter(|timeline| timeline.live && timeline.run.study == plan.study.name);
    let row = rows.iter().find(|row| row.id == job);
    let explainer = Explainer { plan, index, rows: &rows, row, attempts: &attempts, timeline: live.as_ref(), study };
    let (state, why, next) = explainer.of(step)?;
    Ok(Explained { job, label: step.label(&plan.study), state, why, next })
}

struct Explainer<'a> {
    plan: &'a Plan,
    index: Option<&'a Index>,
    /// The study's jobs, as runs left them; and the one to explain.
    rows: &'a [JobRow],
    row: Option<&'a JobRow>,
    attempts: &'a [AttemptRow],
    /// Of a run of this study that is going on.
    timeline: Option<&'a Timeline>,
    study: &'a str,
}

/// So many attempts are told one by one.
const MOST_ATTEMPTS: usize = 10;

/// The least number says most.
type ReasonRank = (u8, String);

/// One word, why, and what to do.
type StateAndWhy = (&'static str, Vec<String>, Option<String>);

impl Explainer<'_> {
    fn of(&self, step: Step) -> Result<StateAndWhy> {
        let plan = self.plan;
        if let Some(manifest) = plan.result(step) {
            return Ok(("done", self.done(manifest)?, None));
        }
        if let (Some(_), Some(JobRow { state: JobState::Running, .. })) = (self.timeline, self.row) {
            return Ok(("running", self.running()?, None));
        }
        if let Some(state) = self.aside(plan.job(step))? {
            let why = format!("A person said so, and what is {} is not started until it is retried.", state.word());
            return Ok((state.word(), vec![why], Some(format!("visavis retry {}", plan.job(step).short()))));
        }
        let stale = self.stale(step)?;
        if let Some(JobRow { state: JobState::Failed, .. }) = self.row
            && stale.is_none()
        {
            return self.failed();
        }
        let (state, mut why, next) = match plan.status(step) {
            Some(StageStatus::Ready) => self.ready(step)?,
            _ => self.waiting(step),
        };
        let Some(Stale { old, reasons }) = stale else { return Ok((state, why, next)) };
        let same = self.plan.task(step).is_some_and(|(key, _)| *key == old.key);
        let (made, kept) = if same {
            ("Its result was there, and is no longer whole:", "It is made again under the same key, with the same bits.")
        } else {
            ("A result of it is there, but it was made from something else:", "It is kept; what it is now has another key.")
        };
        let lines = [format!("{made} (key {})", old.key.short())].into_iter();
        let lines = lines.chain(reasons.into_iter().map(|reason| format!("  – {reason}")));
        why = lines.chain([kept.to_owned()]).chain(why).collect();
        Ok(("stale", why, next))
    }

    fn done(&self, manifest: &Manifest) -> Result<Vec<String>> {
        let made = &manifest.provenance;
        let tries = match self.attempts.len() {
            0 | 1 => String::new(),
            tries => format!(" It took {}.", count(tries, "attempt")),
        };
        let by = if made.worker.is_empty() { String::new() } else { format!(", journal {}", made.worker) };
        // What its worker wrote down says more than the result: which card, which job of Slurm.
        let machine = self.machine(&made.worker)?.unwrap_or_else(|| WorkerMachine {
            host: made.host.clone(),
            cpu: made.cpu.clone(),
            ..WorkerMachine::default()
        });
        let (machine, threads) = (machine.told(), count(made.threads, "thread"));
        let mut why = vec![
            format!("Its result is there: key {}, content {}.", manifest.key.short(), manifest.content().short()),
            format!("It was made in {:.2} s by {} on {machine}, {threads}{by}.{tries}", made.seconds, made.program),
        ];
        why.extend(self.earlier()?);
        Ok(why)
    }

    /// Where a worker was, by the name of its journal.
    fn machine(&self, worker: &str) -> Result<Option<WorkerMachine>> {
        self.index.map_or(Ok(None), |index| index.machine_of(worker))
    }

    fn running(&self) -> Result<Vec<String>> {
        let Some(attempt) = self.attempts.last() else { return Ok(vec!["It runs.".to_owned()]) };
        let mut why = self.earlier()?;
        why.push(format!("It runs on {}: attempt {}.", self.place(attempt)?, attempt.number));
        Ok(why)
    }

    /// Where an attempt was: `cpu on n1, …, Slurm job 7_0`, or `cpu, slot 2 of this run`.
    fn place(&self, attempt: &AttemptRow) -> Result<String> {
        Ok(match self.machine(&attempt.worker)?.filter(|machine| machine.slurm.is_some()) {
            Some(machine) => format!("{} on {}", attempt.device, machine.told()),
            None => format!("{}, slot {}", attempt.device, attempt.slot + 1),
        })
    }

    /// The last attempts before the latest one: where each was, and how it ended.
    fn earlier(&self) -> Result<Vec<String>> {
        let before = self.attempts.split_last().map_or(&[][..], |(_, before)| before);
        before[before.len().saturating_sub(MOST_ATTEMPTS)..].iter().map(|attempt| self.ended(attempt)).collect()
    }

    /// Where an attempt was and how it ended: a sentence.
    fn ended(&self, attempt: &AttemptRow) -> Result<String> {
        let (cause, told) = (attempt.cause.map_or("it ended", Cause::words), one_line(attempt.why.as_deref().unwrap_or("")));
        let seconds = attempt.seconds.map_or(String::new(), |seconds| format!(" after {seconds:.1} s"));
        // Most reasons say what happened in their own words already.
        let told = if told.is_empty() { cause } else { &told };
        Ok(format!("Attempt {} on {}{seconds}: {told}.", attempt.number, self.place(attempt)?))
    }

    fn aside(&self, job: JobId) -> Result<Option<JobState>> {
        let Some(index) = self.index else { return Ok(None) };
        Ok(JobRequests::standing(index)?.aside().get(&job).copied())
    }

    fn failed(&self) -> Result<StateAndWhy> {
        let mut why = Vec::new();
        for attempt in self.attempts.iter().filter(|attempt| attempt.cause.is_some()) {
            why.push(self.ended(attempt)?);
            let last = attempt.log.iter().rev().take(5).rev();
            why.extend(last.map(|line| format!("    │ {line}")));
        }
        let cause = self.attempts.last().and_then(|attempt| attempt.cause);
        why.push(match cause {
            Some(Cause::Input) => "It is not tried again by itself: the same input would fail the same way.".to_owned(),
            Some(Cause::Diverged) => "It is not tried again by itself: the same seed would diverge the same way.".to_owned(),
            Some(Cause::Machine) => "It is not tried again by itself: a person must make room, or give leave.".to_owned(),
            Some(cause) if cause.worth_another_try() => "It was tried as often as a run tries.".to_owned(),
            _ => "It is not tried again in that run.".to_owned(),
        });
        let mend = if cause == Some(Cause::Input) { "mend the input, then " } else { "" };
        let next = match self.timeline {
            Some(_) => format!("{mend}visavis retry {}", self.row.map_or(String::new(), |row| row.id.short())),
            None => format!("{mend}visavis run {}", self.study),
        };
        Ok(("failed", why, Some(next)))
    }

    fn ready(&self, step: Step) -> Result<StateAndWhy> {
        let plan = self.plan;
        let consumed = match plan.needs(step).len() {
            0 => "It needs no other stage".to_owned(),
            some => format!("All it consumes is there ({})", count(some, "stage")),
        };
        let Some(timeline) = self.timeline else {
            return Ok((
                "ready",
                vec![format!("{consumed}. Nothing runs this study now.")],
                Some(format!("visavis run {}", self.study)),
            ));
        };
        let class = step.class(&plan.study);
        let devices: Vec<_> = timeline.run.devices.iter().filter(|device| device.device.starts_with(class.word())).collect();
        let slots: usize = devices.iter().map(|device| device.slots).sum();
        // Workers of a cluster also do what needs no card.
        let slots = if slots == 0 && timeline.workers.is_some() {
            timeline.run.devices.iter().map(|device| device.slots).sum()
        } else {
            slots
        };
        if slots == 0 {
            let why = format!("{consumed}, but it runs on {} and the run that goes on has none.", class.word());
            return Ok(("waiting", vec![why], None));
        }
        match timeline.held {
            Some(HeldBecause::Paused) => {
                let why = format!("{consumed}, but a person paused the run: it starts nothing.");
                return Ok(("waiting", vec![why], Some("visavis retry".to_owned())));
            }
            Some(HeldBecause::Draining) => {
                let why = format!("{consumed}, but the run is draining: it finishes what runs and ends.");
                return Ok(("waiting", vec![why], Some(format!("when it has ended: visavis run {}", self.study))));
            }
            None => {}
        }
        let busy = timeline.count(JobState::Running);
        let mut why = match &timeline.workers {
            None => vec![format!("{consumed}. It waits for a slot: {busy} running on {}.", count(slots, "slot"))],
            Some(workers) => vec![
                format!("{consumed}. It waits for a worker: {}, {busy} running.", count(workers.here, "worker")),
                not_started(workers),
            ],
        };
        let costs = Costs::learn(self.index)?;
        let ranks = plan.upward_ranks(&costs);
        let mut queue = StageQueue::default();
        let runs: Vec<JobId> = self.rows.iter().filter(|row| row.state == JobState::Running).map(|row| row.id).collect();
        for (other, status) in plan.steps() {
            if *status == StageStatus::Ready
                && !runs.contains(&plan.job(other))
                && let Some((key, _)) = plan.task(other)
            {
                queue.push(plan.waiting(*key, other, &costs, &ranks));
            }
        }
        if let Some((before, seconds)) = plan.task(step).and_then(|(key, _)| queue.before(*key)) {
            why.push(match before {
                0 => "It is the next to start.".to_owned(),
                some => format!(
                    "{} before it, for more waits on {} or {} came first: about {:.0} s of work.",
                    if some == 1 { "1 job is".to_owned() } else { format!("{} are", count(some, "job")) },
                    if some == 1 { "it" } else { "them" },
                    if some == 1 { "it" } else { "they" },
                    (seconds / slots as f64).ceil()
                ),
            });
        }
        Ok(("waiting", why, None))
    }

    fn waiting(&self, step: Step) -> StateAndWhy {
        let plan = self.plan;
        let mut why = Vec::new();
        for missing in plan.lacking(step) {
            why.push(format!("{} is not here; it is expected at {}.", missing.input, missing.expected_at));
        }
        if !why.is_empty() {
            return ("missing", why, Some("put it there, and run the study again".to_owned()));
        }
        let needs = plan.needs(step);
        let open: Vec<Step> = needs.iter().copied().filter(|need| plan.result(*need).is_none()).collect();
        why.push(format!(
            "It consumes the results of {}, and {} not there yet:",
            count(needs.len(), "stage"),
            match open.len() {
                1 => "1 is".to_owned(),
                some => format!("{some} are"),
            }
        ));
        let mut stands: Vec<(ReasonRank, Step)> = open.iter().map(|need| (self.stands(*need), *need)).collect();
        stands.sort_by_key(|(telling, _)| telling.0);
        for ((_, words), need) in stands.iter().take(4) {
            why.push(format!("  – {} ({}): {words}", need.label(&plan.study), plan.job(*need).short()));
        }
        if open.len() > 4 {
            why.push(format!("  – and {} more", open.len() - 4));
        }
        let root = self.root(step);
        if !needs.contains(&root) {
            let (_, words) = self.stands(root);
            why.push(format!("What holds it up: {} ({}); {words}.", root.label(&plan.study), plan.job(root).short()));
        }
        ("waiting", why, Some(format!("visavis explain {}", plan.job(root).short())))
    }

    /// How a step that is needed stands.
    fn stands(&self, need: Step) -> ReasonRank {
        let plan = self.plan;
        let row = self.rows.iter().find(|row| row.id == plan.job(need));
        match (row, plan.status(need)) {
            (Some(JobRow { state: JobState::Failed, why, .. }), _) => {
                (0, format!("it failed: {}", why.as_deref().unwrap_or("").lines().next().unwrap_or("")))
            }
            (Some(JobRow { state: state @ (JobState::Paused | JobState::Cancelled), .. }), _)
            | (_, Some(StageStatus::Aside(state))) => (1, format!("it is {} by a person", state.word())),
            (_, Some(StageStatus::Barred)) if !plan.lacking(need).is_empty() => {
                (2, format!("it waits for {}, which is not here", plan.lacking(need)[0].input))
            }
            (Some(JobRow { state: JobState::Running, .. }), _) if self.timeline.is_some() => (3, "it runs".to_owned()),
            (_, Some(StageStatus::Ready)) => (4, "it is ready to run".to_owned()),
            _ => (5, "it waits itself".to_owned()),
        }
    }

    /// The first step on the way to this one that waits for nothing but itself.
    fn root(&self, step: Step) -> Step {
        let mut at = step;
        loop {
            match self.plan.needs(at).into_iter().find(|need| self.plan.result(*need).is_none()) {
                Some(need) => at = need,
                None => return at,
            }
        }
    }

    /// Was there a result of this job, made from something else?
    fn stale(&self, step: Step) -> Result<Option<Stale>> {
        self.plan.stale(step, self.row.and_then(|row| row.key))
    }
}

/// Why a cluster has not started more workers.
fn not_started(workers: &WorkersStanding) -> String {
    let WorkersStanding { by, waiting, why, .. } = workers;
    match (waiting, why) {
        (0, _) => format!("{by} has started all that it was asked for."),
        (waiting, Some(why)) => format!("{by} was asked for {waiting} more; of the first it says: {why}."),
        (waiting, None) => format!("{by} was asked for {waiting} more, and was not asked yet why they do not start."),
    }
}

impl Plan {
    /// Whether a job's former result was made from other inputs than there are now, and which.
    pub fn stale(&self, step: Step, former: Option<Key>) -> Result<Option<Stale>> {
        let Some(former) = former.filter(|_| self.result(step).is_none()) else { return Ok(None) };
        let Some(old) = self.workspace().results().get(former)? else { return Ok(None) };
        let reasons = match self.task(step) {
            Some((key, _)) if *key == former => {
                let objects = self.workspace().objects();
                let gone = old.outputs.iter().filter(|output| !objects.has(output.digest));
                gone.map(|output| format!("its object {} ({}) is not there any more", output.name, output.digest.short()))
                    .collect()
            }
            Some((_, task)) => differences(&old, task),
            None => {
                let open = self.needs(step).into_iter().filter(|need| self.result(*need).is_none());
                open.take(3).map(|need| format!("{} is to be made again", need.label(&self.study))).collect()
            }
        };
        Ok((!reasons.is_empty()).then_some(Stale { old, reasons }))
    }
}

/// An error that was told on several lines, on one.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// In what a task differs from what a result was made of.
fn differences(old: &Manifest, task: &Task) -> Vec<String> {
    let mut reasons = Vec::new();
    let version = task.work.version();
    if old.version != version {
        reasons.push(format!("the stage's code was version {} then and is {version} now", old.version));
    }
    if old.work != task.work {
        let (then, now) =
            (serde_json::to_value(&old.work).unwrap_or_default(), serde_json::to_value(&task.work).unwrap_or_default());
        parameters("", &then, &now, &mut reasons);
    }
    for input in &task.inputs {
        match old.inputs.iter().find(|then| then.role == input.role) {
            None => reasons.push(format!("it consumes {} now, and did not then", input.role)),
            Some(then) if then.digest != input.digest => {
                reasons.push(format!("{} was {} then and is {} now", input.role, then.digest.short(), input.digest.short()));
            }
            Some(_) => {}
        }
    }
    for then in old.inputs.iter().filter(|then| task.inputs.iter().all(|input| input.role != then.role)) {
        reasons.push(format!("it consumed {} then, and does not now", then.role));
    }
    reasons
}

fn parameters(name: &str, then: &serde_json::Value, now: &serde_json::Value, reasons: &mut Vec<String>) {
    use serde_json::Value;
    match (then, now) {
        (Value::Object(then), Value::Object(now)) if then.keys().eq(now.keys()) => {
            for (key, then) in then {
                parameters(key, then, &now[key], reasons);
            }
        }
        _ if then != now => {
            let short = |value: &Value| visavis_core::domain::text::shorten(&value.to_string(), 60);
            reasons.push(format!(
                "{} was {} then and is {} now",
                if name.is_empty() { "the work" } else { name },
                short(then),
                short(now)
            ));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_slurm_has_not_started_workers_is_told_as_far_as_it_is_known() {
        let told = |waiting, why: Option<&str>| {
            not_started(&WorkersStanding { by: "Slurm".to_owned(), here: 1, waiting, why: why.map(str::to_owned) })
        };
        assert_eq!(told(0, None), "Slurm has started all that it was asked for.");
        let why = told(3, Some("waiting: Priority (jobs of a higher priority go first)"));
        assert_eq!(
            why,
            "Slurm was asked for 3 more; of the first it says: waiting: Priority (jobs of a higher priority go first)."
        );
        assert!(told(3, None).ends_with("was not asked yet why they do not start."));
    }
}
