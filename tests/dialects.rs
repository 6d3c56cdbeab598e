//! What `visavis weights inspect` tells of a file of every project that people have weights from, and of bad files: every word of it, in
//! `tests/fixtures/dialects/inspected.txt`. `VISAVIS_BLESS=1` writes that file anew; then read it as its reader would.
//!
//! The files are made by `tests/fixtures/dialects/make.py`. Each is inspected within two seconds of processor time and 500 MB of memory.

use crate::desk::{Desk, program};
use flate2::read::GzDecoder;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)
}

/// Puts every file on the desk, and gives their names, sorted.
fn files(desk: &Desk) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(fixtures("dialects")).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".gz") else { continue };
        let mut bytes = Vec::new();
        GzDecoder::new(fs::File::open(&path).unwrap()).read_to_end(&mut bytes).unwrap();
        desk.write(name, &bytes);
        names.push(name.to_owned());
    }
    // `outside.onnx` has its weights in a file that is not beside it; the library has no operator of `strange.onnx`.
    for name in ["dict.pt", "outside.onnx", "strange.onnx"] {
        desk.write(name, &fs::read(fixtures("whole").join(name)).unwrap());
        names.push(name.to_owned());
    }
    names.sort();
    names
}

/// What a command says, with its exit code, as a person sees it.
fn told(desk: &Desk, arguments: &[&str]) -> String {
    // The shell ends what takes longer or more; both are of the processes that it becomes.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -t 2; ulimit -v 500000; exec \"$@\"", "sh", &program(), "--threads", "1"]).args(arguments);
    let output = command.current_dir(desk.path(".")).env("NO_COLOR", "1").output().unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{arguments:?}: {}", output.status));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    let ends = if code == 0 { String::new() } else { format!("[exit code {code}]\n") };
    format!("$ visavis {}\n{said}{ends}", arguments.join(" "))
}

/// A study whose model reads a tensor that its file does not have.
const ABSENT: &str = r#"format: 1
study: absent
evaluation: { dataset: f }
datasets: { f: { images: { root: pics, labels: labels.csv, identities: each_image } } }
preparations: { p: { crop: whole, size: 16, scale: raw, channels: rgb } }
models:
  named:
    m: { architecture: small, loss: softmax, trained_on: x, prepare: p, weights: { file: dynamic.onnx, family: onnx }, layers: { embedding: featurs } }
projections: [pca: { axes: 1 }]
comparisons: { x: { A: x, B: not x } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

#[test]
fn what_is_told_of_files_of_every_project_and_of_bad_files_is_what_was_read_over() {
    let desk = Desk::empty();
    let mut texts: Vec<String> = files(&desk).iter().map(|name| told(&desk, &["weights", "inspect", name])).collect();
    desk.write("absent.yaml", ABSENT.as_bytes());
    desk.write("labels.csv", b"image_id,x\na.png,1\nb.png,0\n");
    texts.push(told(&desk, &["check", "absent.yaml"]));
    let found = texts.join("\n");
    let path = fixtures("dialects").join("inspected.txt");
    if std::env::var_os("VISAVIS_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(kept.lines()).find(|(found, kept)| found != kept);
    assert!(found == kept, "VISAVIS_BLESS=1 writes it anew; the first line that differs: {differs:?}");
    // Nothing in a file was run, and what no study can use is no success.
    assert!(!found.contains("\nthis was run"));
    for bad in [
        "cut.pth",
        "deep.pkl",
        "huge.pth",
        "os_system.pth",
        "optimizer_only.pth",
        "other_shapes.pth",
        "too_much.pth",
        "without_a_stage.pth",
    ] {
        let text = texts.iter().find(|text| text.starts_with(&format!("$ visavis weights inspect {bad}\n"))).unwrap();
        assert!(text.contains("[exit code 2]") && text.contains("next "), "{text}");
    }
}
