//! The commands, one file each. The composition root: the only place that imports every layer.

mod attach;
mod audit;
mod check;
mod chosen;
mod compare;
mod completions;
mod data;
mod data_labels;
mod data_stats;
mod deep_check;
mod demo;
mod doctor;
mod explain;
mod explore;
mod export;
mod find;
mod init;
mod job_requests;
mod label;
mod learned_weights;
mod logs;
mod open_store;
mod output;
mod page;
mod pdf;
mod pin;
mod place;
mod plan;
mod progress;
mod report;
mod report_summary;
mod run;
mod show;
mod status;
mod store;
mod studies;
mod tui;
mod weights;
mod whole_networks;
mod work;

use clap::{Parser, Subcommand};
use job_requests::Verb;
use std::path::{Path, PathBuf};
use visavis_core::{
    domain::{Fault, Result, text::shell},
    store::Workspace,
};

pub use output::tell_fault;

/// The page of the documentation that the command line asks for: `visavis help study`, `visavis help json`.
pub fn help_page() -> Option<&'static str> {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let is_word = |word: &&str| !word.starts_with('-');
    match words.iter().map(String::as_str).filter(is_word).collect::<Vec<_>>()[..] {
        ["help", "study"] => Some(include_str!("../../docs/study.md")),
        ["help", "json"] => Some(include_str!("../../docs/json.md")),
        _ => None,
    }
}

/// Prints such a page.
pub fn say_page(page: &str) {
    output::say(page.trim_end());
}

/// Compare recognition models on face attributes.
///
/// Define a matrix of model × loss × training set × projection in a study file, run it, see which model separates which
/// attribute and how sure that is, and hand out one HTML file that anybody can audit.
#[derive(Parser)]
#[command(
    name = "visavis",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Without a command: the terminal UI. Start with `visavis demo`, or `visavis init DIR`.\n`visavis help study`: every key of a study file. `visavis help json`: what --json prints.\n\nExit codes: 0 done · 1 unexpected · 2 what was asked is wrong · 3 some jobs failed · 4 an audit found a difference · 5 something needed is not here · 6 an audit found no difference and could not check all that the page shows · 130 interrupted"
)]
pub struct Cli {
    #[command(flatten)]
    everywhere: Everywhere,
    #[command(subcommand)]
    command: Option<VisavisCommand>,
}

impl Cli {
    /// Errors are told as JSON then, too.
    pub fn asks_for_json(&self) -> bool {
        self.everywhere.json
    }
}

/// Options of every command.
#[derive(clap::Args)]
struct Everywhere {
    /// The folder that holds data/ and reports/
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    workspace: PathBuf,
    /// The database, if not in the workspace
    #[arg(long, global = true, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Threads to use in all (default: one a core); results do not depend on it
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum VisavisCommand {
    /// The terminal UI on this workspace: define, run, watch, compare, report (also: no command at all)
    Tui(tui::TuiCommand),
    /// Draw synthetic faces, train networks on them, compare these, and write the report
    Demo(demo::DemoCommand),
    /// Make a new workspace with a study to start from
    Init(init::InitCommand),
    /// Read a study file and check it against its data
    Check(check::CheckCommand),
    /// Show what would run, what is there, what is missing, how long and how much disk
    Plan(plan::PlanCommand),
    /// Run what a study lacks
    Run(run::RunCommand),
    /// Show how the latest run stands
    Status(status::StatusCommand),
    /// List the studies of this workspace with their states; with STUDY, its runs over time
    Studies(studies::StudiesCommand),
    /// Follow a run that goes on in the background
    Attach,
    /// Print what jobs logged, and how their attempts ended
    Logs(logs::LogsCommand),
    /// Say why a job waits, failed, or must run again
    Explain(explain::ExplainCommand),
    /// Do not start a job until it is retried; without JOB, start nothing more
    Pause(job_requests::Jobs),
    /// Stop a job, and do not start it until it is retried
    Cancel(job_requests::Jobs),
    /// Take up a paused, cancelled or failed job again; without JOB, all of them
    Retry(job_requests::Jobs),
    /// Let the run finish what it is at, start nothing more, and end
    Drain,
    /// Show what a study found: scores with verdicts, or every result with its digest
    Show(show::ShowCommand),
    /// Compare models on the same images: the differences with their intervals
    Compare(compare::CompareCommand),
    /// Write scores, contrasts, fairness, projection quality, coordinates, features or the ledger as a table
    Export(export::ExportCommand),
    /// Find the images that are like one, or that fit a condition, by a model's features
    Find(find::FindCommand),
    /// Place other images on a map of a study, by features of the same model
    Place(place::PlaceCommand),
    /// Pin a figure to the report, whatever the rule picks
    Pin(pin::PinCommand),
    /// Take a pin off
    Unpin(pin::UnpinCommand),
    /// Write a study's report: one HTML file
    Report(report::ReportCommand),
    /// Write a page on which every face stands at its place, to look at and select from
    Explore(explore::ExploreCommand),
    /// Check a report, or a study's results: are these numbers what those inputs give?
    Audit(audit::AuditCommand),
    /// Draw, check and count data sets
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Label pictures by looking at them: a key a class; a study reads the labels
    Label(label::LabelCommand),
    /// Look into weight files, and convert them
    #[command(subcommand)]
    Weights(weights::WeightsCommand),
    /// Look after the store
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Say what this machine has
    Doctor,
    /// Print completions for a shell
    Completions(completions::CompletionsCommand),
    /// Be a worker: tasks in, answers out
    #[command(hide = true)]
    Work(work::WorkCommand),
}

/// What every command is given.
pub struct Context {
    pub workspace: Workspace,
    pub threads: usize,
    pub json: bool,
    pub quiet: bool,
    /// The options of every command, as they were given, for command lines of this program: they hold in any folder.
    globals: Vec<String>,
}

impl Context {
    pub fn globals(&self) -> Vec<String> {
        self.globals.clone()
    }

