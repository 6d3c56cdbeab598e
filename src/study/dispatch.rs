//! The dispatcher on this machine: hands ready tasks to workers, notes what becomes of them, and stops cleanly.

use super::plan::Plan;
use crate::{
    domain::{
        Ending, Fault, Key, Result,
        event::{Answer, Event, What},
        stage::Order,
    },
    store::{Index, Journal, Workspace},
};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub struct Dispatch<'a> {
    pub workspace: &'a Workspace,
    /// The program that is its own worker: `PROGRAM work …`.
    pub program: PathBuf,
    pub slots: usize,
    /// Threads of each worker.
    pub threads: usize,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
}

/// What a face is told while a run goes on.
pub struct Notice<'a> {
    pub event: &'a Event,
    pub done: usize,
    pub left: usize,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    pub ran: usize,
    pub stored: usize,
    pub failed: usize,
    pub interrupted: bool,
    /// Every failure was of the data, none of the program or the machine.
    pub bad_data: bool,
}

/// Runs what the plan lacks until nothing more can run.
///
/// # Errors
/// Another dispatcher in this workspace, or a workspace that cannot be written. A failed stage is no error: see [`Ended`].
pub fn dispatch(plan: &mut Plan, how: &Dispatch, tell: &mut dyn FnMut(&Notice)) -> Result<Ended> {
    if plan.ready().is_empty() {
        return Ok(Ended { stored: plan.stored(), ..Ended::default() });
    }
    let Some(_lock) = how.workspace.lock()? else {
        return Err(Fault::missing("another visavis is running studies in this workspace")
            .next("wait for it, or choose another workspace with --workspace DIR"));
    };
    plan.store_sources()?;
    let mut run = Run::start(plan, how)?;
    let outcome = run.go(plan, how, tell);
    run.workers.clear();
    let interrupted = how.stop.load(Ordering::SeqCst);
    let ended = Ended { ran: run.ran, stored: plan.stored(), failed: plan.failures(), interrupted, bad_data: run.bad_data };
    let closing = What::RunFinished { ran: ended.ran, stored: ended.stored, failed: ended.failed, interrupted };
    run.note(closing, plan, tell)?;
    outcome.map(|()| ended)
}

struct Run {
    journal: Journal,
    index: Index,
    workers: Vec<Option<Worker>>,
    answers: Receiver<(usize, Option<Answer>)>,
    sender: Sender<(usize, Option<Answer>)>,
    ran: usize,
    bad_data: bool,
}

impl Run {
    fn start(plan: &Plan, how: &Dispatch) -> Result<Self> {
        let journal = Journal::start(&how.workspace.journals(), now())?;
        let mut index = Index::open(how.workspace.store())?;
        index.ingest(&how.workspace.journals())?;
        index.take_results(&how.workspace.results(), &how.workspace.objects())?;
        let (sender, answers) = mpsc::channel();
        let mut run =
            Run { journal, index, workers: (0..how.slots).map(|_| None).collect(), answers, sender, ran: 0, bad_data: true };
        run.keep(&Event {
            at: now(),
            what: What::RunStarted { study: plan.study.name.clone(), slots: how.slots, threads: how.threads },
        })?;
        Ok(run)
    }

