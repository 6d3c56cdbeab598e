//! A dispatcher in a small job of its own, for clusters that end long processes of login machines: what is submitted, and the submission.
//! The job runs the command that asked for it, on a node.

use super::{
    commands::run,
    environment::{is_ours, of_dispatcher, own_variables},
    job_state::{JobState, Standing},
    outputs, refusal,
    script::{EXPORTED, WARNING, comment, pattern, printed, prologue, why_not_named},
};
use crate::study::{
    cluster::{ClusterRun, SettingPlace},
    programs::folder_on_path,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{
        Fault, Result,
        study::{DispatcherPlace, SlurmSettings, TimeLimit},
        text::shell,
    },
    store::{Workspace, make_folder},
};

/// Mebibytes that the job asks for: without a number, some clusters give a job all memory of its node.
const MEMORY: usize = 2048;

/// Where commands are looked for in any job; Slurm's own may be elsewhere.
const USUAL: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// A dispatcher that is to run in a job.
#[derive(Clone, Debug, PartialEq)]
pub struct DispatcherJob {
    /// One name for each workspace: a job that waits is found by it.
    name: String,
    settings: SlurmSettings,
    time: Option<TimeLimit>,
    places: BTreeMap<String, SettingPlace>,
    /// The workspace, as nodes see it: absolute.
    workspace: PathBuf,
    /// The program, the study file and the folder of logs: absolute.
    program: PathBuf,
    study: PathBuf,
    logs: PathBuf,
    /// What stands between the program's name and the study file.
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// The folder of Slurm's commands on this machine, where a job does not find them without it.
    commands: Option<PathBuf>,
}

/// A dispatcher whose job was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedDispatcher {
    pub job: u64,
    pub name: String,
    pub log: PathBuf,
}

