//! What workers printed: told where they cannot say it themselves.

use super::{ArrayTask, MessageKind, SlurmExecutor};
use std::path::PathBuf;
use visavis_core::{
    domain::{Fault, text::quoted},
    store::{letters_in, stamp, tail},
};

/// Workers that never said hello whose logs a run tells of, and the last lines of each.
const MOST_SILENT: usize = 10;
const MOST_LINES: usize = 20;

impl SlurmExecutor {
    /// The last lines that a worker printed.
    pub(super) fn log(&self, task: ArrayTask) -> Vec<String> {
        tail(&self.job.logs.join(format!("{task}.log")), 4000).lines().map(quoted).collect()
    }

    /// A worker ended that never said hello: what it printed is all there is of it, and goes into the run's log.
    pub(super) fn tell_of_silent(&mut self, task: ArrayTask, why: &str) {
        self.silent += 1;
        if self.silent > MOST_SILENT {
            return;
        }
        let worker = self.next;
        self.next += 1;
        self.say(worker, MessageKind::Line(format!("Slurm job {task} ended before its worker said hello: {why}")));
        let log = self.log(task);
        for line in &log[log.len().saturating_sub(MOST_LINES)..] {
            self.say(worker, MessageKind::Line(format!("{task} │ {line}")));
        }
    }

    /// Slurm starts no workers that can work: what the last of them came to and printed.
    pub(super) fn hopeless(&self) -> Fault {
        let log = tail(&self.last_log(), 2000);
        let printed =
            log.lines().rfind(|line| !line.trim().is_empty()).map(|line| format!("the last one printed: {}", quoted(line)));
        let told = self.fleet.last_end().map(|end| format!("the last one: {end}"));
        let said = printed.or(told).map_or(String::new(), |said| format!("; {said}"));
        Fault::missing(format!("three workers in a row ended before they were ready to work{said}"))
            .in_file(&self.job.logs)
            .next("see their logs there; if one is missing, its node could not write to this folder")
    }

    /// The log that was written last.
    fn last_log(&self) -> PathBuf {
        let logs = letters_in(&self.job.logs, ".log").unwrap_or_default();
        let logs = logs.iter().map(|log| self.job.logs.join(format!("{log}.log")));
        logs.max_by_key(|log| stamp(log)).unwrap_or_default()
    }
}
