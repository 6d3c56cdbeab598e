//! A worker whose tasks and answers are letters in a folder that it shares with its dispatcher (`store/mailbox/`). To the rest of the worker
//! they are lines, as on its standard input and output.

use super::{
    order_queue::OrderQueue,
    worker::{StageExecutor, WorkerSettings, work},
};
use crate::{
    domain::{
        Fault, Result,
        event::WorkerAnswer,
        post::{ANSWERS, DispatcherLetter, Hello, OPEN, ORDERS, SlurmPlace, WorkerLetter},
    },
    store::{MailReader, MailWriter, Workspace, letters_in, now, origin},
};
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::{consts::SIGTERM, iterator::Signals};
use std::{
    io::{self, BufRead, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Where a worker finds its letters, and what it may believe.
#[derive(Clone, Debug)]
pub struct Post {
    /// The folder of the run's letters.
    pub folder: PathBuf,
    /// The random name of the workspace that the run is in.
    pub identity: String,
}

/// How soon a letter is looked for after one came, and how seldom where none comes.
const SOONEST: Duration = Duration::from_millis(250);
const LATEST: Duration = Duration::from_secs(5);

/// How often it is asked whether the dispatcher lives, and how long that may be doubtful before the worker leaves.
const LOOK: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(600);

/// Orders that cannot be read for so long are damaged.
const STUCK: Duration = Duration::from_secs(60);

/// As many looks in a row at a run that is over make sure that it is.
const LOOKS: u32 = 2;

/// The exit status of a program that SIGTERM ends.
const TERMINATED: i32 = 143;

/// Works off what comes by post until the dispatcher says that nothing more comes, or is gone.
///
/// # Errors
/// A folder that is not the run's workspace, a post that cannot be written; as those of [`work`].
pub(super) fn work_by_post(
    workspace: &Workspace,
    settings: &WorkerSettings,
    post: &Post,
    executor: &dyn StageExecutor,
) -> Result<()> {
    let identity = workspace.identity();
    if identity != post.identity {
        let there = if identity.is_empty() { "no workspace is here" } else { "this is another workspace than that of the run" };
        return Err(Fault::missing(format!("on {}, {there}", origin::host()))
            .in_file(workspace.root())
            .next("run the study in a folder that all nodes see under the same path"));
    }
    let hello = hello(settings);
    let name = |end: &str| format!("{}{end}", hello.token);
    let first = letter(&WorkerLetter::Hello(Box::new(hello.clone())))?;
    let answers = PostedAnswers(Arc::new(Mutex::new(Outbox {
        letters: MailWriter::create(&post.folder, &name(ANSWERS), &first)?,
        line: vec![],
    })));
    leave_when_asked(executor.keeps_nothing(), answers.clone())?;
    let orders = OrderQueue::default();
    std::thread::spawn({
        let (folder, name, workspace) = (post.folder.clone(), name(ORDERS), workspace.clone());
        let (orders, answers) = (orders.clone(), answers.clone());
        move || {
            fetch(&folder, &name, &workspace, &orders, &answers);
            orders.close();
        }
    });
    let ended = work(workspace, settings, executor, PostedOrders { orders, line: vec![], at: 0 }, answers.clone());
    let stopped = ended.is_ok() && executor.stops();
    answers.post(&WorkerLetter::Left { why: ended.as_ref().err().map(ToString::to_string), stopped }).and(ended)
}

/// On SIGTERM, says that the worker leaves and ends it: at once, unless it is at something of which it keeps what it has. That says itself
/// how it ended, and then the worker leaves.
///
/// # Errors
/// A signal that cannot be listened for.
fn leave_when_asked(keeps_nothing: Option<Arc<AtomicBool>>, answers: PostedAnswers) -> Result<()> {
    let mut asked = Signals::new([SIGTERM]).map_err(|error| Fault::unexpected(format!("cannot listen for signals: {error}")))?;
    std::thread::spawn(move || {
        for _ in asked.forever() {
            if keeps_nothing.as_ref().is_none_or(|nothing| nothing.load(Ordering::SeqCst)) {
                answers.post(&WorkerLetter::Left { why: None, stopped: true }).ok();
                std::process::exit(TERMINATED);
            }
        }
    });
    Ok(())
}

fn hello(settings: &WorkerSettings) -> Hello {
    let variable = |name: &str| std::env::var(name).ok();
    Hello {
        token: origin::random(),
        host: origin::host(),
        boot: origin::boot(),
        pid: std::process::id(),
        program: concat!("visavis ", env!("CARGO_PKG_VERSION")).to_owned(),
        slurm: SlurmPlace::of(variable),
        device: settings.device.clone(),
        cards: variable("CUDA_VISIBLE_DEVICES"),
        threads: settings.threads,
        started: now(),
    }
}

fn letter<T: serde::Serialize>(of: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(of).map_err(|error| Fault::unexpected(error.to_string()))
}

/// Fetches letters and hands the orders on, until the last one has come, nobody takes them, or the dispatcher is gone.
fn fetch(folder: &Path, name: &str, workspace: &Workspace, orders: &OrderQueue, answers: &PostedAnswers) {
    let (mut reader, mut wait) = (None, SOONEST);
    let (mut alive, mut looked, mut closed) = (Instant::now(), Instant::now(), 0);
    let mut unreadable: Option<Instant> = None;
    while !orders.is_over() {
        // It is listed first, and then asked for: a folder's cache keeps "not there".
        if reader.is_none() && letters_in(folder, name).is_ok_and(|names| names.contains("")) {
            reader = Some(MailReader::new(folder, name));
        }
        let read = reader.as_mut().map_or(Ok(vec![]), MailReader::read);
        let is_unreadable = read.is_err() || reader.as_ref().is_some_and(MailReader::is_stuck);
        unreadable = is_unreadable.then(|| unreadable.unwrap_or_else(Instant::now));
        if unreadable.is_some_and(|since| since.elapsed() >= STUCK) {
            // What cannot be read will never be done: another worker is to have it.
            return;
        }
        let letters = read.unwrap_or_default();
        wait = if letters.is_empty() { (wait * 3 / 2).min(LATEST) } else { SOONEST };
        for bytes in &letters {
            match serde_json::from_slice(bytes) {
                Ok(DispatcherLetter::Order(order)) => {
                    let Ok(mut line) = serde_json::to_vec(&order) else { return };
                    line.push(b'\n');
                    if !orders.push(order.task.key(), line) {
                        return;
                    }
                }
                Ok(DispatcherLetter::Recall { keys }) => {
                    let keys = orders.give_back(&keys);
                    if answers.post(&WorkerLetter::Answer(WorkerAnswer::Returned { keys })).is_err() {
                        return;
                    }
                }
                Ok(DispatcherLetter::Stop) => _ = kill_process(getpid(), Signal::TERM),
                // A letter of a kind that this build does not know is of another build: there is nothing to be done here.
                Ok(DispatcherLetter::End) | Err(_) => return,
            }
        }
        if !letters.is_empty() {
            (alive, looked) = (Instant::now(), Instant::now());
        } else if looked.elapsed() >= LOOK {
            looked = Instant::now();
            // The run may be over although another one is dispatched in the workspace.
            closed = if letters_in(folder, OPEN).is_ok_and(|open| open.is_empty()) { closed + 1 } else { 0 };
            if closed >= LOOKS {
                return;
            }
            if workspace.is_dispatched() {
                alive = looked;
            } else if alive.elapsed() >= SILENCE {
                return;
            }
        }
        // A worker that has just run out of orders is not kept waiting.
        if orders.rest(wait) {
            wait = SOONEST;
        }
    }
}

/// Orders as lines; they end when no more come.
struct PostedOrders {
    orders: OrderQueue,
    line: Vec<u8>,
    at: usize,
}

impl BufRead for PostedOrders {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.line.len() {
            self.line = self.orders.take();
            self.at = 0;
        }
        Ok(&self.line[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.line.len());
    }
}

impl Read for PostedOrders {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl Drop for PostedOrders {
    fn drop(&mut self) {
        self.orders.close();
    }
}

struct Outbox {
    letters: MailWriter,
    /// What was written since the last flush.
    line: Vec<u8>,
}

/// Answers: each line that is flushed is a letter.
#[derive(Clone)]
struct PostedAnswers(Arc<Mutex<Outbox>>);

impl PostedAnswers {
    fn post(&self, what: &WorkerLetter) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).letters.append([letter(what)?.as_slice()])
    }
}

impl Write for PostedAnswers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).line.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut outbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = std::mem::take(&mut outbox.line);
        let letters: Vec<Vec<u8>> = line
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| [br#"{"answer":"#, line, b"}"].concat())
            .collect();
        outbox.letters.append(letters.iter().map(Vec::as_slice)).map_err(|fault| io::Error::other(fault.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, Key};

    #[test]
    fn orders_are_lines_until_no_more_come() {
        let orders = OrderQueue::default();
        for line in ["one\n", "two\n"] {
            orders.push(Key(Digest::of(line.as_bytes())), line.as_bytes().to_vec());
        }
        orders.close();
        let lines: Vec<String> = PostedOrders { orders, line: vec![], at: 0 }.lines().map(|line| line.unwrap()).collect();
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn each_answer_is_a_letter_behind_the_hello() {
        let folder = tempfile::tempdir().unwrap();
        let letters = MailWriter::create(folder.path(), "x.answers", b"hello").unwrap();
        let mut answers = PostedAnswers(Arc::new(Mutex::new(Outbox { letters, line: vec![] })));
        for answer in [WorkerAnswer::Beat, WorkerAnswer::Kept] {
            writeln!(answers, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
            answers.flush().unwrap();
        }
        let letters = MailReader::new(folder.path(), "x.answers").read().unwrap();
        let read: Vec<WorkerLetter> = letters[1..].iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
        assert_eq!(read, [WorkerLetter::Answer(WorkerAnswer::Beat), WorkerLetter::Answer(WorkerAnswer::Kept)]);
    }
}
