//! `visavis run STUDY`

mod notify;
mod places;
mod submission;
mod turn;

use super::{
    Context, open_store,
    output::{remark, say, say_json, tell_about, tell_namesakes},
    progress::RunProgress,
};
use crate::study::{self, Dispatch, RunPlaces, RunSummary};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use turn::Turn;
use visavis_core::{
    domain::{
        Ending, Fault, Result,
        event::EventKind,
        text::{count, printable},
    },
    store::{LOOKING, origin, tail},
};

#[derive(clap::Args)]
pub(crate) struct RunCommand {
    /// The study file
    study: PathBuf,
    /// Only stages whose label holds all these words, or is this (`=score pixels · embedding · pca · age`), and what they need
    #[arg(long, value_name = "FILTER")]
    only: Option<String>,
    /// Make every result again
    #[arg(long)]
    force: bool,
    /// Where to run: local, slurm, or both, local,slurm: networks on the cluster, the rest here (default: as the study file says, else local)
    #[arg(long, value_delimiter = ',', value_name = "PLACES", value_parser = ["local", "slurm"])]
    on: Vec<String>,
    /// Print what would be submitted to Slurm, and run nothing
    #[arg(long, conflicts_with = "detach")]
    print_script: bool,
    /// Devices to use, such as cpu,cuda:0 (default: what the study's numerics ask for; cards that others use are left alone)
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    devices: Vec<String>,
    /// Workers at a time on the processor (default: the study's cpu slots, at most one a thread)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Run in the background, and go on when the terminal is closed; `visavis attach` follows it
    #[arg(long)]
    detach: bool,
    /// If a run goes on in this workspace, wait until it has ended, and those that wait already
    #[arg(long)]
    queue: bool,
    /// How often a job is tried that ran out of memory, crashed, hung or took too long
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
    /// What one attempt may take (default: as long as it likes)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// A worker that gives no sign of life for so long is ended; workers of Slurm have 600 at least
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(2..))]
    patience: u64,
    /// Run this by a shell when the run has ended, well or not: it has VISAVIS_STUDY, VISAVIS_CODE and VISAVIS_SAID
    #[arg(long, value_name = "COMMAND")]
    notify: Option<String>,
    /// Be the background part of --detach
    #[arg(long, hide = true)]
    session: bool,
    /// Be the dispatcher in a job of its own, in the workspace of this name
    #[arg(long, value_name = "WORKSPACE", hide = true)]
    in_job: Option<String>,
}

/// What the background part of `--detach` says when it has taken the workspace.
const READY: &str = "visavis runs";

/// What it says when it has to wait for its turn first.
const WAITS: &str = "visavis waits";

/// The arguments of the background part: those of this program, with another option in the place of `--detach`. What stands behind `--` are
/// no options.
fn in_background(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let names = arguments.split_off(end);
    // What it says there is read by people, and by the process that started it.
    arguments.retain(|argument| argument != "--detach" && argument != "--json");
    arguments.push("--session".into());
    arguments.extend(names);
    arguments
}

