//! `visavis audit REPORT.html | STUDY`

mod explorer;
mod progress;
mod rendering;
mod summary;

use super::{Context, output::remark, page};
use crate::{
    audit::{
        self, Again, Audit as Examined, Checked, Examination, LARGEST_PAGE, Reach, Remade, Remaking, Rendered,
        ResultsExamination, Verdict,
    },
    report::{Explored, ExploredReport, ExplorerMark},
    study::{self, MadeApart, Plan, Step, WorkerProgram},
};
use progress::ProgressLine;
use rendering::{RenderedBeside, StudyBeside};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::{Duration, Instant},
};
use summary::{Extent, conclude, tell_first};
use visavis_core::{
    domain::{
        Digest, Fault, Key, Result, made_of,
        model::ModelFormat,
        stage::{Input, Kind, Task, Work},
        text::{printable, shorten},
    },
    numeric::{PhiloxStream, Purpose},
    stages,
    store::{AuditDifference, LastAudit, MOST_DIFFERENCES, Workspace},
};

/// What `--help` says beside the options.
const ABOUT: &str = "\
The page is rendered again and compared byte for byte: from the study file and the results of the workspace that it lies in or that \
--workspace names, else from what it carries. Then its stages are made again.\n\n\
Of the file alone an audit cannot show that study file, data and features exist: whoever made them up gets a report that agrees with \
itself. Give the results with --workspace and the data with --data, and --recompute features.\n\n\
Exit codes: 0 nothing differs, and every claim has evidence · 4 a difference, named · 6 no difference, and something is lacking to call \
the page identical, named.\n\n\
Limits. Refused at once, exit 2: a page of more than 134 MB, more than 67 MB of it beside its evidence and its tables, \
more than 2,000,000 tags or 300,000 shapes in drawings, a tag with more than 100 attributes, elements more than 200 deep; evidence of more than 400,000 texts or 1,000,000 facts, or that inflates to \
more than 67 MB of claims, 67 MB of results, 268 MB of objects. An object of more than 67 MB is not read, and what comes from it cannot be \
checked. Not rendered again: a study of more than 4 MB or 100,000 models and views, or whose rendering inflates more than 537 MB. Not made again: a stage that asks for more than a \
study file may.";

#[derive(clap::Args)]
#[command(after_long_help = ABOUT)]
pub(crate) struct AuditCommand {
    /// A report, the page of an explorer, or a study file whose results are to be audited
    #[arg(value_name = "REPORT|STUDY")]
    what: PathBuf,
    /// The page alone, in seconds: its make-up, and every number against the evidence in it; nothing is made again
    #[arg(long, conflicts_with_all = ["recompute", "sample"])]
    quick: bool,
    /// What to make again: metrics (scores, ranks, figures); features (projections and features too, of networks also); training (all)
    #[arg(long, default_value = "metrics", value_parser = ["metrics", "features", "training"])]
    recompute: String,
    /// Make only K stages again, drawn by --seed
    #[arg(long, value_name = "K")]
    sample: Option<usize>,
    /// The auditor's own seed for --sample
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// A folder, beside the workspace, that inputs may be read from; what a report names elsewhere is not opened (repeatable)
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
}

fn difference(of: &Checked) -> AuditDifference {
    let short = |text: &str| shorten(text, 400);
    let Checked { id, stage, expected, found, why, .. } = of;
    AuditDifference {
        id: short(id),
        stage: short(stage),
        expected: expected.as_deref().map(short),
        found: found.as_deref().map(short),
        why: short(why),
    }
}

/// What was audited: of which study, which page if one, and which results.
struct AuditedThing {
    study: String,
    page: Option<Digest>,
    results: Digest,
}

