//! Speed, each number beside a limit or a peer, in one run: `make bench`.
//!
//! The limits are those people feel: help at once, a run of nothing before one looks up, a report that opens. The peer for
//! scores is scikit-learn (`roc_auc_score` in a bootstrap, the same data and resamples), for PCA `sklearn.decomposition.PCA`;
//! without a Python that has it, those lines say so. Medians of several runs; the ratio is peer over ours.

use std::{
    process::Command,
    time::{Duration, Instant},
};
use visavis_core::{
    dataset::{Numbers, array},
    domain::{
        comparison::{Measured, Question},
        image::{Column, Images, Labels},
        projection::View,
        score::Statistics,
    },
    numeric::Matrix,
    projection::{self, ProjectionInput},
    scoring::{self, Setting},
};

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn timed(turns: usize, mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let clock = Instant::now();
        work();
        clock.elapsed()
    };
    median((0..turns).map(once).collect())
}

fn projected(axes: usize, features: &Matrix) -> visavis_core::domain::Result<projection::Projected> {
    projection::project(&projection::current("pca").with("axes", axes), &ProjectionInput::alone(features, 0))
}

fn main() {
    let program = env!("CARGO_BIN_EXE_visavis");
    let desk = tempfile::tempdir().expect("a temporary folder");
    let run = |arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(desk.path()).output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let limit = |what: &str, seconds: f64, limit: f64| {
        println!("{what:44} {seconds:8.4} s   limit {limit:6.3} s   {:5.1} × under", limit / seconds);
    };

    limit("visavis --help", timed(20, || run(&["--help"])), 0.020);
    limit("visavis demo, the first time", timed(1, || run(&["demo", "--digits", "--quiet"])), 30.0);
    limit("visavis run, nothing to do", timed(20, || run(&["run", "experiments/digits.yaml", "--quiet"])), 0.5);
    limit("visavis plan", timed(20, || run(&["plan", "experiments/digits.yaml"])), 0.5);

    let finished = ten_thousand(desk.path());
    run(&["run", "big.yaml", "--quiet"]);
    limit(&format!("visavis plan, {finished} finished cells"), timed(9, || run(&["plan", "big.yaml"])), 0.5);
    limit(&format!("visavis status, {finished} finished cells"), timed(9, || run(&["status"])), 0.2);

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits");
    let bytes = std::fs::read(folder.join("pixels.npy")).expect("the sample");
    let pixels = Numbers::of_npy(&bytes, &folder).expect("the sample").in_single();
    let project = timed(9, || drop(projected(10, &pixels).map(|p| p.coordinates)));
    let images = Images((0..pixels.rows()).map(|row| (format!("{row:05}"), None)).collect());
    let labels = std::fs::read_to_string(folder.join("labels.csv")).expect("the sample");
    let even = labels
        .lines()
        .skip(1)
        .enumerate()
        .map(|(row, line)| (format!("{row:05}"), line.split(',').nth(2).unwrap_or("").to_owned()));
    let labels: Labels = [("even", even.collect::<Column>())].into_iter().collect();
    let classes = vec!["even".parse().expect("an expression"), "not even".parse().expect("an expression")];
    let question = Question { measured: Measured::Classes(classes), within: None };
    let points = projected(2, &pixels).expect("PCA of the sample").coordinates;
    let setting = Setting { images: &images, labels: &labels, identities: None };
    let score = timed(5, || {
        drop(scoring::score(&setting, std::slice::from_ref(&points), &question, &[View::Pair(1, 2)], &Statistics::default(), 1));
    });

    let peer =
        Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned())).arg("-c").arg(PEER).arg(&folder).output();
    let peer =
        peer.ok().filter(|output| output.status.success()).map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let Some(peer) = peer else {
        println!(
            "PCA of 700 × 64: {project:.4} s; one view scored: {score:.4} s; no scikit-learn here (PYTHON=… names a Python that has it)"
        );
        return;
    };
    let seconds: Vec<f64> = peer.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    for (what, own, theirs) in
        [("PCA of 700 × 64, 10 axes", project, seconds[0]), ("one view, kNN AUC, 3 × 1,000 bootstraps", score, seconds[1])]
    {
        println!("{what:44} {own:8.4} s   scikit-learn {theirs:8.4} s   {:5.1} ×", theirs / own);
    }
}

