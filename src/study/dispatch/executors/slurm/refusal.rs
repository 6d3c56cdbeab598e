//! What `sbatch` refuses, and which key of the study file that is about. Slurm's own words stay: they are what administrators know.

use super::commands::CommandEnd;
use crate::study::cluster::SettingPlace;
use std::collections::BTreeMap;
use visavis_core::domain::{
    Fault,
    text::{printable, shorten},
};

/// A submission that Slurm refused; `what` it does not take.
pub(crate) fn fault(what: &str, end: &CommandEnd, places: &BTreeMap<String, SettingPlace>) -> Fault {
    if end.is_missing {
        return Fault::missing("there is no `sbatch` on this machine").next("run it where it is; or here: --on local");
    }
    let why = reason(&end.err);
    let why = if why.is_empty() { "and does not say why".to_owned() } else { format!("and says: {why}") };
    let fault = Fault::missing(format!("Slurm takes no {what}, {why}"));
    match blamed(&end.err).iter().find_map(|key| Some((*key, places.get(*key)?))) {
        Some((key, (file, line, column))) => {
            fault.at(file, *line, *column).next(format!("see `run.slurm.{key}`; `sinfo` shows what there is"))
        }
        None => fault.next("see `run.slurm` in the study file; `--print-script` shows what is submitted"),
    }
}

/// The keys below `run.slurm` that a refusal may be about, as far as its words say, the likeliest first: it is about the first of them that the
/// study sets. Slurm has no codes for refusals: the words are those of 20.11 to 24.05, and others are about no key.
pub(crate) fn blamed(said: &str) -> &'static [&'static str] {
    // Limits of an account or a quality of service first: Slurm adds to each of them "job submit limit, user's size and/or time limits".
    const WORDS: [(&str, &[&str]); 23] = [
        ("maxwall", &["time"]),
        ("maxgres", &["gres"]),
        ("maxcpu", &["cpus"]),
        ("maxmem", &["memory"]),
        ("maxsubmit", &["workers"]),
        ("maxjobs", &["workers"]),
        ("violates accounting/qos policy", &["workers", "time"]),
        ("invalid partition", &["partition"]),
        ("partition is down", &["partition"]),
        ("invalid account", &["account"]),
        ("invalid qos", &["qos"]),
        ("invalid generic resource", &["gres"]),
        ("gres", &["gres"]),
        ("memory specification", &["memory"]),
        ("--mem", &["memory"]),
        ("invalid feature", &["constraint"]),
        ("time limit", &["time"]),
        ("--time", &["time"]),
        // More of something than any node has: `--gres=gpu:9` is refused so.
        ("node configuration is not available", &["gres", "cpus", "constraint", "memory", "partition"]),
        ("array", &["workers"]),
        ("job count", &["workers"]),
        ("submit", &["workers"]),
        ("processors", &["cpus"]),
    ];
    // "Batch job submission failed" stands before every reason.
    let said = said.to_lowercase().replace("batch job submission failed", "");
    WORDS.iter().find(|(words, _)| said.contains(words)).map_or(&[], |(_, keys)| keys)
}

/// The lines of standard error that say why, without banners: at most three.
pub(crate) fn reason(err: &str) -> String {
    let lines: Vec<&str> = err.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let told: Vec<&str> = lines.iter().copied().filter(|line| line.contains("error:")).collect();
    let of = if told.is_empty() { &lines[lines.len().saturating_sub(1)..] } else { &told[told.len().saturating_sub(3)..] };
    let words = of
        .iter()
        .map(|line| line.strip_prefix("sbatch: ").unwrap_or(line))
        .map(|line| line.strip_prefix("error: ").unwrap_or(line));
    shorten(&printable(&words.collect::<Vec<_>>().join("; ")), 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Slurm refuses what is beyond a limit.
    fn limit(name: &str) -> String {
        format!(
            "sbatch: error: {name}\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
        )
    }

    #[test]
    fn a_refusal_names_the_key_that_it_is_about() {
        for (said, key) in [
            (
                "sbatch: error: invalid partition specified: nowhere\nsbatch: error: Batch job submission failed: Invalid partition name specified",
                Some("partition"),
            ),
            (
                "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
                Some("account"),
            ),
            ("sbatch: error: Batch job submission failed: Invalid qos specification", Some("qos")),
            ("sbatch: error: Invalid generic resource (gres) specification", Some("gres")),
            (
                "sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: Requested node configuration is not available",
                Some("memory"),
            ),
            (
                "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)",
                Some("time"),
            ),
            ("sbatch: error: Batch job submission failed: Invalid job array specification", Some("workers")),
            ("sbatch: error: Batch job submission failed: Invalid feature specification", Some("constraint")),
            (&limit("QOSMaxSubmitJobPerUserLimit"), Some("workers")),
            (&limit("AssocMaxJobsLimit"), Some("workers")),
            (&limit("QOSMaxWallDurationPerJobLimit"), Some("time")),
            (&limit("QOSMaxGRESPerUser"), Some("gres")),
            (&limit("AssocMaxCpuPerJobLimit"), Some("cpus")),
            (&limit("QOSMaxMemoryPerJob"), Some("memory")),
            (&limit("QOSNewLimit"), Some("workers")),
            ("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", None),
            ("sbatch: error: Batch job submission failed: Requested node configuration is not available", Some("gres")),
        ] {
            assert_eq!(blamed(said).first().copied(), key, "{said}");
        }
    }

    #[test]
    fn slurms_own_words_are_told_without_banners() {
        let err = "*** Welcome ***\nsbatch: error: invalid partition specified: nowhere\nsbatch: error: Batch job submission failed: Invalid partition name specified\n";
        assert_eq!(
            reason(err),
            "invalid partition specified: nowhere; Batch job submission failed: Invalid partition name specified"
        );
        assert_eq!(reason("\nkilled\n"), "killed");
        assert_eq!(reason(""), "");
        assert!(!reason("error: \u{1b}[2J").contains('\u{1b}'));
    }
}
