//! The workers of a run that Slurm starts: how many are wanted, submitted, running and gone, and what is to be asked of Slurm because of it.
//! Events and the time in, commands out; nothing here runs a command or reads a clock.

use super::{
    job_state::Standing,
    outputs::{ArrayTask, QueueRow},
    pace::{Answered, Pace, SOON},
    presence::Presence,
    script::chunks,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// Workers that wait are taken back when there were too many for so long: what is ready comes and goes with each finished stage.
const TOO_MANY: Duration = Duration::from_secs(120);

/// A worker that gives signs of life and that so many answers of the queue did not show is one that Slurm has forgotten.
const UNSEEN: u32 = 3;

/// A worker that runs for so long and has not said hello will not: what comes before it in its job hangs.
const OVERDUE: Duration = Duration::from_secs(1200);

/// Something to be done with a command of Slurm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FleetCommand {
    /// Submit an array of so many workers, none on the barred nodes.
    Submit { workers: usize, barred: Vec<String> },
    /// Ask for the run's jobs.
    Query,
    /// Take these tasks back.
    Cancel(Vec<ArrayTask>),
}

/// A worker that is gone for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub task: ArrayTask,
    /// In words.
    pub why: String,
    /// For reasons that have nothing to do with what it was at.
    pub is_taken_away: bool,
    /// It has said hello once.
    pub said_hello: bool,
}

/// How a worker ended that was not ready yet, in words.
#[derive(Debug)]
pub(crate) enum EarlyEnd {
    /// It said so in its last letter.
    Said(String),
    /// It was seen from outside.
    Seen(String),
}

/// A worker that was submitted and is not known to be gone.
#[derive(Clone, Copy, Debug, Default)]
struct Task {
    /// When Slurm was first seen to run it.
    runs_since: Option<Duration>,
    /// It waited when it was last shown.
    waited: bool,
    /// It has said hello, and not left.
    is_here: bool,
    /// It gives no signs of life.
    is_doubted: bool,
    /// So many answers of the queue, one after the other, did not show it.
    unseen: u32,
}

#[derive(Debug)]
pub(crate) struct Fleet {
    /// At most so many at a time.
    most: usize,
    /// One more than the greatest index of an array.
    max_array: usize,
    /// Slurm runs at most so many of an array at a time.
    throttle: Option<usize>,
    wanted: usize,
    tasks: BTreeMap<ArrayTask, Task>,
    /// Those that left or were given up: what Slurm still says of them counts no more.
    left: BTreeSet<ArrayTask>,
    last_end: Option<EarlyEnd>,
    presence: Presence,
    pace: Pace,
    /// Arrays that are to be submitted one after the other, by the number of their workers; and those of the one that is being submitted.
    round: VecDeque<usize>,
    on_the_way: Option<usize>,
    is_asking: bool,
    /// Since when there are more than wanted.
    too_many_since: Option<Duration>,
    /// A submission went wrong, and may have gone through nevertheless: the queue is asked before the next.
    is_unsure: bool,
}

impl Fleet {
    pub(crate) fn new(most: usize, throttle: Option<usize>, max_array: usize) -> Self {
        Fleet {
            most,
            max_array,
            throttle,
            wanted: 0,
            tasks: BTreeMap::new(),
            left: BTreeSet::new(),
            last_end: None,
            presence: Presence::default(),
            pace: Pace::default(),
            round: VecDeque::new(),
            on_the_way: None,
            is_asking: false,
            too_many_since: None,
            is_unsure: false,
        }
    }

    /// A dispatcher before this one has submitted workers: the queue is asked before more are.
    pub(crate) fn resume(&mut self) {
        self.is_unsure = true;
    }

    /// So many stages are still to be made.
    pub(crate) fn want(&mut self, stages: usize) {
        self.wanted = stages.min(self.most);
    }

