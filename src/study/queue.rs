//! The queue: what is ready, and in which order a device should take it up. Pure.

use super::{programs::WorkerProgram, steps::Step};
use std::collections::{BTreeMap, HashMap};
use visavis_core::domain::{Key, job::JobId, study::DeviceClass};

/// A job that could start now.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub key: Key,
    pub step: Step,
    pub job: JobId,
    /// What its stage draws from, if it draws.
    pub seed: Option<u64>,
    pub class: DeviceClass,
    /// The only program that can; `None`: every program can.
    pub program: Option<WorkerProgram>,
    /// Seconds that it and the longest chain waiting for it take (Topcuoglu et al., 2002).
    pub upward_rank: f64,
    /// Seconds that it takes itself.
    pub seconds: f64,
}

/// A line of the queue: whom its jobs wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum QueueLine {
    /// Workers on devices of a class.
    Class(DeviceClass),
    /// Workers of a cluster alone: networks on processors, in a run that has slots of this machine too.
    Networks,
}

#[derive(Debug, Default)]
pub(crate) struct StageQueue {
    /// Greatest upward rank first; of equal ones, the one that came first.
    lines: BTreeMap<QueueLine, BTreeMap<(u64, u64), Waiting>>,
    positions: HashMap<Key, (QueueLine, (u64, u64))>,
    came: u64,
    /// How many jobs of a line need a program.
    needing: BTreeMap<(QueueLine, WorkerProgram), usize>,
    /// Networks on processors wait in a line of their own.
    sets_networks_apart: bool,
}

/// A worker is given work for about so long at a time, so that it never waits for the dispatcher and a job with a greater
/// upward rank does not wait for it.
const BATCH_SECONDS: f64 = 0.25;
const POSTED_BATCH_SECONDS: f64 = 4.0;

/// And never more than so many jobs.
const BATCH_JOBS: usize = 64;

impl StageQueue {
    /// A queue in which networks on processors wait in a line of their own.
    pub(crate) fn with_networks_apart() -> Self {
        StageQueue { sets_networks_apart: true, ..StageQueue::default() }
    }

    /// Takes everything out.
    pub(crate) fn clear(&mut self) {
        *self = StageQueue { sets_networks_apart: self.sets_networks_apart, ..StageQueue::default() };
    }

    /// The line that a job waits in.
    pub(crate) fn line_of(&self, waiting: &Waiting) -> QueueLine {
        let is_apart = self.sets_networks_apart && waiting.class == DeviceClass::Cpu && waiting.program.is_some();
        if is_apart { QueueLine::Networks } else { QueueLine::Class(waiting.class) }
    }

    pub(crate) fn push(&mut self, waiting: Waiting) {
        if self.positions.contains_key(&waiting.key) {
            return;
        }
        let line = self.line_of(&waiting);
        self.came += 1;
        let position = (u64::MAX - (waiting.upward_rank.max(0.0) * 1e6) as u64, self.came);
        self.positions.insert(waiting.key, (line, position));
        if let Some(program) = waiting.program {
            *self.needing.entry((line, program)).or_default() += 1;
        }
        self.lines.entry(line).or_default().insert(position, waiting);
    }

    /// Takes a job out of the line.
    pub(crate) fn take(&mut self, key: Key) -> Option<Waiting> {
        let (line, position) = self.positions.remove(&key)?;
        let waiting = self.lines.get_mut(&line)?.remove(&position)?;
        self.forget(line, &waiting);
        Some(waiting)
    }

