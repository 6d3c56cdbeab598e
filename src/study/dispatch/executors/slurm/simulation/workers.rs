//! Workers that are pretended, and the letters between them and the dispatcher.

use super::*;

/// Signs of life come so often.
const BEAT: Duration = Duration::from_secs(10);

/// What a dispatcher writes.
pub(super) enum Letter {
    Order(usize),
    Recall(Vec<visavis_core::domain::Key>),
    Stop,
    End,
}

/// What a worker writes.
enum Said {
    Hello,
    Answer(WorkerAnswer),
    Left,
}

/// What becomes of a worker at a time that was drawn.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    /// Its node is lost, and Slurm notices.
    Lost,
    /// Its node is lost, and Slurm goes on to call it running.
    LostUnnoticed,
    Preempted,
    Crashed,
}

/// When a file is looked at: soon after something came, then more and more seldom.
#[derive(Clone, Copy)]
struct Looks {
    next: Duration,
    wait: Duration,
}

impl Looks {
    /// Something came, or was written, at this time.
    fn soon(now: Duration) -> Self {
        Looks { next: now + SOONEST, wait: SOONEST }
    }

    /// The first look from a time on, and how many looks there were to it.
    fn at(&mut self, time: Duration) -> (Duration, usize) {
        let mut looks = 1;
        while self.next < time {
            self.later();
            looks += 1;
        }
        (self.next, looks)
    }

    /// Nothing came.
    fn later(&mut self) {
        self.wait = (self.wait * 3 / 2).min(LATEST);
        self.next += self.wait;
    }
}

/// A start of a worker. Its place among them is the engine's number for it.
pub(super) struct PretendedWorker {
    pub task: ArrayTask,
    pub is_alive: bool,
    /// The dispatcher listens to it, and has read its hello.
    pub is_heard: bool,
    pub is_known: bool,
    /// When the dispatcher read a letter of it last.
    pub heard: Duration,
    outbox: VecDeque<(Duration, Said)>,
    /// When the dispatcher reads; the number of that reading, if one is to come.
    reads: Looks,
    reading: Option<Duration>,
    readings: u64,
    inbox: VecDeque<Letter>,
    fetches: Looks,
    is_fetching: bool,
    orders: VecDeque<usize>,
    at: Option<usize>,
    begun: usize,
}

impl World {
    pub(super) fn happens(&mut self, what: Happening) {
        match what {
            Happening::Starts(task) => self.starts(task),
            Happening::Up(worker) => self.up(worker),
            Happening::Beats(worker) => {
                if self.workers[worker].is_alive {
                    self.say(worker, Said::Answer(WorkerAnswer::Beat));
                    self.write(self.now + BEAT, Happening::Beats(worker));
                }
            }
            Happening::Fetches(worker) => self.fetches(worker),
            Happening::Does(worker, begun) => self.does(worker, begun),
            Happening::Meets(worker, fate) => self.meets(worker, fate),
            Happening::Reads(worker, reading) => self.reads(worker, reading),
            Happening::Ends(command, array, out) => self.ended(&command, array, out.as_deref()),
        }
    }

    /// Slurm starts a job, if it was not cancelled before.
    fn starts(&mut self, task: ArrayTask) {
        if !self.cluster.runs(task, self.now) {
            return;
        }
        let after = |seconds: f64| self.now + Duration::from_secs_f64(seconds);
        if self.draw.uniform() < self.faults.silent {
            *self.told.fates.entry("ended before hello").or_default() += 1;
            let at = after(2.0);
            return self.cluster.turns(task, "FAILED", at);
        }
        let up = after(self.draw.between(1.0, 4.0));
        self.told.starts += 1;
        let worker = self.workers.len();
        self.by_task.insert(task, worker);
        self.workers.push(PretendedWorker {
            task,
            is_alive: true,
            is_heard: true,
            is_known: false,
            heard: self.now,
            outbox: VecDeque::new(),
            reads: Looks::soon(up),
            reading: None,
            readings: 0,
            inbox: VecDeque::new(),
            fetches: Looks::soon(up),
            is_fetching: false,
            orders: VecDeque::new(),
            at: None,
            begun: 0,
        });
        self.write(up, Happening::Up(worker));
    }

