//! A small study with scores, for the tests of screens: no files, no store, no clock.
//!
//! Three models (pixels, blocks, noisy; the best first) × two projections (pca, ica; ica is better) × two comparisons (zero or one,
//! even or odd; the first is easier). Its ledger ranks one figure of each cell: twelve.

use super::{drawing::DrawingMode, screen::Screen, shared::Shared, theme::Theme};
use crate::{
    config::{self, Levels, Text},
    study::{
        Offers, Step, Timeline,
        matrix_snapshot::{Best, CellStatus, MatrixSnapshot, SnapshotCell, StudyFindings},
        watch::{CellState, JobSeen, Snapshot},
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};
use visavis_core::{
    domain::{
        Digest,
        event::RunOrigin,
        index::LayerIx,
        index::{ComparisonIx, ModelIx, ProjectionIx},
        job::{JobId, JobState},
        ledger::{Candidate, CellId, Ledger, LedgerRow, ShownAs},
        made_of::MadeOf,
        pin::{Pin, Pinned},
        score::{Counts, Estimate, Scores, ViewScore},
        simultaneous::{Detectable, Family, SimultaneousTests},
        stage::Kind,
    },
    store::{JobRow, RunRow},
};

const STUDY: &str = r#"format: 1
study: test
about: Which features separate digits?
seed: 1
datasets:
  digits: { images: { root: ../images, labels: ../labels.csv, identities: each_image } }
evaluation:
  dataset: digits
models:
  named:
    pixels:
      features: { embedding: ../pixels.npy, images: ../images.txt }
    blocks:
      features: { embedding: ../blocks.npy, images: ../images.txt }
    noisy:
      features: { embedding: ../noisy.npy, images: ../images.txt }
projections:
  - pca: { axes: 2, pairs: [[1, 2]] }
  - ica: { axes: 2, pairs: [[1, 2]] }
comparisons:
  zero or one: { Zero: "digit=0", One: "digit=1" }
  even or odd: { Even: "even", Odd: "not even" }
"#;

/// The AUC of a cell's best view, on either half.
fn auc(model: ModelIx, projection: ProjectionIx, comparison: ComparisonIx) -> f64 {
    [0.86, 0.76, 0.56][model.0] + [0.04, 0.0][comparison.0] - [0.1, 0.0][projection.0]
}

fn scores(views: &[visavis_core::domain::projection::View], value: f64) -> Scores {
    let counts = Counts {
        n: 80,
        classes: vec![40, 40],
        exclusive: vec![40, 40],
        identities: vec![40, 40],
        people: 80,
        several: 0,
        none: 0,
    };
    // The first view is the best.
    let score = |place: usize| Some(Estimate::new(value - 0.01 * place as f64, value - 0.1, value + 0.1));
    let views = views.iter().enumerate().map(|(place, view)| ViewScore {
        view: *view,
        whole: score(place),
        a: score(place),
        b: score(place),
        least: None,
        monotone: None,
    });
    Scores {
        format: Scores::FORMAT,
        counts: counts.clone(),
        counts_a: counts.clone(),
        counts_b: counts,
        unranked: None,
        seeds: 1,
        permuted: [80, 0],
        permuted_sample: None,
        views: views.collect(),
    }
}

/// The study, with all of its scores and its ledger.
pub(crate) fn study() -> MatrixSnapshot {
    let text = Text { path: PathBuf::from("experiments/test.yaml"), source: STUDY.to_owned() };
    let file = config::parse(text).unwrap();
    let (study, text) = (file.study, file.text);
    let mut cells = Vec::new();
    for model in 0..study.models.len() {
        for (projection, of) in study.projections.iter_enumerated() {
            for comparison in 0..study.comparisons.len() {
                let scores = scores(&of.views(), auc(model.into(), projection, comparison.into()));
                let best = Best::of(&scores);
                let (scores, key) = (Some(Arc::new(scores)), None);
                cells.push(SnapshotCell {
                    model: model.into(),
                    layer: LayerIx(0),
                    projection,
                    comparison: comparison.into(),
                    status: CellStatus::Done,
                    scores,
                    key,
                    best,
                });
            }
        }
    }
    let step = |cell: &SnapshotCell| Step::Score {
        model: cell.model,
        layer: LayerIx(0),
        projection: cell.projection,
        comparison: cell.comparison,
    };
    let jobs = cells.iter().map(|cell| (step(cell), JobId::of(&study.name, &step(cell).label(&study)))).collect();
    let digest = Digest::of(b"");
    MatrixSnapshot {
        visibility: crate::study::StudyVisibility::default(),
        file: text.path.clone(),
        levels: Levels::of(&text),
        text: text.source,
        warnings: vec![],
        missing: vec![],
        attributes: vec![("digit".to_owned(), ["0", "1"].map(str::to_owned).into()), ("even".to_owned(), vec![])],
        layers: study.models.iter().map(|model| model.layers(None)).collect(),
        families: study.models.iter().map(|model| (model.name.clone(), 1)).collect(),
        features: BTreeMap::new(),
        verified: HashMap::new(),
        pairs: BTreeMap::new(),
        accuracy: HashMap::new(),
        found: Some(findings(&cells)),
        offers: Offers::default(),
        pins: vec![],
        shown: vec![],
        adjusted: Default::default(),
        made_of: MadeOf { results: digest, study: digest, pins: digest },
        to_run: 0,
        waiting: 0,
        undrawn: 0,
        seconds: 0.0,
        jobs,
        cells,
        study,
    }
}

fn findings(cells: &[SnapshotCell]) -> StudyFindings {
    let mut ranked: Vec<(CellId, Best)> = cells
        .iter()
        .map(|cell| {
            let SnapshotCell { model, layer, projection, comparison, .. } = *cell;
            let best = cell.best.unwrap();
            (CellId { model, layer, projection, view: best.view, comparison }, best)
        })
        .collect();
    ranked.sort_by(|(_, a), (_, b)| b.a.total_cmp(&a.a));
    let row = |(place, (cell, best)): (usize, &(CellId, Best))| LedgerRow {
        candidate: Candidate { cell: *cell, a: Some(best.quoted), b: Some(best.quoted), unranked: None },
        rank: Some(place + 1),
        picked: place == 0,
        chosen: cell.projection == ProjectionIx(1),
        low: best.quoted.low(),
        shown_as: vec![],
        reason: String::new(),
    };
    let rows: Vec<LedgerRow> = ranked.iter().enumerate().map(row).collect();
    let family = Family::default();
    StudyFindings {
        grid: SimultaneousTests {
            format: 1,
            permutations: 0,
            chosen: family,
            all: family,
            cells: vec![],
            differences: vec![],
            interactions: vec![],
            beside: vec![],
            detectable: Detectable::default(),
        },
        held: vec![],
        verdicts: vec![],
        reasons: vec!["by its rank".to_owned(); rows.len()],
        rows: rows.iter().enumerate().map(|(place, row)| (row.candidate.cell, place)).collect(),
        ledger: Ledger {
            format: 1,
            cells: rows.len(),
            ranked: rows.len(),
            unranked: 0,
            picked: 1,
            optimism: None,
            projections: vec![],
            standings: vec![],
            rows,
        },
    }
}

/// What is seen of a study where everything is done.
pub(crate) fn seen(matrix_snapshot: MatrixSnapshot) -> Snapshot {
    let states = Arc::new(vec![CellState::Done; matrix_snapshot.cells.len()]);
    Snapshot { states, matrix_snapshot: Some(Arc::new(matrix_snapshot)), ..Snapshot::default() }
}

/// The study with its best figure pinned.
pub(crate) fn pinned(note: &str) -> Snapshot {
    let mut matrix_snapshot = study();
    let cell = matrix_snapshot.figures()[0];
    let name = matrix_snapshot.name(&cell);
    let pin = Pin { figure: name.clone(), note: note.to_owned(), at: 0, definition: None };
    matrix_snapshot.pins = vec![Pinned { pin, cell: Some(cell), name }];
    matrix_snapshot.shown = vec![(cell, vec![ShownAs::Pinned])];
    seen(matrix_snapshot)
}

fn run(live: bool, states: [JobState; 3]) -> Snapshot {
    let row = RunRow {
        journal: "journal".to_owned(),
        clock: 1,
        study: "test".to_owned(),
        file: "experiments/test.yaml".to_owned(),
        text: None,
        devices: vec![],
        origin: RunOrigin::default(),
        started: 0,
        ended: (!live).then_some(1000),
        interrupted: false,
        counts: None,
    };
    let labels = ["index digits", "project pixels · embedding · pca", "project blocks · embedding · pca"];
    let job = |(label, state): (&'static str, JobState)| JobSeen {
        row: JobRow {
            id: JobId::of("test", label),
            run: "journal".to_owned(),
            clock: 1,
            study: "test".to_owned(),
            stage: if label.starts_with("index") { Kind::Index } else { Kind::Project },
            label: label.to_owned(),
            state,
            key: None,
            at: 0,
            seconds: None,
            why: None,
        },
        on: None,
        machine: None,
        progress: None,
    };
    let jobs = labels.into_iter().zip(states).map(job).collect();
    Snapshot { run: Some(Timeline::for_tests(row, live)), jobs: Arc::new(jobs), runs: 1, ..seen(study()) }
}

/// After a run of three jobs: one is done, one failed, one is paused.
pub(crate) fn ran() -> Snapshot {
    run(false, [JobState::Done, JobState::Failed, JobState::Paused])
}

/// During a run of three jobs: one is done, one runs, one is queued.
pub(crate) fn live() -> Snapshot {
    run(true, [JobState::Done, JobState::Running, JobState::Queued])
}

/// What screens share, on a terminal of 120 × 40.
pub(crate) fn shared(seen: Snapshot) -> Shared {
    Shared { seen, ..Shared::new((120, 40), Theme::Dark, DrawingMode::Braille) }
}

/// A screen that has taken up the study.
pub(crate) fn opened<S: Screen>(screen: S) -> (S, Shared) {
    opened_with(screen, seen(study()))
}

pub(crate) fn opened_with<S: Screen>(mut screen: S, seen: Snapshot) -> (S, Shared) {
    let shared = shared(seen);
    if let Some(matrix_snapshot) = shared.matrix_snapshot() {
        screen.take_study(matrix_snapshot, false);
    }
    screen.rebuild(&shared);
    (screen, shared)
}