impl AuditCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let is_report = self.what.extension().is_some_and(|ending| ending == "html" || ending == "htm");
        let found = if is_report { self.found_beside(context)? } else { None };
        let context = found.as_ref().unwrap_or(context);
        let reach = Reach::new(context.workspace.root(), &self.data)?;
        let stop = listen()?;
        let (audited, examined, extent) =
            if is_report { self.page(context, reach, &stop)? } else { self.study(context, &stop).map(noted)? };
        if let Some(audited) = audited {
            self.keep(context, &audited, &examined, extent);
        }
        conclude(context, &examined, extent)
    }

    /// The workspace that the report lies in, where none was named and there are no results here.
    fn found_beside(&self, context: &Context) -> Result<Option<Context>> {
        let own = &context.workspace;
        if own.root() != Path::new(".") || holds_results(own.root()) {
            return Ok(None);
        }
        let Ok(report) = self.what.canonicalize() else { return Ok(None) };
        let Some(root) = report.ancestors().skip(1).find(|folder| holds_results(folder)) else { return Ok(None) };
        remark(context, format!("beside the results in {}", printable(&root.display().to_string())));
        Ok(Some(context.beside(Workspace::new(root.to_owned(), None)?)))
    }

    /// Notes what it came to, for whoever shows these results; an auditor without a workspace, or in one that cannot be written,
    /// notes nothing. One that saw a part tells no more than a whole one did, unless something differs.
    fn keep(&self, context: &Context, audited: &AuditedThing, examined: &Examined, extent: Extent) {
        let is_whole = extent == Extent::Whole;
        if !is_whole && examined.differs().next().is_none() {
            return;
        }
        // A part of another page says nothing of the report that is here.
        let own = context.workspace.report(&audited.study);
        if !is_whole && audited.page.is_some() && self.what.canonicalize().ok() != own.canonicalize().ok() {
            return;
        }
        if !context.workspace.results().all().is_ok_and(|results| !results.is_empty()) {
            return;
        }
        let count = |verdict| examined.count(verdict);
        let audit = LastAudit {
            format: 1,
            at: 0,
            of: context.workspace.shareable(&self.what).display().to_string(),
            verdict: examined.verdict().words().to_owned(),
            partial: !is_whole,
            identical: count(Verdict::Identical),
            within_tolerance: count(Verdict::WithinTolerance),
            differs: count(Verdict::Differs),
            unchecked: count(Verdict::Unchecked),
            not_attempted: count(Verdict::NotAttempted) + count(Verdict::Consistent),
            differences: examined.differs().take(MOST_DIFFERENCES).map(difference).collect(),
            verified: examined.verified.iter().copied().collect(),
            page: audited.page,
            results: Some(audited.results),
        };
        if let Err(fault) = audit.keep(&context.workspace, &audited.study) {
            remark(context, format!("the verdict was not noted: {}", fault.what));
        }
    }

    /// Which stages are made again; the sample is drawn by the auditor's own seed.
    fn again(&self, keys: impl Iterator<Item = Key>) -> Again {
        let kinds: &[Kind] = match self.recompute.as_str() {
            "metrics" => &[Kind::Score, Kind::Rank, Kind::Draw],
            "features" => &[Kind::Index, Kind::Features, Kind::Project, Kind::Score, Kind::Rank, Kind::Draw],
            _ => &[Kind::Index, Kind::Train, Kind::Features, Kind::Project, Kind::Score, Kind::Rank, Kind::Draw],
        };
        let draw = |count| {
            let mut keys: Vec<Key> = keys.collect();
            PhiloxStream::new(self.seed, Purpose::AuditSample, 0).shuffle(&mut keys);
            keys.into_iter().take(count).collect()
        };
        Again { kinds, sample: self.sample.map(draw) }
    }

    /// A report, or an explorer, of which nothing is noted: it is no report's verdict.
    fn page(&self, context: &Context, reach: Reach, stop: &AtomicBool) -> Result<(Option<AuditedThing>, Examined, Extent)> {
        let begun = Instant::now();
        let bytes = audit::read_named(&self.what, LARGEST_PAGE, "the report")?;
        let page = Some(Digest::of(&bytes));
        let text = String::from_utf8(bytes).map_err(|_| Fault::asked("the report is not UTF-8 text").in_file(&self.what))?;
        if let Some(mark) = ExplorerMark::of_page(&text).filter(|_| !text.contains(audit::MARK)) {
            return self.explorer(context, reach, &text, &mark, stop).map(|(examined, extent)| (None, examined, extent));
        }
        let explored = match Explored::of(&text) {
            None => None,
            Some(Explored::Report(explored)) => Some(explored),
            Some(Explored::Foreign) => return Ok((None, explorer::not_own(), Extent::PageAlone)),
            Some(Explored::OfAnother(program)) => {
                let lacks = vec![format!("another program put the explorer in: {}", printable(&program))];
                return Ok((None, Examined { lacks, ..Examined::default() }, Extent::PageAlone));
            }
        };
        // A report with an explorer in it: without that it is a report as any other.
        let report = explored.as_ref().map_or_else(|| text.clone(), |explored| explored.report.clone());
        let whole = explored.as_ref().map(|explored| (text.as_str(), explored));
        self.report(context, reach, (report, page, begun), whole, stop).map(noted)
    }

    fn report(
        &self,
        context: &Context,
        reach: Reach,
        (text, page, begun): (String, Option<Digest>, Instant),
        explored: Option<(&str, &ExploredReport)>,
        stop: &AtomicBool,
    ) -> Result<(AuditedThing, Examined, Extent)> {
        // Long enough for the largest page on a slow machine; a page that takes longer is made to.
        let patience = Duration::from_secs(15) + Duration::from_millis(text.len() as u64 / 2000);
        let is_stopped = || stop.load(Ordering::Relaxed);
        let examination = Examination::of_page(&text, &self.what, &|| is_stopped() || begun.elapsed() > patience);
        let mut examination = examination.map_err(|fault| if is_stopped() { Fault::interrupted() } else { fault })?;
        let evidence = examination.evidence();
        let audited = AuditedThing { study: evidence.study.clone(), page, results: made_of::together(evidence.manifests.iter()) };
        if self.quick {
            let rendered = page::alone(&text, &examination.shared_evidence());
            examination.rendered(&text, &rendered);
            if explored.is_some() {
                examination.lacks("the explorer was not made again: --quick looks at the page alone".to_owned());
            }
            return Ok((audited, examination.conclude_alone(), Extent::PageAlone));
        }
        let results = context.workspace.results();
        let workspace = (!results.all()?.is_empty()).then_some(&context.workspace);
        let study = StudyBeside::of(&text, examination.evidence(), &reach, &context.workspace);
        let current = match workspace {
            Some(workspace) => beside_results(workspace, study.as_ref(), &mut examination, &text),
            None => of_page_alone(study.as_ref(), &mut examination, &text, &context.workspace),
        };
        let mut of_explorer = Examined::default();
        if let Some((page, explored)) = explored {
            let compared = workspace.ok_or_else(|| "there are no results here".to_owned()).and_then(|workspace| {
                let page = (page, self.what.as_path(), explored);
                explorer::compare_within(page, examination.evidence(), study.as_ref(), workspace, &mut of_explorer)
            });
            if let Err(why) = compared {
                of_explorer.lacks.push(format!("the explorer was not made again: {why}"));
            }
        }
        drop(text);
        if explored.is_some() {
            remark(context, "lines are counted in the report without its explorer");
        }
        tell_first(context, examination.first(), begun.elapsed());
        let again = self.again(examination.evidence().manifests.iter().map(|manifest| manifest.key));
        let remaking = examination.remake(workspace, reach, &again, recompute, context.threads);
        let (remaking, extent) = follow(context, remaking, stop);
        let mut examined = examination.conclude(remaking.standings(), current.as_ref());
        examined.checked.append(&mut of_explorer.checked);
        examined.lacks.append(&mut of_explorer.lacks);
        Ok((audited, examined, extent))
    }

    fn study(&self, context: &Context, stop: &AtomicBool) -> Result<(AuditedThing, Examined, Extent)> {
        if self.quick {
            return Err(Fault::asked("--quick is for reports: it looks at a page alone")
                .next("check a study's stored results with `visavis store check`"));
        }
        let opened = study::open(&self.what, &context.workspace)?;
        let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
        // The study's own files may be anywhere: they are the auditor's. Regular files they must be.
        let reach = Reach::new(context.workspace.root(), &[PathBuf::from("/")])?;
        self.results(context, (&plan, &self.what), reach, |_| true, stop)
    }

    /// The page of an explorer beside the results that it shows.
    fn explorer(
        &self,
        context: &Context,
        reach: Reach,
        text: &str,
        mark: &ExplorerMark,
        stop: &AtomicBool,
    ) -> Result<(Examined, Extent)> {
        if let Some(examined) = explorer::foreign(text, mark) {
            return Ok((examined, Extent::PageAlone));
        }
        let (opened, plan) = explorer::study_of(&mark.study_file, &reach, &context.workspace)?;
        let (mut examined, extent) = if self.quick {
            (Examined::default(), Extent::PageAlone)
        } else {
            let (_, examined, extent) =
                self.results(context, (&plan, Path::new(&mark.study_file)), reach, explorer::shows, stop)?;
            (examined, extent)
        };
        explorer::compare((text, &self.what), mark, (&opened, &plan), &context.workspace, &mut examined);
        Ok((examined, extent))
    }

    /// Results of a study, made again: those of the steps that are wanted.
    fn results(
        &self,
        context: &Context,
        (plan, study): (&Plan, &Path),
        reach: Reach,
        is_wanted: impl Fn(Step) -> bool,
        stop: &AtomicBool,
    ) -> Result<(AuditedThing, Examined, Extent)> {
        let wanted = plan.results().filter(|(step, _)| is_wanted(*step));
        let results: Vec<_> = wanted.map(|(step, manifest)| (step.label(&plan.study), manifest)).collect();
        if results.is_empty() {
            return Err(Fault::missing("the study has no results to audit")
                .next(format!("run it first: {}", context.line(&["run", &study.display().to_string()]))));
        }
        let again = self.again(results.iter().map(|(_, manifest)| manifest.key));
        let examination = ResultsExamination::of(results.into_iter(), &context.workspace);
        let tolerance = plan.study.tolerance.clone();
        let remaking = examination.remake(&context.workspace, reach, &again, tolerance, recompute, context.threads);
        let (remaking, extent) = follow(context, remaking, stop);
        let mut examined = examination.conclude(remaking.standings());
        let why = "it has no result: run the study";
        examined.checked.extend(plan.open_steps().filter(|step| is_wanted(*step)).map(|step| Checked {
            id: step.label(&plan.study),
            verdict: Verdict::Unchecked,
            stage: step.kind().word().to_owned(),
            expected: None,
            found: None,
            why: why.to_owned(),
            reason: why.to_owned(),
        }));
        let results = made_of::together(plan.results().map(|(_, manifest)| manifest));
        Ok((AuditedThing { study: plan.study.name.clone(), page: None, results }, examined, extent))
    }
}

