//! Studies on a real Slurm of two nodes, each with a mount of the workspace of its own (`tests/slurm/rig`). Each ends in the results of a run
//! here, bit by bit. `scripts/tests-left-out` leaves them out where the rig cannot start; of every day is the plain one, the others are of
//! `make test-long`. What was seen in each, with seconds, is a table in `docs/slurm.md`.

mod all_at_once;
mod dispatchers;
mod folders;
mod nodes;
mod workers;

use crate::{
    desk::{Desk, Said, program},
    nodes::Running,
    slurm::made,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const SMALL: &str = "experiments/small.yaml";
const MICRO: &str = "experiments/micro.yaml";

/// The first of the three ports of a rig, which another run of the tests does not have at the same time.
fn port() -> u32 {
    20_000 + 4 * (std::process::id() % 2000)
}

/// One rig at a time: they have the same ports, and the machine has few processors.
static ONE: Mutex<()> = Mutex::new(());

struct Rig {
    /// It goes before the folder that it is in.
    disk: Option<Disk>,
    folder: tempfile::TempDir,
    _one: MutexGuard<'static, ()>,
}

/// A small disk of its own.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: PathBuf, size: &str) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&folder);
        assert!(mount.status().unwrap().success(), "this test mounts a disk");
        Disk(folder)
    }

    fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).stderr(Stdio::null()).status().ok();
    }
}

impl Rig {
    fn start() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        Rig { disk: None, folder: tempfile::tempdir().unwrap(), _one: one }.started()
    }

    /// With a disk of this size for the workspace of this name.
    fn start_with_disk(name: &str, size: &str) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::mount(folder.path().join("real").join(name), size);
        Rig { disk: Some(disk), folder, _one: one }.started()
    }

    fn started(self) -> Self {
        let started: Said = self.command(&["start"]).output().unwrap().into();
        assert_eq!(started.code, 0, "{}", started.err);
        self
    }

    /// A command of the rig itself.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/rig"));
        command.args(arguments).env("RIG", self.folder.path()).env("RIG_PORT", port().to_string());
        command
    }

    /// A command of the rig that must succeed.
    fn do_it(&self, arguments: &[&str]) -> String {
        let said: Said = self.command(arguments).output().unwrap().into();
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    /// A command on the login machine that must succeed.
    fn slurm(&self, arguments: &[&str]) -> String {
        self.do_it(&[&["run"], arguments].concat())
    }

    /// A study of networks that pretend to learn, each for so many epochs of a fiftieth of a second, in a workspace of this name.
    fn study(&self, name: &str, epochs: u32, run: &str) -> Study<'_> {
        let desk = Desk::with_pretence();
        desk.edit(MICRO, "epochs: 4", &format!("epochs: {epochs}"));
        desk.write(MICRO, format!("{}{run}\n", desk.read(MICRO)).as_bytes());
        let study = Study { rig: self, name: name.to_owned(), file: MICRO, desk };
        study.copy(&["data/dots.csv", MICRO]);
        study
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.command(&["stop"]).stderr(Stdio::null()).status().ok();
    }
}

/// A study in a workspace on the shared folder, and the same in a workspace here.
struct Study<'a> {
    rig: &'a Rig,
    name: String,
    file: &'static str,
    desk: Desk,
}

