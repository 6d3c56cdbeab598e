//! Folders that are full, read-only, or another on a node.

use super::Rig;
use crate::nodes::Running;

#[test]
fn a_folder_that_nodes_cannot_write_stops_the_run_before_many_start() {
    let rig = Rig::start();
    let study = rig.study("read-only", 4, "run: { slurm: { workers: 3, memory: 400M } }");
    let shared = rig.folder.path().join("shared").display().to_string();
    let remount = |how: &str| {
        for node in ["n1", "n2"] {
            rig.do_it(&["run", "--on", node, "mount", "-o", &format!("remount,bind,{how}"), &shared]);
        }
    };
    remount("ro");
    // Slurm cannot even open the workers' logs.
    let said = study.start("login").ends();
    assert!(said.code == 5 && said.err.contains("before they said hello"), "{} {}", said.code, said.err);
    remount("rw");
    study.ends_as_here(study.start("login"));
}

#[test]
fn a_node_on_which_the_workspace_is_another_folder_is_done_without() {
    let rig = Rig::start();
    let study = rig.study("elsewhere", 500, "run: { slurm: { workers: 6, memory: 100M } }");
    let shared = study.shared().display().to_string();
    rig.do_it(&["run", "--on", "n2", "mount", "-t", "tmpfs", "tmpfs", &shared]);
    let run = study.start_with(3);
    assert!(study.tasks("RUNNING").iter().all(|(_, node)| node == "n1"), "{:?}", study.tasks("all"));
    study.ends_as_here(run);
}

#[test]
fn a_workspace_that_is_another_on_the_nodes_is_told_by_the_first_workers() {
    let rig = Rig::start();
    let study = rig.study("mine", 4, "run: { slurm: { workers: 3, memory: 400M } }");
    assert_eq!(study.said("login", &["run", study.file, "--on", "local", "--quiet"]).code, 0);
    // On the nodes the folder holds all that Slurm needs, and has another name: another user's of the same path, or an old copy.
    let (other, name) = (rig.folder.path().join("other.id"), study.shared().join("data/workspace.id").display().to_string());
    std::fs::write(&other, "0123456789abcdef0123456789abcdef").unwrap();
    let on_nodes = |words: &[&str]| ["n1", "n2"].map(|node| rig.do_it(&[&["run", "--on", node], words].concat()));
    on_nodes(&["mount", "--bind", &other.display().to_string(), &name]);
    let said = Running::start(&mut study.visavis("login", &["run", study.file, "--on", "slurm", "--force"])).ends();
    assert!(said.code == 5 && said.err.contains("before they said hello"), "{} {}", said.code, said.err);
    let logs =
        std::fs::read_dir(study.post().join("logs")).unwrap().map(|log| std::fs::read_to_string(log.unwrap().path()).unwrap());
    assert!(logs.into_iter().all(|log| log.contains("another workspace than that of the run")), "{}", said.err);
    on_nodes(&["umount", &name]);
    study.ends_as_here(study.start("login"));
}

#[test]
fn a_shared_folder_that_is_full_ends_no_result_in_halves() {
    let rig = Rig::start_with_disk("full", "600k");
    let study = rig.study("full", 4, "run: { slurm: { workers: 2, memory: 400M } }");
    let said = study.start("login").ends();
    assert_ne!(said.code, 0, "it is full: {}", said.err);
    assert!(said.err.contains("no space left on device"), "{}", said.err);
    rig.disk.as_ref().unwrap().resize("50m");
    study.ends_as_here(study.start("login"));
}
