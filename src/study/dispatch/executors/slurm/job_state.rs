//! What Slurm says of a job: its state, what that means for a worker, and the sentence people read.

use visavis_core::domain::text::quoted;

/// What a state means for the worker in it. A stage is never counted as done by it: that only its checked result says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Slurm will start it, or start it again.
    Waits,
    /// Its worker may run.
    Runs,
    /// Its worker is gone for certain, and nothing of it comes back.
    Over,
    /// It may run, wait or come back: nothing is concluded.
    Unclear,
}

/// The states that Slurm has in 22.05 to 24.11, by the name that `squeue -o %T` prints. `sacct` and later releases may print others.
static STATES: [(&str, Standing, &str); 26] = [
    ("PENDING", Standing::Waits, "waiting"),
    ("CONFIGURING", Standing::Waits, "its node is being prepared"),
    ("REQUEUED", Standing::Waits, "queued again"),
    ("REQUEUE_FED", Standing::Waits, "queued again in the federation"),
    ("REQUEUE_HOLD", Standing::Waits, "queued again, and held"),
    ("RESV_DEL_HOLD", Standing::Waits, "held: its reservation is gone"),
    ("SPECIAL_EXIT", Standing::Waits, "held after a special exit"),
    ("RUNNING", Standing::Runs, "running"),
    ("STAGE_OUT", Standing::Unclear, "its files are being moved"),
    ("COMPLETING", Standing::Unclear, "ending"),
    ("RESIZING", Standing::Runs, "changing its size"),
    ("SIGNALING", Standing::Runs, "being signalled"),
    ("STOPPED", Standing::Unclear, "stopped by a signal"),
    ("SUSPENDED", Standing::Unclear, "suspended"),
    ("REVOKED", Standing::Unclear, "taken over by another cluster"),
    ("EXPEDITING", Standing::Waits, "waiting, and hastened"),
    ("LAUNCH_FAILED", Standing::Unclear, "could not be started"),
    ("BOOT_FAIL", Standing::Over, "ended: its node did not boot"),
    ("CANCELLED", Standing::Over, "cancelled"),
    ("COMPLETED", Standing::Over, "ended"),
    ("DEADLINE", Standing::Over, "ended: its deadline had come"),
    ("FAILED", Standing::Over, "ended with an error"),
    ("NODE_FAIL", Standing::Over, "ended: its node failed"),
    ("OUT_OF_MEMORY", Standing::Over, "ended: out of memory"),
    // Workers are submitted with `--no-requeue`: one that is preempted does not come back. If a person has changed that, it says hello anew.
    ("PREEMPTED", Standing::Over, "ended for a job of a higher priority"),
    ("TIMEOUT", Standing::Over, "ended: its time limit was reached"),
];

/// A state and its reason, as Slurm printed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobState {
    word: String,
    reason: String,
}

impl JobState {
    pub(crate) fn new(word: &str, reason: &str) -> Self {
        JobState { word: word.to_owned(), reason: reason.to_owned() }
    }

    fn known(&self) -> Option<&'static (&'static str, Standing, &'static str)> {
        // `CANCELLED by 1000`, and `CANCELLED+` where a column was too narrow.
        let first = self.word.split([' ', '+']).next().unwrap_or_default();
        STATES.iter().find(|(word, ..)| word.eq_ignore_ascii_case(first))
    }

    pub(crate) fn standing(&self) -> Standing {
        self.known().map_or(Standing::Unclear, |(_, standing, _)| *standing)
    }

    /// Was its worker ended for reasons that have nothing to do with what it was at?
    pub(crate) fn is_taken_away(&self) -> bool {
        const WORDS: [&str; 6] = ["BOOT_FAIL", "CANCELLED", "DEADLINE", "NODE_FAIL", "PREEMPTED", "TIMEOUT"];
        self.known().is_some_and(|(word, ..)| WORDS.contains(word))
    }

    /// `waiting: Priority (jobs of a higher priority go first)`
    pub(crate) fn told(&self) -> String {
        let state = match self.known() {
            Some((_, _, words)) => (*words).to_owned(),
            None => format!("in the state {}, which visavis does not know", quoted(&self.word)),
        };
        match self.reason.trim() {
            "" | "None" | "(null)" => state,
            reason => match why(reason) {
                Some(words) => format!("{state}: {} ({words})", quoted(reason)),
                None => format!("{state}: {}", quoted(reason)),
            },
        }
    }
}