    fn go(&mut self, plan: &mut Plan, how: &Dispatch, tell: &mut dyn FnMut(&Notice)) -> Result<()> {
        let mut running: BTreeMap<usize, Key> = BTreeMap::new();
        loop {
            if how.stop.load(Ordering::SeqCst) {
                return Ok(());
            }
            for (key, step, task) in
                plan.ready().into_iter().map(|(key, step, task)| (key, step, task.clone())).collect::<Vec<_>>()
            {
                let Some(slot) = (0..how.slots).find(|slot| !running.contains_key(slot)) else { break };
                if running.values().any(|other| *other == key) {
                    continue;
                }
                if self.workers[slot].is_none() {
                    self.workers[slot] = Some(Worker::start(slot, how, self.sender.clone())?);
                }
                let line = serde_json::to_string(&Order { again: plan.again(step), task })
                    .map_err(|error| Fault::unexpected(error.to_string()))?;
                running.insert(slot, key);
                self.note(What::Started { key, stage: step.kind(), label: step.label(&plan.study), slot }, plan, tell)?;
                // A worker that is gone already says so through its closed output.
                if let Some(worker) = self.workers[slot].as_mut() {
                    worker.give(&line);
                }
            }
            if running.is_empty() {
                return Ok(());
            }
            match self.answers.recv_timeout(Duration::from_millis(100)) {
                Ok((slot, answer)) => {
                    let Some(key) = running.remove(&slot) else { continue };
                    self.take(slot, key, answer, plan, how, tell)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::unexpected("all workers are gone")),
            }
        }
    }

    fn take(
        &mut self,
        slot: usize,
        key: Key,
        answer: Option<Answer>,
        plan: &mut Plan,
        how: &Dispatch,
        tell: &mut dyn FnMut(&Notice),
    ) -> Result<()> {
        let what = match answer {
            Some(Answer::Finished { seconds, first, .. }) => {
                plan.finished(key);
                plan.refresh()?;
                self.ran += 1;
                if let Some(manifest) = how.workspace.results().get(key)? {
                    self.index.take_result(&manifest, &how.workspace.objects())?;
                }
                What::Finished { key, seconds, first }
            }
            Some(Answer::Failed { why, ending, .. }) => {
                self.bad_data &= ending == Ending::Asked as i32;
                plan.failed(key, &why);
                plan.refresh()?;
                What::Failed { key, why }
            }
            None => {
                let end = self.workers[slot].take().map_or(String::new(), Worker::end);
                self.bad_data = false;
                let why = format!("the worker ended before the stage did ({end})");
                plan.failed(key, &why);
                plan.refresh()?;
                What::Failed { key, why }
            }
        };
        self.note(what, plan, tell)
    }

    /// Journals an event, then lets the index know.
    fn keep(&mut self, event: &Event) -> Result<()> {
        let number = self.journal.append(event)?;
        self.index.take_event(&self.journal.name(), number, event)
    }

    fn note(&mut self, what: What, plan: &Plan, tell: &mut dyn FnMut(&Notice)) -> Result<()> {
        let event = Event { at: now(), what };
        self.keep(&event)?;
        let left = plan.tally().iter().map(|(_, tally)| tally.to_run).sum();
        tell(&Notice { event: &event, done: self.ran, left });
        Ok(())
    }
}

/// A worker process: ends when its input is closed, or is killed with this value.
struct Worker {
    child: Child,
    tasks: Option<ChildStdin>,
}

impl Worker {
    fn start(slot: usize, how: &Dispatch, answers: Sender<(usize, Option<Answer>)>) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(&how.program);
        command.arg("work").arg("--workspace").arg(how.workspace.root()).args(["--threads", &how.threads.to_string()]);
        // A group of its own: Ctrl-C is for the dispatcher, which then ends its workers.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn();
        let mut child = child.map_err(|error| Fault::io("start a worker", &how.program, &error))?;
        let output = child.stdout.take();
        let tasks = child.stdin.take();
        std::thread::spawn(move || {
            for line in output.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(std::io::Result::ok) {
                let Ok(answer) = serde_json::from_str(&line) else { break };
                if answers.send((slot, Some(answer))).is_err() {
                    return;
                }
            }
            answers.send((slot, None)).ok();
        });
        Ok(Worker { child, tasks })
    }

    fn give(&mut self, line: &str) {
        if let Some(tasks) = &mut self.tasks {
            writeln!(tasks, "{line}").and_then(|()| tasks.flush()).ok();
        }
    }

    /// How it ended, in words.
    fn end(mut self) -> String {
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tasks = None;
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
