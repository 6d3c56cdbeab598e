//! A worker's process: started, given orders, listened to, ended.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{Fault, Result, event::WorkerAnswer},
    store::Workspace,
};

/// Lines of its standard error that are kept to say how it ended.
const LAST_LINES: usize = 20;

pub struct WorkerProcess {
    child: Child,
    /// `None` once it is dismissed.
    orders: Option<Sender<String>>,
    last: Arc<Mutex<VecDeque<String>>>,
    errors: Option<JoinHandle<()>>,
}

/// What is heard of worker number so many.
#[derive(Debug)]
pub struct WorkerMessage {
    pub worker: u64,
    pub what: MessageKind,
}

#[derive(Debug)]
pub enum MessageKind {
    Answer(WorkerAnswer),
    /// A line on its standard error.
    Line(String),
    /// It will say nothing more.
    Gone,
}

/// How a worker's process ended.
#[derive(Debug)]
pub struct End {
    pub exit: String,
    pub log: Vec<String>,
}

/// Where a worker is put to work.
pub struct WorkerChannel<'a> {
    pub program: &'a Path,
    pub workspace: &'a Workspace,
    pub run: &'a str,
    pub device: String,
    pub slot: usize,
    pub threads: usize,
}

impl WorkerProcess {
    pub fn start(number: u64, post: &WorkerChannel, heard: &Sender<WorkerMessage>) -> Result<Self> {
        let mut command = Command::new(post.program);
        command.arg("work").arg("--workspace").arg(post.workspace.root()).args(["--threads", &post.threads.to_string()]);
        command.args(["--run", post.run, "--device", &post.device, "--slot", &post.slot.to_string()]);
        command.args(["--parent", &std::process::id().to_string()]);
        // Single precision means single precision, on cards too; and the same order of sums every time.
        command.env("NVIDIA_TF32_OVERRIDE", "0").env("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
        // A group of its own: Ctrl-C is for the dispatcher, which then ends its workers.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn();
        let mut child = child.map_err(|error| Fault::io("start a worker", post.program, &error))?;
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
                if say.send(WorkerMessage { worker: number, what: MessageKind::Answer(answer) }).is_err() {
                    return;
                }
            }
            say.send(WorkerMessage { worker: number, what: MessageKind::Gone }).ok();
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
                    say.send(WorkerMessage { worker: number, what: MessageKind::Line(line) }).ok();
                }
            }
        });
        Ok(WorkerProcess { child, orders: Some(orders), last, errors: Some(errors) })
    }

    pub fn give(&self, order: String) {
        // A worker that is gone says so through its closed output.
        if let Some(orders) = &self.orders {
            orders.send(order).ok();
        }
    }

    /// Lets one that has nothing to do end by itself: its journal then says that nothing follows.
    pub fn dismiss(&mut self) {
        self.orders = None;
    }

    /// Asks it to stop: one that trains keeps what it has learned, the others just end.
    pub fn ask(&self) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            kill_process(pid, Signal::TERM).ok();
        }
    }

    /// Waits until it has ended, or for so long.
    pub fn ends_within(&mut self, grace: Duration) -> bool {
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

    pub fn kill(&mut self) {
        self.child.kill().ok();
    }

    /// Waits for it to end, and says how it did.
    pub fn end(mut self) -> End {
        // One that only closed its mouth is ended.
        if !self.ends_within(Duration::from_secs(2)) {
            self.kill();
        }
        let exit = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        if let Some(errors) = self.errors.take() {
            errors.join().ok();
        }
        let log = self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        End { exit, log }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