/// The reasons that people meet most, in words.
fn why(reason: &str) -> Option<&'static str> {
    let word = reason.split([',', ' ', '(']).next().unwrap_or_default();
    Some(match word {
        "Priority" => "jobs of a higher priority go first",
        "Resources" => "no node has room for it now",
        "Dependency" => "it waits for another job",
        "BeginTime" => "it may not start yet",
        "JobArrayTaskLimit" => "as many workers run as `throttle` allows",
        "JobHeldUser" => "its user holds it: `scontrol release` lets it go",
        "JobHeldAdmin" => "an administrator holds it",
        "PartitionDown" | "PartitionInactive" => "the partition takes no jobs now",
        "PartitionTimeLimit" => "`time` is longer than the partition allows",
        "PartitionConfig" => "no node of the partition has what it asks for, or the partition does not allow it",
        "PartitionNodeLimit" => "it asks for more nodes than the partition allows",
        "ReqNodeNotAvail" => "nodes that it needs are down, drained or reserved",
        "NodeDown" => "a node that it needs is down",
        "BadConstraints" => "no node fits what it asks for",
        "Licenses" => "a licence that it needs is in use",
        "Reservation" => "its reservation has not begun",
        // Slurm 22.05 says this of a worker that a signal ended, too.
        "launch" | "JobLaunchFailure" => {
            "a signal ended it, or it could not be started: is the folder of logs there on the node, and can it be written?"
        }
        "InvalidAccount" => "`account` is not valid",
        "InvalidQOS" => "`qos` is not valid",
        "TimeLimit" => "it ran as long as `time` allows",
        "OutOfMemory" => "it used more than `memory` allows",
        "NonZeroExitCode" => "its log says why",
        _ if word.starts_with("QOS") => "a limit of the quality of service",
        _ if word.starts_with("Assoc") => "a limit of the account",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(word: &str) -> Standing {
        JobState::new(word, "None").standing()
    }

    #[test]
    fn only_nine_states_say_that_a_worker_is_gone() {
        let over: Vec<&str> =
            STATES.iter().filter(|(_, standing, _)| *standing == Standing::Over).map(|(word, ..)| *word).collect();
        let words = "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED TIMEOUT";
        let mut sorted = over.clone();
        sorted.sort_unstable();
        assert_eq!(sorted.join(" "), words);
        assert_eq!(standing("CANCELLED by 1000"), Standing::Over);
        assert_eq!(standing("COMPLETING"), Standing::Unclear, "its worker may still be writing");
    }

    #[test]
    fn a_node_that_fails_is_not_the_stages_fault_and_a_lack_of_memory_is() {
        let is_taken_away = |word: &str| JobState::new(word, "None").is_taken_away();
        assert!(["NODE_FAIL", "CANCELLED by 0", "PREEMPTED", "TIMEOUT"].into_iter().all(is_taken_away));
        assert!(!["OUT_OF_MEMORY", "FAILED", "COMPLETED", "RUNNING", "NEW"].into_iter().any(is_taken_away));
    }

    #[test]
    fn a_state_that_does_not_exist_yet_ends_nothing() {
        for word in ["HIBERNATING", "", "COMPLETED_SOON", "\u{1b}[2J"] {
            assert_eq!(standing(word), Standing::Unclear, "{word}");
        }
        let told = JobState::new("HIBER\u{1b}[2J", "None").told();
        assert!(told.contains("which visavis does not know") && !told.contains('\u{1b}'), "{told}");
    }

    #[test]
    fn a_state_is_told_with_its_reason_in_words() {
        let told = |word: &str, reason: &str| JobState::new(word, reason).told();
        assert_eq!(told("PENDING", "Priority"), "waiting: Priority (jobs of a higher priority go first)");
        assert_eq!(told("RUNNING", "None"), "running");
        let nodes = told("PENDING", "ReqNodeNotAvail, UnavailableNodes:n1");
        assert_eq!(nodes, "waiting: ReqNodeNotAvail, UnavailableNodes:n1 (nodes that it needs are down, drained or reserved)");
        assert_eq!(
            told("PENDING", "QOSMaxCpuPerUserLimit"),
            "waiting: QOSMaxCpuPerUserLimit (a limit of the quality of service)"
        );
        assert_eq!(told("PENDING", "SomethingNew"), "waiting: SomethingNew");
    }
}
