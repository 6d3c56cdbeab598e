//! Scores of the source study's grid, beside scikit-learn on a sample of the same work (`benches/scores.py`; `PYTHON` names a Python
//! that has it): 40 model-layers × 12 views × 14 comparisons, 3,392 images, 1,000 resamples, 1,000 permutations, probes of all.
//!
//!     cargo bench --bench scores             the grid (VISAVIS_LAYERS model-layers of it, all 40 by default), then 202,599 images
//!
//! The limits: two minutes for the grid without probes, five with; two seconds for a view's scores at 202,599 images without
//! resampling; 20 × scikit-learn.

use rayon::prelude::*;
use std::{path::Path, process::Command, time::Instant};
use typed_index_collections::TiSlice;
use visavis_core::domain::index::LayerIx;
use visavis_core::{
    dataset::array,
    domain::{
        comparison::{Measured, Question},
        image::{Column, Images, Labels},
        projection::View,
        score::Statistics,
        stage::ScoreSlot,
    },
    numeric::{Matrix, PhiloxStream},
    scoring::{
        self, Setting,
        simultaneous::{LayerScores, ProjectionScores, StudyScores},
    },
};

const THREADS: usize = 2;
/// How often each of the source study's comparisons has its rarer class, about.
const SHARES: [f64; 14] = [0.42, 0.23, 0.48, 0.48, 0.39, 0.47, 0.17, 0.32, 0.24, 0.065, 0.05, 0.07, 0.49, 0.45];

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().expect("threads");
    grid();
    if std::env::var_os("VISAVIS_LAYERS").is_none() {
        many();
    }
}

struct World {
    images: Images,
    identities: Column,
    labels: Labels,
    has: Vec<Vec<bool>>,
    people: usize,
}

/// Three images of each person; half of the attributes are people's, half images'.
fn world(n: usize) -> World {
    let mut dice = PhiloxStream::for_test(1, 1);
    let (people, id) = (n.div_ceil(3), |i: usize| format!("{i:06}"));
    let has: Vec<Vec<bool>> = SHARES
        .iter()
        .enumerate()
        .map(|(place, share)| {
            let of_people: Vec<bool> = (0..people).map(|_| dice.uniform() < *share).collect();
            (0..n).map(|i| if place % 2 == 0 { of_people[i / 3] } else { dice.uniform() < *share }).collect()
        })
        .collect();
    let column =
        |of: &Vec<bool>| -> Column { of.iter().enumerate().map(|(i, has)| (id(i), u8::from(*has).to_string())).collect() };
    World {
        images: Images((0..n).map(|i| (id(i), None)).collect()),
        identities: (0..n).map(|i| (id(i), (i / 3).to_string())).collect(),
        labels: has.iter().enumerate().map(|(place, of)| (format!("x{place}"), column(of))).collect(),
        has,
        people,
    }
}

fn questions() -> Vec<Question> {
    let class = |text: String| text.parse().expect("an expression");
    let of = |place: usize| Measured::Classes(vec![class(format!("x{place}")), class(format!("not x{place}"))]);
    (0..SHARES.len()).map(|place| Question { measured: of(place), within: None }).collect()
}

/// Columns that lean towards attributes, one after the other.
fn drawn(world: &World, columns: usize, seed: u64) -> Matrix {
    let mut dice = PhiloxStream::for_test(seed, 2);
    let n = world.images.len();
    let value = |i: usize, column: usize, dice: &mut PhiloxStream| {
        (dice.normals(1.0)[0] + if world.has[column % SHARES.len()][i] { 0.8 } else { 0.0 }) as f32
    };
    Matrix::new(n, columns, (0..n * columns).map(|at| value(at / columns, at % columns, &mut dice)).collect()).expect("as many")
}

