//! Screens on a large store, beside limits and LEET, through a pseudo-terminal (`benches/screens.py` says what is measured, and how):
//!
//!     cargo bench --bench screens            PYTHON names a Python; one that has wandb brings LEET
//!     VISAVIS_DESK=DIR cargo bench …         the store is made in DIR, and used again if it is there
//!
//! The store: 10,000 runs, 1,000,000 points of 20 series of one training, 3,500 figures (as many rows of a ledger, and as many pictures in
//! the index). One run is real: a study of 28 given models × 3 views × 42 comparisons of noise, 3,528 cells. The others are
//! journals as dispatchers and a worker leave them, results as workers publish them, taken in as `visavis` takes them in.
//! Making it takes a quarter of a minute on two cores that do nothing else: the study's scores the most of it, then some 60,000 syncs.
//!
//! The limits: the first frame within 100 ms, a frame after a key within 16 ms in 99 of 100, 150 MB, 1 % of a core when idle. What LEET
//! reads is as near to this store as it can be: as many runs, the latest with as many series, steps and points, and no figures.

use rayon::prelude::*;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use visavis_core::{
    dataset::array,
    domain::{
        Digest, Key,
        event::{Event, EventKind, Record, RunOrigin, Slots},
        job::{JobId, PlannedJob},
        metric::{Chunk, MetricPoint},
        result::{Facts, Manifest, Output, Provenance},
        stage::{Figure, Input, Kind, Location, Task, Work},
    },
    numeric::{Matrix, PhiloxStream},
    store::{Index, Journal, Workspace, now},
};

const RUNS: u64 = 10_000;
const SERIES: usize = 20;
const STEPS: u64 = 50_000;
const FIGURES: usize = 3_500;
const MODELS: usize = 28;
const COMPARISONS: usize = 42;
const IMAGES: usize = 120;
/// Jobs of the latest run: as many as the screen of runs lists.
const JOBS: usize = 500;
/// Points of a chunk, as the recorder has them.
const CHUNK: u64 = 8192;

const STUDY: &str = "screens";
const FILE: &str = "experiments/screens.yaml";

/// Through the matrix, the latest run's jobs, the models, the figures and the report.
const KEYS: &str = "1 j*12 l*6 h*6 k*6 C-d C-u 2 j*12 C-d C-d C-u k*6 3 j*8 l*4 k*4 4 j*8 l*6 C-d C-d C-u 5 j*4 k*4";
/// Job after job, and series after series of the one that has a million points.
const KEYS_OF_RUNS: &str = "i*10 j*3 k*3 i*10 L w L w*3";

fn main() {
    let kept = std::env::var_os("VISAVIS_DESK").map(PathBuf::from);
    let desk = tempfile::tempdir().expect("a folder");
    let root = kept.unwrap_or_else(|| desk.path().join("desk"));
    let root = std::path::absolute(root).expect("a folder");
    if !root.join("data/visavis.db").exists() {
        make(&root);
    }
    measure(&root);
}

fn make(root: &Path) {
    let clock = Instant::now();
    let text = study(root);
    let output = Command::new(env!("CARGO_BIN_EXE_visavis"))
        .args(["run", FILE, "--quiet"])
        .current_dir(root)
        .output()
        .expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ran = clock.elapsed().as_secs_f64();

    let workspace = Workspace::new(root.to_owned(), None).expect("a workspace");
    let lock = workspace.lock_or_say("making a store to measure", &|_| ()).expect("nobody else is here");
    let text = workspace.objects().put(text.as_bytes()).expect("an object");
    let file = root.join(FILE).to_string_lossy().into_owned();
    let started = now() - RUNS * 240_000;
    // The first run is the study's own; the last is [`latest`].
    (1..RUNS - 1).into_par_iter().for_each(|run| {
        let label = format!("train net{:02} · {run}", run % MODELS as u64);
        let mut pen = Pen::start(&workspace, started + run * 240_000, 1_000_000 + run * 10);
        pen.begin(text, &file, &[(label.clone(), Kind::Train)]);
        pen.job(&label, 1.5 + (run % 100) as f64, "");
        pen.end(1);
    });
    latest(&workspace, text, &file);
    figures(&workspace);
    let written = clock.elapsed().as_secs_f64() - ran;

    let mut index = Index::open(workspace.store()).expect("a store");
    index.catch_up(&workspace).expect("a store that takes it");
    assert_eq!(index.set_aside().expect("rows"), vec![]);
    assert_eq!(index.points().expect("rows"), SERIES as u64 * STEPS, "all of them, once");
    assert!(index.keys().expect("rows").len() >= FIGURES);
    drop((index, lock));
    println!(
        "the store was made in {:.0} s: the study ran {ran:.0} s, journals and results {written:.0} s, the index took the rest",
        clock.elapsed().as_secs_f64()
    );
}

