//! What Slurm's commands print, read strictly: sites print banners, columns are cut, and nothing with exit code 0 is no answer.

use super::job_state::JobState;
use std::collections::BTreeMap;

/// The number of the array that `sbatch --parsable` submitted: the last line of its standard output that is `NUMBER` or, of a federation,
/// `NUMBER;CLUSTER`. Banners come before it. `None`: no answer, which is not "it was not submitted".
pub(crate) fn submitted(out: &str) -> Option<u64> {
    out.lines().rev().find_map(|line| {
        let (number, cluster) = line.trim().split_once(';').unwrap_or((line.trim(), "here"));
        let is_name = !cluster.is_empty() && cluster.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        digits(number).filter(|_| is_name)
    })
}

fn digits(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// One element of an array. Slurm's own job number changes when it starts, and the last element keeps the array's: only these two name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ArrayTask {
    pub array: u64,
    pub index: u64,
}

/// What people and Slurm call it: `123_4`.
impl std::fmt::Display for ArrayTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.array, self.index)
    }
}

/// A line of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueueRow {
    pub state: JobState,
    /// The node it is or was on; empty before it starts.
    pub node: String,
    /// When it is expected to start, or started, by the cluster's clock; `None` where Slurm has not worked it out.
    pub start: Option<String>,
}

/// The arguments with which `squeue` prints what [`queue`] reads, of all jobs of this name.
pub(crate) fn queue_arguments(name: &str) -> Vec<String> {
    ["-h", "-a", "-r", "-t", "all", "-n", name, "-o", "%F|%K|%T|%N|%S|%r"].map(str::to_owned).into()
}

/// The whole queue of a run. Lines that are no rows are passed over. Whether a task that is not among the rows is gone is not said here: see
/// [`super::presence`].
pub(crate) fn queue(out: &str) -> BTreeMap<ArrayTask, QueueRow> {
    out.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(ArrayTask, QueueRow)> {
    // The reason is last: it is free text, and may hold what divides the others.
    let [array, index, state, node, rest] = line.trim().splitn(5, '|').collect::<Vec<_>>().try_into().ok()?;
    let index = if index == "0" { 0 } else { digits(index)? };
    let is_state = !state.is_empty() && state.chars().all(|c| c.is_ascii_alphanumeric() || "_ +".contains(c));
    let task = ArrayTask { array: digits(array)?, index };
    // A time stands before it; where a wrapper of `squeue` leaves it out, all is the reason.
    let (start, reason) = match rest.split_once('|') {
        Some((start, reason)) if start == "N/A" || is_time(start) => (Some(start).filter(|start| is_time(start)), reason),
        _ => (None, rest),
    };
    let row = QueueRow { state: JobState::new(state, reason), node: node.to_owned(), start: start.map(str::to_owned) };
    is_state.then_some((task, row))
}

/// Is it a time as Slurm prints it where no variable says otherwise, `2026-11-29T23:05:00`?
fn is_time(text: &str) -> bool {
    let is_like = |(byte, like): (u8, u8)| if like == b'0' { byte.is_ascii_digit() } else { byte == like };
    text.len() == TIME.len() && text.bytes().zip(TIME.bytes()).all(is_like)
}

const TIME: &str = "0000-00-00T00:00:00";

/// Slurm's own default of MaxArraySize.
const MAX_ARRAY: usize = 1001;

/// One more than the greatest index of an array, from `scontrol show config`; where that says nothing, Slurm's own default.
pub(crate) fn max_array(out: &str) -> usize {
    let value = out.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "MaxArraySize").then(|| value.split_whitespace().next()).flatten()?.parse::<usize>().ok()
    });
    // Slurm's largest is four million; 0 forbids arrays of more than one.
    value.map_or(MAX_ARRAY, |most| most.clamp(1, 4_000_001))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::dispatch::executors::slurm::job_state::Standing;

    #[test]
    fn a_submission_is_read_behind_a_banner_and_with_the_cluster_of_a_federation() {
        assert_eq!(submitted("123\n"), Some(123));
        assert_eq!(submitted("123;east-1\n"), Some(123));
        assert_eq!(submitted("*** Maintenance on 12 May ***\n2026\nwelcome\n 77 \n"), Some(77));
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        for out in ["", "\n", "0", "-5", "12a", "Submitted batch job 12", "12;", ";east", "12;a b", "99999999999999999999"] {
            assert_eq!(submitted(out), None, "{out}");
        }
    }

    #[test]
    fn rows_are_keyed_by_array_and_index_and_banners_are_passed_over() {
        let out = "Welcome to the cluster\n7|0|RUNNING|n1|None\n7|1|PENDING||Resources\n\n7|2|PENDING||ReqNodeNotAvail, a|b\n8|N/A|RUNNING|n1|None\n7|3|RUNN";
        let rows = queue(out);
        assert_eq!(rows.keys().map(ArrayTask::to_string).collect::<Vec<_>>(), ["7_0", "7_1", "7_2"]);
        assert_eq!(rows[&ArrayTask { array: 7, index: 0 }].node, "n1");
        assert!(rows[&ArrayTask { array: 7, index: 2 }].state.told().contains("a|b"));
        assert_eq!(rows[&ArrayTask { array: 7, index: 1 }].state.standing(), Standing::Waits);
    }

    #[test]
    fn a_row_says_when_its_job_is_expected_to_start_if_slurm_has_worked_that_out() {
        let out = "7|0|PENDING||2026-11-29T23:05:00|Priority\n7|1|PENDING||N/A|Resources\n7|2|PENDING||Resources\n7|3|PENDING||2026-11-29|a|b";
        let rows: Vec<_> = queue(out).into_values().map(|row| (row.start, row.state.told())).collect();
        assert_eq!(rows[0].0.as_deref(), Some("2026-11-29T23:05:00"));
        assert!(rows[0].1.starts_with("waiting: Priority ("), "{rows:?}");
        assert!(rows[1..].iter().all(|(start, _)| start.is_none()), "{rows:?}");
        assert_eq!(rows[1].1, rows[2].1);
        assert_eq!(rows[3].1, "waiting: 2026-11-29|a|b", "what is no time belongs to the reason");
    }

    #[test]
    fn the_size_of_arrays_is_read_from_the_configuration_and_is_slurms_own_where_that_says_nothing() {
        let config = "Configuration data as of 2026-11-29T18:00:00\nMaxArraySize            = 11\nMaxJobCount = 10000\n";
        assert_eq!(max_array(config), 11);
        assert_eq!(max_array("Unable to contact slurm controller"), 1001);
        assert_eq!((max_array("MaxArraySize = 0"), max_array("MaxArraySize = many")), (1, 1001));
    }
}