fn grid() {
    let layers: usize = std::env::var("VISAVIS_LAYERS").ok().and_then(|layers| layers.parse().ok()).unwrap_or(40);
    let (world, questions, statistics) = (world(3392), questions(), Statistics::default());
    let setting = Setting { images: &world.images, labels: &world.labels, identities: Some(&world.identities) };
    let axes: Vec<View> = (1..=8).map(View::Axis).chain([View::Pair(1, 2), View::Pair(3, 4)]).collect();
    // As a run on two slots: every stage on one thread, two beside each other.
    let points: Vec<(Vec<Matrix>, [Vec<Matrix>; 2])> = (0..layers)
        .map(|layer| {
            let map = |map: usize| (0..5).map(|seed| drawn(&world, 2, (layer * 100 + map * 10 + seed) as u64)).collect();
            (vec![drawn(&world, 8, layer as u64)], [map(0), map(1)])
        })
        .collect();
    let places: Vec<(usize, usize)> =
        (0..layers).flat_map(|layer| (0..questions.len()).map(move |comparison| (layer, comparison))).collect();
    let scored = |projection: usize| -> (f64, Vec<ProjectionScores>) {
        let clock = Instant::now();
        let of = |&(layer, comparison): &(usize, usize)| {
            let (flat, maps) = &points[layer];
            let (points, shown) = if projection == 0 { (flat, &axes[..]) } else { (&maps[projection - 1], &[View::Map][..]) };
            let scored = scoring::score(&setting, points, &questions[comparison], shown, &statistics, 7);
            let slot = ScoreSlot {
                model: layer.into(),
                layer: LayerIx(0),
                projection: projection.into(),
                comparison: comparison.into(),
            };
            ProjectionScores { slot, scores: scored.scores, ranks: scored.ranks, permuted: scored.permuted }
        };
        let found = places.par_iter().map(of).collect();
        (clock.elapsed().as_secs_f64(), found)
    };
    let (views, mut projections) = scored(0);
    let mut maps = 0.0;
    for projection in [1, 2] {
        let (seconds, found) = scored(projection);
        maps += seconds;
        projections.extend(found);
    }
    let columns: Vec<Matrix> = (0..layers.min(4)).map(|layer| drawn(&world, 512, layer as u64 + 1000)).collect();
    let clock = Instant::now();
    let measured: Vec<_> = (0..layers)
        .into_par_iter()
        .map(|layer| scoring::score_features(&setting, &columns[layer % columns.len()], &questions, &statistics, 7))
        .collect();
    let of_features = clock.elapsed().as_secs_f64();
    let of = |(layer, measured): (usize, scoring::ScoredFeatures)| {
        let of = move |(comparison, ranks): (usize, Matrix)| LayerScores {
            model: layer.into(),
            layer: LayerIx(0),
            comparison: comparison.into(),
            ranks,
        };
        measured.ranks.into_iter().enumerate().map(of)
    };
    let features: Vec<LayerScores> = measured.into_iter().enumerate().flat_map(of).collect();
    let clock = Instant::now();
    let given = StudyScores {
        setting: &setting,
        questions: TiSlice::from_ref(&questions),
        projections: &projections,
        features: &features,
        contrasts: &[],
        statistics: &statistics,
        seed: 7,
    };
    let found = scoring::simultaneous::simultaneous_tests(&given);
    let together = clock.elapsed().as_secs_f64();
    let all = views + maps + of_features + together;
    println!("{layers} model-layers × 12 views × 14 comparisons, {} cells ranked, two threads", found.cells.len());
    println!(
        "  single axes and pairs {views:.1} s, maps of five seeds {maps:.1} s, features and probes {of_features:.1} s, the grid {together:.1} s"
    );
    println!(
        "  in all {all:.1} s; 40 model-layers: {:.0} s (limits: 120 s without probes, 300 s with)",
        all * 40.0 / layers as f64
    );
    beside(&world, (views + maps) / (layers * 14 * 20) as f64, of_features / layers as f64);
}

/// scikit-learn on one comparison: seconds of one view with as many resamples and permutations, and of one probe.
fn beside(world: &World, view: f64, of_features: f64) {
    let Some(python) = std::env::var_os("PYTHON") else {
        println!("  PYTHON names no Python: nothing to stand beside");
        return;
    };
    let folder = std::env::temp_dir().join("visavis-scores");
    std::fs::create_dir_all(&folder).expect("a folder");
    let column = |values: Vec<f32>| Matrix::new(values.len(), 1, values).expect("as many");
    let n = world.images.len();
    for (name, matrix) in [
        ("points", drawn(world, 2, 5)),
        ("features", drawn(world, 512, 1000)),
        ("labels", column(world.has[2].iter().map(|has| f32::from(u8::from(*has))).collect())),
        ("people", column((0..n).map(|i| (i / 3) as f32).collect())),
    ] {
        std::fs::write(folder.join(format!("{name}.npy")), array::to_npy(&matrix)).expect("a file");
    }
    assert_eq!(world.people, n.div_ceil(3));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scores.py");
    let output = Command::new(python).arg(script).arg(&folder).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    let of = |name: &str| found[name].as_f64().expect("seconds");
    let peer = of("view") + 1000.0 * (of("resample") + of("permutation"));
    println!(
        "  a view's scores, 1,000 resamples, 1,000 permutations: {:.1} ms; scikit-learn {peer:.1} s, {:.0} ×",
        view * 1e3,
        peer / view
    );
    println!(
        "  (scikit-learn: scores {:.0} ms, a resample {:.1} ms, a permutation {:.0} ms)",
        of("view") * 1e3,
        of("resample") * 1e3,
        of("permutation") * 1e3
    );
    println!(
        "  features and probe of one comparison: {:.0} ms; scikit-learn's probe alone {:.0} ms, {:.0} ×",
        of_features / 14.0 * 1e3,
        of("probe") * 1e3,
        of("probe") / (of_features / 14.0)
    );
}

fn many() {
    let world = world(202_599);
    let setting = Setting { images: &world.images, labels: &world.labels, identities: Some(&world.identities) };
    let statistics = Statistics { bootstraps: 0, permutations: 0, ..Statistics::default() };
    for (word, columns, view) in [("an axis", 1, View::Axis(1)), ("a map", 2, View::Map)] {
        let points = [drawn(&world, columns, 3)];
        let clock = Instant::now();
        scoring::score(&setting, &points, &questions()[0], &[view], &statistics, 7);
        println!("202,599 images: {word} without resampling {:.2} s (limit 2 s)", clock.elapsed().as_secs_f64());
    }
}
