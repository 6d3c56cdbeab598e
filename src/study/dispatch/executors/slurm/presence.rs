//! Whether a job is gone that the queue does not show any more. A queue that is empty although its command ended well, and one look alone,
//! prove nothing: sites put wrappers before `squeue`, and controllers that restart forget for a moment.

use super::{
    job_state::Standing,
    outputs::{ArrayTask, QueueRow},
};
use std::{collections::BTreeMap, time::Duration};

/// A task is gone when two looks that far apart, and all between them, did not show it.
const APART: Duration = Duration::from_secs(60);

/// What several looks at the queue say of the tasks that were submitted.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// Since when each task is not shown.
    absent: BTreeMap<ArrayTask, Duration>,
    rows: BTreeMap<ArrayTask, QueueRow>,
}

impl Presence {
    /// Takes in what a query that ended well showed at a time, of the tasks that were submitted and are not known to be over.
    pub(crate) fn look(
        &mut self,
        rows: BTreeMap<ArrayTask, QueueRow>,
        submitted: impl Iterator<Item = ArrayTask>,
        now: Duration,
    ) {
        let absent = std::mem::take(&mut self.absent);
        for task in submitted.filter(|task| !rows.contains_key(task)) {
            self.absent.insert(task, absent.get(&task).copied().unwrap_or(now));
        }
        self.rows = rows;
    }

    /// What is known of a task: from its row, or from its absence.
    pub(crate) fn standing(&self, task: ArrayTask, now: Duration) -> Standing {
        match (self.rows.get(&task), self.absent.get(&task)) {
            (Some(row), _) => row.state.standing(),
            (None, Some(since)) if now.saturating_sub(*since) >= APART => Standing::Over,
            (None, _) => Standing::Unclear,
        }
    }

    /// Did the last look show it?
    pub(crate) fn is_shown(&self, task: ArrayTask) -> bool {
        self.rows.contains_key(&task)
    }

    /// Where it is or was; empty where Slurm says nothing.
    pub(crate) fn node(&self, task: ArrayTask) -> &str {
        self.rows.get(&task).map_or("", |row| &row.node)
    }

    /// Was its worker ended for reasons that have nothing to do with what it was at? Nobody knows of one that is shown no more.
    pub(crate) fn is_taken_away(&self, task: ArrayTask) -> bool {
        self.rows.get(&task).is_some_and(|row| row.state.is_taken_away())
    }

    /// Has the queue been asked since it was submitted?
    pub(crate) fn was_asked_for(&self, task: ArrayTask) -> bool {
        self.rows.contains_key(&task) || self.absent.contains_key(&task)
    }

    /// In words.
    pub(crate) fn told(&self, task: ArrayTask) -> String {
        let Some(QueueRow { state, node, start }) = self.rows.get(&task) else { return "Slurm does not show it".to_owned() };
        let node = if node.is_empty() { String::new() } else { format!(" on {}", visavis_core::domain::text::quoted(node)) };
        let start = start.as_ref().filter(|_| state.standing() == Standing::Waits);
        // To the minute: Slurm's guess is no better.
        let start = start.map_or(String::new(), |at| format!(", expected to start {} {}", &at[..10], &at[11..16]));
        format!("{}{node}{start}", state.told())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::dispatch::executors::slurm::outputs::queue;

    const TASK: ArrayTask = ArrayTask { array: 7, index: 0 };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn looked(looks: &[(u64, &str)]) -> Presence {
        let mut presence = Presence::default();
        looks.iter().for_each(|(now, out)| presence.look(queue(out), std::iter::once(TASK), at(*now)));
        presence
    }

    #[test]
    fn a_task_is_gone_when_it_was_absent_twice_a_minute_apart() {
        assert_eq!(looked(&[(0, "")]).standing(TASK, at(0)), Standing::Unclear, "one look proves nothing");
        assert_eq!(looked(&[(0, ""), (30, "")]).standing(TASK, at(30)), Standing::Unclear);
        assert_eq!(looked(&[(0, ""), (30, ""), (60, "")]).standing(TASK, at(60)), Standing::Over);
    }

    #[test]
    fn a_task_that_is_shown_again_was_never_gone() {
        let row = "7|0|PENDING||BeginTime";
        assert_eq!(looked(&[(0, ""), (30, row), (61, "")]).standing(TASK, at(61)), Standing::Unclear);
        assert_eq!(looked(&[(0, ""), (61, row)]).standing(TASK, at(61)), Standing::Waits);
    }

    #[test]
    fn a_task_that_waits_is_told_with_the_time_that_slurm_expects() {
        let told = |out: &str| looked(&[(0, out)]).told(TASK);
        let waits = told("7|0|PENDING||2026-11-29T23:05:00|Resources");
        assert_eq!(waits, "waiting: Resources (no node has room for it now), expected to start 2026-11-29 23:05");
        assert_eq!(told("7|0|RUNNING|n1|2026-11-29T23:05:00|None"), "running on n1");
    }

    #[test]
    fn a_row_says_at_once_what_absence_says_after_a_minute() {
        let presence = looked(&[(0, "7|0|FAILED|n1|NonZeroExitCode")]);
        assert_eq!(presence.standing(TASK, at(0)), Standing::Over);
        assert_eq!(presence.told(TASK), "ended with an error: NonZeroExitCode (its log says why) on n1");
    }
}
