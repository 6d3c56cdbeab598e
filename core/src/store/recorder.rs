//! What a worker records while a stage runs: points, log lines, events; grouped, and synced soon by a thread of its own, so
//! that recording costs the stage a push into memory.

use super::{Injection, Journal};
use crate::domain::{
    Fault, Key, Result,
    event::{Event, EventKind, Record},
    metric::{Chunk, MetricPoint},
};
use crate::numeric::pulse;
use std::{
    sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How long a point waits for company. With the sync and the store's own, well under what an eye notices.
const SOON: Duration = Duration::from_millis(8);

/// So many points of one series are a chunk; so many in all are written at once, and a stage that records faster than the
/// disk takes it waits.
const CHUNK: usize = 8192;
const ROOM: usize = 64 * CHUNK;

/// Log lines of one attempt that are kept, recorded or printed; a loop that prints must not fill a disk.
pub const MOST_LINES: usize = 10_000;

/// Takes in what a worker records. A thread of its own writes it into the worker's journal.
pub struct Recorder {
    shared: Arc<SharedState>,
    thread: Option<JoinHandle<()>>,
}

struct SharedState {
    state: Mutex<RecorderState>,
    /// Something came, or something was kept.
    changed: Condvar,
}

struct RecorderState {
    clock: u64,
    /// Whose points are recorded now.
    attempt: Option<(Key, u32)>,
    lines: usize,
    pending: Vec<Pending>,
    events: Vec<Record>,
    points: usize,
    /// Batches handed in and batches kept.
    turn: u64,
    kept: u64,
    hurry: bool,
    closing: bool,
    fault: Option<Fault>,
}

/// Points of one series.
struct Pending {
    series: String,
    attempt: (Key, u32),
    points: Vec<MetricPoint>,
}

impl Recorder {
    /// `told` is called whenever the journal has grown and that is synced.
    pub fn start(journal: Journal, told: impl Fn() + Send + 'static) -> Self {
        Self::start_with(journal, SOON, told)
    }

    /// The same, where what is recorded waits for company for so long, log lines too: on a shared folder each sync is a message to its
    /// server, and a thousand workers that record every step would send it a hundred thousand a second. What is flushed does not wait.
    pub fn start_with(journal: Journal, soon: Duration, told: impl Fn() + Send + 'static) -> Self {
        let state = RecorderState {
            clock: 0,
            attempt: None,
            lines: 0,
            pending: vec![],
            events: vec![],
            points: 0,
            turn: 0,
            kept: 0,
            hurry: false,
            closing: false,
            fault: None,
        };
        let shared = Arc::new(SharedState { state: Mutex::new(state), changed: Condvar::new() });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.keep(journal, soon, &told)
        });
        Recorder { shared, thread: Some(thread) }
    }

    /// From now on, points and lines are of this attempt.
    pub fn begin(&self, key: Key, attempt: u32, clock: u64) {
        let mut state = self.shared.lock();
        state.clock = state.clock.max(clock);
        state.attempt = Some((key, attempt));
        state.lines = 0;
    }

    /// Records one value of a series, such as `loss`.
    pub fn point(&self, series: &str, step: u64, value: f64) {
        pulse::beat();
        let mut state = self.shared.lock();
        let Some(attempt) = state.attempt.filter(|_| state.fault.is_none()) else { return };
        while state.points >= ROOM && state.fault.is_none() {
            state.hurry = true;
            self.shared.changed.notify_all();
            state = self.shared.wait(state);
        }
        let point = MetricPoint { step, at: now(), value };
        match state.pending.iter_mut().rev().find(|pending| pending.series == series && pending.attempt == attempt) {
            Some(pending) if pending.points.len() < CHUNK => pending.points.push(point),
            _ => state.pending.push(Pending { series: series.to_owned(), attempt, points: vec![point] }),
        }
        state.points += 1;
        if state.points == 1 || state.points == ROOM / 2 {
            self.shared.changed.notify_all();
        }
    }

    /// Keeps a line of the stage's log.
    pub fn log(&self, line: &str) {
        pulse::beat();
        let mut state = self.shared.lock();
        let (key, attempt) = state.attempt.map_or((None, 0), |(key, attempt)| (Some(key), attempt));
        state.lines += 1;
        let line = match state.lines {
            lines if lines < MOST_LINES => crate::domain::text::shorten(line, 2000),
            MOST_LINES => format!("… more than {MOST_LINES} lines: the rest is left out"),
            _ => return,
        };
        state.event(EventKind::Logged { key, attempt, line });
        self.shared.changed.notify_all();
    }

    /// Records an event.
    pub fn event(&self, what: EventKind) {
        self.shared.lock().event(what);
        self.shared.changed.notify_all();
    }

    /// Has the disk refused? Then nothing more will be kept.
    pub fn is_broken(&self) -> bool {
        self.shared.lock().fault.is_some()
    }

    /// Returns when everything recorded so far is kept.
    ///
    /// # Errors
    /// A disk that refused: what was recorded since is lost.
    pub fn flush(&self) -> Result<()> {
        let mut state = self.shared.lock();
        state.hurry = true;
        self.shared.changed.notify_all();
        while state.is_unkept() {
            state.hurry = true;
            self.shared.changed.notify_all();
            state = self.shared.wait(state);
        }
        state.fault.clone().map_or(Ok(()), Err)
    }

    /// Flushes it from elsewhere: from the thread that ends the process.
    pub fn flusher(&self) -> RecordFlusher {
        RecordFlusher(Arc::clone(&self.shared))
    }
}