/// A study whose ledger has 3,528 rows, as cheap as they can be; its text.
fn study(root: &Path) -> String {
    let mut dice = PhiloxStream::for_test(7, 0);
    let write = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    };
    let rows: Vec<String> = (0..IMAGES).map(|row| format!("{row:04}.png")).collect();
    write("data/noise/rows.txt", (rows.join("\n") + "\n").as_bytes());
    let mut labels = "image_id".to_owned() + &(0..COMPARISONS).map(|i| format!(",a{i:02}")).collect::<String>() + "\n";
    for row in &rows {
        labels += row;
        (0..COMPARISONS).for_each(|_| labels += if dice.uniform() < 0.5 { ",0" } else { ",1" });
        labels.push('\n');
    }
    write("data/noise/labels.csv", labels.as_bytes());
    let mut study = format!(
        "format: 1\nstudy: {STUDY}\n\
         datasets: {{ noise: {{ images: {{ root: ../data/noise/images, labels: ../data/noise/labels.csv }} }} }}\n\
         evaluation: {{ dataset: noise }}\nprojections: [pca: {{ axes: 2 }}]\n\
         statistics: {{ bootstraps: 20, min_positives: 4 }}\nmodels:\n  named:\n"
    );
    for model in 0..MODELS {
        let values = (0..IMAGES * 4).map(|_| dice.uniform() as f32).collect();
        let features = Matrix::new(IMAGES, 4, values).expect("its shape");
        write(&format!("data/noise/net{model:02}.npy"), &array::to_npy(&features));
        writeln!(
            study,
            "    net{model:02}: {{ features: {{ embedding: ../data/noise/net{model:02}.npy, images: ../data/noise/rows.txt }} }}"
        )
        .expect("text");
    }
    study += "comparisons:\n";
    (0..COMPARISONS).for_each(|i| writeln!(study, "  c{i:02}: {{ A: \"a{i:02}\", B: \"not a{i:02}\" }}").expect("text"));
    write(FILE, study.as_bytes());
    study
}

fn key(label: &str) -> Key {
    Key(Digest::of(label.as_bytes()))
}

/// Writes a dispatcher's journal, which holds one run.
struct Pen {
    journal: Journal,
    records: Vec<Record>,
    at: u64,
    clock: u64,
}

impl Pen {
    fn start(workspace: &Workspace, at: u64, clock: u64) -> Self {
        Pen { journal: Journal::start(&workspace.journals(), at).expect("a journal"), records: vec![], at, clock }
    }

    fn note(&mut self, what: EventKind) {
        self.clock += 1;
        self.at += 10;
        self.records.push(Record::Event(Event { clock: self.clock, at: self.at, what }));
    }

    fn begin(&mut self, text: Digest, file: &str, jobs: &[(String, Kind)]) {
        let devices = vec![Slots { device: "cpu".to_owned(), slots: 2, threads: 1 }];
        let origin = RunOrigin {
            program: "0.1.0".to_owned(),
            host: "bench".to_owned(),
            user: "bench".to_owned(),
            pid: 1,
            cpu: "bench".to_owned(),
            system: "Linux".to_owned(),
            ..RunOrigin::default()
        };
        self.note(EventKind::RunStarted {
            study: STUDY.to_owned(),
            file: file.to_owned(),
            text,
            devices,
            origin: Box::new(origin),
        });
        let planned =
            |(label, stage): &(String, Kind)| PlannedJob { job: JobId::of(STUDY, label), stage: *stage, label: label.clone() };
        self.note(EventKind::Queued { jobs: jobs.iter().map(planned).collect() });
    }

    fn job(&mut self, label: &str, seconds: f64, worker: &str) {
        let (job, key, attempt) = (JobId::of(STUDY, label), key(label), 1);
        let (device, worker) = ("cpu".to_owned(), worker.to_owned());
        self.note(EventKind::Started { job, key, attempt, device, slot: 0, threads: 1, seed: Some(7), worker });
        self.note(EventKind::Finished { job, key, attempt, seconds, first: true });
    }

    fn end(mut self, ran: usize) {
        self.note(EventKind::RunFinished { ran, stored: 0, failed: 0, interrupted: false });
        self.keep();
    }

