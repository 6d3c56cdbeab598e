//! A desk to work at: a workspace in a temporary folder, with a small study on it, and the real program.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};
use visavis_core::store::Injection;

pub(crate) struct Desk {
    folder: tempfile::TempDir,
    /// The user's cache, so that nothing of the test is left in the one of whoever runs it.
    cache: tempfile::TempDir,
}

/// The program under test: another than the one just built, if it is named.
pub(crate) fn program() -> String {
    std::env::var("VISAVIS_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_visavis").to_owned())
}

/// Makes sure that a worker's program is beside the one under test.
pub(crate) fn needs_beside(name: &str) {
    let path = Path::new(&program()).with_file_name(name);
    assert!(path.is_file(), "{} is not there: `make test` builds it", path.display());
}

/// Commands into which a fault is injected.
pub(crate) trait Inject {
    /// Sets the variable of an injection. Without the cargo feature the fault would not come, and the test would prove nothing:
    /// it fails here.
    fn inject(&mut self, injection: Injection, value: impl AsRef<OsStr>) -> &mut Self;
}

impl Inject for Command {
    // A constant of the build: that is what is asked.
    #[allow(clippy::assertions_on_constants)]
    fn inject(&mut self, injection: Injection, value: impl AsRef<OsStr>) -> &mut Self {
        assert!(
            Injection::BUILT_IN,
            "this test injects faults into the program: build it with `--features fault-injection`, as `make test` does"
        );
        self.env(injection.variable(), value)
    }
}

/// Waits until this holds, which it must within half a minute.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A user's cache that holds only what was fetched for all tests: onnxruntime.
fn cache() -> tempfile::TempDir {
    let own = tempfile::tempdir().unwrap();
    let users = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let users = users.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    if let Some(fetched) = users.map(|users| users.join("visavis/onnxruntime")).filter(|fetched| fetched.is_dir()) {
        fs::create_dir(own.path().join("visavis")).unwrap();
        std::os::unix::fs::symlink(fetched, own.path().join("visavis/onnxruntime")).unwrap();
    }
    own
}

/// How a command ended.
pub(crate) struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    /// An empty workspace.
    pub(crate) fn empty() -> Self {
        Desk { folder: tempfile::tempdir().unwrap(), cache: cache() }
    }

    /// A workspace with the digits sample and a study of it that runs in a blink.
    pub(crate) fn with_digits() -> Self {
        let desk = Desk::empty();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits");
        for name in ["labels.csv", "images.txt", "pixels.npy", "blocks.npy"] {
            desk.write(&format!("data/digits/{name}"), &fs::read(sample.join(name)).unwrap());
        }
        desk.write("experiments/small.yaml", SMALL.as_bytes());
        desk
    }

    /// A workspace with a study of networks that only pretend to learn: four models, sixty jobs, two seconds.
    pub(crate) fn with_pretence() -> Self {
        let desk = Desk::empty();
        let row = |i: usize| format!("{i:02}.png,{},{}\n", i % 2, u8::from(i.is_multiple_of(3)));
        desk.write("data/dots.csv", ("image_id,odd,third\n".to_owned() + &(0..40).map(row).collect::<String>()).as_bytes());
        desk.write("experiments/micro.yaml", MICRO.as_bytes());
        desk
    }

    /// The user's cache of this desk.
    pub(crate) fn cache(&self) -> &Path {
        self.cache.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A page without the marks of names.
    pub(crate) fn page(&self, name: &str) -> String {
        self.read(name).replace("<bdi>", "").replace("</bdi>", "")
    }

    /// Rewrites a file, which must hold what is replaced.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} does not hold {from}");
        self.write(name, text.replacen(from, to, 1).as_bytes());
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.folder.path()).args(arguments).env_remove("RUST_BACKTRACE");
        command.env("XDG_CACHE_HOME", self.cache());
        command
    }

    pub(crate) fn visavis(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs a command that must succeed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let said = self.visavis(arguments);
        assert_eq!(said.code, 0, "visavis {arguments:?} said\n{}{}", said.out, said.err);
        said.out
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let out = self.succeed(&[arguments, &["--json"]].concat());
        serde_json::from_str(out.lines().last().unwrap()).unwrap()
    }

    /// Stages that ran, by kind, and how many were stored, in one more run of the study.
    pub(crate) fn ran(&self, study: &str) -> (Vec<String>, u64) {
        let out = self.succeed(&["run", study, "--json"]);
        let events: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kinds = events
            .iter()
            .filter(|event| event["event"] == "stage_started")
            .map(|event| event["kind"].as_str().unwrap().to_owned());
        let mut kinds: Vec<String> = kinds.collect();
        kinds.sort();
        kinds.dedup();
        let last = events.last().unwrap();
        assert_eq!(last["event"], "finished");
        (kinds, last["ran"].as_u64().unwrap())
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// Two feature sets, few axes, few resamples.
pub(crate) const SMALL: &str = r#"format: 1
study: small
about: Do blocks of pixels separate digits as well as pixels do?
seed: 7
datasets:
  digits: { images: { root: ../data/digits/images, labels: ../data/digits/labels.csv, identities: each_image } }
evaluation:
  dataset: digits
models:
  named:
    pixels:
      features: { embedding: ../data/digits/pixels.npy, images: ../data/digits/images.txt }
    blocks:
      features: { embedding: ../data/digits/blocks.npy, images: ../data/digits/images.txt }
projections:
  - pca: { axes: 3, pairs: [[1, 2]] }
comparisons:
  zero or one: { Zero: "digit=0", One: "digit=1" }
  even or odd: { Even: "even", Odd: "not even" }
  ink: { quantity: ink }
statistics: { bootstraps: 60 }
selection: { show: 3 }
fairness: { groups: [bold], depth: 1 }
resources:
  cpu: { slots: 2 }
"#;

/// Everything but the networks is real.
pub(crate) const MICRO: &str = r#"format: 1
study: micro
seed: 5
numerics: { device: pretend }
datasets:
  dots: { images: { root: ../data/dots, labels: ../data/dots.csv, identities: each_image } }
  faces: { folders: { root: ../data/faces } }
preparations:
  whole: { crop: whole, size: 32, pad: zero, scale: imagenet }
recipes:
  quick: { epochs: 4, batch: 8, optimizer: { sgd: { rate: 0.1 } }, schedule: cosine }
evaluation: { dataset: dots }
models:
  matrix:
    architecture:
      - resnet34
      - seresnet34
    loss:
      - softmax
      - arcface
    trained_on:
      - faces
    prepare:
      - whole
    train: { recipe: quick }
layers: [layer4, embedding]
projections:
  - pca: { axes: 2 }
comparisons:
  odd or even: { Odd: "odd", Even: "not odd" }
  third: { Third: "third", Others: "not third" }
statistics: { bootstraps: 20, min_positives: 4 }
selection: { show: 3 }
resources:
  cpu: { slots: 2 }
  gpu: { slots: 2 }
"#;