/// A study of ten thousand cells, as cheap as cells can be: 84 models, three views, forty comparisons of noise with noise.
fn ten_thousand(folder: &std::path::Path) -> usize {
    let (images, models, comparisons) = (120, 84, 40);
    let mut random = visavis_core::numeric::PhiloxStream::for_test(7, 0);
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("a file");
    let rows: Vec<String> = (0..images).map(|row| format!("{row:04}.png")).collect();
    write("rows.txt", (rows.join("\n") + "\n").as_bytes());
    let mut labels = "image_id".to_owned() + &(0..comparisons).map(|i| format!(",a{i}")).collect::<String>() + "\n";
    for row in &rows {
        labels += row;
        (0..comparisons).for_each(|_| labels += if random.uniform() < 0.5 { ",0" } else { ",1" });
        labels.push('\n');
    }
    write("labels.csv", labels.as_bytes());
    let mut study = "format: 1\nstudy: big\ndatasets: { d: { images: { root: images, labels: labels.csv } } }\n\
        evaluation: { dataset: d }\nprojections: [pca: { axes: 2 }]\n\
        statistics: { bootstraps: 20, min_positives: 4 }\nmodels:\n  named:\n"
        .to_owned();
    for model in 0..models {
        let values = (0..images * 4).map(|_| random.uniform() as f32).collect();
        let features = visavis_core::numeric::Matrix::new(images, 4, values).expect("its shape");
        write(&format!("m{model}.npy"), &array::to_npy(&features));
        study += &format!("    m{model}: {{ features: {{ embedding: m{model}.npy, images: rows.txt }} }}\n");
    }
    study += "comparisons:\n";
    (0..comparisons).for_each(|i| study += &format!("  c{i}: {{ A: \"a{i}\", B: \"not a{i}\" }}\n"));
    write("big.yaml", study.as_bytes());
    models * 3 * comparisons
}

/// The same work by scikit-learn: seconds of PCA, seconds of a kNN AUC with a bootstrap on the whole and on two halves.
const PEER: &str = r#"
import sys, time, csv, numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
folder = sys.argv[1]
x = np.load(folder + "/pixels.npy").astype(np.float64)
y = np.array([int(r["even"]) for r in csv.DictReader(open(folder + "/labels.csv"))])
def median(work, turns):
    times = []
    for _ in range(turns):
        clock = time.perf_counter(); work(); times.append(time.perf_counter() - clock)
    return sorted(times)[turns // 2]
pca = median(lambda: PCA(10, svd_solver="covariance_eigh").fit_transform(x), 9)
points = PCA(2).fit_transform(x)
def fifth(train, test):
    return np.log(NearestNeighbors(n_neighbors=5).fit(train).kneighbors(test)[0][:, 4])
def score():
    random = np.random.default_rng(1)
    for rows in [np.arange(len(y)), np.arange(0, len(y), 2), np.arange(1, len(y), 2)]:
        p, t = points[rows], y[rows]
        folds, scores = np.zeros(len(t), int), np.zeros(len(t))
        for fold, (train, test) in enumerate(StratifiedKFold(5).split(p, t)):
            folds[test] = fold
            scores[test] = fifth(p[train][t[train] == 0], p[test]) - fifth(p[train][t[train] == 1], p[test])
        for _ in range(1000):
            drawn = random.integers(0, len(t), len(t))
            for fold in range(5):
                of = drawn[folds[drawn] == fold]
                roc_auc_score(t[of], scores[of])
print(pca, median(score, 1))
"#;
