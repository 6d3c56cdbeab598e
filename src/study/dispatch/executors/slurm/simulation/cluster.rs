//! A Slurm that is pretended, in simulated time: arrays wait, workers start, some are taken away; commands take seconds, and some fail.

use super::{Draw, Faults};
use crate::study::dispatch::executors::slurm::outputs::ArrayTask;
use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// So long a job is shown after its end.
const SHOWN: Duration = Duration::from_secs(300);

/// A job as Slurm sees it.
struct Job {
    /// Since when it is in which state, oldest first.
    states: Vec<(Duration, &'static str)>,
    node: u64,
}

pub(super) struct Cluster {
    jobs: BTreeMap<ArrayTask, Job>,
    next: u64,
    nodes: u64,
}

/// When a worker of a new array starts.
pub(super) struct Start {
    pub task: ArrayTask,
    pub at: Duration,
}

impl Cluster {
    pub(super) fn new() -> Self {
        Cluster { jobs: BTreeMap::new(), next: 1, nodes: 0 }
    }

    /// Most arrays start within half a minute; some wait for minutes.
    pub(super) fn submit(&mut self, workers: usize, faults: &Faults, now: Duration, draw: &mut Draw) -> (u64, Vec<Start>) {
        let array = self.next;
        self.next += 1;
        let waits = match draw.uniform() {
            share if share < faults.waits / 4.0 => draw.between(600.0, 1200.0),
            share if share < faults.waits => draw.between(60.0, 300.0),
            _ => draw.between(2.0, 10.0),
        };
        let starts = (0..workers as u64).map(|index| {
            let at = now + Duration::from_secs_f64(waits + draw.between(0.0, 20.0));
            let task = ArrayTask { array, index };
            self.nodes += 1;
            self.jobs.insert(task, Job { states: vec![(now, "PENDING"), (at, "RUNNING")], node: self.nodes });
            Start { task, at }
        });
        (array, starts.collect())
    }

    /// A job is in another state from a time on.
    pub(super) fn turns(&mut self, task: ArrayTask, word: &'static str, at: Duration) {
        if let Some(job) = self.jobs.get_mut(&task) {
            job.states.retain(|(since, _)| *since < at);
            job.states.push((at, word));
        }
    }

    /// `false`: it was not there any more. One that waits vanishes, one that runs is cancelled.
    pub(super) fn cancel(&mut self, task: ArrayTask, now: Duration) -> bool {
        match self.state(task, now) {
            Some("PENDING") => self.jobs.remove(&task).is_some(),
            Some("RUNNING") => {
                self.turns(task, "CANCELLED", now);
                true
            }
            _ => false,
        }
    }

    fn state(&self, task: ArrayTask, now: Duration) -> Option<&'static str> {
        self.jobs.get(&task)?.states.iter().rev().find(|(since, _)| *since <= now).map(|(_, word)| *word)
    }

    pub(super) fn runs(&self, task: ArrayTask, now: Duration) -> bool {
        self.state(task, now) == Some("RUNNING")
    }

    /// What `squeue` prints.
    pub(super) fn squeue(&mut self, now: Duration) -> String {
        let is_shown = |job: &Job| {
            let (since, word) = job.states.last().copied().unwrap_or_default();
            matches!(word, "PENDING" | "RUNNING" | "COMPLETING") || now.saturating_sub(since) < SHOWN
        };
        self.jobs.retain(|_, job| is_shown(job));
        let mut out = String::new();
        for (task, job) in &self.jobs {
            let word = self.state(*task, now).unwrap_or("PENDING");
            let (node, reason) = if word == "PENDING" { (String::new(), "Priority") } else { (format!("n{}", job.node), "None") };
            _ = writeln!(out, "{}|{}|{word}|{node}|{reason}", task.array, task.index);
        }
        out
    }
}
