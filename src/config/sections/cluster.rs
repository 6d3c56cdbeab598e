//! `run: { slurm: … }`: where jobs run.

use crate::config::reader::StudyNode;
use std::str::FromStr;
use visavis_core::domain::{
    Result,
    study::{DispatcherPlace, RunOn, SlurmSettings},
};

/// The keys of `slurm`, in the order of the guide.
const KEYS: [&str; 12] = [
    "partition",
    "gres",
    "time",
    "account",
    "qos",
    "memory",
    "constraint",
    "cpus",
    "workers",
    "throttle",
    "prologue",
    "dispatcher",
];

/// So many workers one study may ask for.
const MOST_WORKERS: u64 = 100_000;

/// Lines that come before the worker.
const MOST_LINES: usize = 200;

pub(super) fn run_on(node: &StudyNode) -> Result<RunOn> {
    match node.variant(&["local", "slurm"])? {
        ("local", None) => Ok(RunOn::Local),
        ("local", Some(node)) => Err(node.wrong_key("`local` takes no parameters").next("write `run: local`")),
        (_, Some(node)) => Ok(RunOn::Slurm(Box::new(slurm(&node)?))),
        (_, None) => Ok(RunOn::Slurm(Box::default())),
    }
}

fn slurm(node: &StudyNode) -> Result<SlurmSettings> {
    let fields = node.fields(&KEYS)?;
    let usual = SlurmSettings::default();
    let settings = SlurmSettings {
        partition: fields.or("partition", None, some)?,
        gres: fields.or("gres", None, some)?,
        time: fields.or("time", None, some)?,
        account: fields.or("account", None, some)?,
        qos: fields.or("qos", None, some)?,
        memory: fields.or("memory", None, some)?,
        constraint: fields.or("constraint", None, some)?,
        cpus: fields.or("cpus", None, |node| node.count(1..=1024).map(Some))?,
        workers: fields.or("workers", usual.workers, |node| node.count(1..=MOST_WORKERS))?,
        throttle: fields.or("throttle", None, |node| node.count(1..=MOST_WORKERS).map(Some))?,
        prologue: fields.or("prologue", vec![], |node| {
            let lines = node.list()?;
            if lines.len() > MOST_LINES {
                return Err(node
                    .wrong(format!("{}: {} lines, and {MOST_LINES} at most", node.name(), lines.len()))
                    .next("write them into a file, and the line `source FILE` here"));
            }
            lines.iter().map(parsed).collect()
        })?,
        dispatcher: fields.or("dispatcher", usual.dispatcher, dispatcher)?,
    };
    if let Some(throttle) = settings.throttle
        && throttle > settings.workers
    {
        let node = fields.need("throttle")?;
        let what = format!("{}: {throttle} workers at a time, of {} in all", node.name(), settings.workers);
        return Err(node.wrong(what).next("leave `throttle` out, or raise `workers`"));
    }
    Ok(settings)
}

fn dispatcher(node: &StudyNode) -> Result<DispatcherPlace> {
    match node.variant(&["here", "job"])? {
        ("here", None) => Ok(DispatcherPlace::Here),
        ("here", Some(node)) => Err(node.wrong_key("`here` takes no parameters").next("write `dispatcher: here`")),
        (_, None) => Ok(DispatcherPlace::Job { time: None, partition: None }),
        (_, Some(node)) => {
            let fields = node.fields(&["time", "partition"])?;
            let (time, partition) = (fields.or("time", None, some)?, fields.or("partition", None, some)?);
            Ok(DispatcherPlace::Job { time, partition })
        }
    }
}

/// A value that its type reads from the letters it was written in.
fn parsed<T: FromStr<Err = String>>(node: &StudyNode) -> Result<T> {
    let text = node.text()?;
    text.parse()
        .map_err(|why| node.wrong(format!("{}: `{}`: {why}", node.name(), visavis_core::domain::text::shorten(&text, 60))))
}

