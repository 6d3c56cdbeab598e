//! Workers as processes of this machine.

use super::{MessageKind, WorkerExecutor, WorkerExit, WorkerMessage, WorkerPlace};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{Fault, Result, event::WorkerAnswer, stage::Order},
    store::Workspace,
};

/// Lines of a worker's standard error that are kept to say how it ended.
const LAST_LINES: usize = 20;

/// Starts a process a worker, for one run in one workspace.
pub(crate) struct LocalExecutor {
    workspace: Workspace,
    /// The run's journal.
    run: String,
    workers: BTreeMap<u64, WorkerProcess>,
    heard: Receiver<Heard>,
    sender: Sender<Heard>,
}

/// What the threads that listen to a worker have heard of it.
struct Heard {
    worker: u64,
    what: HeardKind,
}

enum HeardKind {
    Answer(WorkerAnswer),
    Line(String),
    /// Its output is closed.
    Closed,
}

impl LocalExecutor {
    pub(crate) fn new(workspace: &Workspace, run: String) -> Self {
        let (sender, heard) = mpsc::channel();
        LocalExecutor { workspace: workspace.clone(), run, workers: BTreeMap::new(), heard, sender }
    }
}

impl WorkerExecutor for LocalExecutor {
    fn spawn(&mut self, worker: u64, place: &WorkerPlace) -> Result<()> {
        let mut command = Command::new(place.program);
        command.arg("work").arg("--workspace").arg(self.workspace.root()).args(["--threads", &place.threads.to_string()]);
        command.args(["--run", &self.run, "--device", &place.device, "--slot", &place.slot.to_string()]);
        let process = WorkerProcess::start(worker, command, &self.sender)
            .map_err(|error| Fault::io("start a worker", place.program, &error))?;
        self.workers.insert(worker, process);
        Ok(())
    }

    fn assign(&mut self, worker: u64, order: &Order) -> Result<()> {
        let line = serde_json::to_string(order).map_err(|error| Fault::unexpected(error.to_string()))?;
        if let Some(worker) = self.workers.get(&worker) {
            worker.assign(line);
        }
        Ok(())
    }

    fn dismiss(&mut self, worker: u64) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.orders = None;
        }
    }

    fn terminate(&mut self, worker: u64) {
        if let Some(worker) = self.workers.get(&worker) {
            worker.terminate();
        }
    }

    fn kill(&mut self, worker: u64) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.child.kill().ok();
        }
    }

    fn next_message(&mut self, patience: Duration) -> Result<Option<WorkerMessage>> {
        let Heard { worker, what } = match self.heard.recv_timeout(patience) {
            Ok(heard) => heard,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Err(Fault::unexpected("all workers are gone")),
        };
        let what = match what {
            HeardKind::Answer(answer) => MessageKind::Answer(answer),
            HeardKind::Line(line) => MessageKind::Line(line),
            HeardKind::Closed => match self.workers.remove(&worker) {
                Some(process) => MessageKind::Exited(process.end()),
                None => return Ok(None),
            },
        };
        Ok(Some(WorkerMessage { worker, what }))
    }

    fn end_all(&mut self, grace: Duration) -> Vec<WorkerAnswer> {
        let asked = Instant::now();
        let mut open = self.workers.len();
        for mut worker in std::mem::take(&mut self.workers).into_values() {
            worker.ends_within(grace.saturating_sub(asked.elapsed()));
        }
        // All have ended: what they said last is on its way through their threads.
        let mut answers = Vec::new();
        while open > 0
            && let Ok(Heard { what, .. }) = self.heard.recv_timeout(Duration::from_secs(1))
        {
            match what {
                HeardKind::Answer(answer) => answers.push(answer),
                HeardKind::Closed => open -= 1,
                HeardKind::Line(_) => {}
            }
        }
        answers
    }
}

/// A worker's process with the threads that listen to it. It is killed when this is dropped.
struct WorkerProcess {
    child: Child,
    /// `None` once it is dismissed.
    orders: Option<Sender<String>>,
    last: Arc<Mutex<VecDeque<String>>>,
    errors: Option<JoinHandle<()>>,
}

impl WorkerProcess {
    fn start(number: u64, mut command: Command, heard: &Sender<Heard>) -> std::io::Result<Self> {
        command.args(["--parent", &std::process::id().to_string()]);
        // Single precision means single precision, on cards too; and the same order of sums every time.
        command.env("NVIDIA_TF32_OVERRIDE", "0").env("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
        // A group of its own: Ctrl-C is for the dispatcher, which then ends its workers.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn();
        let mut child = child?;
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());

        // A worker that hangs reads nothing: whoever writes to it must not be who watches it.
        let (orders, given) = mpsc::channel::<String>();
        std::thread::spawn(move || {
            let Some(mut input) = input else { return };
            for line in given {
                if writeln!(input, "{line}").and_then(|()| input.flush()).is_err() {
                    return;
                }
            }
        });
        let say = heard.clone();
        std::thread::spawn(move || {
            for line in output.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(std::io::Result::ok) {
                let Ok(answer) = serde_json::from_str(&line) else { break };
                if say.send(Heard { worker: number, what: HeardKind::Answer(answer) }).is_err() {
                    return;
                }
            }
            say.send(Heard { worker: number, what: HeardKind::Closed }).ok();
        });
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let errors = std::thread::spawn({
            let (last, say) = (Arc::clone(&last), heard.clone());
            move || {
                for line in
                    errors.map(BufReader::new).into_iter().flat_map(|errors| errors.split(b'\n')).map_while(std::io::Result::ok)
                {
                    let line = visavis_core::domain::text::shorten(String::from_utf8_lossy(&line).trim_end(), 2000);
                    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                    if last.len() == LAST_LINES {
                        last.pop_front();
                    }
                    last.push_back(line.clone());
                    drop(last);
                    say.send(Heard { worker: number, what: HeardKind::Line(line) }).ok();
                }
            }
        });
        Ok(WorkerProcess { child, orders: Some(orders), last, errors: Some(errors) })
    }