impl DispatcherJob {
    /// `identity`: the workspace's random name. `arguments`: of the command that the job runs, without the study. `variables`: those
    /// that the study file names.
    ///
    /// # Errors
    /// A path that Slurm cannot be told.
    pub fn new(
        cluster: &ClusterRun,
        (workspace, identity): (&Workspace, &str),
        (program, arguments): (&Path, Vec<String>),
        (study, variables): (&Path, &BTreeSet<String>),
    ) -> Result<Self> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(|error| Fault::io("find", path, &error));
        let (root, study, program) = (absolute(workspace.root())?, absolute(study)?, absolute(program)?);
        for path in [&root, &study, &program] {
            if let Some(why) = why_not_named(path) {
                return Err(Fault::asked(format!("this path cannot be used in a job of Slurm: {why}")).in_file(path));
            }
        }
        let (time, partition) = match cluster.dispatcher() {
            DispatcherPlace::Job { time, partition } => (*time, partition.clone()),
            DispatcherPlace::Here => (None, None),
        };
        let mut places = cluster.places.clone();
        // What is the dispatcher's own is told where the file says it.
        let own = [("time", time.is_some()), ("partition", partition.is_some())];
        if let Some(place) = places.get("dispatcher").cloned() {
            own.into_iter().filter(|(_, is_own)| *is_own).for_each(|(key, _)| _ = places.insert(key.to_owned(), place.clone()));
        }
        Ok(DispatcherJob {
            name: format!("visavis-dispatcher-{}", identity.get(..8).unwrap_or("new")),
            time: time.or(cluster.settings.time),
            settings: SlurmSettings { partition: partition.or(cluster.settings.partition.clone()), ..cluster.settings.clone() },
            places,
            logs: absolute(&workspace.post().join("dispatcher"))?,
            workspace: root,
            program,
            study,
            arguments,
            environment: of_dispatcher(own_variables(), variables),
            commands: folder_of("sbatch"),
        })
    }

    /// The arguments of `sbatch`.
    fn arguments(&self) -> Vec<String> {
        let mut all = vec![
            "--parsable".to_owned(),
            format!("--job-name={}", self.name),
            format!("--chdir={}", self.workspace.display()),
            format!("--output={}/%j.log", pattern(&self.logs)),
            "--open-mode=append".to_owned(),
            // One that makes room for others, or whose node fails, goes on by itself: from the results. One that makes all of them again
            // would begin anew each time.
            if self.arguments.iter().any(|word| word == "--force") { "--no-requeue" } else { "--requeue" }.to_owned(),
            EXPORTED.to_owned(),
            "--ntasks=1".to_owned(),
            "--cpus-per-task=1".to_owned(),
            format!("--mem={MEMORY}M"),
        ];
        if self.time.is_none_or(|time| time.seconds() > 2 * WARNING) {
            all.push(format!("--signal=B:TERM@{WARNING}"));
        }
        let SlurmSettings { partition, account, qos, .. } = &self.settings;
        let words = [
            ("partition", partition.as_ref().map(ToString::to_string)),
            ("time", self.time.map(|time| time.to_string())),
            ("account", account.as_ref().map(ToString::to_string)),
            ("qos", qos.as_ref().map(ToString::to_string)),
        ];
        all.extend(words.into_iter().filter_map(|(option, value)| Some(format!("--{option}={}", value?))));
        all
    }

    /// The script, for `bash`.
    fn script(&self) -> String {
        self.script_with(&self.environment)
    }

    /// The same with these variables.
    fn script_with(&self, environment: &[(String, String)]) -> String {
        let path = |path: &Path| shell(&path.display().to_string());
        let enter = format!("cd {} || exit 66", path(&self.workspace));
        let mut lines = vec![
            "#!/bin/bash -l".to_owned(),
            format!("# The dispatcher of a study in {}: it submits workers and gives them stages.", comment(&self.workspace)),
            enter.clone(),
        ];
        lines.extend(environment.iter().map(|(name, value)| format!("export {name}={}", shell(value))));
        if !self.settings.prologue.is_empty() {
            lines.extend(prologue(&self.settings.prologue));
            lines.push(enter);
        }
        if let Some(folder) = &self.commands {
            lines.push("# Where Slurm's commands are:".to_owned());
            lines.push(format!("export PATH=\"$PATH\":{}", path(folder)));
        }
        let hint = "is not seen by this node: it must be in a folder that all nodes see under the same path";
        let study = path(&self.study);
        lines.push(format!("[ -e {study} ] || {{ printf '%s\\n' \"error: the study file \"{study}\" {hint}\" >&2; exit 66; }}"));
        // The shell becomes the dispatcher: what Slurm tells the job's first process, it tells the dispatcher.
        let words: Vec<String> = self.arguments.iter().map(|word| shell(word)).collect();
        lines.push(format!("exec {} {} \\\n  -- {study}", path(&self.program), words.join(" \\\n  ")));
        lines.join("\n") + "\n"
    }

    /// What is submitted, as a shell would be given it. The values of variables that the study file names are left out: what is printed is
    /// shown to others, and any variable can be named.
    pub fn printed(&self) -> String {
        let shown = |(name, value): &(String, String)| {
            let value = if is_ours(name) { value.clone() } else { format!("(the value of {name})") };
            (name.clone(), value)
        };
        let environment: Vec<(String, String)> = self.environment.iter().map(shown).collect();
        printed(&self.arguments(), &self.script_with(&environment))
    }

    /// Submits it, unless a job of this name is there already.
    ///
    /// # Errors
    /// No Slurm on this machine, a submission that Slurm refuses, a dispatcher that waits or runs, a folder that cannot be made.
    pub fn submit(&self) -> Result<SubmittedDispatcher> {
        make_folder(&self.logs)?;
        if let Some((job, state)) = self.there() {
            let log = self.log(job);
            return Err(Fault::missing(format!("job {job} of Slurm dispatches in this workspace already ({})", state.told()))
                .in_file(log)
                .next(format!("follow it with `visavis status`; `scancel {job}` ends it")));
        }
        let end = run("sbatch", &self.arguments(), &self.script());
        // A submission that seems to have failed may have gone through.
        let job = match outputs::submitted(&end.out).filter(|_| end.is_well) {
            Some(job) => job,
            None if end.is_missing => return Err(refusal::fault("dispatcher", &end, &self.places)),
            None => match self.there() {
                Some((job, _)) => job,
                None => return Err(refusal::fault("dispatcher of this study", &end, &self.places)),
            },
        };
        Ok(SubmittedDispatcher { job, name: self.name.clone(), log: self.log(job) })
    }

    fn log(&self, job: u64) -> PathBuf {
        self.logs.join(format!("{job}.log"))
    }

    /// The job of this name that waits or runs, as far as Slurm says.
    fn there(&self) -> Option<(u64, JobState)> {
        let arguments = ["-h", "-a", "-t", "all", "-n", self.name.as_str(), "-o", "%A|%T|%r"].map(str::to_owned);
        let end = run("squeue", &arguments, "");
        if end.is_well { waiting_or_running(&end.out) } else { None }
    }
}

/// The first job of a queue that waits or runs: one that is ending makes room for the next.
fn waiting_or_running(out: &str) -> Option<(u64, JobState)> {
    out.lines().find_map(|line| {
        let [job, state, reason] = line.trim().splitn(3, '|').collect::<Vec<_>>().try_into().ok()?;
        let state = JobState::new(state, reason);
        let is_there = matches!(state.standing(), Standing::Waits | Standing::Runs);
        Some((job.parse().ok()?, state)).filter(|_| is_there)
    })
}

