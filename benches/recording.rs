//! Recording, beside MLflow in one run: `cargo bench --bench recording`, with PYTHON naming a Python that has MLflow.
//!
//! *Points a second*: from a worker's first call to the last point's row, synced, in the store. The worker is a process of
//! its own with a journal; this process is the dispatcher that takes the journal in. MLflow logs batches of a thousand, its
//! largest, to its SQLite backend, which syncs too. The limit asked for is fifty times MLflow. Medians of five.
//!
//! *Seen after*: from the call to the row, as a third process sees it; at most 50 ms in 99 of 100.
//!
//! *Idle*: the dispatcher's share of a core and its memory while a paused run waits; less than 1 % and 50 MB.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use visavis_core::{
    domain::{Digest, Key},
    store::{Index, Journal, Recorder, now},
};

const POINTS: u64 = 1_000_000;
const LOOKS: u64 = 300;

fn key() -> Key {
    Key(Digest::of(b"bench"))
}

fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--writer") => writer(Path::new(&arguments[2]), &arguments[3]),
        Some("--reader") => reader(Path::new(&arguments[2])),
        _ => measure(),
    }
}

/// A worker: records as fast as it can, or now and then; says when its journal has grown.
fn writer(folder: &Path, how: &str) {
    let journal = Journal::start(folder, now()).expect("a journal");
    let name = journal.name();
    let recorder = Recorder::start(journal, || {
        println!("kept");
        std::io::stdout().flush().ok();
    });
    recorder.begin(key(), 1, 0);
    println!("{name}\t{}", micros());
    if how == "fast" {
        for step in 0..POINTS / 2 {
            recorder.point("loss", step, 1.0 / (step + 1) as f64);
            recorder.point("accuracy", step, 1.0 - 1.0 / (step + 2) as f64);
        }
    } else {
        for step in 0..LOOKS {
            recorder.point("sent", step, micros() as f64);
            std::thread::sleep(Duration::from_millis(13));
        }
    }
    recorder.flush().expect("a disk that takes it");
}

/// A face in a process of its own: looks for new rows, and says after how many microseconds it saw each point.
fn reader(store: &Path) {
    let index = Index::open_to_read(store).expect("a store").expect("a store");
    let (mut turn, mut seen) = (0, 0);
    while seen < LOOKS as usize {
        let next = index.data_version().expect("a store");
        if next != turn {
            turn = next;
            let points: Vec<_> = index.series_of(key()).expect("rows").into_iter().flat_map(|series| series.points).collect();
            let now = micros();
            points[seen..].iter().for_each(|point| println!("{}", now - point.value as u64));
            seen = points.len();
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn child(arguments: &[&str]) -> Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().expect("a child")
}

/// Takes in what a writer keeps until it has kept everything; seconds from its first call.
fn dispatch(folder: &Path, index: &mut Index, how: &str) -> f64 {
    let mut writer = child(&["--writer", &folder.to_string_lossy(), how]);
    let mut lines = BufReader::new(writer.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let first = lines.next().expect("its journal");
    let (name, started) = first.split_once('\t').expect("when it began");
    let (name, started): (String, u64) = (name.to_owned(), started.parse().expect("when it began"));
    let (say, hear) = mpsc::channel();
    std::thread::spawn(move || lines.try_for_each(|_| say.send(())));
    while hear.recv().is_ok() {
        while hear.try_recv().is_ok() {}
        index.take_in(folder, std::slice::from_ref(&name)).expect("a store that takes it");
    }
    writer.wait().expect("the writer");
    index.take_in(folder, &[name]).expect("a store that takes it");
    (micros() - started) as f64 / 1e6
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn measure() {
    let rate = |_| {
        let desk = tempfile::tempdir().expect("a folder");
        let mut index = Index::open(&desk.path().join("visavis.db")).expect("a store");
        let seconds = dispatch(&desk.path().join("journals"), &mut index, "fast");
        assert_eq!(index.points().expect("rows"), POINTS, "all of them, once");
        POINTS as f64 / seconds
    };
    let ours = median((0..5).map(rate).collect());
    println!("{:44} {ours:12.0} points/s", "recorded, synced, in the store");
    match mlflow() {
        Some(theirs) => {
            println!("{:44} {theirs:12.0} points/s   {:5.0} × (50 asked for)", "MLflow, batches of 1,000, SQLite", ours / theirs);
        }
        None => println!("no MLflow here (PYTHON=… names a Python that has it); 8,489 points/s were measured on two cores"),
    }

    let desk = tempfile::tempdir().expect("a folder");
    let store = desk.path().join("visavis.db");
    let mut index = Index::open(&store).expect("a store");
    let reader = child(&["--reader", &store.to_string_lossy()]);
    dispatch(&desk.path().join("journals"), &mut index, "slow");
    let output = reader.wait_with_output().expect("the reader");
    let mut delays: Vec<f64> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| Some(line.parse::<f64>().ok()? / 1000.0)).collect();
    delays.sort_by(f64::total_cmp);
    let (half, most) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    println!("{:44} {half:12.1} ms       99 of 100 within {most:.1} ms (limit 50)", "seen by another process after");
    idle();
}

/// A run of the digits study that is paused before it starts anything much.
fn idle() {
    let desk = tempfile::tempdir().expect("a folder");
    let program = env!("CARGO_BIN_EXE_visavis");
    let visavis = |arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(desk.path()).output().expect("the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    visavis(&["demo", "--digits", "--quiet"]);
    let detached = visavis(&["run", "experiments/digits.yaml", "--force", "--detach", "--json"]);
    visavis(&["pause"]);
    let pid = detached.split("\"process\":").nth(1).and_then(|rest| rest.split([',', '}']).next()).expect("a process").to_owned();
    std::thread::sleep(Duration::from_secs(3));
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
        let fields: Vec<u64> = stat.rsplit(") ").next().unwrap_or("").split(' ').filter_map(|field| field.parse().ok()).collect();
        // utime and stime, fields 14 and 15 of proc(5), in hundredths of a second; the state before them is no number.
        fields[10] + fields[11]
    };
    let (before, clock) = (ticks(), Instant::now());
    std::thread::sleep(Duration::from_secs(20));
    let share = (ticks() - before) as f64 / clock.elapsed().as_secs_f64();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let memory: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
        .unwrap_or(f64::NAN);
    println!("{:44} {share:12.2} % of a core (limit 1)   {:.0} MB (limit 50)", "an idle dispatcher", memory / 1000.0);
    visavis(&["drain"]);
}

/// MLflow's points a second.
fn mlflow() -> Option<f64> {
    let desk = tempfile::tempdir().ok()?;
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).arg("-c").arg(PEER).current_dir(desk.path()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().last()?.trim().parse().ok()
}

const PEER: &str = r#"
import time, mlflow
from mlflow.tracking import MlflowClient
from mlflow.entities import Metric
client = MlflowClient("sqlite:///mlflow.db")
run = client.create_run(client.create_experiment("bench")).info.run_id
rates = []
for turn in range(5):
    clock = time.perf_counter()
    for batch in range(10):
        at = int(time.time() * 1000)
        first = (turn * 10 + batch) * 500
        client.log_batch(run, [Metric(name, 1.0 / (step + 1), at, step) for step in range(first, first + 500) for name in ("loss", "accuracy")])
    rates.append(10000 / (time.perf_counter() - clock))
print(sorted(rates)[2])
"#;
