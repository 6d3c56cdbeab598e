//! Workers of this machine and of a cluster in one run: each command goes to the one whose worker it is about.

use super::{FIRST_OF_CLUSTER, WorkerExecutor, WorkerMessage, WorkerPlace};
use std::time::{Duration, Instant};
use visavis_core::domain::{
    Key, Result,
    event::{WorkerAnswer, WorkersStanding},
    stage::Order,
};

/// How often the cluster's letters are looked for; they are looked for no oftener by themselves. Between, it is waited for messages of this
/// machine, which are told as soon as they come.
const LOOK: Duration = Duration::from_millis(250);

/// `local` spawns workers. `cluster` has workers come by themselves, numbered from [`FIRST_OF_CLUSTER`] on.
pub(crate) struct MixedExecutor<L, C> {
    local: L,
    cluster: C,
    /// When the cluster is to be asked next.
    look_at: Instant,
    /// The last message was the cluster's, and it may have more.
    cluster_spoke: bool,
}

impl<L: WorkerExecutor, C: WorkerExecutor> MixedExecutor<L, C> {
    pub(crate) fn new(local: L, cluster: C) -> Self {
        MixedExecutor { local, cluster, look_at: Instant::now(), cluster_spoke: false }
    }

    /// Whose worker it is.
    fn of(&mut self, worker: u64) -> &mut dyn WorkerExecutor {
        if worker < FIRST_OF_CLUSTER { &mut self.local } else { &mut self.cluster }
    }
}

impl<L: WorkerExecutor, C: WorkerExecutor> WorkerExecutor for MixedExecutor<L, C> {
    fn spawn(&mut self, worker: u64, place: &WorkerPlace) -> Result<()> {
        self.of(worker).spawn(worker, place)
    }

    fn want(&mut self, stages: usize) {
        self.cluster.want(stages);
    }

    fn waits_for(&self) -> Option<WorkersStanding> {
        self.cluster.waits_for()
    }

    fn abandon(&mut self) {
        self.cluster.abandon();
    }

    fn left_over(&self) -> Option<&str> {
        self.cluster.left_over()
    }

    fn assign(&mut self, worker: u64, order: &Order) -> Result<()> {
        self.of(worker).assign(worker, order)
    }

    fn recall(&mut self, worker: u64, keys: Vec<Key>) {
        self.of(worker).recall(worker, keys);
    }

    fn go_on_as(&mut self, worker: u64, program: &'static str) {
        self.of(worker).go_on_as(worker, program);
    }

    fn dismiss(&mut self, worker: u64) {
        self.of(worker).dismiss(worker);
    }

    fn terminate(&mut self, worker: u64) {
        self.of(worker).terminate(worker);
    }

    fn kill(&mut self, worker: u64) {
        self.of(worker).kill(worker);
    }

    fn next_message(&mut self, patience: Duration) -> Result<Option<WorkerMessage>> {
        let until = Instant::now() + patience;
        loop {
            // In turn: however much one says, the other is heard.
            let is_locals_turn = std::mem::take(&mut self.cluster_spoke);
            if !is_locals_turn && Instant::now() >= self.look_at {
                if let Some(message) = self.cluster.next_message(Duration::ZERO)? {
                    self.cluster_spoke = true;
                    return Ok(Some(message));
                }
                self.look_at = Instant::now() + LOOK;
            }
            let wait = until.min(self.look_at).saturating_duration_since(Instant::now());
            if let Some(message) = self.local.next_message(wait)? {
                return Ok(Some(message));
            }
            if !is_locals_turn && Instant::now() >= until {
                return Ok(None);
            }
        }
    }

