//! Which variables Slurm's commands see, and which a worker is given. `sbatch` takes options from `SBATCH_…`, a job inside a job inherits the
//! other's `SLURM_…`, and everything else may be a secret.

use std::collections::BTreeSet;

/// Beginnings of names that change what Slurm's commands do or print, or that belong to another job.
const TAKEN_AWAY: [&str; 10] =
    ["SLURM_", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SCONTROL_", "SCANCEL_", "SINFO_", "PMI", "OMPI_"];

/// What of these stays: where Slurm's configuration is, and what its controller knows a user by.
const KEPT: [&str; 3] = ["SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"];

/// Is a variable kept from the commands of Slurm?
pub(crate) fn is_taken_away(name: &str) -> bool {
    !KEPT.contains(&name) && TAKEN_AWAY.iter().any(|start| name.starts_with(start))
}

/// What the commands of Slurm are given beside the rest: words that parse.
pub(crate) const PLAIN: [(&str, &str); 2] = [("LC_ALL", "C"), ("TZ", "UTC")];

/// Variables of the dispatcher that its workers need as well, by name: they say how programs are found and how they compute. No other is
/// handed on.
const HANDED_ON: [&str; 2] = ["LIBTORCH", "ONNXRUNTIME"];

/// What decides the bits of a worker's results, whatever the node says: single precision is single precision, on cards too.
pub(super) const BITS: [(&str, &str); 2] = [("NVIDIA_TF32_OVERRIDE", "0"), ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")];

/// This process's own variables, of those that are UTF-8 text.
pub(crate) fn own_variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Can it stand on a line of a script?
fn is_plain(value: &str) -> bool {
    !value.chars().any(char::is_control)
}

/// What a worker is given of the dispatcher's variables.
pub(crate) fn handed_on(variables: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        variables.filter(|(name, value)| HANDED_ON.contains(&name.as_str()) && is_plain(value)).collect();
    all.sort();
    all
}

/// Where Slurm's configuration is, and where the programs are that run networks.
const OF_A_DISPATCHER: [&str; 3] = ["SLURM_CONF", "VISAVIS_TORCH", "VISAVIS_ONNX"];

/// Is a variable one that this program hands on by itself?
pub(crate) fn is_ours(name: &str) -> bool {
    OF_A_DISPATCHER.contains(&name) || HANDED_ON.contains(&name) || BITS.iter().any(|(of, _)| *of == name)
}

/// What a dispatcher in a job of its own is given of these variables: what it hands on to its workers, what it needs to find Slurm and
/// programs, and `named`: what the study file names.
pub(crate) fn of_dispatcher(
    variables: impl Iterator<Item = (String, String)>,
    named: &BTreeSet<String>,
) -> Vec<(String, String)> {
    let is_named = |name: &str| OF_A_DISPATCHER.contains(&name) || named.contains(name);
    let variables: Vec<(String, String)> = variables.filter(|(_, value)| is_plain(value)).collect();
    let mut all = handed_on(variables.iter().cloned());
    for (name, value) in variables {
        let is_there = all.iter().any(|(other, _)| *other == name);
        let is_changing = name == "PATH" || is_taken_away(&name);
        if is_named(&name) && !is_there && !is_changing {
            all.push((name, value));
        }
    }
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_another_job_or_changes_outputs_is_taken_away() {
        for name in
            ["SBATCH_PARTITION", "SLURM_CPU_BIND", "SLURM_JOB_ID", "SQUEUE_FORMAT", "SLURM_TIME_FORMAT", "PMIX_RANK", "OMPI_X"]
        {
            assert!(is_taken_away(name), "{name}");
        }
        for name in ["SLURM_CONF", "PATH", "HOME", "KRB5CCNAME"] {
            assert!(!is_taken_away(name), "{name}");
        }
    }

    #[test]
    fn a_worker_is_given_no_secret() {
        let given = [
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("LIBTORCH", "/opt/torch"),
            ("ONNXRUNTIME", "/opt/onnxruntime/libonnxruntime.so"),
            ("HOME", "/root"),
            ("NVIDIA_TF32_OVERRIDE", "1"),
            ("GITHUB_TOKEN", "y"),
        ];
        let given = handed_on(given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(given, [("LIBTORCH", "/opt/torch"), ("ONNXRUNTIME", "/opt/onnxruntime/libonnxruntime.so")]);
    }

    #[test]
    fn a_dispatcher_is_given_what_the_study_names_and_no_other_secret() {
        let given = |named: &[&str]| {
            let of = [
                ("AWS_SECRET_ACCESS_KEY", "x"),
                ("CELEBA", "/data/it's celeba"),
                ("CELEB", "/no"),
                ("HOME", "/root"),
                ("LIBTORCH", "/opt/torch"),
                ("SLURM_CONF", "/etc/slurm.conf"),
                ("SBATCH_PARTITION", "urgent"),
                ("PATH", "/opt/bin"),
            ];
            let of = of.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let named = named.iter().map(|name| (*name).to_owned()).collect();
            let of = of_dispatcher(of, &named).into_iter().map(|(name, _)| name);
            of.filter(|name| !["CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE"].contains(&name.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(given(&[]), ["LIBTORCH", "SLURM_CONF"]);
        assert_eq!(given(&["CELEBA", "HOME"]), ["CELEBA", "HOME", "LIBTORCH", "SLURM_CONF"]);
        assert_eq!(given(&["PATH", "SBATCH_PARTITION", "NOT_SET"]), ["LIBTORCH", "SLURM_CONF"]);
    }
}
