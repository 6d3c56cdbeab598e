//! A study on a real Slurm of two nodes, each with a mount of the workspace of its own (`tests/slurm/rig`).
//! `scripts/tests-left-out` leaves this file out of every day's tests, and where the rig cannot start.

use crate::{
    desk::{Desk, Said, program, wait_until},
    slurm::made,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const SMALL: &str = "experiments/small.yaml";

struct Rig {
    folder: tempfile::TempDir,
}

impl Rig {
    fn start() -> Self {
        let rig = Rig { folder: tempfile::tempdir().unwrap() };
        let started: Said = rig.command(&["start"]).output().unwrap().into();
        assert_eq!(started.code, 0, "{}", started.err);
        rig
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/rig"));
        command.args(arguments).env("RIG", self.folder.path()).env("RIG_PORT", "27817");
        command
    }

    /// The workspace as the host sees it, without any mount.
    fn real(&self) -> PathBuf {
        self.folder.path().join("real/it's a workspace")
    }

    /// The same as the login machine and the nodes see it, each through its own mount.
    fn shared(&self) -> PathBuf {
        self.folder.path().join("shared/it's a workspace")
    }

    /// A command of visavis on the login machine.
    fn visavis(&self, arguments: &[&str]) -> Command {
        let folder = self.shared().display().to_string();
        let state = self.folder.path().join("state").display().to_string();
        let enter = "cd \"$1\" && export XDG_STATE_HOME=\"$2\" XDG_CACHE_HOME=\"$2\" && shift 2 && exec \"$@\"";
        let mut command = self.command(&["run", "bash", "-c", enter, "rig", &folder, &state, &program()]);
        command.args(arguments);
        command
    }

    fn slurm(&self, arguments: &[&str]) -> String {
        let said: Said = self.command(&[&["run"], arguments].concat()).output().unwrap().into();
        said.out
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.command(&["stop"]).stderr(Stdio::null()).status().ok();
    }
}

fn results(of: PathBuf) -> Vec<String> {
    made(of).into_iter().filter(|name| !name.contains(".part-")).collect()
}

#[test]
fn a_study_on_two_nodes_of_which_a_worker_is_cancelled_gives_the_results_of_a_run_here() {
    let here = Desk::with_digits();
    here.edit(SMALL, "bootstraps: 60", "bootstraps: 600");
    here.succeed(&["run", SMALL, "--quiet"]);
    let rig = Rig::start();
    for name in ["data/digits/labels.csv", "data/digits/images.txt", "data/digits/pixels.npy", "data/digits/blocks.npy", SMALL] {
        let to = rig.real().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(here.path(name), to).unwrap();
    }
    let mut run = rig.visavis(&["run", SMALL, "--on", "slurm"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("a result", || fs::read_dir(rig.real().join("data/results")).is_ok_and(|mut all| all.next().is_some()));
    let running = rig.slurm(&["squeue", "-h", "-r", "-t", "RUNNING", "-o", "%i"]);
    let first = running.lines().next().expect("a worker runs").to_owned();
    rig.slurm(&["scancel", &first]);
    let mut err = String::new();
    std::io::Read::read_to_string(&mut run.stderr.take().unwrap(), &mut err).unwrap();
    assert!(run.wait().unwrap().success(), "{err}");
    assert_eq!(results(rig.real()), results(here.path("")));
    assert_eq!(rig.slurm(&["squeue", "-h"]), "", "no worker is left");
}
