//! What workers printed: told where they cannot say it themselves.

use super::{ArrayTask, EarlyEnd, MessageKind, SlurmExecutor};
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
        let said = last_words(&tail(&self.last_log(), 2000), self.fleet.last_end());
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

/// What the last worker that could not work came to: the last error in its log; else what its last letter told, which may come before
/// the log is written; else the last line of the log; else how it was seen to end.
fn last_words(log: &str, end: Option<&EarlyEnd>) -> String {
    let mut lines = log.lines().rev().filter(|line| !line.trim().is_empty());
    let printed = |line: &str| format!("; the last one printed: {}", quoted(line));
    match (lines.clone().find(|line| line.starts_with("error: ")), end, lines.next()) {
        (Some(error), _, _) => printed(error),
        (None, Some(EarlyEnd::Said(words)), _) | (None, Some(EarlyEnd::Seen(words)), None) => format!("; the last one: {words}"),
        (None, _, Some(line)) => printed(line),
        (None, None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_before_a_line_and_a_line_before_how_it_ended() {
        let (said, seen) = (EarlyEnd::Said("error: a letter".to_owned()), EarlyEnd::Seen("ended with an error".to_owned()));
        let log = "begins\nerror: no such library\n  next install it\n\n";
        assert_eq!(last_words(log, Some(&said)), "; the last one printed: error: no such library");
        assert_eq!(last_words("begins\n", Some(&said)), "; the last one: error: a letter");
        assert_eq!(last_words("begins\n  next do it\n", None), "; the last one printed:   next do it");
        assert_eq!(last_words("begins\n", Some(&seen)), "; the last one printed: begins");
        assert_eq!(last_words("", Some(&seen)), "; the last one: ended with an error");
        assert_eq!(last_words("", None), "");
    }
}