impl Study<'_> {
    /// Copies files and folders of the desk into the workspace on the shared folder.
    fn copy(&self, names: &[&str]) {
        for name in names {
            let to = self.real().join(name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            assert!(Command::new("cp").arg("-r").arg(self.desk.path(name)).arg(to).status().unwrap().success(), "{name}");
        }
    }

    /// The workspace as the host sees it, without any mount.
    fn real(&self) -> PathBuf {
        self.rig.folder.path().join("real").join(&self.name)
    }

    /// The same as the login machine and the nodes see it, each through its own mount.
    fn shared(&self) -> PathBuf {
        self.rig.folder.path().join("shared").join(&self.name)
    }

    /// A command of visavis on the login machine (`login`) or on a node.
    fn visavis(&self, on: &str, arguments: &[&str]) -> Command {
        let folder = self.shared().display().to_string();
        let state = self.rig.folder.path().join(format!("state-{on}")).display().to_string();
        let enter = "cd \"$1\" && export XDG_STATE_HOME=\"$2\" XDG_CACHE_HOME=\"$2\" && shift 2 && exec \"$@\"";
        let words = ["run", "--on", on, "bash", "-c", enter, "rig", &folder, &state, &program()];
        let mut command = self.rig.command(&words);
        command.args(arguments);
        command
    }

    fn said(&self, on: &str, arguments: &[&str]) -> Said {
        self.visavis(on, arguments).output().unwrap().into()
    }

    /// Starts the run on Slurm, with the dispatcher on the login machine or a node.
    fn start(&self, on: &str) -> Running {
        Running::start(&mut self.visavis(on, &["run", self.file, "--on", "slurm"]))
    }

    /// Starts it, and waits until so many workers are at a stage.
    fn start_with(&self, workers: usize) -> Running {
        let run = self.start("login");
        self.wait(60, "workers that are given stages", || self.given() >= workers);
        // What they are at lasts, and they have begun it.
        std::thread::sleep(Duration::from_secs(2));
        run
    }

    /// How many workers the dispatcher has written to.
    fn given(&self) -> usize {
        let posts = fs::read_dir(self.real().join("data/post")).into_iter().flatten().flatten();
        let letters = posts.flat_map(|post| fs::read_dir(post.path()).into_iter().flatten().flatten());
        letters.filter(|letters| letters.path().extension().is_some_and(|end| end == "orders")).count()
    }

    /// Where the letters and logs of the last run are.
    fn post(&self) -> PathBuf {
        let posts = fs::read_dir(self.real().join("data/post")).unwrap().map(|post| post.unwrap().path());
        posts.max().expect("a run was submitted")
    }

    /// What its jobs are called.
    fn job_name(&self) -> String {
        format!("visavis-{}", self.post().file_name().unwrap().to_str().unwrap())
    }

    /// The elements of its arrays in a state, as `7_0`, and the node of each.
    fn tasks(&self, state: &str) -> Vec<(String, String)> {
        let out = self.rig.slurm(&["squeue", "-h", "-r", "-n", &self.job_name(), "-t", state, "-o", "%F_%K %N"]);
        out.lines().map(|line| line.split_once(' ').unwrap()).map(|(task, node)| (task.to_owned(), node.to_owned())).collect()
    }

    fn results(&self) -> usize {
        fs::read_dir(self.real().join("data/results")).map_or(0, Iterator::count)
    }

    /// The process number of its dispatcher, on the machine where that is.
    fn dispatcher(&self) -> u64 {
        let said = self.said("login", &["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(said.out.lines().last().unwrap()).unwrap();
        status["process"].as_u64().expect("a dispatcher")
    }

    /// The processes of its workers, as numbered here.
    fn worker_processes(&self) -> Vec<String> {
        let pattern = format!(" work --workspace={} ", self.shared().display());
        let found: Said = Command::new("pgrep").args(["-f", "--", &pattern]).output().unwrap().into();
        found.out.lines().map(str::to_owned).collect()
    }

    /// Waits until something holds, which it must within so many seconds.
    fn wait(&self, seconds: u64, what: &str, mut holds: impl FnMut() -> bool) {
        let since = Instant::now();
        while !holds() {
            assert!(since.elapsed() < Duration::from_secs(seconds), "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The run ends well, with the results of a run here, and none of its workers is left.
    fn ends_as_here(&self, run: Running) -> Said {
        let said = run.ends();
        assert_eq!(said.code, 0, "{}", said.err);
        self.is_as_here();
        assert!(self.tasks("PENDING,RUNNING").is_empty(), "no worker is left");
        said
    }

    fn is_as_here(&self) {
        self.desk.succeed(&["run", self.file, "--on", "local", "--quiet"]);
        assert_eq!(results(&self.real()), results(&self.desk.path("")));
    }
}

fn results(of: &Path) -> BTreeSet<String> {
    made(of).into_iter().filter(|name| !name.contains(".part-")).collect()
}

#[test]
fn a_study_on_two_nodes_gives_the_results_of_a_run_here() {
    let rig = Rig::start();
    let desk = Desk::with_digits();
    let study = Study { rig: &rig, name: "it's a workspace".into(), file: SMALL, desk };
    study.copy(&["data/digits/labels.csv", "data/digits/images.txt", "data/digits/pixels.npy", "data/digits/blocks.npy", SMALL]);
    study.ends_as_here(study.start("login"));
    let again = study.said("n2", &["run", SMALL, "--on", "slurm"]);
    assert!(again.code == 0 && again.out.contains("0 stages ran"), "{}{}", again.out, again.err);
}
