//! The programs that workers of Slurm are: two in one study, and one of another build than the dispatcher's.

use super::{Cluster, SMALL, made};
use crate::{
    desk::{Desk, needs_beside},
    whole_networks,
};
use std::collections::BTreeSet;

fn results(of: &Desk) -> BTreeSet<String> {
    made(&of.path("")).into_iter().filter(|name| !name.contains(".part-")).collect()
}

#[test]
fn a_study_whose_networks_need_two_programs_is_made_by_workers_that_become_either() {
    needs_beside("visavis-torch");
    let one_worker = "run: { slurm: { workers: 1 } }\n";
    let desk = || {
        let desk = whole_networks::desk();
        desk.write(whole_networks::STUDY, (desk.read(whole_networks::STUDY) + one_worker).as_bytes());
        desk
    };
    let (here, cluster) = (desk(), Cluster::of(desk()));
    here.succeed(&["run", whole_networks::STUDY, "--on", "local", "--quiet"]);
    // A node has the user's home, where the library is.
    cluster.odd("sbatch", &format!("exec < <(sed '2iexport XDG_CACHE_HOME={}')", here.cache().display()));
    let printed = cluster.run(&["run", whole_networks::STUDY, "--print-script"]).out;
    assert!(printed.contains("--program=visavis-torch=") && printed.contains("--program=visavis-onnx="), "{printed}");
    let said = cluster.run(&["run", whole_networks::STUDY]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(results(&cluster.desk), results(&here));
    assert_eq!(cluster.asked("sbatch"), 1, "one job did all, as one program after the other");
}

#[test]
fn a_worker_of_another_build_is_refused_with_both_builds() {
    let cluster = Cluster::new();
    let printed = cluster.run(&["run", SMALL, "--on", "slurm", "--print-script"]).out;
    assert!(printed.contains("--build=visavis="), "the build is told: {printed}");
    // Between the submission and the start somebody builds visavis anew: to the worker, another build is expected.
    cluster.odd("sbatch", "exec < <(sed 's/--build=visavis=[0-9a-f]*/--build=visavis=0123abcd/')");
    let said = cluster.run(&["run", SMALL, "--on", "slurm"]);
    assert_eq!(said.code, 5, "{}{}", said.out, said.err);
    let told = "visavis is of another build than the dispatcher's";
    assert!(said.err.contains(told) && said.err.contains("0123abcd is expected"), "{}", said.err);
    assert_eq!(cluster.asked("sbatch"), 1, "not again and again");
}
