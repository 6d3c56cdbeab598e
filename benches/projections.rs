//! Projections beside scikit-learn, openTSNE and umap-learn (`benches/peers.py`; `PYTHON` names a Python that has them), two threads
//! each, the same data and epochs, peers warm.
//!
//!     make bench                  speed at 3,392 and 20,000 × 512, beside peers and the machine's own rate
//!     make projections            quality over ten seeds beside peers; the digests of all coordinates; pictures
//!     make scaling                from 1,000 to 202,599 × 512: seconds, memory, docs/scaling.svg
//!
//! The limit of a projection is its operations (`projection::operations`) over the rate at which this machine multiplies and
//! adds `f32` in tiles, measured in the same run on both threads. Neighbours come within two or three times of it; layouts, which
//! fetch a few numbers from anywhere in memory for each operation, stay far below.

use std::{
    cell::Cell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use visavis_core::{
    dataset::{Numbers, array},
    domain::{
        Digest,
        projection::{Method, View},
        score::Spread,
    },
    numeric::{
        Matrix, PhiloxStream,
        multiversion::{self, InstructionSet},
        neighbours::{self, Neighbours},
        tiled::{WIDE_F32, add_products_f32},
    },
    projection::{self, METHODS, MethodSpec, NeighborGraphs, Projected, ProjectionInput},
    scoring,
};

const THREADS: usize = 2;

/// Every method that looks at no labels, with what is usual; one alone where `VISAVIS_METHOD` names it.
fn methods() -> Vec<(&'static str, Method)> {
    let only = std::env::var("VISAVIS_METHOD").ok();
    let is_asked = |of: &&&MethodSpec| !of.supervised && only.as_ref().is_none_or(|only| *only == of.word);
    METHODS.iter().filter(is_asked).map(|of| (of.word, of.usual())).collect()
}

/// Methods of which a peer takes minutes for 20,000 images, or more memory than there is: held beside it at 3,392 alone.
const SMALL_BESIDE_A_PEER: [&str; 6] = ["isomap", "mds", "lle", "kernel_pca", "diffusion_map", "phate"];

/// What a peer is asked for, beside the data: our parameters.
fn job(method: &Method, data: &Path, seed: u64, out: &Path) -> serde_json::Value {
    let parameters = serde_json::to_value(method).expect("JSON")[method.word()].clone();
    serde_json::json!({ "method": method.word(), "parameters": parameters, "data": data, "seed": seed, "out": out, "maps": [] })
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.first().map(String::as_str) {
        None => speed(),
        Some("quality") => quality(words.get(1).map(String::as_str)),
        Some("bits") => bits(),
        Some("scaling") => scaling(),
        Some("one") => one(&words[1], words[2].parse().expect("a number of images")),
        Some(other) => panic!("quality, bits or scaling, not {other}"),
    }
}

/// Counts the seconds of the neighbours apart.
#[derive(Default)]
struct Timed(Cell<f64>);

impl NeighborGraphs for Timed {
    fn neighbours(
        &self,
        features: &Matrix,
        k: usize,
        metric: neighbours::NeighbourMetric,
    ) -> visavis_core::domain::Result<Option<Neighbours>> {
        let clock = Instant::now();
        let found = Neighbours::exact(features, k, metric);
        self.0.set(clock.elapsed().as_secs_f64());
        Ok(found)
    }
}

struct Run {
    projected: Projected,
    seconds: f64,
    neighbours: f64,
}

/// `None`: the method cannot place such data, such as NMF numbers below 0.
fn place(method: &Method, features: &Matrix, seed: u64, threads: usize) -> Option<Run> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let graphs = Timed::default();
        let clock = Instant::now();
        let projected =
            projection::project(method, &ProjectionInput { graphs: &graphs, ..ProjectionInput::alone(features, seed) });
        let seconds = clock.elapsed().as_secs_f64();
        Some(Run { projected: projected.ok()?, seconds, neighbours: graphs.0.get() })
    })
}

fn read(path: &Path) -> Matrix {
    let bytes = std::fs::read(path).expect("an array");
    Numbers::of_npy(&bytes, path).expect("an array").in_single()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What the peers say, or nothing where they are not installed.
fn peers(arguments: &[&str]) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python)
        .arg(script)
        .args(arguments)
        .env("OMP_NUM_THREADS", THREADS.to_string())
        .env("OPENBLAS_NUM_THREADS", THREADS.to_string())
        .env("NUMBA_NUM_THREADS", THREADS.to_string())
        .output()
        .ok()?;
    if !output.status.success() {
        eprintln!("no peers: {}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or(""));
        return None;
    }
    String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("its peer fails"))
        .for_each(|line| eprintln!("{line}"));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn told(text: &str) -> Vec<serde_json::Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Multiplications and additions a second, of `f32` in tiles that stay in the cache, on all threads.