    fn assign(&self, order: String) {
        // A worker that has ended says so through its closed output.
        if let Some(orders) = &self.orders {
            orders.send(order).ok();
        }
    }

    fn terminate(&self) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            kill_process(pid, Signal::TERM).ok();
        }
    }

    /// Waits until it has ended, or for so long.
    fn ends_within(&mut self, grace: Duration) -> bool {
        let asked = Instant::now();
        loop {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            if asked.elapsed() > grace {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for it to end, and says how it did.
    fn end(mut self) -> WorkerExit {
        // One that only closed its output is ended.
        if !self.ends_within(Duration::from_secs(2)) {
            self.child.kill().ok();
        }
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        if let Some(errors) = self.errors.take() {
            errors.join().ok();
        }
        let log = self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        WorkerExit { status, log, is_taken_away: false }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::program;
    use std::path::Path;

    /// A worker that does what a shell script says.
    fn spawn(script: &str) -> (tempfile::TempDir, LocalExecutor) {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), script);
        let workspace = Workspace::new(folder.path().to_owned(), None).unwrap();
        let mut executor = LocalExecutor::new(&workspace, "run".to_owned());
        executor.spawn(7, &WorkerPlace { program: &program, device: "cpu".to_owned(), slot: 1, threads: 2 }).unwrap();
        (folder, executor)
    }

    fn next(executor: &mut LocalExecutor) -> MessageKind {
        let message = executor.next_message(Duration::from_secs(20)).unwrap().expect("a message comes");
        assert_eq!(message.worker, 7);
        message.what
    }

    #[test]
    fn a_worker_is_told_its_place_answers_and_says_how_it_ended() {
        let (_folder, mut executor) = spawn(
            "case \"$*\" in *'--run run --device cpu --slot 1'*) echo '\"beat\"';; esac; echo 'error: no room' >&2; exit 3",
        );
        let (mut answered, mut printed) = (false, false);
        let exit = loop {
            match next(&mut executor) {
                MessageKind::Answer(WorkerAnswer::Beat) => answered = true,
                MessageKind::Line(line) => printed |= line == "error: no room",
                MessageKind::Exited(exit) => break exit,
                other @ (MessageKind::Answer(_) | MessageKind::Joined { .. }) => panic!("{other:?}"),
            }
        };
        assert!(answered);
        assert_eq!(
            exit,
            WorkerExit { status: "exit status: 3".into(), log: vec!["error: no room".into()], is_taken_away: false }
        );
        // A line may be heard after the worker's end.
        let later = executor.next_message(Duration::from_millis(1)).unwrap();
        assert!(printed || matches!(later, Some(WorkerMessage { what: MessageKind::Line(_), .. })));
    }

    #[test]
    fn a_worker_that_hangs_is_killed_and_one_that_is_asked_to_stop_stops() {
        let (_folder, mut executor) = spawn("trap '' TERM; echo '\"beat\"'; exec sleep 60");
        assert!(matches!(next(&mut executor), MessageKind::Answer(WorkerAnswer::Beat)));
        executor.terminate(7);
        assert!(executor.next_message(Duration::from_millis(20)).unwrap().is_none(), "it hangs");
        executor.kill(7);
        let MessageKind::Exited(exit) = next(&mut executor) else { panic!("it is ended") };
        assert!(exit.status.contains("signal: 9"), "{exit:?}");

        let (_folder, mut executor) = spawn("echo '\"beat\"'; exec sleep 60");
        assert!(matches!(next(&mut executor), MessageKind::Answer(WorkerAnswer::Beat)));
        executor.terminate(7);
        let MessageKind::Exited(exit) = next(&mut executor) else { panic!("it ends") };
        assert!(exit.status.contains("signal: 15"), "{exit:?}");
    }

    #[test]
    fn what_a_worker_answers_while_it_is_ended_is_heard() {
        let (_folder, mut executor) = spawn("echo '\"beat\"'; exec cat > /dev/null");
        assert!(matches!(next(&mut executor), MessageKind::Answer(WorkerAnswer::Beat)));
        executor.terminate(7);
        assert!(executor.end_all(Duration::from_secs(5)).is_empty());
        let (_folder, mut executor) =
            spawn("trap 'echo \\\"kept\\\"; exit 0' TERM; echo '\"beat\"'; while :; do sleep 0.01; done");
        assert!(matches!(next(&mut executor), MessageKind::Answer(WorkerAnswer::Beat)));
        executor.terminate(7);
        assert!(matches!(executor.end_all(Duration::from_secs(5))[..], [WorkerAnswer::Kept]));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let workspace = Workspace::new(".".into(), None).unwrap();
        let place = WorkerPlace { program: Path::new("/nowhere/worker"), device: "cpu".to_owned(), slot: 0, threads: 1 };
        let fault = LocalExecutor::new(&workspace, String::new()).spawn(1, &place).unwrap_err();
        assert!(fault.to_string().contains("/nowhere/worker"), "{fault}");
    }
}
