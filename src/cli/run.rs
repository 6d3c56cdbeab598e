//! `visavis run STUDY`

use super::{
    Context,
    output::{remark, say, say_json, warn},
};
use crate::{
    domain::{
        Fault, Result,
        event::What,
        study::RunOn,
        text::{count, printable},
    },
    study::{self, Dispatch, Ended, Notice},
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

#[derive(clap::Args)]
pub struct Run {
    /// The study file
    study: PathBuf,
    /// Only stages whose label holds all these words, and what they need
    #[arg(long, value_name = "FILTER")]
    only: Option<String>,
    /// Make every result again
    #[arg(long)]
    force: bool,
    /// Where to run
    #[arg(long, value_parser = ["local", "slurm"])]
    on: Option<String>,
    /// Devices to use, such as cpu,cuda:0
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    devices: Vec<String>,
    /// Workers at a time (default: the study's cpu slots, at most one a thread)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Go on when the terminal is closed
    #[arg(long)]
    detach: bool,
}

impl Run {
    pub fn run(&self, context: &Context) -> Result<()> {
        let later = |what: &str| {
            Err(Fault::missing(format!("{what} comes with a later visavis"))
                .next("run without it: on this machine, in the foreground, on the CPU"))
        };
        if self.detach {
            return later("--detach");
        }
        if self.on.as_deref() == Some("slurm") {
            return later("running on Slurm");
        }
        let known =
            |device: &str| device == "cpu" || device.strip_prefix("cuda:").is_some_and(|number| number.parse::<u16>().is_ok());
        if let Some(device) = self.devices.iter().find(|device| !known(device)) {
            return Err(Fault::asked(format!("there is no device `{device}`")).next("such as --devices cpu,cuda:0"));
        }
        if let Some(device) = self.devices.iter().find(|device| *device != "cpu") {
            return later(&format!("the device `{}`", printable(device)));
        }
        self.execute(context).map(|_| ())
    }

    /// Runs, and says how it ended.
    pub fn execute(&self, context: &Context) -> Result<Ended> {
        let opened = study::open(&self.study, &context.workspace)?;
        if opened.file.study.run != RunOn::Local && self.on.is_none() {
            return Err(Fault::missing("the study asks to run on Slurm, which comes with a later visavis")
                .next("run it here: --on local"));
        }
        warn(context, &opened.warnings);
        let mut plan = study::Plan::new(&opened, &context.workspace)?;
        if let Some(filter) = &self.only {
            plan.only(filter)?;
        }
        if self.force {
            plan.force();
            plan.refresh()?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop))
                .map_err(|error| Fault::unexpected(format!("cannot listen for signals: {error}")))?;
        }
        let slots = self
            .jobs
            .map_or(plan.study.resources.cpu_slots, usize::from)
            .min(if self.jobs.is_some() { usize::MAX } else { context.threads })
            .max(1);
        let program = std::env::current_exe().map_err(|error| Fault::unexpected(format!("cannot find this program: {error}")))?;
        let how =
            Dispatch { workspace: &context.workspace, program, slots, threads: (context.threads / slots).max(1), stop: &stop };

        let mut progress = Progress::new(context, &plan);
        let ended = study::dispatch(&mut plan, &how, &mut |notice| progress.tell(notice))?;
        progress.close();
        self.conclude(context, &plan, &ended)
    }

    fn conclude(&self, context: &Context, plan: &study::Plan, ended: &Ended) -> Result<Ended> {
        let Ended { ran, stored, failed, .. } = *ended;
        if context.json {
            say_json(&serde_json::json!({ "event": "finished", "ran": ran, "stored": stored, "failed": failed }));
        } else if !context.quiet {
            let failures = if failed > 0 { format!(", {failed} failed") } else { String::new() };
            say(format!("{} ran, {stored} stored{failures}", count(ran, "stage")));
        }
        if ended.interrupted {
            return Err(Fault::interrupted());
        }
        if failed > 0 {
            let what = format!(
                "{} failed; what does not need {} was done",
                count(failed, "stage"),
                if failed == 1 { "it" } else { "them" }
            );
            let fault = if ended.bad_data { Fault::asked(what) } else { Fault::failed(what) };
            return Err(fault.next("mend what the messages above name, and run the same command again"));
        }
        if !plan.missing.is_empty() {
            let what = format!("{} of {} wait for something that is not here", plan.cells_waiting(), count(plan.cells(), "cell"));
            return Err(Fault::missing(what).next(format!("see what: visavis plan {}", self.study.display())));
        }
        Ok(ended.clone())
    }

    pub fn of(study: &Path) -> Self {
        Run { study: study.to_owned(), only: None, force: false, on: None, devices: vec![], jobs: None, detach: false }
    }
}

