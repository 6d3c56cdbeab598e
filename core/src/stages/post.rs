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
    store::{Build, MailReader, MailWriter, RecordFlusher, Workspace, letters_in, now, origin},
};
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::{consts::SIGTERM, iterator::Signals};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
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
    /// Which build each program is to be, by its name, as the dispatcher knows it.
    pub builds: BTreeMap<String, String>,
    /// Where the programs are that it may go on as, by their names.
    pub programs: BTreeMap<String, PathBuf>,
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

/// What is recorded and not yet kept has so long to be kept before the worker leaves. Slurm kills what has not left after half a minute.
const KEEP: Duration = Duration::from_secs(10);

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
    let hello = hello(settings, executor.program());
    let name = |end: &str| format!("{}{end}", hello.token);
    let first = letter(&WorkerLetter::Hello(Box::new(hello.clone())))?;
    let answers = PostedAnswers(Arc::new(Mutex::new(Outbox {
        letters: MailWriter::create(&post.folder, &name(ANSWERS), &first)?,
        line: vec![],
    })));
    let leave = |why: Option<String>, stopped| answers.post(&WorkerLetter::Left { why, stopped });
    if let Err(fault) = is_as_expected(post, executor.program(), Build::own().map(|build| build.to_string())) {
        return leave(Some(fault.to_string()), false).and(Err(fault));
    }
    let (flusher, becomes) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    leave_when_asked(executor.keeps_nothing(), answers.clone(), Arc::clone(&flusher))?;
    let orders = OrderQueue::default();
    std::thread::spawn({
        let (folder, name, workspace) = (post.folder.clone(), name(ORDERS), workspace.clone());
        let (orders, answers, becomes) = (orders.clone(), answers.clone(), Arc::clone(&becomes));
        move || {
            if let Some(program) = fetch(&folder, &name, &workspace, &orders, &answers) {
                becomes.set(program).ok();
            }
            orders.close();
        }
    });
    let ended = work(workspace, settings, executor, (PostedOrders { orders, line: vec![], at: 0 }, answers.clone()), &flusher);
    let stopped = ended.is_ok() && executor.stops();
    let ended = match becomes.get() {
        Some(program) if ended.is_ok() && !stopped => Err(go_on_as(post, program)),
        _ => ended,
    };
    leave(ended.as_ref().err().map(ToString::to_string), stopped).and(ended)
}

/// Is this program of the build that the dispatcher expects?
///
/// # Errors
/// It is not: its results might be others.
fn is_as_expected(post: &Post, program: &str, own: Option<String>) -> Result<()> {
    match (post.builds.get(program), own) {
        (Some(expected), Some(own)) if *expected != own => Err(Fault::missing(format!(
            "on {}, {program} is of another build than the dispatcher's: {own}, and {expected} is expected",
            origin::host()
        ))
        .in_file(std::env::current_exe().unwrap_or_default())
        .next("have all nodes see the same programs; after a new build, run the study again")),
        _ => Ok(()),
    }
}

/// Goes on as another program, with the same options, in the same process: for Slurm the job goes on. Returns only if that fails, with the
/// reason.
fn go_on_as(post: &Post, program: &str) -> Fault {
    let Some(path) = post.programs.get(program) else {
        return Fault::unexpected(format!("asked to go on as {program}, and nobody has said where that is"));
    };
    let error = Command::new(path).args(std::env::args_os().skip(1)).exec();
    Fault::missing(format!("on {}, {program} does not start: {error}", origin::host())).in_file(path)
}

/// On SIGTERM, says that the worker leaves and ends it: at once, unless it is at something of which it keeps what it has. That says itself
/// how it ended, and then the worker leaves.
///
/// # Errors
/// A signal that cannot be listened for.
fn leave_when_asked(
    keeps_nothing: Option<Arc<AtomicBool>>,
    answers: PostedAnswers,
    flusher: Arc<OnceLock<RecordFlusher>>,
) -> Result<()> {
    let mut asked = Signals::new([SIGTERM]).map_err(|error| Fault::unexpected(format!("cannot listen for signals: {error}")))?;
    std::thread::spawn(move || {
        for _ in asked.forever() {
            if keeps_nothing.as_ref().is_none_or(|nothing| nothing.load(Ordering::SeqCst)) {
                say_stopped(&answers, flusher.get());
                std::process::exit(TERMINATED);
            }
        }
    });
    Ok(())
}

/// Says that the worker leaves because it was asked to, when what it has recorded is kept: the dispatcher reads its journal then.
fn say_stopped(answers: &PostedAnswers, flusher: Option<&RecordFlusher>) {
    flusher.inspect(|flusher| _ = flusher.flush_within(KEEP));
    answers.post(&WorkerLetter::Left { why: None, stopped: true }).ok();
}