    /// What is to be done now.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<FleetCommand> {
        let mut commands = Vec::new();
        let doubted = self.tasks.values().filter(|task| !task.is_here || task.is_doubted).count() + usize::from(self.is_unsure);
        if !self.is_asking && self.on_the_way.is_none() && self.pace.may_ask(doubted, now) {
            self.is_asking = true;
            commands.push(FleetCommand::Query);
        }
        // Slurm holds to a throttle within one array only: while others are there, no more are submitted than may run.
        let most = self.throttle.filter(|_| !self.tasks.is_empty()).unwrap_or(self.most);
        let lacks = self.wanted.min(most).saturating_sub(self.tasks.len());
        let may_begin = self.round.is_empty() && self.on_the_way.is_none() && !self.is_unsure && !self.is_hopeless();
        if lacks > 0 && may_begin && self.pace.may_submit(now) {
            let arrays = self.throttle.map_or(usize::MAX, |_| 1);
            self.round = chunks(lacks, self.max_array).into_iter().take(arrays).collect();
        }
        if self.on_the_way.is_none()
            && let Some(workers) = self.round.pop_front()
        {
            self.on_the_way = Some(workers);
            let barred = self.pace.barred().into_iter().map(str::to_owned).collect();
            commands.push(FleetCommand::Submit { workers, barred });
        }
        commands
    }

    /// An array was submitted.
    pub(crate) fn submitted(&mut self, array: u64, workers: usize, now: Duration) {
        self.on_the_way = None;
        self.pace.submitted(true, now);
        (0..workers as u64).for_each(|index| _ = self.tasks.entry(ArrayTask { array, index }).or_default());
    }

    /// An array could not be submitted, as far as is known. Those that were to follow it would not be taken either.
    pub(crate) fn refused(&mut self, now: Duration) {
        self.on_the_way = None;
        self.round.clear();
        self.pace.submitted(false, now);
        self.is_unsure = true;
    }

    /// An array is being submitted.
    pub(crate) fn is_submitting(&self) -> bool {
        self.on_the_way.is_some()
    }

    /// The queue was asked; `None`: that failed. The workers that are gone for certain.
    pub(crate) fn shown(&mut self, rows: Option<BTreeMap<ArrayTask, QueueRow>>, now: Duration) -> Vec<Gone> {
        self.is_asking = false;
        let Some(rows) = rows else {
            self.pace.asked(Answered::Failed, now);
            return vec![];
        };
        // Whoever gives signs of life is there: a queue that shows none of them is no answer. One alone may live on after Slurm forgot it.
        let (mut shown, mut hidden) = (0, 0);
        for (task, of) in self.tasks.iter_mut().filter(|(_, of)| of.is_here && !of.is_doubted) {
            let is_shown = rows.contains_key(task);
            shown += usize::from(is_shown);
            hidden += usize::from(!is_shown && of.unseen < UNSEEN);
            of.unseen = if is_shown { 0 } else { of.unseen + 1 };
        }
        if shown == 0 && hidden > 0 {
            self.pace.asked(Answered::Failed, now);
            return vec![];
        }
        // A submission that seemed to fail, or one of a dispatcher before this one: its workers count.
        let mut news = false;
        self.left.retain(|task| rows.contains_key(task));
        for (task, _) in rows.iter().filter(|(_, row)| row.state.standing() != Standing::Over) {
            if !self.tasks.contains_key(task) && !self.left.contains(task) {
                self.tasks.insert(*task, Task::default());
                news = true;
            }
        }
        self.is_unsure = false;
        for (task, of) in &mut self.tasks {
            let Some(row) = rows.get(task) else { continue };
            of.waited = row.state.standing() == Standing::Waits;
            if row.state.standing() == Standing::Runs && of.runs_since.is_none() {
                of.runs_since = Some(now);
                news = true;
            }
        }
        // One that said hello, says nothing any more and waits: Slurm queued its job again, and what it was at is lost. It comes anew.
        let mut gone = Vec::new();
        for (task, of) in self.tasks.iter_mut().filter(|(_, of)| of.is_here && of.is_doubted && of.waited) {
            (of.is_here, of.is_doubted, of.runs_since) = (false, false, None);
            gone.push(Gone { task: *task, why: "Slurm queued its job again".to_owned(), is_taken_away: true, said_hello: true });
        }
        self.presence.look(rows, self.tasks.keys().copied(), now);
        // One that is not shown is asked for again soon: a second look says whether it is gone.
        news |= self.tasks.keys().any(|task| !self.presence.is_shown(*task));
        let lives = |task: &ArrayTask, of: &Task| of.is_here && !of.is_doubted && !self.presence.is_shown(*task);
        let is_over = |task: &ArrayTask| self.presence.standing(*task, now) == Standing::Over;
        let over: Vec<ArrayTask> =
            self.tasks.iter().filter(|(task, of)| is_over(task) && !lives(task, of)).map(|(task, _)| *task).collect();
        for task in over {
            let of = self.tasks.remove(&task).unwrap_or_default();
            let was_short = of.runs_since.is_none_or(|since| now.saturating_sub(since) < SOON);
            let (why, is_taken_away) = (self.presence.told(task), self.presence.is_taken_away(task));
            // One that was taken back while it waited leaves no trace, or one without a node: no start of a worker went wrong. Of one that
            // was never shown nobody knows, so it counts only where no worker does better.
            let was_sent = match self.presence.is_shown(task) {
                true => !self.presence.node(task).is_empty() && !is_taken_away,
                false => !of.waited && self.tasks.values().all(|other| !other.is_here),
            };
            if !of.is_here && was_short && was_sent {
                self.pace.ended_silently(self.presence.node(task));
                self.last_end = Some(EarlyEnd::Seen(why.clone()));
            }
            gone.push(Gone { task, why, is_taken_away, said_hello: of.is_here });
        }
        self.pace.asked(if news || !gone.is_empty() { Answered::News } else { Answered::Same }, now);
        gone
    }

    /// The worker of a task said hello.
    pub(crate) fn greeted(&mut self, task: ArrayTask) {
        self.left.remove(&task);
        let of = self.tasks.entry(task).or_default();
        (of.is_here, of.is_doubted) = (true, false);
    }

    /// A worker is ready to work: those that are started like it can be, too.
    pub(crate) fn settled(&mut self) {
        self.pace.settled();
    }

    /// The worker of a task said that it leaves, or was given up: another may take its place.
    pub(crate) fn left(&mut self, task: ArrayTask) {
        self.tasks.remove(&task);
        self.left.insert(task);
    }

    /// And it left before it was ready to work.
    pub(crate) fn left_at_once(&mut self, task: ArrayTask, end: EarlyEnd) {
        self.pace.ended_silently(self.presence.node(task));
        self.last_end = Some(end);
        self.left(task);
    }

    /// The worker of a task gives no signs of life, or gives them again.
    pub(crate) fn doubt(&mut self, task: ArrayTask, is_doubted: bool) {
        if let Some(of) = self.tasks.get_mut(&task) {
            of.is_doubted = is_doubted;
        }
    }

    /// Tasks that wait in vain: as many as there have been more than wanted for a while, those first that were submitted last.
    pub(crate) fn superfluous(&mut self, now: Duration) -> Option<FleetCommand> {
        let more = self.tasks.len().saturating_sub(self.wanted);
        let since = *self.too_many_since.get_or_insert(now);
        if more == 0 {
            self.too_many_since = None;
        }
        if more == 0 || now.saturating_sub(since) < TOO_MANY {
            return None;
        }
        let waiting = self.tasks.iter().rev().filter(|(_, of)| !of.is_here && of.runs_since.is_none());
        let tasks: Vec<ArrayTask> = waiting.map(|(task, _)| *task).take(more).collect();
        tasks.iter().for_each(|task| self.left(*task));
        (!tasks.is_empty()).then_some(FleetCommand::Cancel(tasks))
    }

    /// Tasks that Slurm has run for long and whose workers never said hello: each counts as a failed start.
    pub(crate) fn overdue(&mut self, now: Duration) -> Option<FleetCommand> {
        let is_overdue = |of: &Task| !of.is_here && of.runs_since.is_some_and(|since| now.saturating_sub(since) >= OVERDUE);
        let tasks: Vec<ArrayTask> = self.tasks.iter().filter(|(_, of)| is_overdue(of)).map(|(task, _)| *task).collect();
        for task in &tasks {
            let why = format!("Slurm ran it for {} minutes, and it never said hello", OVERDUE.as_secs() / 60);
            self.left_at_once(*task, EarlyEnd::Seen(why));
        }
        (!tasks.is_empty()).then_some(FleetCommand::Cancel(tasks))
    }

    /// So many workers in a row ended as soon as they began that the run cannot go on.
    pub(crate) fn is_hopeless(&self) -> bool {
        let may_come = self.tasks.values().any(|task| task.is_here || task.runs_since.is_some());
        self.pace.is_hopeless() && !may_come && (self.tasks.is_empty() || self.pace.is_hopeless_everywhere())
    }

    /// How the last worker that was not ready yet ended.
    pub(crate) fn last_end(&self) -> Option<&EarlyEnd> {
        self.last_end.as_ref()
    }

    /// How many workers are here, and how many were submitted and have not come.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let here = self.tasks.values().filter(|task| task.is_here).count();
        (here, self.tasks.len() - here + self.round.iter().chain(&self.on_the_way).sum::<usize>())
    }

    /// What keeps the first of those that have not come, in words.
    pub(crate) fn why_waiting(&self) -> Option<String> {
        let (task, _) = self.tasks.iter().find(|(_, of)| !of.is_here)?;
        self.presence.was_asked_for(*task).then(|| self.presence.told(*task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::dispatch::executors::slurm::outputs::queue;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn task(index: u64) -> ArrayTask {
        ArrayTask { array: 7, index }
    }

    fn rows(out: &str) -> Option<BTreeMap<ArrayTask, QueueRow>> {
        Some(queue(out))
    }

    fn submit(workers: usize) -> FleetCommand {
        FleetCommand::Submit { workers, barred: vec![] }
    }

    /// A fleet with an array of so many workers.
    fn submitted(workers: usize) -> Fleet {
        let mut fleet = Fleet::new(workers, None, 1001);
        fleet.want(workers);
        assert_eq!(fleet.due(at(0)), [submit(workers)]);
        fleet.submitted(7, workers, at(1));
        fleet
    }

    #[test]
    fn as_many_workers_are_submitted_as_there_are_stages_and_no_more_than_the_study_says() {
        let mut fleet = Fleet::new(25, None, 11);
        assert!(fleet.due(at(0)).is_empty());
        fleet.want(3);
        assert_eq!(fleet.due(at(0)), [submit(3)]);
        let mut fleet = Fleet::new(25, None, 11);
        fleet.want(1000);
        for (array, workers) in [(7, 11), (8, 11), (9, 3)] {
            assert_eq!(fleet.due(at(0)), [submit(workers)]);
            assert!(fleet.due(at(100)).is_empty(), "it is on its way");
            assert_eq!(fleet.counts(), (0, 25));
            fleet.submitted(array, workers, at(1));
        }
        assert!(fleet.due(at(1)).is_empty());
    }

    #[test]
    fn arrays_beyond_a_limit_are_asked_for_later_and_the_first_ones_work() {
        let mut fleet = Fleet::new(25, None, 11);
        fleet.want(1000);
        assert_eq!(fleet.due(at(0)), [submit(11)]);
        fleet.submitted(7, 11, at(1));
        assert_eq!(fleet.due(at(1)), [submit(11)]);
        fleet.refused(at(2));
        assert!(fleet.due(at(3)).is_empty());
        assert_eq!(fleet.counts(), (0, 11));
    }

    #[test]
    fn a_worker_that_leaves_is_replaced_a_minute_after_the_last_submission() {
        let mut fleet = submitted(2);
        fleet.greeted(task(0));
        fleet.greeted(task(1));
        assert!(fleet.due(at(600)).is_empty(), "all are here: nothing is asked");
        fleet.left(task(1));
        assert_eq!(fleet.due(at(600)), [submit(1)]);
        let mut soon = submitted(2);
        soon.left(task(1));
        assert!(!soon.due(at(60)).contains(&submit(1)));
        assert!(soon.due(at(61)).contains(&submit(1)));
    }

    #[test]
    fn a_worker_that_left_is_not_waited_for_while_slurm_still_shows_its_job() {
        let mut fleet = submitted(2);
        fleet.greeted(task(0));
        fleet.left(task(0));
        for (now, state) in [(31, "COMPLETING"), (70, "PREEMPTED"), (130, "COMPLETED")] {
            let gone = fleet.shown(rows(&format!("7|0|{state}|n1|None\n7|1|RUNNING|n1|None")), at(now));
            assert!(gone.is_empty() && fleet.counts() == (0, 1), "{state}");
        }
        // Somebody has Slurm start it again: it counts when it says hello.
        fleet.greeted(task(0));
        assert_eq!(fleet.counts(), (1, 1));
    }

    #[test]
    fn the_queue_is_asked_while_a_worker_has_not_come_or_is_silent() {
        let mut fleet = submitted(2);
        fleet.greeted(task(0));
        assert_eq!(fleet.due(at(31)), [FleetCommand::Query]);
        assert!(fleet.due(at(90)).is_empty(), "one query at a time");
        fleet.shown(rows("7|0|RUNNING|n1|None\n7|1|PENDING||Priority"), at(32));
        assert_eq!(fleet.why_waiting().unwrap(), "waiting: Priority (jobs of a higher priority go first)");
        fleet.greeted(task(1));
        assert!(fleet.due(at(500)).is_empty());
        fleet.doubt(task(0), true);
        assert_eq!(fleet.due(at(501)), [FleetCommand::Query]);
        let gone = fleet.shown(rows("7|0|NODE_FAIL|n1|NodeDown\n7|1|RUNNING|n1|None"), at(502));
        let why = "ended: its node failed: NodeDown (a node that it needs is down) on n1".to_owned();
        assert_eq!(gone, [Gone { task: task(0), why, is_taken_away: true, said_hello: true }]);
        assert_eq!(fleet.due(at(503)), [submit(1)]);
    }

    #[test]
    fn a_silent_worker_whose_job_waits_again_is_gone_and_its_job_is_waited_for() {
        let mut fleet = submitted(2);
        fleet.greeted(task(0));
        fleet.greeted(task(1));
        let waits = "7|0|PENDING||BeginTime\n7|1|RUNNING|n1|None";
        assert!(fleet.shown(rows(waits), at(100)).is_empty(), "one that gives signs of life is believed");
        fleet.doubt(task(0), true);
        let gone = fleet.shown(rows(waits), at(200));
        let why = "Slurm queued its job again".to_owned();
        assert_eq!(gone, [Gone { task: task(0), why, is_taken_away: true, said_hello: true }]);
        assert_eq!(fleet.counts(), (1, 1));
        assert!(fleet.shown(rows(waits), at(300)).is_empty(), "once");
        fleet.greeted(task(0));
        assert_eq!(fleet.counts(), (2, 0));
    }

    #[test]
    fn a_query_that_fails_or_shows_nothing_ends_no_worker_at_once() {
        let mut fleet = submitted(1);
        assert!(fleet.shown(None, at(31)).is_empty());
        assert!(fleet.shown(rows(""), at(100)).is_empty());
        assert!(fleet.shown(rows("7|0|HIBERNATING|n1|None"), at(130)).is_empty());
        assert!(fleet.shown(rows(""), at(200)).is_empty(), "absence is counted from here");
        assert_eq!(fleet.shown(rows(""), at(260)).len(), 1);
    }

    #[test]
    fn a_worker_that_slurm_has_forgotten_is_given_up_a_minute_after_the_first_look() {
        let mut fleet = submitted(1);
        fleet.greeted(task(0));
        fleet.doubt(task(0), true);
        let gone: Vec<u64> = (100..300)
            .filter(|&now| fleet.due(at(now)).contains(&FleetCommand::Query) && !fleet.shown(rows(""), at(now)).is_empty())
            .collect();
        assert_eq!(gone, [160]);
    }

    #[test]
    fn a_submission_that_failed_may_have_gone_through() {
        let mut fleet = Fleet::new(2, None, 1001);
        fleet.want(2);
        fleet.due(at(0));
        fleet.refused(at(10));
        assert_eq!(fleet.due(at(10 + 200)), [FleetCommand::Query], "the queue is asked first");
        fleet.shown(rows("7|0|PENDING||Priority\n7|1|PENDING||Priority"), at(211));
        assert_eq!(fleet.counts(), (0, 2));
        assert!(!fleet.due(at(2000)).iter().any(|command| matches!(command, FleetCommand::Submit { .. })));

        let mut fleet = Fleet::new(2, None, 1001);
        fleet.want(2);
        fleet.due(at(0));
        fleet.refused(at(10));
        fleet.due(at(210));
        fleet.shown(rows(""), at(211));
        assert_eq!(fleet.due(at(212)), [submit(2)]);
    }

    #[test]
    fn workers_that_end_before_they_say_hello_end_the_run() {
        let mut fleet = submitted(3);
        assert!(!fleet.is_hopeless());
        fleet.shown(rows("7|0|FAILED|n1|NonZeroExitCode\n7|1|FAILED|n1|NonZeroExitCode\n7|2|FAILED|n2|NonZeroExitCode"), at(31));
        assert!(fleet.is_hopeless() && fleet.due(at(1000)).is_empty());
    }

    #[test]
    fn a_few_workers_that_never_came_do_not_end_the_refills_of_those_that_did() {
        let mut fleet = submitted(4);
        fleet.greeted(task(3));
        let failed = "7|0|FAILED|n1|None\n7|1|FAILED|n2|None\n7|2|FAILED|n3|None\n7|3|RUNNING|n4|None";
        assert_eq!(fleet.shown(rows(failed), at(31)).len(), 3);
        assert!(!fleet.is_hopeless() && !fleet.due(at(100)).contains(&submit(3)));
        assert!(fleet.due(at(121)).contains(&submit(3)), "two minutes after the last submission, not one");
    }

    #[test]
    fn of_a_worker_that_is_gone_it_is_known_whether_it_said_hello() {
        let mut fleet = submitted(2);
        fleet.greeted(task(0));
        let gone = fleet.shown(rows("7|0|FAILED|n1|NonZeroExitCode\n7|1|FAILED|n1|NonZeroExitCode"), at(31));
        assert_eq!(gone.iter().map(|gone| (gone.task, gone.said_hello)).collect::<Vec<_>>(), [(task(0), true), (task(1), false)]);
    }

    #[test]
    fn workers_that_are_cancelled_while_they_wait_are_replaced_and_do_not_end_the_run() {
        let mut fleet = submitted(4);
        fleet.shown(rows("7|0|PENDING||Priority\n7|1|PENDING||Priority\n7|2|PENDING||Priority\n7|3|PENDING||Priority"), at(31));
        // Three leave no trace; Slurm shows the fourth, which never had a node.
        let gone = [at(61), at(125)].map(|now| fleet.shown(rows("7|3|CANCELLED||None"), now).len());
        assert_eq!(gone, [1, 3]);
        assert!(!fleet.is_hopeless());
        assert_eq!(fleet.due(at(126)), [submit(4)]);
        // Those that nobody has seen may have been cancelled as well, if others work;
        let mut fleet = submitted(4);
        fleet.greeted(task(0));
        [at(31), at(95)].into_iter().for_each(|now| _ = fleet.shown(rows("7|0|RUNNING|n1|None\n7|N/A|CANCELLED||None"), now));
        assert_eq!(fleet.due(at(96)), [submit(3)]);
        // else they may have ended as soon as they began, and be forgotten.
        let mut fleet = submitted(3);
        [at(31), at(95)].into_iter().for_each(|now| _ = fleet.shown(rows(""), now));
        assert!(fleet.is_hopeless());
    }

    #[test]
    fn one_that_lives_and_that_slurm_forgot_blinds_nobody_and_is_not_given_up() {
        let mut fleet = submitted(3);
        (0..2).for_each(|index| fleet.greeted(task(index)));
        // An empty queue is no answer while workers live; one that shows others is.
        assert!(fleet.shown(rows(""), at(31)).is_empty());
        let shows_one = "7|0|RUNNING|n1|None\n7|2|FAILED|n2|NonZeroExitCode";
        assert_eq!(fleet.shown(rows(shows_one), at(62)).len(), 1);
        for now in [100, 200, 300] {
            assert!(fleet.shown(rows("7|0|RUNNING|n1|None"), at(now)).is_empty(), "it gives signs of life");
        }
        fleet.doubt(task(1), true);
        assert_eq!(fleet.shown(rows("7|0|RUNNING|n1|None"), at(400)).len(), 1);
    }

    #[test]
    fn one_that_runs_and_never_says_hello_is_cancelled_and_replaced() {
        let mut fleet = submitted(2);
        fleet.greeted(task(0));
        fleet.shown(rows("7|0|RUNNING|n1|None\n7|1|RUNNING|n2|None"), at(31));
        assert_eq!(fleet.overdue(at(1200)), None);
        assert_eq!(fleet.overdue(at(1231)), Some(FleetCommand::Cancel(vec![task(1)])));
        assert!(fleet.due(at(1232)).contains(&submit(1)));
    }

    #[test]
    fn what_waits_and_is_wanted_no_more_is_taken_back() {
        let mut fleet = submitted(4);
        fleet.greeted(task(3));
        fleet.want(2);
        assert_eq!(fleet.superfluous(at(10)), None, "more may be wanted soon");
        assert_eq!(fleet.superfluous(at(129)), None);
        assert_eq!(fleet.superfluous(at(130)), Some(FleetCommand::Cancel(vec![task(2), task(1)])));
        assert_eq!((fleet.superfluous(at(500)), fleet.counts()), (None, (1, 1)));
    }
}