    fn keep(&mut self) {
        self.journal.append(&std::mem::take(&mut self.records)).expect("a disk that takes it");
    }
}

/// The latest run: its first job is the training with all the points, which its worker's journal holds in chunks as a recorder
/// writes them.
fn latest(workspace: &Workspace, text: Digest, file: &str) {
    let at = now() - 1_000_000;
    let training = "train net00 · latest".to_owned();
    let mut jobs = vec![(training.clone(), Kind::Train)];
    jobs.extend((1..JOBS).map(|job| (format!("score net{:02} · latest {job}", job % MODELS), Kind::Score)));
    let mut pen = Pen::start(workspace, at, 2_000_000);
    let mut worker = Pen::start(workspace, at + 1, 2_000_002);
    pen.begin(text, file, &jobs);
    for (label, _) in &jobs {
        pen.job(label, 2.5, &worker.journal.name());
    }
    worker.note(EventKind::WorkerStarted {
        run: pen.journal.name(),
        pid: 2,
        device: "cpu".to_owned(),
        slot: 0,
        threads: 1,
        machine: None,
    });
    worker.note(EventKind::Begun { key: key(&training), attempt: 1 });
    for first in (0..STEPS).step_by(CHUNK as usize) {
        for place in 0..SERIES {
            let series = match place {
                0 => "loss".to_owned(),
                1 => "accuracy".to_owned(),
                _ => format!("m{place:02}"),
            };
            let value = |step: u64| (-(step as f64) / 9000.0).exp() * (1 + place) as f64 + (step as f64 * 0.37).sin() / 9.0;
            let points =
                (first..STEPS.min(first + CHUNK)).map(|step| MetricPoint { step, at: at + step, value: value(step) }).collect();
            worker.records.push(Record::Metrics(Chunk { key: key(&training), attempt: 1, series, points }));
        }
        worker.keep();
    }
    worker.note(EventKind::Ended { key: key(&training), attempt: 1, cause: None });
    worker.keep();
    pen.end(jobs.len());
}

/// Results of drawing: a small picture each.
fn figures(workspace: &Workspace) {
    let (objects, results) = (workspace.objects(), workspace.results());
    (0..FIGURES).into_par_iter().for_each(|figure| {
        let mut dice = PhiloxStream::for_test(figure as u64, 1);
        let mut svg = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">"#.to_owned();
        for _ in 0..40 {
            let (x, y) = (dice.uniform() * 100.0, dice.uniform() * 100.0);
            write!(svg, r##"<circle cx="{x:.1}" cy="{y:.1}" r="1" fill="#4477aa"/>"##).expect("text");
        }
        svg += "</svg>\n";
        let work = Work::Draw(Figure::Curves);
        let digest = Digest::of(format!("curves {figure}").as_bytes());
        let inputs = vec![Input { role: "curves".to_owned(), digest, at: Location::Object }];
        let stage = work.kind();
        let key = Task { work: work.clone(), inputs: inputs.clone() }.key();
        let picture = objects.put(svg.as_bytes()).expect("an object");
        let provenance = Provenance { started: now(), seconds: 0.1, ..Provenance::unknown() };
        let outputs = vec![Output { name: Figure::SVG.to_owned(), digest: picture, bytes: svg.len() as u64 }];
        let version = work.version();
        let manifest = Manifest { format: 1, key, stage, version, work, inputs, outputs, facts: Facts::new(), provenance };
        results.publish(&manifest).expect("a result");
    });
}

/// `benches/screens.py` on what was built: the matrix, then all screens; and the runs, where the million points are.
fn measure(root: &Path) {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/screens.py");
    // What an earlier person chose there is not what is measured.
    fs::remove_file(root.join("data/tui.json")).ok();
    let mut command = Command::new(python);
    command.arg(script);
    for (name, screen, until, keys) in [
        ("visavis", "matrix", r"net\d\d .*\.\d\d\d", KEYS),
        ("visavis, runs", "runs", "[\u{2801}-\u{28ff}]|1 of 20", KEYS_OF_RUNS),
    ] {
        let call = format!("'{}' tui --screen {screen} --workspace '{}'", env!("CARGO_BIN_EXE_visavis"), root.display());
        command.args(["--program", name, &call, "--until", until, "--keys", keys]);
    }
    let leet = Path::new(env!("CARGO_TARGET_TMPDIR")).join("leet");
    match command.arg("--leet").arg(leet).status() {
        Ok(status) => assert!(status.success(), "benches/screens.py says why"),
        Err(error) => println!("no Python here (PYTHON=… names one): {error}"),
    }
}