    fn end_all(&mut self, grace: Duration) -> Vec<WorkerAnswer> {
        // All were asked to end before: those of this machine do so sooner, and those of the cluster meanwhile.
        let mut answers = self.local.end_all(grace);
        answers.extend(self.cluster.end_all(grace));
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::dispatch::executors::MessageKind;
    use std::collections::VecDeque;

    /// An executor that keeps what it was told, and says what it was given.
    #[derive(Default)]
    struct Played {
        told: Vec<String>,
        says: VecDeque<u64>,
        /// It never falls silent.
        repeats: Option<u64>,
    }

    impl WorkerExecutor for Played {
        fn spawn(&mut self, worker: u64, _: &WorkerPlace) -> Result<()> {
            self.told.push(format!("spawn {worker}"));
            Ok(())
        }

        fn want(&mut self, stages: usize) {
            self.told.push(format!("want {stages}"));
        }

        fn waits_for(&self) -> Option<WorkersStanding> {
            Some(WorkersStanding { here: self.told.len(), ..WorkersStanding::default() })
        }

        fn assign(&mut self, worker: u64, _: &Order) -> Result<()> {
            self.told.push(format!("assign {worker}"));
            Ok(())
        }

        fn dismiss(&mut self, worker: u64) {
            self.told.push(format!("dismiss {worker}"));
        }

        fn terminate(&mut self, worker: u64) {
            self.told.push(format!("terminate {worker}"));
        }

        fn kill(&mut self, worker: u64) {
            self.told.push(format!("kill {worker}"));
        }

        fn next_message(&mut self, patience: Duration) -> Result<Option<WorkerMessage>> {
            let next = self.says.pop_front().or(self.repeats);
            if next.is_none() {
                std::thread::sleep(patience);
            }
            Ok(next.map(|worker| WorkerMessage { worker, what: MessageKind::Answer(WorkerAnswer::Beat) }))
        }

        fn end_all(&mut self, _: Duration) -> Vec<WorkerAnswer> {
            self.told.push("end".to_owned());
            vec![WorkerAnswer::Kept]
        }
    }

    const OF_CLUSTER: u64 = FIRST_OF_CLUSTER + 3;

    fn mixed(local: &[u64], cluster: &[u64]) -> MixedExecutor<Played, Played> {
        let says = |workers: &[u64]| Played { says: workers.iter().copied().collect(), ..Played::default() };
        MixedExecutor::new(says(local), says(cluster))
    }

    #[test]
    fn each_command_goes_to_the_one_whose_worker_it_is() {
        let mut both = mixed(&[], &[]);
        let place = WorkerPlace { program: std::path::Path::new("none"), device: "cpu".to_owned(), slot: 0, threads: 1 };
        both.spawn(7, &place).unwrap();
        for worker in [7, OF_CLUSTER] {
            both.dismiss(worker);
            both.terminate(worker);
            both.kill(worker);
        }
        both.want(5);
        assert_eq!(both.local.told, ["spawn 7", "dismiss 7", "terminate 7", "kill 7"]);
        let cluster = ["dismiss", "terminate", "kill"].map(|word| format!("{word} {OF_CLUSTER}"));
        assert_eq!(both.cluster.told, [&cluster[..], &["want 5".to_owned()]].concat());
        assert_eq!(both.waits_for().unwrap().here, 4, "those of this machine are waited for by nobody");
    }

    #[test]
    fn both_are_ended_and_what_they_answer_is_heard() {
        let mut both = mixed(&[], &[]);
        assert_eq!(both.end_all(Duration::ZERO).len(), 2);
        assert_eq!((both.local.told.len(), both.cluster.told.len()), (1, 1));
    }

    fn next(both: &mut MixedExecutor<Played, Played>) -> Option<u64> {
        both.next_message(Duration::ZERO).unwrap().map(|message| message.worker)
    }

    #[test]
    fn all_that_was_said_is_heard_at_once_in_turn() {
        let mut both = mixed(&[1, 2], &[OF_CLUSTER, OF_CLUSTER + 1, OF_CLUSTER + 2]);
        let heard: Vec<u64> = std::iter::from_fn(|| next(&mut both)).collect();
        assert_eq!(heard, [OF_CLUSTER, 1, OF_CLUSTER + 1, 2, OF_CLUSTER + 2]);
    }

    #[test]
    fn one_that_never_falls_silent_does_not_silence_the_other() {
        let mut both = mixed(&[1, 1], &[]);
        both.cluster.repeats = Some(OF_CLUSTER);
        let heard: Vec<Option<u64>> = (0..4).map(|_| next(&mut both)).collect();
        assert_eq!(heard.iter().filter(|worker| **worker == Some(1)).count(), 2);
        let mut both = mixed(&[], &[OF_CLUSTER]);
        both.local.repeats = Some(1);
        assert_eq!(next(&mut both), Some(OF_CLUSTER));
    }

    #[test]
    fn while_nobody_speaks_it_waits_as_long_as_it_is_told() {
        let mut both = mixed(&[], &[]);
        let begun = Instant::now();
        assert!(both.next_message(Duration::from_millis(30)).unwrap().is_none());
        assert!(begun.elapsed() >= Duration::from_millis(30));
        // A message of this machine is told at once, whenever the cluster is asked next.
        both.local.says.push_back(1);
        let begun = Instant::now();
        assert!(both.next_message(Duration::from_secs(10)).unwrap().is_some());
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
