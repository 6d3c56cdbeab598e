//! What is submitted: the arguments of `sbatch` and the script that it reads on its standard input. A pure function of the settings; words are
//! quoted where they are put in, so no path or name is read as anything else.

use super::environment::BITS;
use std::path::{Path, PathBuf};
use visavis_core::{
    domain::{
        Digest,
        study::{PrologueLine, SlurmSettings},
        text::shell,
    },
    store::{Build, stamp},
};

/// Workers are asked to stop so many seconds before their time is up: they keep what they have learned.
pub(super) const WARNING: u64 = 120;

/// One list, and nothing else of the environment. A value with a comma cannot be in it: scripts set all values themselves.
pub(super) const EXPORTED: &str = "--export=PATH=/usr/local/bin:/usr/bin:/bin";

/// A program that workers may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobProgram {
    pub name: &'static str,
    /// Absolute.
    pub path: PathBuf,
    /// Which build it is; workers of another are refused. `None` where that cannot be told, as of a script that starts it.
    pub build: Option<Build>,
}

impl JobProgram {
    /// The program in a file.
    pub(crate) fn new(name: &'static str, path: PathBuf) -> Self {
        JobProgram { name, build: Build::of(&path), path }
    }
}

/// What a worker is started with, in whatever job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorkerJob {
    /// All jobs of a run have one name, by which they are found again.
    pub name: String,
    pub settings: SlurmSettings,
    /// The workspace, as nodes see it: absolute.
    pub workspace: PathBuf,
    /// The workspace's random name, by which a node tells it from another folder of the same path.
    pub identity: String,
    /// The programs that workers may be, of which each begins as the first.
    pub programs: Vec<JobProgram>,
    /// Where workers and dispatcher leave each other letters: absolute.
    pub post: PathBuf,
    /// Where what workers print goes: absolute.
    pub logs: PathBuf,
    /// The run's journal.
    pub run: String,
    /// As devices are named on the node: `cpu`, `cuda:0`.
    pub device: String,
    /// Threads of a worker: as many as the job has processors.
    pub threads: usize,
    /// Variables that workers are given.
    pub environment: Vec<(String, String)>,
    /// Nodes that they are not to be sent to.
    pub barred: Vec<String>,
}

impl WorkerJob {
    /// The arguments of `sbatch` for an array of so many workers.
    pub(crate) fn arguments(&self, workers: usize) -> Vec<String> {
        let settings = &self.settings;
        let throttle = settings.throttle.map_or(String::new(), |most| format!("%{most}"));
        let mut all = vec![
            "--parsable".to_owned(),
            format!("--job-name={}", self.name),
            format!("--array=0-{}{throttle}", workers.saturating_sub(1)),
            format!("--chdir={}", self.workspace.display()),
            format!("--output={}/%A_%a.log", pattern(&self.logs)),
            "--open-mode=append".to_owned(),
            // The dispatcher starts what is to be started again: one source of restarts.
            "--no-requeue".to_owned(),
            EXPORTED.to_owned(),
            "--ntasks=1".to_owned(),
            format!("--cpus-per-task={}", self.threads),
        ];
        let warned = settings.time.is_none_or(|time| time.seconds() > 2 * WARNING);
        if warned {
            all.push(format!("--signal=B:TERM@{WARNING}"));
        }
        let words = [
            ("partition", settings.partition.as_ref().map(ToString::to_string)),
            ("gres", settings.gres.as_ref().map(ToString::to_string)),
            ("time", settings.time.map(|time| time.to_string())),
            ("account", settings.account.as_ref().map(ToString::to_string)),
            ("qos", settings.qos.as_ref().map(ToString::to_string)),
            ("mem", settings.memory.map(|memory| memory.to_string())),
            ("constraint", settings.constraint.as_ref().map(ToString::to_string)),
            ("exclude", (!self.barred.is_empty()).then(|| self.barred.join(","))),
        ];
        all.extend(words.into_iter().filter_map(|(option, value)| Some(format!("--{option}={}", value?))));
        all
    }