/// A line on standard error; a terminal that is gone is no reason to stop a run.
macro_rules! tell {
    ($($line:tt)*) => {{ writeln!(std::io::stderr().lock(), $($line)*).ok(); }};
}

/// A bar on a terminal, lines elsewhere, events as JSON when asked.
enum Progress {
    Bar(ProgressBar),
    Lines { labels: std::collections::BTreeMap<crate::domain::Key, String> },
    Json,
    Silent,
}

impl Progress {
    fn new(context: &Context, plan: &study::Plan) -> Self {
        if context.json {
            return Progress::Json;
        }
        if context.quiet {
            return Progress::Silent;
        }
        remark(context, format!("{}: {}", plan.study.name, count(plan.cells(), "cell")));
        if !std::io::stderr().is_terminal() {
            return Progress::Lines { labels: [].into() };
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("  {bar:28} {pos:>4} of {len} · {elapsed} · {wide_msg}") {
            bar.set_style(style.progress_chars("━━╌"));
        }
        Progress::Bar(bar)
    }

    fn tell(&mut self, notice: &Notice) {
        match (&mut *self, &notice.event.what) {
            (Progress::Json, what) => tell_json(notice.event.at, what),
            (Progress::Bar(bar), What::Failed { why, .. }) => bar.println(format!("  ✕ {why}")),
            (Progress::Bar(bar), what) => {
                bar.set_length((notice.done + notice.left) as u64);
                bar.set_position(notice.done as u64);
                if let What::Started { label, .. } = what {
                    bar.set_message(printable(label));
                }
            }
            (Progress::Lines { labels }, What::Started { key, label, .. }) => _ = labels.insert(*key, printable(label)),
            (Progress::Lines { labels }, What::Finished { key, seconds, .. }) => {
                let label = labels.get(key).map_or("", String::as_str);
                tell!("  ● {label} · {seconds:.2} s");
            }
            (Progress::Lines { labels }, What::Failed { key, why }) => {
                tell!("  ✕ {}\n{why}", labels.get(key).map_or("", String::as_str));
            }
            (Progress::Silent, What::Failed { why, .. }) => tell!("error: {why}"),
            _ => {}
        }
    }

    fn close(self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn tell_json(at: u64, what: &What) {
    let value = match what {
        What::RunStarted { study, slots, threads } => {
            serde_json::json!({ "event": "started", "at": at, "study": study, "slots": slots, "threads": threads })
        }
        What::Started { key, stage, label, slot } => {
            serde_json::json!({ "event": "stage_started", "at": at, "key": key, "kind": stage.word(), "label": label, "slot": slot })
        }
        What::Finished { key, seconds, first } => {
            serde_json::json!({ "event": "stage_finished", "at": at, "key": key, "seconds": seconds, "first": first })
        }
        What::Failed { key, why } => serde_json::json!({ "event": "stage_failed", "at": at, "key": key, "why": why }),
        // The last line is printed when the run is concluded.
        What::RunFinished { .. } => return,
    };
    say_json(&value);
}