fn hello(settings: &WorkerSettings, program: &str) -> Hello {
    let variable = |name: &str| std::env::var(name).ok();
    Hello {
        token: origin::random(),
        host: origin::host(),
        boot: origin::boot(),
        pid: std::process::id(),
        program: format!("{program} {}", env!("CARGO_PKG_VERSION")),
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

/// Fetches letters and hands the orders on, until the last one has come, nobody takes them, or the dispatcher is gone. The program as which
/// the worker is to go on, if that is said.
fn fetch(folder: &Path, name: &str, workspace: &Workspace, orders: &OrderQueue, answers: &PostedAnswers) -> Option<String> {
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
            return None;
        }
        let letters = read.unwrap_or_default();
        wait = if letters.is_empty() { (wait * 3 / 2).min(LATEST) } else { SOONEST };
        for bytes in &letters {
            match serde_json::from_slice(bytes) {
                Ok(DispatcherLetter::Order(order)) => {
                    let mut line = serde_json::to_vec(&order).ok()?;
                    line.push(b'\n');
                    if !orders.push(order.task.key(), line) {
                        return None;
                    }
                }
                Ok(DispatcherLetter::Recall { keys }) => {
                    let keys = orders.give_back(&keys);
                    if answers.post(&WorkerLetter::Answer(WorkerAnswer::Returned { keys })).is_err() {
                        return None;
                    }
                }
                Ok(DispatcherLetter::Become { program }) => return Some(program),
                Ok(DispatcherLetter::Stop) => _ = kill_process(getpid(), Signal::TERM),
                // A letter of a kind that this build does not know is of another build: there is nothing to be done here.
                Ok(DispatcherLetter::End) | Err(_) => return None,
            }
        }
        if !letters.is_empty() {
            (alive, looked) = (Instant::now(), Instant::now());
        } else if looked.elapsed() >= LOOK {
            looked = Instant::now();
            // The run may be over although another one is dispatched in the workspace.
            closed = if letters_in(folder, OPEN).is_ok_and(|open| open.is_empty()) { closed + 1 } else { 0 };
            if closed >= LOOKS {
                return None;
            }
            if workspace.is_dispatched() {
                alive = looked;
            } else if alive.elapsed() >= SILENCE {
                return None;
            }
        }
        // A worker that has just run out of orders is not kept waiting.
        if orders.rest(wait) {
            wait = SOONEST;
        }
    }
    None
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

    #[test]
    fn a_program_of_another_build_is_refused_by_name_and_a_script_says_nothing_of_what_it_starts() {
        let post = |builds: &[(&str, &str)]| Post {
            folder: PathBuf::new(),
            identity: String::new(),
            builds: builds.iter().map(|(name, build)| ((*name).to_owned(), (*build).to_owned())).collect(),
            programs: BTreeMap::new(),
        };
        let own = Some("abc".to_owned());
        assert!(is_as_expected(&post(&[("visavis", "abc"), ("visavis-torch", "xyz")]), "visavis", own.clone()).is_ok());
        assert!(is_as_expected(&post(&[("visavis-torch", "xyz")]), "visavis", own.clone()).is_ok());
        let refused = is_as_expected(&post(&[("visavis", "xyz")]), "visavis", own).unwrap_err().to_string();
        assert!(refused.contains("visavis is of another build than the dispatcher's: abc, and xyz is expected"), "{refused}");
    }

    #[test]
    fn a_worker_of_another_build_says_hello_and_why_it_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path().to_owned(), None).unwrap();
        let identity = workspace.identify().unwrap();
        let builds = [("visavis".to_owned(), "xyz".to_owned())].into();
        let post = Post { folder: folder.path().join("post"), identity, builds, programs: BTreeMap::new() };
        crate::store::make_folder(&post.folder).unwrap();
        let settings = WorkerSettings { run: String::new(), device: "cpu".into(), slot: 0, threads: 1, post: Some(post.clone()) };
        let refused = work_by_post(&workspace, &settings, &post, &super::super::CoreExecutor(&workspace)).unwrap_err();
        assert!(refused.to_string().contains("another build"), "{refused}");
        let token = letters_in(&post.folder, ANSWERS).unwrap().into_iter().next().unwrap();
        let letters = MailReader::new(&post.folder, &format!("{token}{ANSWERS}")).read().unwrap();
        let letters: Vec<WorkerLetter> = letters.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
        let [WorkerLetter::Hello(hello), WorkerLetter::Left { why: Some(why), stopped: false }] = &letters[..] else {
            panic!("{letters:?}")
        };
        assert!(hello.program_name() == "visavis" && why.contains("xyz is expected"), "{why}");
    }

    #[test]
    fn what_a_worker_recorded_is_kept_before_it_says_that_it_was_asked_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let letters = MailWriter::create(folder.path(), "x.answers", b"hello").unwrap();
        let answers = PostedAnswers(Arc::new(Mutex::new(Outbox { letters, line: vec![] })));
        let journals = folder.path().join("journals");
        std::fs::create_dir(&journals).unwrap();
        let journal = crate::store::Journal::start(&journals, 1).unwrap();
        let path = journals.join(journal.name());
        let recorder = crate::store::Recorder::start_with(journal, Duration::from_secs(3600), || ());
        recorder.log("its last line");
        say_stopped(&answers, Some(&recorder.flusher()));
        let kept = std::fs::read(path).unwrap();
        assert!(kept.windows(13).any(|part| part == b"its last line"), "it is not lost");
        let last = MailReader::new(folder.path(), "x.answers").read().unwrap().pop().unwrap();
        assert_eq!(last, br#"{"left":{"why":null,"stopped":true}}"#);
    }
}