fn rate() -> f64 {
    let turns = 20_000;
    let work = |_: usize| {
        let panel = vec![0.5f32; WIDE_F32 * 256];
        let mut out = [[0.0; WIDE_F32]; WIDE_F32];
        for _ in 0..turns {
            add_products_f32(std::hint::black_box(&panel), &panel, &mut out);
        }
        std::hint::black_box(out);
    };
    let clock = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || work(thread));
        }
    });
    2.0 * (THREADS * turns * WIDE_F32 * WIDE_F32 * 256) as f64 / clock.elapsed().as_secs_f64()
}

fn speed() {
    let rate = rate();
    println!("this machine, {THREADS} threads, {}: {:.0} GFLOP/s in f32 tiles", multiversion::level().word(), rate / 1e9);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_string_lossy().into_owned();
    if peers(&["data", &data]).is_none() {
        clusters(folder.path());
    }
    println!("images  method              ours s  (neighbours)   peer s  (layout)   ratio   limit s  above it");
    for n in [3392, 20000] {
        let path = folder.path().join(format!("clusters-{n}.npy"));
        let features = read(&path);
        let mut jobs = vec![];
        for (word, method) in methods() {
            let has_peer = word != "nmf" && (n < 10_000 || !SMALL_BESIDE_A_PEER.contains(&word));
            for seed in (1..=3).filter(|_| has_peer) {
                let of = job(&method, &path, seed, &folder.path().join("peer.npy"));
                if word == "pca" {
                    let mut in_double = of.clone();
                    in_double["method"] = "pca in double".into();
                    jobs.push(in_double);
                }
                jobs.push(of);
            }
        }
        let list = folder.path().join("jobs.json");
        std::fs::write(&list, serde_json::to_vec(&jobs).expect("JSON")).expect("a file");
        let theirs = peers(&["run", &list.to_string_lossy(), &THREADS.to_string()]).map(|text| told(&text)).unwrap_or_default();
        for (word, method) in methods() {
            let runs: Vec<Run> = (1..=3).map_while(|seed| place(&method, &features, seed, THREADS)).collect();
            if runs.is_empty() {
                continue;
            }
            let ours = median(runs.iter().map(|run| run.seconds).collect());
            let near = median(runs.iter().map(|run| run.neighbours).collect());
            let number = |word: &str, name: &str| {
                let of: Vec<f64> =
                    theirs.iter().filter(|told| told["method"] == word).filter_map(|told| told[name].as_f64()).collect();
                (!of.is_empty()).then(|| median(of))
            };
            let limit = projection::operations(&method, n, 512) / rate;
            if word == "pca"
                && let Some(peer) = number("pca in double", "seconds")
            {
                println!("{n:6}  pca               beside scikit-learn in double precision, which ours is: {:.1} ×", peer / ours);
            }
            let of = |value: Option<f64>| value.map_or("      –".to_owned(), |value| format!("{value:7.3}"));
            let peer = number(word, "seconds");
            println!(
                "{n:6}  {word:17} {ours:8.3}  ({near:7.3})    {}  ({})  {}   {limit:7.3}  {:.1} ×",
                of(peer),
                of(number(word, "layout")),
                peer.map_or("     –".to_owned(), |peer| format!("{:5.1} ×", peer / ours)),
                ours / limit
            );
        }
    }
}

/// The clusters of `peers.py`, drawn here.
fn clusters(folder: &Path) {
    for n in [3392, 20000] {
        std::fs::write(folder.join(format!("clusters-{n}.npy")), array::to_npy(&drawn(n, 512))).expect("a file");
    }
}

/// 400 clusters of D columns.
fn drawn(n: usize, d: usize) -> Matrix {
    let mut stream = PhiloxStream::for_test(1, 0);
    let mut normal = |count: usize| -> Vec<f32> {
        (0..count.div_ceil(2)).flat_map(|_| stream.normals(1.0)).map(|value| value as f32).take(count).collect()
    };
    let centres = normal(400 * d);
    let mut values = normal(n * d);
    for (i, row) in values.chunks_exact_mut(d).enumerate() {
        row.iter_mut().zip(&centres[i % 400 * d..]).for_each(|(value, centre)| *value += centre);
    }
    Matrix::new(n, d, values).expect("rows of D columns")
}

