//! `visavis audit REPORT.html | STUDY`

use super::{
    Context,
    output::{Grid, remark, say, say_json},
};
use crate::{
    audit::{self, Again, Audit as Examined, Checked, Remade, Verdict},
    domain::{
        Digest, Fault, Key, Result, made_of,
        stage::{Input, Kind, Task},
        text::{count, printable, thousands},
    },
    numeric::{Purpose, Stream},
    stages,
    store::LastAudit,
    study,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
pub struct Audit {
    /// A report, or a study file whose results are to be audited
    #[arg(value_name = "REPORT|STUDY")]
    what: PathBuf,
    /// What to make again: metrics (scores, ranks, figures), features (projections and features too), training
    #[arg(long, default_value = "metrics", value_parser = ["metrics", "features", "training"])]
    recompute: String,
    /// Make only K stages again, drawn by --seed
    #[arg(long, value_name = "K")]
    sample: Option<usize>,
    /// The auditor's own seed for --sample
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

/// What was audited: of which study, which page if one, and which results.
struct Of {
    study: String,
    page: Option<Digest>,
    results: Digest,
}

impl Audit {
    pub fn run(&self, context: &Context) -> Result<()> {
        if self.recompute == "training" {
            return Err(Fault::missing("training again is not part of an audit yet").next(
                "run the study with --force beside a copy of its results; --recompute features is the deepest there is now",
            ));
        }
        let is_report = self.what.extension().is_some_and(|ending| ending == "html" || ending == "htm");
        let (of, examined) = if is_report { self.report(context)? } else { self.study(context)? };
        self.keep(context, &of, &examined);
        conclude(context, &examined)
    }

    /// Notes what it came to, for whoever shows these results; an auditor without a workspace, or in one that cannot be written,
    /// notes nothing.
    fn keep(&self, context: &Context, of: &Of, examined: &Examined) {
        if !context.workspace.results().all().is_ok_and(|results| !results.is_empty()) {
            return;
        }
        let count = |verdict| examined.count(verdict);
        let audit = LastAudit {
            format: 1,
            at: 0,
            of: context.workspace.shareable(&self.what).display().to_string(),
            verdict: examined.verdict().words().to_owned(),
            identical: count(Verdict::Identical),
            within_tolerance: count(Verdict::WithinTolerance),
            differs: count(Verdict::Differs),
            unchecked: count(Verdict::Unchecked),
            not_attempted: count(Verdict::NotAttempted),
            verified: examined.verified.iter().copied().collect(),
            page: of.page,
            results: Some(of.results),
        };
        if let Err(fault) = audit.keep(&context.workspace, &of.study) {
            remark(context, format!("the verdict was not noted: {}", fault.what));
        }
    }

    /// Which stages are made again; the sample is drawn by the auditor's own seed.
    fn again(&self, keys: impl Iterator<Item = Key>) -> Again<'static> {
        let kinds: &[Kind] = match self.recompute.as_str() {
            "metrics" => &[Kind::Score, Kind::Rank, Kind::Draw],
            _ => &[Kind::Index, Kind::Features, Kind::Project, Kind::Score, Kind::Rank, Kind::Draw],
        };
        let draw = |count| {
            let mut keys: Vec<Key> = keys.collect();
            Stream::new(self.seed, Purpose::AuditSample, 0).shuffle(&mut keys);
            keys.into_iter().take(count).collect()
        };
        Again { kinds, sample: self.sample.map(draw) }
    }

    fn report(&self, context: &Context) -> Result<(Of, Examined)> {
        let bytes = std::fs::read(&self.what).map_err(|error| Fault::io("read the report", &self.what, &error))?;
        let page = Some(Digest::of(&bytes));
        let text = String::from_utf8(bytes).map_err(|_| Fault::asked("the report is not UTF-8 text").in_file(&self.what))?;
        let results = context.workspace.results();
        let workspace = (!results.all()?.is_empty()).then_some(&context.workspace);
        let evidence = audit::Evidence::of_page(&text, &self.what)?;
        let current = current(&context.workspace.locate(Path::new(&evidence.study_file)), context);
        let again = self.again(evidence.manifests.iter().map(|manifest| manifest.key));
        let examined = audit::examine_report(&text, &self.what, workspace, current.as_ref(), &again, &recompute)?;
        let results = made_of::together(evidence.manifests.iter());
        Ok((Of { study: evidence.study.clone(), page, results }, examined))
    }

    fn study(&self, context: &Context) -> Result<(Of, Examined)> {
        let opened = study::open(&self.what, &context.workspace)?;
        let plan = study::Plan::new(&opened, &context.workspace)?.as_it_stands()?;
        let results: Vec<_> = plan.results().map(|(step, manifest)| (step.label(&plan.study), manifest)).collect();
        if results.is_empty() {
            return Err(Fault::missing("the study has no results to audit")
                .next(format!("run it first: {}", context.line(&["run", &self.what.display().to_string()]))));
        }
        let again = self.again(results.iter().map(|(_, manifest)| manifest.key));
        let mut examined = audit::examine_results(results.into_iter(), &context.workspace, &again, &recompute);
        examined.checked.extend(plan.open_steps().map(|step| Checked {
            id: step.label(&plan.study),
            verdict: Verdict::Unchecked,
            stage: step.kind().word().to_owned(),
            expected: None,
            found: None,
            why: "it has no result: run the study".to_owned(),
        }));
        let results = made_of::together(plan.results().map(|(_, manifest)| manifest));
        Ok((Of { study: plan.study.name.clone(), page: None, results }, examined))
    }
}

/// What a worker does, done again.
fn recompute(task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade> {
    stages::carry_out(task, read, None, &()).map(|made| Remade { outputs: made.outputs, facts: made.facts })
}

/// The digests of the study's data today; `None` when the study or its data are not here.
fn current(file: &Path, context: &Context) -> Option<BTreeMap<String, Digest>> {
    let opened = study::open(file, &context.workspace).ok()?;
    Some(study::Plan::new(&opened, &context.workspace).ok()?.source_digests())
}

fn conclude(context: &Context, examined: &Examined) -> Result<()> {
    let counts = [Verdict::Identical, Verdict::WithinTolerance, Verdict::Differs, Verdict::Unchecked, Verdict::NotAttempted]
        .map(|verdict| examined.count(verdict));
    let [identical, within, differs, unchecked, not_attempted] = counts;
    if context.json {
        say_json(&serde_json::json!({
            "format": 1, "verdict": examined.verdict(), "identical": identical, "within_tolerance": within, "differs": differs,
            "unchecked": unchecked, "not_attempted": not_attempted, "claims": examined.checked,
        }));
    } else {
        let mut grid = Grid::new(&["", "", ""]);
        for checked in examined.differs() {
            let numbers = match (&checked.expected, &checked.found) {
                (Some(expected), Some(found)) if expected.len() <= 16 => format!("expected {expected}, found {found}"),
                _ => String::new(),
            };
            grid.row(&[format!("✕ {}", checked.id), numbers, checked.why.clone()]);
        }
        if differs > 0 {
            grid.print("  ");
            say("");
        }
        // Why something could not be checked, each reason once.
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for checked in
            examined.checked.iter().filter(|checked| matches!(checked.verdict, Verdict::Unchecked | Verdict::NotAttempted))
        {
            let why = checked.why.rsplit(": ").next().unwrap_or(&checked.why);
            *reasons.entry(format!("{}: {}", checked.verdict.words(), printable(why))).or_default() += 1;
        }
        say(format!(
            "verdict: {} · {} of {} identical, {within} within tolerance, {differs} differ",
            examined.verdict().words(),
            thousands(identical),
            count(examined.checked.len(), "check")
        ));
        for (why, times) in reasons {
            say(format!("  {times} {why}"));
        }
    }
    if differs == 0 {
        Ok(())
    } else {
        Err(Fault::differs(format!("the audit found {}", count(differs, "difference"))).next("what differs is named above"))
    }
}