impl RunCommand {
    pub(crate) fn of(study: &Path) -> Self {
        RunCommand {
            study: study.to_owned(),
            only: None,
            force: false,
            on: vec![],
            print_script: false,
            devices: vec![],
            jobs: None,
            detach: false,
            queue: false,
            attempts: 3,
            limit: None,
            patience: 60,
            notify: None,
            session: false,
            in_job: None,
        }
    }

    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if self.print_script {
            return self.print_script(context);
        }
        let (opened, plan) = self.begin(context)?;
        let places = self.places(&opened)?;
        if let Some(cluster) = places.cluster().filter(|cluster| self.is_to_submit(cluster) && plan.is_ready()) {
            if self.queue {
                return Err(Fault::asked("--queue waits in a process here, and this study's dispatcher is a job of Slurm")
                    .next("leave --queue out when the run that goes on has ended, or write `dispatcher: here` in the study"));
            }
            return self.submit(context, &opened, &plan, cluster);
        }
        if self.detach {
            return self.detach(context, &opened, plan);
        }
        if self.queue && plan.is_ready() {
            return self.in_turn(context, &opened);
        }
        self.go(context, &opened, plan).map(|_| ())
    }

    /// Starts the same command in a session of its own, and leaves it when it has taken the workspace.
    fn detach(&self, context: &Context, opened: &study::OpenedStudy, plan: study::Plan) -> Result<()> {
        // Mistakes are told here, where somebody reads them.
        self.devices(context, &self.places(opened)?, &plan)?;
        if !plan.is_ready() {
            return self.go(context, opened, plan).map(|_| ());
        }
        tell_about(context, opened);
        let said = context.workspace.said();
        let log = if self.queue {
            context.workspace.say_on()?
        } else {
            context.workspace.lock_or_say(LOOKING, &|line| remark(context, printable(line)))?;
            context.workspace.say_anew()?
        };
        let before = log.metadata().map_or(0, |about| about.len());
        let program = crate::cli::this_program()?;
        let arguments = in_background(std::env::args_os().skip(1).collect());
        let mut child = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| Fault::io("start", &program, &error))?;
        let first = child.stdout.take().and_then(|out| BufReader::new(out).lines().find_map(std::io::Result::ok));
        let waits = first.as_deref() == Some(WAITS);
        if first.as_deref() != Some(READY) && !waits {
            let status = child.wait().map_err(|error| Fault::unexpected(error.to_string()))?;
            // What it said, said here, and ended as it ended.
            let written = std::fs::metadata(&said).map_or(0, |about| about.len()).saturating_sub(before);
            let last = tail(&said, written.min(4000) as usize);
            let why = last.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it said nothing").to_owned();
            let ending = status.code().map_or(Ending::Unexpected, Ending::of_code);
            let next =
                last.lines().find_map(|line| line.trim().strip_prefix("next ")).unwrap_or("run it without --detach to see more");
            let mut fault = Fault::unexpected(format!("the run ended as soon as it began: {why}")).in_file(&said).next(next);
            fault.ending = ending;
            return Err(fault);
        }
        if context.json {
            say_json(
                &serde_json::json!({ "event": "detached", "process": child.id(), "study": plan.study.name, "waits": waits }),
            );
        } else if !context.quiet {
            let (name, process) = (&plan.study.name, child.id());
            if waits {
                say(format!("{name} waits for its turn in the background, process {process}"));
                say(format!("  visavis studies · kill {process} takes it out of the line"));
            } else {
                say(format!("{name} runs in the background, process {process}"));
                say("  visavis status · attach · logs · drain");
            }
        }
        Ok(())
    }

    fn plan(&self, context: &Context) -> Result<(study::OpenedStudy, study::Plan)> {
        let on = |place: &str| self.on.iter().any(|on| on == place);
        let opened = study::open_for(&self.study, &context.workspace, RunPlaces::of(on("local"), on("slurm")))?;
        let mut plan = study::plan(&opened, &context.workspace)?;
        self.narrow(&mut plan)?;
        Ok((opened, plan))
    }

    /// Keeps what `--only` asks for, and forces it if that is asked for.
    fn narrow(&self, plan: &mut study::Plan) -> Result<()> {
        if let Some(filter) = &self.only {
            plan.only(filter)?;
        }
        if self.force {
            plan.force()?;
        }
        Ok(())
    }

    /// Becomes what hidden options say, reads the study and plans it.
    fn begin(&self, context: &Context) -> Result<(study::OpenedStudy, study::Plan)> {
        if self.session {
            rustix::process::setsid().map_err(|error| Fault::unexpected(format!("cannot start a session: {error}")))?;
        }
        if let Some(name) = self.in_job.as_ref().filter(|name| **name != context.workspace.identity()) {
            return Err(Fault::missing(format!(
                "on {}, this folder is not the workspace {name} that the study is in",
                origin::host()
            ))
            .in_file(context.workspace.root())
            .next("run the study in a folder that all nodes see under the same path"));
        }
        self.plan(context)
    }

    /// Runs, and says how it ended.
    pub(crate) fn execute(&self, context: &Context) -> Result<RunSummary> {
        let (opened, plan) = self.begin(context)?;
        self.go(context, &opened, plan)
    }

    /// Runs, and tells whoever wants to be told that it has ended.
    fn go(&self, context: &Context, opened: &study::OpenedStudy, plan: study::Plan) -> Result<RunSummary> {
        let ended = self.listen().and_then(|stop| self.carry_out(context, opened, plan, &mut Turn::at_once(stop)));
        self.notify(context, opened, &ended);
        ended
    }

    fn notify(&self, context: &Context, opened: &study::OpenedStudy, ended: &Result<RunSummary>) {
        if let Some(command) = &self.notify
            && let Err(fault) = notify::notify(command, &opened.file.study.name, ended.as_ref().err())
        {
            remark(context, printable(&fault.what));
        }
    }

    fn carry_out(
        &self,
        context: &Context,
        opened: &study::OpenedStudy,
        mut plan: study::Plan,
        turn: &mut Turn,
    ) -> Result<RunSummary> {
        let Turn { ticket, stop, refused } = turn;
        tell_about(context, opened);
        tell_namesakes(context, opened);
        let places = self.places(opened)?;
        let (devices, driver) = self.devices(context, &places, &plan)?;
        let programs = self.programs_at(context, &mut plan, &places, &devices)?;
        let program = crate::cli::this_program()?;
        let file = self.whole_path();
        let origin = if plan.is_ready() {
            study::origin::of(&file, &program, &context.workspace, driver)
        } else {
            visavis_core::domain::event::RunOrigin::default()
        };
        let how = Dispatch {
            workspace: &context.workspace,
            program,
            programs,
            devices,
            file: file.to_string_lossy().into_owned(),
            text: &opened.file.text.source,
            origin,
            cluster: places.cluster().cloned(),
            attempts: self.attempts,
            patience: Duration::from_secs(self.patience),
            limit: self.limit.map(Duration::from_secs),
            stop,
            refused: Some(refused),
            remark: &|line| remark(context, printable(line)),
        };
        let mut progress = RunProgress::new(context, &plan.study.name, &count(plan.cells(), "cell"));
        let ended = study::dispatch(&mut plan, &how, &mut |notice| {
            if matches!(notice.event.what, EventKind::RunStarted { .. }) {
                // Who runs does not wait any more.
                ticket.take();
                if self.session {
                    say(READY);
                }
            }
            progress.tell(notice);
        })?;
        progress.close();
        self.conclude(context, &plan, &ended)
    }

    /// The study file as somebody who looks from another folder would name it.
    fn whole_path(&self) -> PathBuf {
        self.study.canonicalize().unwrap_or_else(|_| self.study.clone())
    }

    /// A flag that signals set. In a session of its own, a terminal that is closed is nothing to it.
    fn listen(&self) -> Result<Arc<AtomicBool>> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let (stop, nothing) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let flag = if signal == SIGHUP && self.session { &nothing } else { &stop };
            signal_hook::flag::register(signal, Arc::clone(flag))
                .map_err(|error| Fault::unexpected(format!("cannot listen for signals: {error}")))?;
        }
        Ok(stop)
    }

    fn conclude(&self, context: &Context, plan: &study::Plan, ended: &RunSummary) -> Result<RunSummary> {
        let RunSummary { ran, stored, failed, paused, cancelled, .. } = *ended;
        if context.json {
            say_json(
                &serde_json::json!({ "event": "finished", "ran": ran, "stored": stored, "failed": failed, "set_aside": ended.set_aside.iter().map(|aside| aside.key).collect::<Vec<_>>() }),
            );
        } else if !context.quiet {
            let some = |n: usize, what: &str| if n > 0 { format!(", {n} {what}") } else { String::new() };
            let others = some(failed, "failed") + &some(paused, "paused") + &some(cancelled, "cancelled");
            say(format!("{} ran, {stored} stored{others}", count(ran, "stage")));
            open_store::say_set_aside(&ended.set_aside);
        }
        if ended.interrupted {
            if let Some(first) = ended.not_kept.first() {
                let mut lines = first.lines();
                let more =
                    if ended.not_kept.len() > 1 { format!(" (and {} more)", ended.not_kept.len() - 1) } else { String::new() };
                let what = format!("interrupted; results are kept, but {}{more}", lines.next().unwrap_or_default());
                let next = lines.find_map(|line| line.trim().strip_prefix("next "));
                return Err(Fault::unexpected(what).next(next.unwrap_or("run the same command again: it is made anew")));
            }
            return Err(Fault::interrupted());
        }
        if failed > 0 {
            let what = format!(
                "{} failed; what does not need {} was done",
                count(failed, "stage"),
                if failed == 1 { "it" } else { "them" }
            );
            let next = "mend what the messages above name, and run the same command again";
            return Err(Fault::failed(what).next(next));
        }
        if ended.drained {
            let mut fault = Fault::interrupted();
            fault.what = "drained: what ran was finished, the rest was not started".to_owned();
            return Err(fault);
        }
        if ended.homeless > 0 {
            let what = format!("{} wait for a device of a kind that this run had none of", count(ended.homeless, "stage"));
            return Err(Fault::missing(what).next("name one with --devices, or leave --devices out"));
        }
        if ended.left > 0 {
            let what = format!("{} could have run and did not", count(ended.left, "stage"));
            return Err(Fault::unexpected(what).next("this is a bug in visavis; please report it. Running again goes on"));
        }
        if paused + cancelled > 0 {
            let what = format!("{} not run, for they are paused or cancelled", count(paused + cancelled, "stage"));
            return Err(Fault::failed(what).next("`visavis retry` resumes them; then run the same command again"));
        }
        if !plan.missing.is_empty() {
            let more = match plan.missing.len() {
                1 => String::new(),
                many => format!(" (and {} more)", many - 1),
            };
            let what = format!(
                "{} of {} wait for something that is not here: {}{more}",
                plan.cells_waiting(),
                count(plan.cells(), "cell"),
                printable(&plan.missing[0].input)
            );
            return Err(
                Fault::missing(what).next(format!("see what: {}", context.line(&["plan", &self.study.display().to_string()])))
            );
        }
        Ok(ended.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_background_part_is_given_its_option_before_the_names() {
        let of = |words: &str| {
            let given = in_background(words.split(' ').map(OsString::from).collect());
            given.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("run --detach a.yaml --quiet"), "run a.yaml --quiet --session");
        assert_eq!(of("run --detach -- -a.yaml"), "run --session -- -a.yaml");
        assert_eq!(of("run --detach -- --detach"), "run --session -- --detach", "a study file of that name");
    }
}