    /// A job has left its line.
    fn forget(&mut self, line: QueueLine, waiting: &Waiting) {
        if let Some(jobs) = waiting.program.and_then(|program| self.needing.get_mut(&(line, program))) {
            *jobs -= 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// The next jobs for one of so many slots: enough to keep a worker busy, and never more than its share of what waits. One program
    /// can do them all.
    pub(crate) fn batch(&mut self, class: DeviceClass, slots: usize) -> Vec<Waiting> {
        self.batch_of(QueueLine::Class(class), slots, BATCH_SECONDS, &|_| true, &|waiting| waiting.seconds)
    }

    /// The same for a worker that is spoken with through a shared folder, which takes a second or so each time.
    /// `program`: which one the worker is; what needs another is left. `expected`: the seconds that a job takes, as far as is known by now.
    pub(crate) fn posted_batch(
        &mut self,
        line: QueueLine,
        slots: usize,
        program: Option<WorkerProgram>,
        expected: &dyn Fn(&Waiting) -> f64,
    ) -> Vec<Waiting> {
        let others: usize = self.programs(line).filter(|(of, _)| Some(*of) != program).map(|(_, jobs)| jobs).sum();
        if self.lines.get(&line).is_none_or(|jobs| jobs.len() == others) {
            return vec![];
        }
        let is_able = |waiting: &Waiting| waiting.program.is_none() || waiting.program == program;
        self.batch_of(line, slots, POSTED_BATCH_SECONDS, &is_able, expected)
    }

    /// The programs that jobs of a line need, and how many jobs need each.
    pub(crate) fn programs(&self, line: QueueLine) -> impl Iterator<Item = (WorkerProgram, usize)> {
        let of = self.needing.iter().filter(move |((at, _), jobs)| *at == line && **jobs > 0);
        of.map(|((_, program), jobs)| (*program, *jobs))
    }

    /// How many jobs wait for devices of a class beyond those that come first and take so many seconds together.
    pub(crate) fn beyond(&self, class: DeviceClass, seconds: f64) -> usize {
        let Some(line) = self.lines.get(&QueueLine::Class(class)) else { return 0 };
        let mut sum = 0.0;
        let within = line.values().take_while(|waiting| {
            sum += waiting.seconds;
            sum <= seconds
        });
        line.len() - within.count()
    }

    fn batch_of(
        &mut self,
        line: QueueLine,
        slots: usize,
        lasting: f64,
        is_able: &dyn Fn(&Waiting) -> bool,
        expected: &dyn Fn(&Waiting) -> f64,
    ) -> Vec<Waiting> {
        let at = line;
        let Some(line) = self.lines.get_mut(&line) else { return vec![] };
        let most = line.len().div_ceil(2 * slots.max(1)).min(BATCH_JOBS);
        let (mut batch, mut seconds): (Vec<Waiting>, f64) = (Vec::new(), 0.0);
        while batch.len() < most && (batch.is_empty() || seconds < lasting) {
            let Some((&place, next)) = line.iter().find(|(_, waiting)| is_able(waiting)) else { break };
            let wanted = next.program;
            if wanted.is_some() && batch.iter().any(|of| of.program.is_some_and(|other| Some(other) != wanted)) {
                break;
            }
            let Some(waiting) = line.remove(&place) else { break };
            self.positions.remove(&waiting.key);
            seconds += expected(&waiting);
            batch.push(waiting);
        }
        batch.iter().for_each(|waiting| self.forget(at, waiting));
        batch
    }

    /// How many jobs go before this one on its class of devices, and the seconds they take.
    pub(crate) fn before(&self, key: Key) -> Option<(usize, f64)> {
        let (line, position) = self.positions.get(&key)?;
        let before = self.lines.get(line)?.range(..*position);
        Some(before.fold((0, 0.0), |(count, seconds), (_, waiting)| (count + 1, seconds + waiting.seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::Digest;

    fn waiting(name: &str, upward_rank: f64, seconds: f64) -> Waiting {
        let (key, job) = (Key(Digest::of(name.as_bytes())), JobId::of("s", name));
        Waiting { key, step: Step::Index, job, seed: None, class: DeviceClass::Cpu, program: None, upward_rank, seconds }
    }

    /// A worker that can do all that is here.
    const ABLE: Option<WorkerProgram> = Some(WorkerProgram::Torch);

    fn queue(jobs: &[(&str, f64, f64)]) -> StageQueue {
        let mut queue = StageQueue::default();
        jobs.iter().for_each(|(name, rank, seconds)| queue.push(waiting(name, *rank, *seconds)));
        queue
    }

    #[test]
    fn what_holds_up_most_starts_first_and_equals_in_the_order_they_came() {
        let mut queue = queue(&[("a", 1.0, 1.0), ("b", 5.0, 1.0), ("c", 1.0, 1.0)]);
        let order: Vec<Key> = std::iter::from_fn(|| queue.batch(DeviceClass::Cpu, 1).pop().map(|waiting| waiting.key)).collect();
        assert_eq!(order, ["b", "a", "c"].map(|name| Key(Digest::of(name.as_bytes()))));
        assert!(queue.is_empty());
    }

    #[test]
    fn short_jobs_come_in_batches_long_ones_alone_and_every_slot_gets_its_share() {
        let short: Vec<(String, f64, f64)> = (0..100).map(|i| (i.to_string(), 1.0, 0.01)).collect();
        let short: Vec<(&str, f64, f64)> = short.iter().map(|(name, u, s)| (name.as_str(), *u, *s)).collect();
        assert_eq!(queue(&short).batch(DeviceClass::Cpu, 2).len(), 25);
        assert_eq!(queue(&short).batch(DeviceClass::Cpu, 20).len(), 3);
        assert_eq!(queue(&short[..1]).batch(DeviceClass::Cpu, 20).len(), 1);
        assert_eq!(queue(&[("a", 1.0, 9.0), ("b", 1.0, 9.0), ("c", 1.0, 9.0)]).batch(DeviceClass::Cpu, 1).len(), 1);
        assert!(queue(&short).batch(DeviceClass::Cuda, 1).is_empty(), "a card does no work that is not its own");
    }

    #[test]
    fn a_batch_is_for_one_program_and_what_every_program_can_joins_any() {
        let mut queue = StageQueue::default();
        let programs =
            [None, Some(WorkerProgram::Torch), None, Some(WorkerProgram::Torch), Some(WorkerProgram::Onnx), None, None, None];
        for (place, program) in programs.into_iter().enumerate() {
            queue.push(Waiting { program, ..waiting(&place.to_string(), 9.0 - place as f64, 0.01) });
        }
        let mut batch = || queue.batch(DeviceClass::Cpu, 1).iter().map(|of| of.program).collect::<Vec<_>>();
        assert_eq!(batch(), programs[..4]);
        assert_eq!(batch(), programs[4..6]);
    }

    #[test]
    fn a_job_is_in_the_queue_once_and_knows_who_goes_before_it() {
        let mut queue = queue(&[("a", 3.0, 2.0), ("b", 2.0, 1.0), ("b", 9.0, 1.0), ("c", 1.0, 1.0)]);
        let key = |name: &str| Key(Digest::of(name.as_bytes()));
        assert_eq!(queue.before(key("c")), Some((2, 3.0)));
        assert_eq!((queue.take(key("b")).map(|of| of.key), queue.take(key("b"))), (Some(key("b")), None));
        assert_eq!((queue.before(key("c")), queue.len()), (Some((1, 2.0)), 2));
        queue.push(waiting("b", 2.0, 1.0));
        assert_eq!(queue.batch(DeviceClass::Cpu, 1)[0].key, key("a"));
        assert_eq!((queue.before(key("c")), queue.before(key("a"))), (Some((1, 1.0)), None));
        assert_eq!(
            (
                queue.batch(DeviceClass::Cpu, 1).len(),
                queue.batch(DeviceClass::Cpu, 1).len(),
                queue.batch(DeviceClass::Cpu, 1).len()
            ),
            (1, 1, 0)
        );
    }

    #[test]
    fn a_worker_behind_a_shared_folder_is_given_seconds_of_work_at_a_time() {
        let names: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        let jobs: Vec<(&str, f64, f64)> = names.iter().map(|name| (name.as_str(), 1.0, 0.5)).collect();
        let mut queue = queue(&jobs);
        let line = QueueLine::Class(DeviceClass::Cpu);
        assert_eq!((queue.posted_batch(line, 1, ABLE, &|of| of.seconds).len(), queue.batch(DeviceClass::Cpu, 1).len()), (8, 1));
    }

    #[test]
    fn networks_on_processors_can_wait_apart_and_those_on_cards_need_not() {
        let network = |name: &str, class| Waiting { program: Some(WorkerProgram::Torch), class, ..waiting(name, 9.0, 1.0) };
        let mut queue = StageQueue::with_networks_apart();
        queue.push(network("network", DeviceClass::Cpu));
        queue.push(network("on a card", DeviceClass::Cuda));
        queue.push(waiting("score", 1.0, 1.0));
        let mut keys =
            |line| queue.posted_batch(line, 1, ABLE, &|of| of.seconds).into_iter().map(|of| of.key).collect::<Vec<_>>();
        let key = |name: &str| vec![Key(Digest::of(name.as_bytes()))];
        assert_eq!(keys(QueueLine::Class(DeviceClass::Cpu)), key("score"));
        assert_eq!(keys(QueueLine::Networks), key("network"));
        assert_eq!(keys(QueueLine::Class(DeviceClass::Cuda)), key("on a card"));
        // What is taken out and put in again waits where it waited.
        queue.clear();
        queue.push(network("network", DeviceClass::Cpu));
        assert!(queue.batch(DeviceClass::Cpu, 1).is_empty() && queue.len() == 1);
    }

    #[test]
    fn a_worker_behind_a_shared_folder_is_given_what_its_program_can_and_others_are_counted() {
        let line = QueueLine::Class(DeviceClass::Cpu);
        let mut queue = StageQueue::default();
        let programs = [Some(WorkerProgram::Onnx), Some(WorkerProgram::Torch), None, Some(WorkerProgram::Onnx)];
        for (place, program) in programs.into_iter().enumerate() {
            queue.push(Waiting { program, ..waiting(&place.to_string(), 9.0 - place as f64, 9.0) });
        }
        let counted = |queue: &StageQueue| queue.programs(line).collect::<Vec<_>>();
        assert_eq!(counted(&queue), [(WorkerProgram::Torch, 1), (WorkerProgram::Onnx, 2)]);
        let mut given = |program| queue.posted_batch(line, 1, program, &|of| of.seconds).pop().map(|of| of.program);
        assert_eq!(given(Some(WorkerProgram::Torch)), Some(Some(WorkerProgram::Torch)), "not the first, which needs another");
        assert_eq!((given(None), given(None)), (Some(None), None));
        assert_eq!(counted(&queue), [(WorkerProgram::Onnx, 2)]);
        assert!(queue.take(Key(Digest::of(b"0"))).is_some());
        assert_eq!(counted(&queue), [(WorkerProgram::Onnx, 1)]);
    }

    #[test]
    fn what_waits_beyond_some_seconds_of_work_is_counted_behind_them() {
        let queue = queue(&[("a", 4.0, 6.0), ("b", 3.0, 4.0), ("c", 2.0, 1.0), ("d", 1.0, 0.0)]);
        let beyond = |seconds| queue.beyond(DeviceClass::Cpu, seconds);
        assert_eq!([beyond(0.0), beyond(6.0), beyond(10.0), beyond(11.0)], [4, 3, 2, 0]);
        assert_eq!(queue.beyond(DeviceClass::Cuda, 0.0), 0);
    }
}