/// Has what a [`Recorder`] holds kept, from any thread.
#[derive(Clone)]
pub struct RecordFlusher(Arc<SharedState>);

impl RecordFlusher {
    /// As [`Recorder::flush`], and waits no longer than this: a disk may hang. Is everything kept?
    pub fn flush_within(&self, patience: Duration) -> bool {
        let (until, mut state) = (Instant::now() + patience, self.0.lock());
        while state.is_unkept() {
            state.hurry = true;
            self.0.changed.notify_all();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.fault.is_none()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl RecorderState {
    fn event(&mut self, what: EventKind) {
        self.clock += 1;
        // Points that came before an event stay before it.
        self.gather();
        self.events.push(Record::Event(Event { clock: self.clock, at: now(), what }));
    }

    fn gather(&mut self) {
        let chunk = |Pending { series, attempt: (key, attempt), points }| Record::Metrics(Chunk { key, attempt, series, points });
        self.events.extend(std::mem::take(&mut self.pending).into_iter().map(chunk));
        self.points = 0;
    }

    fn waits(&self) -> bool {
        !self.events.is_empty() || self.points > 0
    }

    /// Something is recorded and not yet kept, by a disk that has not refused.
    fn is_unkept(&self) -> bool {
        self.fault.is_none() && (self.waits() || self.kept < self.turn)
    }
}

impl SharedState {
    fn lock(&self) -> MutexGuard<'_, RecorderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, RecorderState>) -> MutexGuard<'a, RecorderState> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The keeping thread: waits for something, waits a little for more, writes and syncs it, says so.
    fn keep(&self, mut journal: Journal, soon: Duration, told: &impl Fn()) {
        let mut state = self.lock();
        loop {
            while !state.waits() && !state.closing {
                state = self.wait(state);
            }
            if !state.waits() {
                return;
            }
            if soon > SOON {
                let is_early = |state: &mut RecorderState| !state.hurry && !state.closing && state.points < ROOM / 2;
                let waited = self.changed.wait_timeout_while(state, soon, is_early);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            } else if !state.hurry && !state.closing && state.events.is_empty() && state.points < ROOM / 2 {
                drop(state);
                std::thread::sleep(SOON);
                state = self.lock();
            }
            state.gather();
            state.hurry = false;
            state.turn += 1;
            let records = std::mem::take(&mut state.events);
            drop(state);
            let outcome = journal.append(&records);
            state = self.lock();
            match outcome {
                Ok(_) => {
                    state.kept += 1;
                    told();
                }
                Err(fault) => state.fault = Some(fault),
            }
            self.changed.notify_all();
            if state.fault.is_some() {
                return;
            }
        }
    }
}

/// Milliseconds since 1970, UTC.
pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    // A test's clock jumps.
    static JUMP: LazyLock<i64> = LazyLock::new(|| Injection::ClockJump.number().unwrap_or(0));
    now.saturating_add_signed(*JUMP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;
    use crate::store::{Mark, read_journal};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_is_flushed_is_kept_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let recorder =
            Recorder::start(Journal::start(folder.path(), 1).unwrap(), move || _ = count.fetch_add(1, Ordering::SeqCst));
        let key = Key(Digest::of(b"k"));
        recorder.begin(key, 2, 40);
        let many = 3 * CHUNK as u64 + 5;
        (0..many).for_each(|step| recorder.point("loss", step, step as f64));
        (0..7).for_each(|step| recorder.point("accuracy", step, 0.5));
        recorder.log("half way");
        recorder.flush().unwrap();
        assert!(told.load(Ordering::SeqCst) >= 1);

        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let reading = read_journal(&path, &Mark::default()).unwrap();
        let mut steps = Vec::new();
        for kept in &reading.records {
            match &kept.record {
                Record::Metrics(chunk) if chunk.series == "loss" => steps.extend(chunk.points.iter().map(|point| point.step)),
                Record::Metrics(chunk) => assert_eq!((chunk.points.len(), chunk.attempt), (7, 2)),
                Record::Event(event) => {
                    assert!(event.clock > 40 && matches!(&event.what, EventKind::Logged { line, .. } if line == "half way"));
                }
                Record::Opened(_) | Record::Closed | Record::Later => unreachable!(),
            }
        }
        assert_eq!(steps, (0..many).collect::<Vec<_>>());
        assert!(
            matches!(reading.records.last().unwrap().record, Record::Event(_)),
            "points recorded before a line are before it"
        );
    }

    #[test]
    fn what_may_wait_for_long_is_kept_together_and_a_flush_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let recorder = Recorder::start_with(Journal::start(folder.path(), 1).unwrap(), Duration::from_secs(3600), move || {
            _ = count.fetch_add(1, Ordering::SeqCst);
        });
        recorder.begin(Key(Digest::of(b"k")), 1, 0);
        for step in 0..50 {
            recorder.point("loss", step, 0.0);
            recorder.log("a line");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(told.load(Ordering::SeqCst), 0);
        recorder.flush().unwrap();
        assert_eq!(told.load(Ordering::SeqCst), 1);
        recorder.log("the last line");
        let flusher = recorder.flusher();
        assert!(std::thread::spawn(move || flusher.flush_within(Duration::from_secs(60))).join().unwrap());
        assert_eq!(told.load(Ordering::SeqCst), 2, "another thread does not wait either");
        recorder.point("loss", 50, 0.0);
        drop(recorder);
        assert_eq!(told.load(Ordering::SeqCst), 3);
    }
}