    /// The same for another workspace.
    fn beside(&self, workspace: Workspace) -> Context {
        let globals = workspace.options();
        Context { workspace, threads: self.threads, json: self.json, quiet: self.quiet, globals }
    }

    /// A command line to be copied from what is printed: with its workspace, where that is not the current folder.
    pub fn line(&self, words: &[&str]) -> String {
        let words = words.iter().map(|word| shell(word));
        format!("visavis {}{}", words.collect::<Vec<_>>().join(" "), self.options())
    }

    /// What a command line needs behind it, to be of this workspace.
    pub fn options(&self) -> String {
        let here = self.workspace.root() == Path::new(".") && !self.globals.iter().any(|word| word == "--store");
        let words = self.globals.iter().filter(|_| !here).map(|word| format!(" {}", shell(word)));
        words.collect()
    }
}

/// Where this program is.
///
/// # Errors
/// A system that does not say.
fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|error| Fault::unexpected(format!("cannot find this program: {error}")))
}

/// Carries out a command.
///
/// # Errors
/// What went wrong, with the exit code it means.
pub fn run(cli: Cli) -> Result<()> {
    let Everywhere { workspace, store, threads, json, quiet } = cli.everywhere;
    let given = threads.map(|threads| ["--threads".to_owned(), threads.to_string()]);
    let threads = threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().ok();
    if !workspace.is_dir() {
        return Err(Fault::asked("the workspace is not a folder")
            .in_file(workspace)
            .next("make it, or name another with --workspace DIR"));
    }
    let workspace = Workspace::new(workspace, store)?;
    let context = Context {
        globals: workspace.options().into_iter().chain(given.into_iter().flatten()).collect(),
        workspace,
        threads,
        json,
        quiet,
    };
    let done = match cli.command.unwrap_or_else(|| VisavisCommand::Tui(tui::TuiCommand::default())) {
        VisavisCommand::Tui(tui) => tui.run(&context),
        VisavisCommand::Demo(demo) => demo.run(&context),
        VisavisCommand::Init(init) => init.run(&context),
        VisavisCommand::Check(check) => check.run(&context),
        VisavisCommand::Plan(plan) => plan.run(&context),
        VisavisCommand::Run(run) => run.run(&context),
        VisavisCommand::Status(status) => status.run(&context),
        VisavisCommand::Studies(studies) => studies.run(&context),
        VisavisCommand::Attach => attach::attach(&context),
        VisavisCommand::Logs(logs) => logs.run(&context),
        VisavisCommand::Explain(explain) => explain.run(&context),
        VisavisCommand::Pause(jobs) => jobs.run(&context, Verb::Pause),
        VisavisCommand::Cancel(jobs) => jobs.run(&context, Verb::Cancel),
        VisavisCommand::Retry(jobs) => jobs.run(&context, Verb::Retry),
        VisavisCommand::Drain => job_requests::drain(&context),
        VisavisCommand::Show(show) => show.run(&context),
        VisavisCommand::Compare(compare) => compare.run(&context),
        VisavisCommand::Export(export) => export.run(&context),
        VisavisCommand::Find(find) => find.run(&context),
        VisavisCommand::Place(place) => place.run(&context),
        VisavisCommand::Pin(pin) => pin.run(&context),
        VisavisCommand::Unpin(unpin) => unpin.run(&context),
        VisavisCommand::Report(report) => report.run(&context),
        VisavisCommand::Explore(explore) => explore.run(&context),
        VisavisCommand::Audit(audit) => audit.run(&context),
        VisavisCommand::Data(data) => data.run(&context),
        VisavisCommand::Label(label) => label.run(&context),
        VisavisCommand::Weights(weights) => weights.run(&context),
        VisavisCommand::Store(store) => store.run(&context),
        VisavisCommand::Doctor => doctor::doctor(&context),
        VisavisCommand::Completions(completions) => completions.run(),
        VisavisCommand::Work(work) => work.run(&context),
    };
    done.and_then(|()| output::all_written())
}
