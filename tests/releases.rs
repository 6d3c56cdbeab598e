//! What earlier releases left opens for ever: a workspace of each is kept in `tests/fixtures`, store, journals, results and
//! objects, and nothing in it may come to mean something else.

use crate::desk::Desk;
use std::{fs, path::Path};
use visavis_core::{
    domain::{
        Digest, Key,
        event::{Event, EventKind, PersonRequest, Record, RunOrigin, Slots},
        job::{Cause, JobId, PlannedJob},
        metric::{Chunk, MetricPoint},
        stage::Kind,
    },
    store::{Index, Journal, Workspace},
};

/// Releases, and the digest of what their store holds.
const RELEASES: [(&str, &str); 1] = [("v1", "ddff0228")];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() { copy(&path, &name) } else { fs::copy(&path, &name).map(|_| ()).unwrap() }
    }
}

fn fixture(release: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(release)
}

#[test]
fn a_workspace_of_every_release_opens_and_is_made_again_the_same() {
    for (release, digest) in RELEASES {
        let desk = Desk::empty();
        copy(&fixture(release), &desk.path("data"));
        let status = desk.json(&["status"]);
        assert_eq!(
            (&status["study"], &status["jobs"]["done"], &status["jobs"]["failed"]),
            (&"kept".into(), &1.into(), &1.into())
        );
        assert_eq!(status["jobs"]["paused"], 1);
        let index = Index::open_to_read(&desk.path("data/visavis.db")).unwrap().unwrap();
        assert_eq!(index.digest().unwrap().short(), digest, "{release}: a new meaning needs a migration, and a new digest here");
        desk.succeed(&["store", "check"]);
        assert_eq!(desk.json(&["store", "rebuild"])["equal"], true, "{release}");
        assert!(desk.succeed(&["logs", "train", "a"]).contains("epoch 1"));
        assert!(desk.succeed(&["store", "dump"]).lines().any(|line| line.starts_with("result\t")));
    }
}

/// Makes the workspace of this release: `cargo test --test visavis make_the -- --ignored`. For once a release.
#[test]
#[ignore = "writes into tests/fixtures"]
fn make_the_workspace_of_this_release() {
    let desk = Desk::with_pretence();
    desk.edit("experiments/micro.yaml", "      - seresnet34\n", "");
    desk.edit("experiments/micro.yaml", "      - arcface\n", "");
    desk.edit("experiments/micro.yaml", "layers: [layer4, embedding]", "layers: [layer4]");
    desk.succeed(&["run", "experiments/micro.yaml", "--quiet"]);
    for name in ["journals", "cache", "visavis.db", "visavis.db-wal", "visavis.db-shm", "dispatcher.lock", "lease"] {
        let path = desk.path(&format!("data/{name}"));
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).ok();
        }
    }
    // The machine that made it is nobody's business.
    for entry in fs::read_dir(desk.path("data/results")).unwrap() {
        let path = entry.unwrap().path();
        let mut manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for field in ["host", "cpu", "system"] {
            manifest["provenance"][field] = "example".into();
        }
        fs::write(&path, serde_json::to_string_pretty(&manifest).unwrap() + "\n").unwrap();
    }
    let workspace = Workspace::new(desk.path("."), None).unwrap();
    let job = |label: &str| JobId::of("kept", label);
    let key = |name: &str| Key(Digest::of(name.as_bytes()));
    let mut dispatcher = Journal::start(&workspace.journals(), 1_790_000_000_000).unwrap();
    let mut worker = Journal::start(&workspace.journals(), 1_790_000_000_001).unwrap();
    let mut person = Journal::start(&workspace.journals(), 1_790_000_000_002).unwrap();
    let event = |clock: u64, what: EventKind| Record::Event(Event { clock, at: 1_790_000_000_000 + clock, what });
    let origin = RunOrigin {
        program: "visavis 0.1.0".into(),
        program_digest: Some(Digest::of(b"program")),
        commit: Some("0123456789abcdef".into()),
        dirty: true,
        host: "example".into(),
        user: "somebody".into(),
        pid: 1,
        cpu: "example".into(),
        system: "Linux".into(),
        driver: Some("570.1".into()),
        environment: [("CUDA_VISIBLE_DEVICES".to_owned(), "0".to_owned())].into(),
    };
    let devices = vec![Slots { device: "pretend:0".into(), slots: 1, threads: 1 }];
    let planned = |label: &str, stage| PlannedJob { job: job(label), stage, label: label.into() };
    let started = |clock: u64, label: &str, attempt: u32| {
        let worker = worker.name();
        event(
            clock,
            EventKind::Started {
                job: job(label),
                key: key(label),
                attempt,
                device: "pretend:0".into(),
                slot: 0,
                threads: 1,
                seed: Some(7),
                worker,
            },
        )
    };
    let failed = |clock: u64, attempt: u32, again: bool| {
        let (why, exit, log) = ("the worker ended".into(), Some("signal: 9 (SIGKILL)".into()), vec!["last words".into()]);
        event(
            clock,
            EventKind::Failed { job: job("train b"), key: key("train b"), attempt, cause: Cause::Crash, why, exit, log, again },
        )
    };
    let text = Digest::of(b"study");
    let records = vec![
        event(
            1,
            EventKind::RunStarted {
                study: "kept".into(),
                file: "experiments/kept.yaml".into(),
                text,
                devices,
                origin: Box::new(origin),
            },
        ),
        event(
            2,
            EventKind::Queued {
                jobs: vec![
                    planned("train a", Kind::Train),
                    planned("train b", Kind::Train),
                    planned("rank all cells", Kind::Rank),
                ],
            },
        ),
        started(3, "train a", 1),
        event(9, EventKind::Finished { job: job("train a"), key: key("train a"), attempt: 1, seconds: 1.5, first: true }),
        started(10, "train b", 1),
        failed(11, 1, true),
        started(12, "train b", 2),
        failed(13, 2, false),
        event(14, EventKind::Paused { jobs: vec![job("rank all cells")] }),
        event(15, EventKind::RunFinished { ran: 1, stored: 0, failed: 1, interrupted: false }),
    ];
    dispatcher.append(&records).unwrap();
    let points = (0..50).map(|step| MetricPoint {
        step,
        at: 1_790_000_000_000 + step,
        value: if step == 49 { f64::NAN } else { 1.0 / (step + 1) as f64 },
    });
    let chunk = Chunk { key: key("train a"), attempt: 1, series: "loss".into(), points: points.collect() };
    let records = vec![
        event(
            4,
            EventKind::WorkerStarted {
                run: dispatcher.name(),
                pid: 2,
                device: "pretend:0".into(),
                slot: 0,
                threads: 1,
                machine: None,
            },
        ),
        event(5, EventKind::Begun { key: key("train a"), attempt: 1 }),
        Record::Metrics(chunk),
        event(6, EventKind::Logged { key: Some(key("train a")), attempt: 1, line: "epoch 1".into() }),
        event(7, EventKind::Ended { key: key("train a"), attempt: 1, cause: None }),
    ];
    worker.append(&records).unwrap();
    person
        .append(&[event(
            8,
            EventKind::Asked { act: PersonRequest::Pause { job: Some(job("rank all cells")) }, by: "somebody".into() },
        )])
        .unwrap();
    drop((dispatcher, worker, person));
    desk.succeed(&["store", "rebuild"]);
    for name in ["dispatcher.lock", "dots.csv"] {
        fs::remove_file(desk.path(&format!("data/{name}"))).unwrap();
    }
    fs::remove_dir_all(fixture("v1")).ok();
    copy(&desk.path("data"), &fixture("v1"));
}