fn some<T: FromStr<Err = String>>(node: &StudyNode) -> Result<Option<T>> {
    parsed(node).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    fn run(run: &str) -> Result<RunOn> {
        let source = format!(
            "format: 1\nstudy: s\nrun: {run}\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: [pca]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        parse(Text { path: "s.yaml".into(), source }).map(|file| file.study.run)
    }

    fn settings(text: &str) -> SlurmSettings {
        match run(text) {
            Ok(RunOn::Slurm(settings)) => *settings,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(text: &str) -> String {
        run(text).unwrap_err().to_string()
    }

    #[test]
    fn every_key_of_slurm_is_read_into_its_type() {
        let all = settings(
            "{ slurm: { partition: gpu, gres: \"gpu:1\", time: 4:00:00, account: faces, qos: normal, memory: 16G, constraint: a100, cpus: 8, workers: 20, throttle: 5, prologue: [module load cuda, \"export A='b c'\"], dispatcher: job } }",
        );
        let word = |word: &Option<visavis_core::domain::study::SlurmWord>| word.as_ref().unwrap().as_str().to_owned();
        assert_eq!(
            [&all.partition, &all.gres, &all.account, &all.qos, &all.constraint].map(word),
            ["gpu", "gpu:1", "faces", "normal", "a100"]
        );
        assert_eq!((all.time.unwrap().seconds(), all.memory.unwrap().count(), all.cpus), (14400, 16384, Some(8)));
        assert_eq!(
            (all.workers, all.throttle, all.dispatcher),
            (20, Some(5), DispatcherPlace::Job { time: None, partition: None })
        );
        assert_eq!(all.prologue[1].as_str(), "export A='b c'");
    }

    #[test]
    fn what_is_left_out_is_left_to_the_cluster() {
        assert_eq!(settings("slurm"), SlurmSettings::default());
        assert_eq!(settings("{ slurm: { partition: null, time: ~ } }"), SlurmSettings::default());
        assert_eq!(run("local").unwrap(), RunOn::Local);
    }

    #[test]
    fn a_dispatcher_in_a_job_may_have_a_time_and_a_partition_of_its_own() {
        let place = |text: &str| settings(&format!("{{ slurm: {{ dispatcher: {text} }} }}")).dispatcher;
        assert_eq!(place("here"), DispatcherPlace::Here);
        let own = DispatcherPlace::Job { time: "2-00:00:00".parse().ok(), partition: "cpu".parse().ok() };
        assert_eq!(place("{ job: { time: 2-00, partition: cpu } }"), own);
        assert_eq!(place("{ job: {} }"), DispatcherPlace::Job { time: None, partition: None });
    }

    #[test]
    fn a_value_that_slurm_would_misread_is_refused_at_its_line() {
        for (text, words) in [
            ("{ slurm: { partition: \"a b\" } }", "run.slurm.partition: `a b`: it holds a space"),
            ("{ slurm: { time: soon } }", "run.slurm.time: `soon`: expected a time as Slurm writes it"),
            ("{ slurm: { memory: lots } }", "run.slurm.memory: `lots`: expected memory"),
            ("{ slurm: { workers: 0 } }", "run.slurm.workers: expected a whole number from 1"),
            ("{ slurm: { workers: 2, throttle: 3 } }", "run.slurm.throttle: 3 workers at a time, of 2 in all"),
            ("{ slurm: { prologue: [\"#SBATCH --mem=1G\"] } }", "options have keys of their own"),
            ("{ slurm: { prologue: module load } }", "expected a list"),
            ("{ slurm: { dispatcher: elsewhere } }", "`elsewhere` is not known"),
            ("{ slurm: { dispatcher: { here: { time: 1 } } } }", "`here` takes no parameters"),
            ("{ slurm: { dispatcher: { job: { time: soon } } } }", "run.slurm.dispatcher.job.time: `soon`: expected a time"),
            ("{ slurm: { dispatcher: { job: { cpus: 2 } } } }", "unknown key `cpus` in run.slurm.dispatcher.job"),
            ("{ slurm: { nodes: 2 } }", "unknown key `nodes` in run.slurm"),
            ("{ local: { slots: 1 } }", "`local` takes no parameters"),
        ] {
            let told = refusal(text);
            assert!(told.contains(words) && told.contains("s.yaml:3:"), "{text}: {told}");
        }
    }
}
