//! Label tables of CelebA's size, made up: `cargo bench --bench tables`, with PYTHON naming a Python that has pandas.
//!
//! 202,599 images with 40 attributes, identities and partitions; no pictures. Asked for: `data check` in a second and 200 MB, `check`
//! and `plan` of a study on it in a second once the tables are kept. Beside them pandas reading the same attributes as CSV. Medians of
//! five; memory is the process's peak.

use std::{
    fmt::Write as _,
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

const IMAGES: usize = 202_599;
const PEOPLE: u64 = 10_177;

const STUDY: &str = "format: 1
study: large
datasets: { celeba: { celeba: { root: celeba } } }
evaluation: { dataset: celeba, partition: all }
models: { named: { a: { features: { embedding: a.npy, images: rows.txt } } } }
projections: [pca: { axes: 10 }]
comparisons:
  gender: { Male: \"Male\", Female: \"not Male\" }
  hair: { Black: \"Black_Hair\", Brown: \"Brown_Hair\", Blond: \"Blond_Hair\" }
  smile: { Smiling: \"Smiling\", Not: \"not Smiling\", within: \"Young and not Eyeglasses\" }
fairness: { groups: [Male, Young] }
";

/// The same made-up numbers everywhere (SplitMix64).
fn mixed(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn make(folder: &Path) {
    let names = visavis_core::dataset::celeba::ATTRIBUTES;
    let mut text = format!("{IMAGES}\n{} \n", names.join(" "));
    let mut commas = format!("image_id,{}\n", names.join(","));
    let (mut identities, mut partitions, mut rows) = (String::new(), String::new(), String::new());
    for i in 1..=IMAGES as u64 {
        write!(text, "{i:06}.jpg").expect("memory");
        write!(commas, "{i:06}.jpg").expect("memory");
        for attribute in 0..names.len() as u64 {
            let has = mixed(i << 8 | attribute) % 100 < 5 + 2 * attribute;
            text += if has { "  1" } else { " -1" };
            commas += if has { ",1" } else { ",-1" };
        }
        text.push('\n');
        commas.push('\n');
        writeln!(identities, "{i:06}.jpg {}", mixed(i) % PEOPLE + 1).expect("memory");
        let part = if i <= 162_770 { 0 } else { 1 + u64::from(i > 182_637) };
        writeln!(partitions, "{i:06}.jpg {part}").expect("memory");
        writeln!(rows, "{i:06}.jpg").expect("memory");
    }
    let celeba = folder.join("celeba");
    fs::create_dir_all(&celeba).expect("a folder");
    for (name, text) in [
        ("celeba/list_attr_celeba.txt", text),
        ("celeba/identity_CelebA.txt", identities),
        ("celeba/list_eval_partition.txt", partitions),
        ("attributes.csv", commas),
        ("rows.txt", rows),
        ("large.yaml", STUDY.to_owned()),
    ] {
        fs::write(folder.join(name), text).expect("a table");
    }
    // Four numbers an image: what is measured are the tables.
    let head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({IMAGES}, 4), }}");
    let head = format!("{head:<117}\n");
    let mut array = b"\x93NUMPY\x01\x00".to_vec();
    array.extend((head.len() as u16).to_le_bytes());
    array.extend(head.as_bytes());
    array.extend((0..IMAGES as u64 * 4).flat_map(|i| ((mixed(i) % 1000) as f32).to_le_bytes()));
    fs::write(folder.join("a.npy"), array).expect("features");
}

/// Seconds and the peak of memory in MB: the median of five runs by time.
fn measured(folder: &Path, program: &str, arguments: &[&str]) -> (f64, f64) {
    let run = || {
        let mut command = Command::new("/usr/bin/env");
        command.arg0("env").current_dir(folder).arg(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let mut child = command.spawn().expect("a program");
        // The kernel's own figure, read while the process is there; its last value is its peak.
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0.0f64;
        loop {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let kilobytes =
                text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<f64>().ok());
            peak = peak.max(kilobytes.unwrap_or_default() / 1000.0);
            if let Some(status) = child.try_wait().expect("a process") {
                assert!(status.success(), "{program} {arguments:?}: {status}");
                return (started.elapsed().as_secs_f64(), peak);
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    };
    let mut runs: Vec<(f64, f64)> = (0..5).map(|_| run()).collect();
    runs.sort_by(|one, other| one.0.total_cmp(&other.0));
    runs[2]
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    make(folder);
    let visavis = env!("CARGO_BIN_EXE_visavis");
    println!("{:<34} {:>8} {:>9}   limit", "202,599 × 40", "seconds", "peak, MB");
    let mut within = true;
    let mut row = |name: &str, found: (f64, f64), limit: Option<(f64, f64)>| {
        let beyond = limit.is_some_and(|(seconds, memory)| found.0 > seconds || found.1 > memory);
        within &= !beyond;
        let limit = limit.map_or(String::new(), |(seconds, memory)| format!("{seconds:.1} s, {memory:.0} MB"));
        println!("{name:<34} {:>8.2} {:>9.0}   {limit}{}", found.0, found.1, if beyond { "  BEYOND" } else { "" });
    };
    row("data check, text of the release", measured(folder, visavis, &["data", "check", "celeba"]), Some((1.0, 200.0)));
    let csv = measured(folder, visavis, &["data", "check", "attributes.csv"]);
    row("data check, one CSV", csv, Some((1.0, 200.0)));
    // The first run fills the cache, where the tables were not written a moment ago.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    measured(folder, visavis, &["check", "large.yaml"]);
    row("check, tables kept", measured(folder, visavis, &["check", "large.yaml"]), Some((1.0, f64::INFINITY)));
    row("plan, tables kept", measured(folder, visavis, &["plan", "large.yaml"]), Some((1.0, f64::INFINITY)));
    if let Ok(python) = std::env::var("PYTHON") {
        let read = "import pandas as pd; d = pd.read_csv('attributes.csv', index_col=0); assert d.shape == (202599, 40)";
        let start = measured(folder, &python, &["-c", "import pandas"]);
        let pandas = measured(folder, &python, &["-c", read]);
        row("pandas, import alone", start, None);
        row("pandas, the same CSV", pandas, None);
        println!("pandas / data check of the CSV: {:.1} × the time, {:.1} × the memory", pandas.0 / csv.0, pandas.1 / csv.1);
    } else {
        println!("pandas: name a Python that has it in PYTHON");
    }
    assert!(within, "beyond a limit");
}