    fn up(&mut self, worker: usize) {
        let Faults { lost, preempted, crashed, .. } = self.faults;
        let fate = match self.draw.uniform() {
            share if share < lost / 4.0 => Some(Fate::LostUnnoticed),
            share if share < lost => Some(Fate::Lost),
            share if share < lost + preempted => Some(Fate::Preempted),
            share if share < lost + preempted + crashed => Some(Fate::Crashed),
            _ => None,
        };
        if let Some(fate) = fate {
            let at = self.now + Duration::from_secs_f64(self.draw.between(5.0, 1500.0));
            self.write(at, Happening::Meets(worker, fate));
        }
        // New workers are found by listing the folder, once a second.
        let listed = LIST * (self.now.as_secs_f64() / LIST.as_secs_f64()).ceil() as u32;
        self.workers[worker].reads = Looks { next: listed, wait: SOONEST };
        self.say(worker, Said::Hello);
        self.say(worker, Said::Answer(WorkerAnswer::Ready { journal: format!("journal {worker}") }));
        self.write(self.now + BEAT, Happening::Beats(worker));
    }

    fn say(&mut self, worker: usize, what: Said) {
        let of = &mut self.workers[worker];
        if !of.is_heard {
            return;
        }
        self.told.letters += 1;
        of.outbox.push_back((self.now, what));
        if of.reading.is_none() {
            self.expect_reading(worker);
        }
    }

    /// The dispatcher reads at its next look.
    fn expect_reading(&mut self, worker: usize) {
        let now = self.now;
        let of = &mut self.workers[worker];
        let (at, looks) = of.reads.at(now);
        of.readings += 1;
        of.reading = Some(at);
        let reading = of.readings;
        self.told.looks += looks;
        self.write(at, Happening::Reads(worker, reading));
    }

    fn reads(&mut self, worker: usize, reading: u64) {
        let now = self.now;
        let of = &mut self.workers[worker];
        // A reading that was put forward is not done twice.
        if of.readings != reading {
            return;
        }
        of.reading = None;
        // A sign of life says that nothing has happened.
        if of.outbox.iter().all(|(_, said)| matches!(said, Said::Answer(WorkerAnswer::Beat))) {
            of.reads.later();
        } else {
            of.reads = Looks::soon(now);
        }
        if !of.is_heard {
            return;
        }
        of.heard = now;
        let task = of.task;
        let letters: Vec<Said> = std::mem::take(&mut of.outbox).into_iter().map(|(_, said)| said).collect();
        for said in letters {
            if !self.workers[worker].is_heard {
                return;
            }
            let event = match said {
                Said::Hello => {
                    self.workers[worker].is_known = true;
                    self.unknown.remove(&task);
                    self.fleet.greeted(task);
                    self.fleet.settled();
                    Some(DispatchEvent::Joined {
                        worker: worker as u64,
                        device: 0,
                        slot: task.index as usize,
                        program: None,
                        holds: vec![],
                    })
                }
                Said::Answer(answer) => Some(DispatchEvent::Answered { worker: worker as u64, answer }),
                Said::Left => {
                    self.fleet.left(task);
                    // As the executor has it of one that gives no reason.
                    self.gone(worker, "it left", true)
                }
            };
            event.into_iter().for_each(|event| self.handle(event));
        }
    }

    /// The dispatcher writes to a worker, and looks for its answer soon.
    pub(super) fn send(&mut self, worker: u64, letter: Letter) {
        let (worker, now) = (worker as usize, self.now);
        let of = &mut self.workers[worker];
        of.reads = Looks::soon(now);
        of.inbox.push_back(letter);
        if of.reading.is_some_and(|at| at > of.reads.next) {
            self.expect_reading(worker);
        }
        let of = &mut self.workers[worker];
        if !of.is_fetching {
            of.is_fetching = true;
            let (at, looks) = of.fetches.at(now);
            self.told.looks += looks;
            self.write(at, Happening::Fetches(worker));
        }
    }