/// The folder in which a command is found on this machine, unless it is one of the usual ones.
fn folder_of(command: &str) -> Option<PathBuf> {
    let folder = folder_on_path(command)?;
    (!USUAL.iter().any(|usual| Path::new(usual) == folder) && why_not_named(&folder).is_none()).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn job(workspace: &Path) -> DispatcherJob {
        DispatcherJob {
            name: "visavis-dispatcher-0123abcd".into(),
            settings: SlurmSettings {
                partition: "gpu".parse().ok(),
                gres: "gpu:4".parse().ok(),
                memory: "64G".parse().ok(),
                constraint: "a100".parse().ok(),
                account: "faces".parse().ok(),
                qos: "long".parse().ok(),
                cpus: Some(16),
                ..SlurmSettings::default()
            },
            time: "2-00".parse().ok(),
            places: BTreeMap::new(),
            workspace: workspace.to_owned(),
            program: "/bin/echo".into(),
            study: workspace.join("the study's.yaml"),
            logs: workspace.join("data/post/dispatcher"),
            arguments: vec!["run".into(), "--on=slurm".into(), "--only=pixels $HOME `id`".into()],
            environment: vec![("CELEBA".into(), "/data/it's $HOME".into())],
            commands: Some("/opt/it's slurm/bin".into()),
        }
    }

    #[test]
    fn the_job_is_small_and_has_what_the_study_says_of_who_pays() {
        let told = job(Path::new("/w")).arguments();
        let expected =
            ["--partition=gpu", "--account=faces", "--qos=long", "--time=2-00:00:00", "--cpus-per-task=1", "--mem=2048M"];
        assert!(expected.iter().all(|part| told.iter().any(|word| word == part)), "{told:?}");
        for left in ["--gres", "--constraint", "--array"] {
            assert!(told.iter().all(|word| !word.starts_with(left)), "{left}");
        }
        assert_eq!(told.iter().filter(|word| word.starts_with("--export")).count(), 1);
        assert!(told.contains(&"--requeue".to_owned()));
        let anew = DispatcherJob { arguments: vec!["run".into(), "--force".into()], ..job(Path::new("/w")) };
        assert!(anew.arguments().contains(&"--no-requeue".to_owned()));
    }

    #[test]
    fn in_a_folder_of_any_name_the_job_runs_the_command_with_its_words_whole() {
        for name in ["plain", "with a space", "it's \"quoted\"", "100% $HOME `id` ; # x", "größe"] {
            let folder = tempfile::tempdir().unwrap();
            let workspace = folder.path().join(name);
            std::fs::create_dir(&workspace).unwrap();
            let mut job = job(&workspace);
            std::fs::write(&job.study, "").unwrap();
            job.settings.prologue = vec!["cd /".parse().unwrap()];
            let script = job.script().replace("exec /bin/echo", "printf '%s\\n' \"$PWD\" \"$CELEBA\" \"${PATH##*:}\"");
            let output = Command::new("bash").args(["-c", &script]).output().unwrap();
            let out = String::from_utf8(output.stdout).unwrap();
            let study = job.study.display().to_string();
            let expected = [
                workspace.to_str().unwrap(),
                "/data/it's $HOME",
                "/opt/it's slurm/bin",
                "run",
                "--on=slurm",
                "--only=pixels $HOME `id`",
                "--",
                &study,
            ];
            assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn values_of_variables_that_the_study_names_are_not_printed() {
        let mut job = job(Path::new("/w"));
        job.environment.push(("LIBTORCH".into(), "/opt/torch".into()));
        let printed = job.printed();
        assert!(printed.contains("export CELEBA='(the value of CELEBA)'") && !printed.contains("it's $HOME"), "{printed}");
        assert!(printed.contains("export LIBTORCH=/opt/torch"), "where programs are found is no secret: {printed}");
        assert!(job.script().contains("$HOME"), "the job itself is given it");
    }

    #[test]
    fn a_study_file_that_the_node_does_not_see_is_told_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        let output = Command::new("bash").args(["-c", &job.script()]).output().unwrap();
        assert_eq!(output.status.code(), Some(66));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("the study's.yaml is not seen by this node"), "{said}");
        let elsewhere = DispatcherJob { workspace: "/nowhere/at/all".into(), ..job };
        let output = Command::new("bash").args(["-c", &elsewhere.script()]).output().unwrap();
        assert_eq!(output.status.code(), Some(66));
    }

    #[test]
    fn a_job_that_waits_or_runs_is_found_and_one_that_is_over_is_not() {
        let found = |out: &str| waiting_or_running(out).map(|(job, state)| (job, state.told()));
        assert_eq!(found(""), None);
        assert_eq!(found("Welcome\n7|COMPLETED|None\n8|FAILED|NonZeroExitCode\n9|COMPLETING|None\n"), None);
        assert_eq!(found("7|CANCELLED|None\n12|RUNNING|None\n").unwrap().0, 12);
        let (job, told) = found("13|PENDING|Resources, a|b").unwrap();
        assert!(job == 13 && told.contains("Resources"), "{told}");
    }
}