    /// The script, for `bash`.
    pub(crate) fn script(&self) -> String {
        let path = |path: &Path| shell(&path.display().to_string());
        let mut lines = vec![
            // A login shell: it knows `module`, where a cluster has it.
            "#!/bin/bash -l".to_owned(),
            format!("# Workers of Visavis. They take stages from {} and leave results in the workspace.", comment(&self.post)),
            // Without the workspace there is nothing to do. Slurm starts a job in /tmp where its folder is missing.
            format!("cd {} || exit 66", path(&self.workspace)),
        ];
        lines.extend(self.environment.iter().map(|(name, value)| format!("export {name}={}", shell(value))));
        if !self.settings.prologue.is_empty() {
            lines.extend(prologue(&self.settings.prologue));
            lines.push(format!("cd {} || exit 66", path(&self.workspace)));
        }
        lines.extend(BITS.iter().map(|(name, value)| format!("export {name}={}", shell(value))));
        // The shell becomes the worker: what Slurm tells the job's first process, it tells the worker.
        let arguments = [
            "work".to_owned(),
            format!("--workspace={}", self.workspace.display()),
            format!("--threads={}", self.threads),
            format!("--run={}", self.run),
            format!("--device={}", self.device),
            format!("--post={}", self.post.display()),
            format!("--identity={}", self.identity),
        ];
        let builds = self.programs.iter().filter_map(|of| Some(format!("--build={}={}", of.name, of.build.as_ref()?)));
        let others = self.programs.iter().filter(|_| self.programs.len() > 1);
        let others = others.map(|of| format!("--program={}={}", of.name, of.path.display()));
        let arguments: Vec<String> = arguments.into_iter().chain(builds).chain(others).map(|word| shell(&word)).collect();
        let program = self.programs.first().map_or_else(String::new, |program| path(&program.path));
        lines.push(format!("exec {program} {}", arguments.join(" \\\n  ")));
        lines.join("\n") + "\n"
    }

    /// How workers are started, but for what names a run: equal of two runs whose workers may do each other's work. A program counts by its
    /// build; where that is not known by size and time, so that one that was written anew is another. `None` of a program that cannot be
    /// looked at.
    pub(crate) fn fingerprint(&self) -> Option<Digest> {
        let unknown = self.programs.iter().filter(|program| program.build.is_none());
        let unknown: Vec<(u64, u64)> = unknown.map(|program| stamp(&program.path)).collect::<Option<_>>()?;
        let nameless =
            WorkerJob { name: String::new(), post: PathBuf::new(), logs: PathBuf::new(), run: String::new(), ..self.clone() };
        let text = format!("{:?} {} {unknown:?}", nameless.arguments(1), nameless.script());
        Some(Digest::of(text.as_bytes()))
    }

    /// What is submitted, as a shell would be given it: for people, who may give it to one.
    pub(crate) fn printed(&self, workers: usize) -> String {
        printed(&self.arguments(workers), &self.script())
    }
}

/// A call of `sbatch` with its script, for a shell.
pub(super) fn printed(arguments: &[String], script: &str) -> String {
    let arguments: Vec<String> = arguments.iter().map(|argument| shell(argument)).collect();
    let mut end = "END".to_owned();
    while script.lines().any(|line| line == end) {
        end.push('_');
    }
    format!("sbatch {} <<'{end}'\n{script}{end}\n", arguments.join(" \\\n  "))
}

/// A path in `--output`, where `%` begins a symbol and a backslash ends all symbols.
pub(super) fn pattern(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

/// A path in a comment: on one line.
pub(super) fn comment(path: &Path) -> String {
    visavis_core::domain::text::printable(&path.display().to_string())
}

/// Why a workspace cannot be named to Slurm, if so: `sbatch` and logs have no way to write some characters.
pub(crate) fn why_not_named(path: &Path) -> Option<&'static str> {
    let Some(text) = path.to_str() else { return Some("its path is not UTF-8 text") };
    match text.chars().find(|c| c.is_control() || *c == '\\') {
        Some('\\') => Some("its path holds a backslash, which Slurm takes for a sign of its own in names of logs"),
        Some(_) => Some("its path holds a control character"),
        None => None,
    }
}

/// The lines of a study's prologue, of which the first that fails ends the job.
pub(super) fn prologue(lines: &[PrologueLine]) -> Vec<String> {
    let own = lines.iter().map(|line| line.as_str().to_owned());
    let before = ["# From `prologue` of the study file:", "set -e"].map(str::to_owned);
    before.into_iter().chain(own).chain(["set +e".to_owned()]).collect()
}