    fn fetches(&mut self, worker: usize) {
        let now = self.now;
        let of = &mut self.workers[worker];
        (of.is_fetching, of.fetches) = (false, Looks::soon(now));
        if !of.is_alive {
            return;
        }
        for letter in std::mem::take(&mut of.inbox) {
            match letter {
                Letter::Order(stage) => self.workers[worker].orders.push_back(stage),
                Letter::Recall(keys) => {
                    let stages = &self.study.stages;
                    let is_back = |stage: &usize| keys.contains(&stages[*stage].key);
                    let (back, stay): (VecDeque<usize>, VecDeque<usize>) =
                        std::mem::take(&mut self.workers[worker].orders).into_iter().partition(is_back);
                    self.workers[worker].orders = stay;
                    let keys = back.into_iter().map(|stage| self.study.stages[stage].key).collect();
                    self.say(worker, Said::Answer(WorkerAnswer::Returned { keys }));
                }
                Letter::Stop => return self.leaves(worker),
                Letter::End => {
                    if self.workers[worker].at.is_none() && self.workers[worker].orders.is_empty() {
                        return self.leaves(worker);
                    }
                }
            }
        }
        self.begins(worker);
    }

    fn begins(&mut self, worker: usize) {
        while self.workers[worker].at.is_none() {
            let Some(stage) = self.workers[worker].orders.pop_front() else { return };
            let key = self.study.stages[stage].key;
            self.say(worker, Said::Answer(WorkerAnswer::Begun { key }));
            // A worker finds a result that another has made.
            let (times, shows_at) = self.made[stage];
            if times > 0 && shows_at <= self.now {
                self.say(worker, Said::Answer(WorkerAnswer::Finished { key, seconds: 0.0, first: false }));
                continue;
            }
            let of = &mut self.workers[worker];
            of.begun += 1;
            of.at = Some(stage);
            let begun = of.begun;
            let at = self.now + Duration::from_secs_f64(self.study.stages[stage].seconds + 0.05);
            self.write(at, Happening::Does(worker, begun));
        }
    }

    fn does(&mut self, worker: usize, begun: usize) {
        let of = &mut self.workers[worker];
        if !of.is_alive || of.begun != begun {
            return;
        }
        let Some(stage) = of.at.take() else { return };
        let is_late = self.draw.uniform() < self.faults.late;
        let (times, shows_at) = &mut self.made[stage];
        *times += 1;
        let first = *times == 1;
        if first {
            *shows_at = self.now + if is_late { Duration::from_secs(5) } else { Duration::ZERO };
        }
        let (key, seconds) = (self.study.stages[stage].key, self.study.stages[stage].seconds);
        self.say(worker, Said::Answer(WorkerAnswer::Finished { key, seconds, first }));
        self.begins(worker);
    }

    fn meets(&mut self, worker: usize, fate: Fate) {
        if !self.workers[worker].is_alive {
            return;
        }
        let (task, after) = (self.workers[worker].task, |seconds: u64| self.now + Duration::from_secs(seconds));
        let word = match fate {
            Fate::Lost => {
                let at = after(34);
                self.cluster.turns(task, "NODE_FAIL", at);
                "lost"
            }
            Fate::LostUnnoticed => "lost, unnoticed by Slurm",
            Fate::Preempted => {
                let (soon, then) = (after(0), after(5));
                self.leaves(worker);
                self.cluster.turns(task, "COMPLETING", soon);
                self.cluster.turns(task, "PREEMPTED", then);
                "preempted"
            }
            Fate::Crashed => {
                let at = after(1);
                self.cluster.turns(task, "FAILED", at);
                "crashed"
            }
        };
        *self.told.fates.entry(word).or_default() += 1;
        self.workers[worker].is_alive = false;
    }

    /// A worker stops what it is at, says so, and leaves.
    fn leaves(&mut self, worker: usize) {
        if let Some(stage) = self.workers[worker].at.take() {
            let key = self.study.stages[stage].key;
            let why = "it was stopped".to_owned();
            self.say(worker, Said::Answer(WorkerAnswer::Failed { key, cause: visavis_core::domain::job::Cause::Stopped, why }));
        }
        self.say(worker, Said::Left);
        self.workers[worker].is_alive = false;
        let (task, soon, then) = (self.workers[worker].task, self.now, self.now + Duration::from_secs(5));
        self.cluster.turns(task, "COMPLETING", soon);
        self.cluster.turns(task, "COMPLETED", then);
    }
}
