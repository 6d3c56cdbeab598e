//! What an audit prints: its verdict, and what was found.

use crate::{
    audit::{Audit as Examined, Checked, PageAudit, Verdict},
    cli::{
        Context,
        output::{TextColumns, say, write_out},
    },
};
use std::{collections::BTreeMap, time::Duration};
use visavis_core::domain::{
    Fault, Result,
    text::{count, printable, thousands},
};

/// How far an audit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    /// Nothing was made again, for nothing else was asked for.
    PageAlone,
    /// A person stopped it.
    Stopped {
        made: usize,
        of: usize,
    },
}

pub(super) fn tell_first(context: &Context, first: PageAudit, took: Duration) {
    if context.json || context.quiet {
        return;
    }
    let PageAudit { claims, agree, differ, unchecked, faults } = first;
    let mut line = format!("the page alone: {} of {} as its evidence has them", thousands(agree), count(claims, "number"));
    if unchecked > 0 {
        line += &format!(", {} without evidence in the file", thousands(unchecked));
    }
    if differ + faults > 0 {
        line += &format!(", {} differ", thousands(differ + faults));
    }
    say(format!("{line} · {:.1} s", took.as_secs_f64()));
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct AuditSummary<'a> {
    format: u32,
    verdict: &'a str,
    /// How far it went: `whole`, `page` (nothing made again), `stopped`.
    extent: &'a str,
    stages_made_again: Option<usize>,
    stages: Option<usize>,
    identical: usize,
    within_tolerance: usize,
    consistent: usize,
    differs: usize,
    unchecked: usize,
    not_attempted: usize,
    /// What is needed to call the page identical, and is not here.
    lacks: &'a [String],
    /// What was not looked at.
    not_compared: &'a [String],
    claims: &'a [Checked],
}

pub(super) fn conclude(context: &Context, examined: &Examined, extent: Extent) -> Result<()> {
    if context.json {
        tell_json(examined, extent);
    } else {
        tell(examined, extent);
    }
    let differs = examined.count(Verdict::Differs);
    if let Extent::Stopped { made, of } = extent {
        let mut fault = Fault::interrupted();
        fault.what = format!("stopped: {made} of {} made again", count(of, "stage"));
        return Err(
            fault.next("run the same command again to check all; --quick looks at the page alone, --sample K at some stages")
        );
    }
    if differs == 0 && examined.lacks.is_empty() {
        Ok(())
    } else if differs == 0 {
        Err(Fault::unchecked("the audit found no difference, and could not check all that the page shows").next(
            "what it lacks is said above: give the results with --workspace, or ask for a report that carries its evidence",
        ))
    } else {
        Err(Fault::differs(format!("the audit found {}", count(differs, "difference"))).next("what differs is named above"))
    }
}

fn tell_json(examined: &Examined, extent: Extent) {
    let word =
        serde_json::to_value(examined.verdict()).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
    let (verdict, extent, made, stages) = match extent {
        Extent::Whole => (word.as_str(), "whole", None, None),
        Extent::PageAlone => (word.as_str(), "page", None, None),
        Extent::Stopped { made, of } => ("stopped", "stopped", Some(made), Some(of)),
    };
    let told = AuditSummary {
        format: 1,
        verdict,
        extent,
        stages_made_again: made,
        stages,
        identical: examined.count(Verdict::Identical),
        within_tolerance: examined.count(Verdict::WithinTolerance),
        consistent: examined.count(Verdict::Consistent),
        differs: examined.count(Verdict::Differs),
        unchecked: examined.count(Verdict::Unchecked),
        not_attempted: examined.count(Verdict::NotAttempted),
        lacks: &examined.lacks,
        not_compared: &examined.not_compared,
        claims: &examined.checked,
    };
    let mut line = serde_json::to_vec(&told).unwrap_or_default();
    line.push(b'\n');
    write_out(&line);
}

/// Differences that are listed for people.
const MOST_LISTED: usize = 100;

fn tell(examined: &Examined, extent: Extent) {
    let [identical, within, consistent, differs] =
        [Verdict::Identical, Verdict::WithinTolerance, Verdict::Consistent, Verdict::Differs]
            .map(|verdict| examined.count(verdict));
    let mut grid = TextColumns::new(&["", "", ""]);
    for checked in examined.differs().take(MOST_LISTED) {
        let numbers = match (&checked.expected, &checked.found) {
            (Some(expected), Some(found)) if expected.len() <= 16 => format!("expected {expected}, found {found}"),
            _ => String::new(),
        };
        grid.row(&[format!("✕ {}", checked.id), numbers, checked.why.clone()]);
    }
    if differs > 0 {
        grid.print("  ");
        if differs > MOST_LISTED {
            say(format!("  and {} more: --json lists all", thousands(differs - MOST_LISTED)));
        }
        say("");
    }
    let in_all = count(examined.checked.len(), "check");
    let word = examined.verdict().words();
    match extent {
        Extent::Whole => {
            say(format!(
                "verdict: {word} · {} of {in_all} identical, {within} within tolerance, {differs} differ",
                thousands(identical)
            ));
        }
        Extent::PageAlone => say(format!(
            "verdict: {word}, of the page alone · {} of {in_all} as the evidence in the file has them, {differs} differ; nothing was made again",
            thousands(identical + consistent)
        )),
        Extent::Stopped { made, of } => say(format!(
            "verdict: stopped · {made} of {} made again · {} of {in_all} identical, {within} within tolerance, {differs} differ",
            count(of, "stage"),
            thousands(identical)
        )),
    }
    for what in &examined.not_compared {
        say(format!("  not compared: {}", printable(what)));
    }
    for what in examined.lacks.iter().take(MOST_LISTED) {
        say(format!("  lacking: {}", printable(what)));
    }
    // Why something could not be checked, each reason once.
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for checked in examined.checked.iter().filter(|checked| matches!(checked.verdict, Verdict::Unchecked | Verdict::NotAttempted))
    {
        *reasons.entry(format!("{}: {}", checked.verdict.words(), printable(&checked.reason))).or_default() += 1;
    }
    for (why, times) in reasons.iter().take(MOST_LISTED) {
        say(format!("  {} {why}", thousands(*times)));
    }
    if reasons.len() > MOST_LISTED {
        say(format!("  and {} more reasons: --json lists all", thousands(reasons.len() - MOST_LISTED)));
    }
}