/// The sizes of the arrays that so many workers are submitted in, none of which has a greater index than the cluster allows.
pub(crate) fn chunks(workers: usize, max_array: usize) -> Vec<usize> {
    let most = max_array.max(1);
    let full = std::iter::repeat_n(most, workers / most);
    full.chain((!workers.is_multiple_of(most)).then_some(workers % most)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn program(path: &Path) -> JobProgram {
        JobProgram { name: "visavis", path: path.to_owned(), build: None }
    }

    fn job(workspace: &Path) -> WorkerJob {
        WorkerJob {
            name: "visavis-0001".into(),
            settings: SlurmSettings::default(),
            workspace: workspace.to_owned(),
            identity: "ab".repeat(16),
            programs: vec![program(&workspace.join("the worker's program"))],
            post: workspace.join("data/post/0001"),
            logs: workspace.join("data/post/0001"),
            run: "0001.journal".into(),
            device: "cuda:0".into(),
            threads: 8,
            environment: vec![("LIBTORCH".into(), "/opt/it's here/$HOME".into())],
            barred: vec![],
        }
    }

    #[test]
    fn arguments_hold_what_the_study_says_and_leave_the_rest_to_the_cluster() {
        let plain = job(Path::new("/w")).arguments(4);
        assert!(plain.contains(&"--array=0-3".to_owned()) && plain.contains(&"--no-requeue".to_owned()));
        for left in ["--partition", "--gres", "--time", "--account", "--qos", "--mem", "--constraint", "--exclude"] {
            assert!(plain.iter().all(|argument| !argument.starts_with(left)), "{left}");
        }
        let mut job = job(Path::new("/w"));
        job.settings = SlurmSettings {
            partition: "gpu".parse().ok(),
            gres: "gpu:1".parse().ok(),
            time: "4:00:00".parse().ok(),
            memory: "16G".parse().ok(),
            throttle: Some(2),
            ..SlurmSettings::default()
        };
        job.barred = vec!["n3".into(), "n7".into()];
        let told = job.arguments(1).join(" ");
        for part in [
            "--array=0-0%2",
            "--partition=gpu",
            "--gres=gpu:1",
            "--time=04:00:00",
            "--mem=16384M",
            "--exclude=n3,n7",
            "--cpus-per-task=8",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    #[test]
    fn nothing_of_the_environment_is_exported_but_one_list() {
        let arguments = job(Path::new("/w")).arguments(1);
        let exports: Vec<&String> = arguments.iter().filter(|argument| argument.starts_with("--export")).collect();
        assert_eq!(exports, ["--export=PATH=/usr/local/bin:/usr/bin:/bin"], "only the last one would count");
    }

    #[test]
    fn a_worker_is_warned_before_its_time_is_up_unless_it_has_hardly_any() {
        let mut job = job(Path::new("/w"));
        let warned = |job: &WorkerJob| job.arguments(1).contains(&"--signal=B:TERM@120".to_owned());
        assert!(warned(&job));
        job.settings.time = "3".parse().ok();
        assert!(!warned(&job));
    }

    /// Runs a script with a program in the worker's place that prints its arguments, a line each.
    fn run(job: &WorkerJob) -> (Option<i32>, String) {
        let mut bash = Command::new("bash");
        let mut child = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), job.script().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn a_script_in_a_folder_of_any_name_runs_the_worker_with_its_words_whole() {
        for name in ["plain", "with a space", "it's \"quoted\"", "100% $HOME `id` ; # x", "größe", "-dash"] {
            let folder = tempfile::tempdir().unwrap();
            let workspace = folder.path().join(name);
            std::fs::create_dir(&workspace).unwrap();
            let mut job = job(&workspace);
            job.programs = vec![program(Path::new("/usr/bin/env"))];
            job.settings.prologue = vec!["export BEFORE=yes".parse().unwrap(), "cd /".parse().unwrap()];
            // `env` is a program that takes the worker's words: here, another program with words to print.
            let script = job.script().replace("/usr/bin/env work", "printf '%s\\n' \"$PWD\" \"$BEFORE\" \"$LIBTORCH\"");
            let script = script.replace("exec printf", "printf");
            let output = Command::new("bash").args(["-c", &script]).output().unwrap();
            let out = String::from_utf8(output.stdout).unwrap();
            let lines: Vec<&str> = out.lines().collect();
            assert_eq!(lines[..3], [workspace.to_str().unwrap(), "yes", "/opt/it's here/$HOME"], "{name}");
            assert!(lines.contains(&format!("--workspace={}", workspace.display()).as_str()), "{name}: {out}");
            assert_eq!(lines.len(), 3 + 6, "{name}: {out}");
        }
    }

    #[test]
    fn workers_are_told_the_build_of_each_program_and_where_the_others_are() {
        let mut job = job(Path::new("/w"));
        job.programs[0].build = "0123abcd".parse().ok();
        let script = job.script();
        assert!(script.contains("--build=visavis=0123abcd") && !script.contains("--program="), "{script}");
        job.programs.push(JobProgram { name: "visavis-onnx", path: "/opt/it's/visavis-onnx".into(), build: None });
        let script = job.script();
        assert!(
            script.contains("--program=visavis=/w/the worker") && script.contains("--program=visavis-onnx=/opt/it"),
            "{script}"
        );
        assert!(!script.contains("--build=visavis-onnx"), "a build that is not known is not asked for");
    }

    #[test]
    fn workers_of_another_build_are_no_workers_of_this_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut job = job(folder.path());
        assert_eq!(job.fingerprint(), None, "there is no such program");
        std::fs::write(&job.programs[0].path, "#!/bin/sh\n").unwrap();
        let script = job.fingerprint().unwrap();
        job.programs[0].build = "0123abcd".parse().ok();
        let build = job.fingerprint().unwrap();
        std::fs::write(&job.programs[0].path, "written anew").unwrap();
        assert_eq!(job.fingerprint(), Some(build), "the same build");
        job.programs[0].build = "0123abce".parse().ok();
        assert!(![script, build].contains(&job.fingerprint().unwrap()));
    }

    #[test]
    fn a_workspace_that_the_node_does_not_see_ends_the_job_before_the_worker() {
        let mut job = job(Path::new("/nowhere/at/all"));
        job.programs = vec![program(Path::new("/bin/echo"))];
        assert_eq!(run(&job), (Some(66), String::new()));
    }

    #[test]
    fn what_is_printed_can_be_given_to_a_shell() {
        let folder = tempfile::tempdir().unwrap();
        let mut job = job(&folder.path().join("it's a folder"));
        job.settings.prologue = vec!["END".parse().unwrap()];
        // A `sbatch` that prints its arguments and its standard input.
        let sbatch = folder.path().join("sbatch");
        std::fs::write(&sbatch, "#!/bin/sh\nprintf '%s\\n' \"$@\"\necho ---\ncat\n").unwrap();
        let shadow = format!("sbatch() {{ sh {} \"$@\"; }}\n{}", sbatch.display(), job.printed(2));
        let output = Command::new("bash").args(["-c", &shadow]).output().unwrap();
        let expected = format!("{}\n---\n{}", job.arguments(2).join("\n"), job.script());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }

    #[test]
    fn a_percent_sign_in_a_path_is_no_symbol_of_slurm_and_a_backslash_is_refused() {
        let arguments = job(Path::new("/w/100%u")).arguments(1).join(" ");
        assert!(arguments.contains("--output=/w/100%%u/data/post/0001/%A_%a.log"), "{arguments}");
        assert!(arguments.contains("--chdir=/w/100%u"), "{arguments}");
        assert_eq!(why_not_named(Path::new("/w/it's 100%")), None);
        assert!(why_not_named(Path::new("/w\\x")).unwrap().contains("backslash"));
        assert!(why_not_named(Path::new("/w\nx")).unwrap().contains("control"));
    }

    #[test]
    fn many_workers_are_several_arrays() {
        assert_eq!(chunks(25, 11), [11, 11, 3]);
        assert_eq!(chunks(22, 11), [11, 11]);
        assert_eq!((chunks(3, 1001), chunks(0, 11), chunks(2, 0)), (vec![3], vec![], vec![1, 1]));
    }
}