/// The verdict on this is noted.
fn noted((audited, examined, extent): (AuditedThing, Examined, Extent)) -> (Option<AuditedThing>, Examined, Extent) {
    (Some(audited), examined, extent)
}

/// Is the folder a workspace in which something was run?
fn holds_results(folder: &Path) -> bool {
    folder.join("data/results").is_dir()
}

/// What a worker does, done again: networks by the program that runs them. A TorchScript module is a program of whoever made it: a study
/// runs the one that its owner chose, an audit runs none.
fn recompute(task: &Task, threads: usize, read: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade> {
    if let Work::Extract(of) = &task.work
        && of.whole.as_ref().is_some_and(|whole| whole.format == ModelFormat::TorchScript)
    {
        return Err(Fault::missing("a TorchScript module is a program, which an audit does not run: run the study"));
    }
    match WorkerProgram::of_work(&task.work) {
        Some(program) => {
            let MadeApart { outputs, facts } = study::carry_out_apart(task, program, threads, read)?;
            Ok(Remade { outputs, facts })
        }
        None => stages::carry_out(task, read, None, &()).map(|made| Remade { outputs: made.outputs, facts: made.facts }),
    }
}

/// Holds the page against the results of a workspace, and against the page that they give. The digests of the study's data today,
/// where these are here.
fn beside_results(
    workspace: &Workspace,
    study: std::result::Result<&StudyBeside, &String>,
    examination: &mut Examination,
    text: &str,
) -> Option<BTreeMap<String, Digest>> {
    examination.beside(workspace);
    let evidence = examination.shared_evidence();
    let RenderedBeside { rendered, told, is_study_same } = rendering::beside(text, &evidence, study, workspace);
    let rendered = match rendered {
        // Nothing here to render it from: it is held against its own evidence.
        Rendered::Not(why) => {
            examination.not_compared(format!("the page with what the results give: {why}"));
            own_word(examination);
            page::alone(text, &evidence)
        }
        rendered => rendered,
    };
    examination.rendered(text, &rendered);
    told.not_compared.into_iter().for_each(|what| examination.not_compared(what));
    told.lacks.into_iter().for_each(|what| examination.lacks(what));
    if is_study_same == Some(false) {
        examination.other_study();
    }
    study.ok().and_then(|study| study.data_today(workspace))
}

/// What no result says: a page that is held against its own evidence may say anything there.
fn own_word(examination: &mut Examination) {
    let has_remarks = examination.evidence().context.as_ref().is_some_and(|context| !context.remarks.is_empty());
    if has_remarks {
        examination.not_compared("warnings and notes about the data: they are the page's own word");
    }
}

/// Holds the page against its own evidence, where there are no results; the digests of the study's data today, where these are here.
fn of_page_alone(
    study: std::result::Result<&StudyBeside, &String>,
    examination: &mut Examination,
    text: &str,
    workspace: &Workspace,
) -> Option<BTreeMap<String, Digest>> {
    let what = if study.is_ok() { "results" } else { "results and data" };
    examination.not_compared(format!("{what}: there is no workspace with them here; name one with --workspace"));
    own_word(examination);
    let rendered = page::alone(text, &examination.shared_evidence());
    examination.rendered(text, &rendered);
    let study = study.ok()?;
    if !study.is_of(text) {
        // Without results here nothing says that the page is of this workspace.
        examination.not_compared("the study file and the data: the study of this name here is another one");
        return None;
    }
    study.data_today(workspace)
}

/// Waits until every stage is made again, or a person has had enough, and tells how it goes on.
fn follow(context: &Context, mut remaking: Remaking, stop: &AtomicBool) -> (Remaking, Extent) {
    // What a page makes a stage do is the page's, and told as its verdict.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut telling = ProgressLine::new(context, remaking.progress().1);
    let extent = loop {
        match remaking.news.recv_timeout(Duration::from_millis(50)) {
            Ok(news) => {
                let what = remaking.what(news.0);
                remaking.take(news);
                telling.tell(remaking.progress(), &what);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Extent::Whole,
        }
        if stop.load(Ordering::Relaxed) {
            remaking.stop();
            while let Ok(news) = remaking.news.try_recv() {
                remaking.take(news);
            }
            let (made, of) = remaking.progress();
            break if made < of { Extent::Stopped { made, of } } else { Extent::Whole };
        }
    };
    telling.close();
    std::panic::set_hook(hook);
    (remaking, extent)
}

/// A flag that signals set.
fn listen() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let refused = |error| Fault::unexpected(format!("cannot listen for signals: {error}"));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // A second one ends the audit at once.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop)).map_err(refused)?;
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(refused)?;
    }
    Ok(stop)
}