/// The data sets of the quality tables: digits, a Swiss roll, and the demo's features where `VISAVIS_DEMO` names its workspace.
fn sets(folder: &Path) -> Vec<(&'static str, PathBuf)> {
    peers(&["data", &folder.to_string_lossy()]).expect("the peers make the data");
    let mut sets = vec![("digits", folder.join("digits.npy")), ("roll", folder.join("roll.npy"))];
    if let Some(demo) = std::env::var_os("VISAVIS_DEMO") {
        let out = folder.join("demo.npy");
        let arguments =
            ["export", "experiments/demo.yaml", "--what", "features", "--model", "many-faces", "--layer", "embedding"];
        let status = Command::new(env!("CARGO_BIN_EXE_visavis"))
            .args(arguments)
            .args(["--format", "npy", "-o"])
            .arg(&out)
            .current_dir(demo)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "VISAVIS_DEMO names a workspace in which the demo was run");
        sets.push(("demo", out));
    }
    sets
}

/// Both on the same data with ten seeds, measured by one evaluator, `scoring::quality`; of one method where it is named. Seconds are of
/// both, one after the other, two threads each.
fn quality(only: Option<&str>) {
    let seeds: u64 = std::env::var("VISAVIS_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(10);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |parts: &[&str]| folder.path().join(parts.join("-"));
    let sets = sets(folder.path());
    let asked = || methods().into_iter().filter(|(word, _)| only.is_none_or(|only| only == *word));
    let (mut jobs, mut own_seconds) = (vec![], BTreeMap::<(&str, &str), Vec<f64>>::new());
    for (set, path) in &sets {
        let features = read(path);
        for (word, method) in asked() {
            for seed in 1..=seeds_of(word, seeds) {
                let Some(run) = place(&method, &features, seed, THREADS) else { continue };
                own_seconds.entry((*set, word)).or_default().push(run.seconds);
                let out = at(&["ours", set, word, &format!("{seed}.npy")]);
                std::fs::write(&out, array::to_npy(&run.projected.coordinates)).expect("a file");
                let maps = if word == "tsne" { vec![out] } else { vec![] };
                let theirs = at(&["peer", set, word, &format!("{seed}.npy")]);
                let mut of = job(&method, path, seed, &theirs);
                of["maps"] = serde_json::json!(maps);
                jobs.push(of);
            }
        }
    }
    let list = folder.path().join("jobs.json");
    std::fs::write(&list, serde_json::to_vec(&jobs).expect("JSON")).expect("a file");
    let theirs = told(&peers(&["run", &list.to_string_lossy(), &THREADS.to_string()]).expect("the peers run"));
    println!("Each cell: Visavis / peer, medians over seeds; in parentheses the lower bound of the difference.");
    println!("| data | method | seconds | ratio | trustworthiness | continuity | recall | distances | stability |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut divergences = vec![];
    for (set, path) in &sets {
        let features = read(path);
        for (word, method) in asked() {
            let seeds = seeds_of(word, seeds);
            let [own, peer] = ["ours", "peer"].map(|who| {
                let files = (1..=seeds).map(|seed| at(&[who, set, word, &format!("{seed}.npy")]));
                let maps: Vec<Matrix> = files.filter(|file| file.exists()).map(|file| read(&file)).collect();
                Measured::of(&features, &method, &maps)
            });
            let (Some(own), Some(peer)) = (own, peer) else { continue };
            let told: Vec<&serde_json::Value> =
                theirs.iter().filter(|told| told["method"] == word && told["data"] == path.to_string_lossy().as_ref()).collect();
            let own_seconds = median(own_seconds[&(*set, word)].clone());
            let peer_seconds = median(told.iter().filter_map(|told| told["seconds"].as_f64()).collect());
            print!("| {set} | {word} | {own_seconds:.3} / {peer_seconds:.3} | {:.1} × |", peer_seconds / own_seconds);
            for (own, peer) in own.values.iter().zip(&peer.values) {
                print!(" {} / {} ({:+.3}) |", middle(own), middle(peer), lower_bound(own, peer));
            }
            let stability = |of: Option<f64>| of.map_or("–".to_owned(), |of| format!("{of:.3}"));
            println!(" {} / {} |", stability(own.stability), stability(peer.stability));
            if word == "tsne" {
                let (own, peer): (Vec<f64>, Vec<f64>) =
                    told.iter().filter_map(|told| Some((told["kl_of_maps"][0].as_f64()?, told["kl"].as_f64()?))).unzip();
                // Less is better.
                let turned = |values: &Vec<f64>| values.iter().map(|value| -value).collect::<Vec<f64>>();
                let low = lower_bound(&turned(&own), &turned(&peer));
                divergences.push(format!("{set}: {} / {} ({low:+.3})", middle(&own), middle(&peer)));
            }
        }
    }
    println!("t-SNE's divergence on the peer's own similarities, less is better: {}", divergences.join("; "));
    if let Some(keep) = std::env::var_os("VISAVIS_MAPS") {
        for (set, word) in sets.iter().flat_map(|(set, _)| asked().map(|(word, _)| (*set, word))) {
            for who in ["ours", "peer"] {
                let name = [who, set, word, "1.npy"].join("-");
                // Not every method has a peer, or can place every data set.
                drop(std::fs::copy(folder.path().join(&name), Path::new(&keep).join(&name)));
            }
        }
    }
}

/// What one side's maps of one data set are like.
struct Measured {
    /// Trustworthiness, continuity, recall and rank correlation of distances: of each one value a seed.
    values: [Vec<f64>; 4],
    /// How far the seeds agree.
    stability: Option<f64>,
}

impl Measured {
    /// `None` without maps.
    fn of(features: &Matrix, method: &Method, maps: &[Matrix]) -> Option<Self> {
        let view = if method.parameter(Method::AXES).is_some() { View::Pair(1, 2) } else { View::Map };
        let measured = |maps: &[Matrix]| scoring::quality(features, maps, &[view], 1).views.remove(0);
        let mut values = [const { vec![] }; 4];
        for map in maps {
            let of = measured(std::slice::from_ref(map));
            let of = [of.trustworthiness, of.continuity, of.recall, of.distances];
            values.iter_mut().zip(of).for_each(|(values, of)| values.push(of.map_or(f64::NAN, |of| of.median)));
        }
        let stability = (maps.len() > 1).then(|| measured(maps).stability.map(|of| of.median)).flatten();
        (!maps.is_empty()).then_some(Measured { values, stability })
    }
}

fn middle(values: &[f64]) -> String {
    Spread::of(values.to_vec()).map_or("–".to_owned(), |of| format!("{:.3}", of.median))
}

/// Of a method whose coordinates depend on no seed that is looked at: one.
fn seeds_of(word: &str, seeds: u64) -> u64 {
    let draws = METHODS.iter().any(|of| of.word == word && of.seeds.is_some());
    if draws || word == "ica" { seeds } else { 1 }
}

/// Of the difference of medians: the 2.5th percentile of 10,000 resamples of the seeds.
fn lower_bound(own: &[f64], peer: &[f64]) -> f64 {
    let mut stream = PhiloxStream::for_test(1, 1);
    let mut resampled = |of: &[f64]| {
        let values = (0..of.len()).map(|_| of[stream.below(of.len() as u64) as usize]).collect();
        Spread::of(values).map_or(f64::NAN, |of| of.median)
    };
    let mut differences: Vec<f64> = (0..10_000).map(|_| resampled(own) - resampled(peer)).collect();
    differences.sort_by(f64::total_cmp);
    differences[250]
}

/// Every method with 1, 2 and 16 threads, twice each, with each set of instructions: one digest a method and data set.
fn bits() {
    let ceiling = multiversion::level();
    println!("instructions found: {}", ceiling.word());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/pixels.npy");
    for (set, features) in [("digits sample", read(&root)), ("clusters", drawn(6000, 64))] {
        for (word, method) in methods() {
            let mut digests = BTreeMap::new();
            for level in InstructionSet::ALL.into_iter().filter(|level| *level > InstructionSet::Plain && *level <= ceiling) {
                multiversion::limit(level);
                for threads in [1, 2, 16, 1, 2, 16] {
                    let Some(run) = place(&method, &features, 7, threads) else { continue };
                    let facts = format!("{:?}", run.projected.facts);
                    let digest = Digest::of(&[array::to_npy(&run.projected.coordinates), facts.into_bytes()].concat());
                    digests.entry(digest.short()).or_insert_with(Vec::new).push(format!("{}/{threads}", level.word()));
                }
            }
            multiversion::limit(ceiling);
            let all: Vec<String> = digests.iter().map(|(digest, runs)| format!("{digest} × {}", runs.len())).collect();
            println!("{set:14} {word:17} {}", all.join("   "));
            assert!(digests.len() <= 1, "{digests:?}");
        }
    }
}

/// Seconds and memory from 1,000 images on, each run a process of its own so that its peak is its own.
fn scaling() {
    let sizes: Vec<usize> = std::env::var("VISAVIS_SIZES").map_or(vec![1000, 3392, 10_000, 20_000, 60_000, 202_599], |sizes| {
        sizes.split(',').filter_map(|size| size.parse().ok()).collect()
    });
    println!("| images | method | seconds | of these neighbours | memory, GB | limit, seconds |");
    println!("|---|---|---|---|---|---|");
    let rate = rate();
    let mut curves: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for (word, method) in methods() {
        for n in &sizes {
            let program = std::env::current_exe().expect("this program");
            let output = Command::new(program).args(["one", word, &n.to_string()]).output().expect("this program runs");
            // Data that the method cannot place, or that would need more memory than it takes.
            if !output.status.success() {
                println!("| {n} | {word} | – | – | – | – |");
                continue;
            }
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [seconds, near, memory] = numbers[..] else {
                panic!("{word} {n}: {text}{}", String::from_utf8_lossy(&output.stderr))
            };
            let limit = projection::operations(&method, *n, 512) / rate;
            println!("| {n} | {word} | {seconds:.2} | {near:.2} | {memory:.2} | {limit:.2} |");
            curves.entry(word).or_default().push((*n as f64, seconds));
        }
    }
    if let Some(out) = std::env::var_os("VISAVIS_FIGURE") {
        std::fs::write(out, figure(&curves)).expect("a file");
    }
}

/// One run: seconds, those of the neighbours, and the most memory that was held, in GB; of which the features are a part.
fn one(word: &str, n: usize) {
    let method = methods().into_iter().find(|(name, _)| *name == word).expect("a method").1;
    let features = drawn(n, 512);
    let run = place(&method, &features, 1, THREADS).expect("data that can be placed");
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    println!("{} {} {}", run.seconds, run.neighbours, peak.expect("a peak") / 1e6);
}

/// Seconds by images, both axes logarithmic, as SVG.
fn figure(curves: &BTreeMap<&str, Vec<(f64, f64)>>) -> String {
    const COLOURS: [&str; 6] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"];
    let x = |n: f64| 70.0 + 440.0 * (n.log10() - 3.0) / (5.4 - 3.0);
    let y = |seconds: f64| 320.0 - 290.0 * (seconds.max(0.01).log10() + 2.0) / 5.0;
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 370\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#444\"><rect width=\"700\" height=\"370\" fill=\"#fff\"/>",
    );
    for power in -2..=3 {
        let at = y(10f64.powi(power));
        svg += &format!(
            "<line x1=\"70\" x2=\"510\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/><text x=\"62\" y=\"{:.1}\" text-anchor=\"end\">{} s</text>",
            at + 4.0,
            10f64.powi(power)
        );
    }
    for n in [1e3, 1e4, 1e5] {
        svg += &format!(
            "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"30\" y2=\"320\" stroke=\"#ddd\"/><text x=\"{0:.1}\" y=\"338\" text-anchor=\"middle\">{n}</text>",
            x(n)
        );
    }
    svg += "<text x=\"290\" y=\"360\" text-anchor=\"middle\">images, 512 columns each; two threads</text>";
    let most = curves.values().flatten().map(|(n, _)| *n).fold(0.0, f64::max);
    let mut labels: Vec<(f64, &str, String)> = vec![];
    for ((word, points), colour) in curves.iter().zip(COLOURS.into_iter().cycle()) {
        let path: Vec<String> = points.iter().map(|(n, seconds)| format!("{:.1},{:.1}", x(*n), y(*seconds))).collect();
        svg += &format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>", path.join(" "));
        for (n, seconds) in points {
            svg += &format!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(*n), y(*seconds));
        }
        if let Some((n, seconds)) = points.last() {
            let digits = usize::from(*seconds < 10.0);
            let size = if *n < most { format!(" at {n}") } else { String::new() };
            labels.push((y(*seconds) + 4.0, colour, format!("{word} {seconds:.digits$} s{size}")));
        }
    }
    // One below the other, each as near to the end of its line as there is room.
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = 0.0;
    for (at, colour, label) in labels {
        lowest = at.max(lowest + 14.0);
        svg += &format!("<text x=\"{:.1}\" y=\"{lowest:.1}\" fill=\"{colour}\">{label}</text>", x(most) + 8.0);
    }
    svg + "</svg>\n"
}
