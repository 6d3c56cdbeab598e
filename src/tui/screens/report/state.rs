//! An outline of the report, and the verdicts of the last audit as a tree.

use crate::{
    study::{AuditDifference, LastAudit, WrittenPage, matrix_snapshot::MatrixSnapshot, watch::Snapshot},
    tui::{
        audited::{Audited, ClaimLine},
        table::{ScreenTable, TableValue},
    },
};
use std::collections::{BTreeMap, BTreeSet};
use visavis_core::domain::{
    ledger::ShownAs,
    pin::LOST,
    text::{count, size, thousands},
};

#[derive(Default)]
pub(crate) struct ReportState {
    pub cursor: usize,
    /// Branches of the tree of verdicts that are open.
    pub open: BTreeSet<String>,
    /// The last audit from here.
    pub audit: Option<OwnAudit>,
    pub lines: Vec<ReportLine>,
}

/// An audit that these screens asked for: when it ended (milliseconds since 1970), of which study, and its verdicts.
pub(crate) struct OwnAudit {
    at: u64,
    study: String,
    found: Audited,
}

impl OwnAudit {
    /// Another one was made since.
    fn is_before(&self, kept: &LastAudit) -> bool {
        let is_same = (self.found.identical, self.found.differs) == (kept.identical, kept.differs);
        kept.at > self.at + ON_ITS_WAY && !is_same
    }
}

/// What is between the end of an audit and its arrival here, at the most.
const ON_ITS_WAY: u64 = 5000;

/// A line of the screen's list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReportLine {
    pub depth: usize,
    pub kind: LineKind,
    pub text: String,
    /// Shown to the right of it.
    pub note: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LineKind {
    Head,
    /// It will be in the report.
    There,
    /// It would be, and is not there yet.
    Missing,
    /// A branch of verdicts: its name in the set of open ones, its verdict.
    Branch(String, String),
    /// One claim that was checked.
    Leaf(String),
}

/// Verdicts, the worst first.
const VERDICTS: [&str; 5] = ["differs", "unchecked", "within_tolerance", "not_attempted", "identical"];
/// The heading of the last audit.
const AUDIT: &str = "The last audit";
/// Leaves of a branch that are listed.
const MOST: usize = 200;

impl ReportState {
    pub(crate) fn rebuild(&mut self, seen: &Snapshot) {
        self.lines = outline(seen);
        if let Some(matrix_snapshot) = &seen.matrix_snapshot {
            let own = self.audit.as_ref().filter(|own| own.study == matrix_snapshot.study.name);
            let kept = seen.audit.as_ref().filter(|kept| own.is_none_or(|own| own.is_before(kept)));
            let found = match (kept, own) {
                (Some(kept), _) => Some(of_another(kept)),
                (None, Some(own)) => Some(own.found.clone()),
                (None, None) => None,
            };
            self.lines.extend(found.map_or(vec![], |found| verdicts(&found, &self.open)));
        }
        self.cursor = self.cursor.min(self.lines.len().saturating_sub(1));
    }

    /// Takes up a new audit; where it found differences, these are shown.
    pub(crate) fn take_audit(&mut self, study: &str, audit: &Audited, at: u64) {
        self.open = if audit.differs > 0 { ["differs".to_owned()].into() } else { BTreeSet::new() };
        self.audit = Some(OwnAudit { at, study: study.to_owned(), found: audit.clone() });
    }

    /// The cursor is on the last audit, or on a verdict of it.
    pub(crate) fn is_at_audit(&self) -> bool {
        self.lines.iter().take(self.cursor + 1).any(|line| line.text == AUDIT)
    }

    /// Opens or closes the branch under the cursor.
    pub(crate) fn fold(&mut self) {
        if let Some(ReportLine { kind: LineKind::Branch(name, _), .. }) = self.lines.get(self.cursor)
            && !self.open.remove(name)
        {
            self.open.insert(name.clone());
        }
    }
}

fn line(depth: usize, kind: LineKind, text: impl Into<String>, note: impl Into<String>) -> ReportLine {
    ReportLine { depth, kind, text: text.into(), note: note.into() }
}

fn outline(seen: &Snapshot) -> Vec<ReportLine> {
    let Some(matrix_snapshot) = &seen.matrix_snapshot else { return vec![] };
    let study = &matrix_snapshot.study;
    let mut lines = vec![line(0, LineKind::Head, "The report", study.about.clone())];
    let part =
        |there: bool, text: String, note: String| line(1, if there { LineKind::There } else { LineKind::Missing }, text, note);
    let (done, all) = matrix_snapshot.counted();
    let found = matrix_snapshot.found.as_ref();
    lines.push(part(found.is_some(), "the answer, in five lines".into(), String::new()));
    lines.push(part(done == all, "the matrix".into(), format!("{} of {} scored", thousands(done), count(all, "cell"))));
    lines.push(part(found.is_some(), "findings, contrasts".into(), count(study.contrasts.len(), "contrast")));
    let pinned = || matrix_snapshot.shown.iter().filter(|(_, of)| of.contains(&ShownAs::Pinned));
    lines.push(part(
        found.is_some(),
        "figures by the rule".into(),
        found.map_or(String::new(), |found| {
            let also_shown = matrix_snapshot
                .shown
                .iter()
                .filter(|(_, of)| of.iter().any(|of| !matches!(of, ShownAs::Best | ShownAs::Pinned)))
                .count();
            format!("{} picked, {} at most; {also_shown} more: median, worst, random", found.ledger.picked, study.show)
        }),
    ));
    for pin in &matrix_snapshot.pins {
        let there = pinned().any(|(cell, _)| Some(*cell) == pin.cell);
        let words = if pin.cell.is_none() { LOST } else { "pinned" };
        let note = if pin.pin.note.is_empty() { words.to_owned() } else { format!("{words}: {}", pin.pin.note) };
        lines.push(line(2, if there { LineKind::There } else { LineKind::Missing }, pin.name.clone(), note));
    }
    let fair = if study.fairness.groups.is_empty() {
        "no groups are named in the study".to_owned()
    } else {
        format!("groups by {}", study.fairness.groups.join(", "))
    };
    lines.push(part(!study.fairness.groups.is_empty() && found.is_some(), "fairness and bias".into(), fair));
    lines.push(part(
        found.is_some(),
        "ledger, methods, evidence".into(),
        found.map_or(String::new(), |found| count(found.ledger.rows.len(), "row")),
    ));
    for warning in &matrix_snapshot.warnings {
        lines.push(line(1, LineKind::Missing, "warning", warning.clone()));
    }
    for (input, at, cells) in &matrix_snapshot.missing {
        lines.push(line(1, LineKind::Missing, format!("missing: {input}"), format!("{at} · {} wait", count(*cells, "cell"))));
    }
    let (there, written) = match seen.report {
        Some(page) => match outdated(&page, matrix_snapshot) {
            None => (true, format!("{}, of what is here now", size(page.bytes))),
            Some(why) => (false, format!("{}, not of what is here now: {why}; b builds it anew", size(page.bytes))),
        },
        None => (false, "not written yet: b builds it".to_owned()),
    };
    let page = format!("reports/{}.html", study.name);
    lines.push(line(1, if there { LineKind::There } else { LineKind::Missing }, page, written));
    lines.push(line(
        0,
        LineKind::Head,
        AUDIT,
        seen.audit.as_ref().map_or("none yet: A audits the report, V the results".to_owned(), |audit| {
            let outdated = audit.outdated(matrix_snapshot.made_of.results, seen.report.and_then(|page| page.digest));
            let part = if audit.partial { " (of a part)" } else { "" };
            format!(
                "{}{}: {}{part} · {} identical, {} differ, {} not checked",
                outdated.map_or(String::new(), |why| format!("{why}: ")),
                audit.of,
                audit.verdict,
                thousands(audit.identical),
                thousands(audit.differs),
                thousands(audit.unchecked + audit.not_attempted)
            )
        }),
    ));
    lines
}

/// Why the page is not of what is here now; `None`: it is, its digests say so.
fn outdated(page: &WrittenPage, matrix_snapshot: &MatrixSnapshot) -> Option<String> {
    let Some(made_of) = page.made_of else { return Some("it does not say what it was made of".to_owned()) };
    let mut why: Vec<String> = made_of.changed(&matrix_snapshot.made_of).into_iter().map(str::to_owned).collect();
    if matrix_snapshot.to_run > 0 {
        why.push(format!("{} to run", count(matrix_snapshot.to_run, "stage")));
    }
    (!why.is_empty()).then(|| why.join(", "))
}

/// What is kept of an audit that somebody else made: its differences.
fn of_another(kept: &LastAudit) -> Audited {
    let claim = |of: &AuditDifference| ClaimLine {
        id: of.id.clone(),
        verdict: "differs".to_owned(),
        stage: of.stage.clone(),
        expected: of.expected.clone(),
        found: of.found.clone(),
        why: of.why.clone(),
    };
    Audited {
        verdict: kept.verdict.clone(),
        identical: kept.identical,
        differs: kept.differs,
        claims: kept.differences.iter().map(claim).collect(),
    }
}

fn verdicts(audit: &Audited, open: &BTreeSet<String>) -> Vec<ReportLine> {
    let mut lines = Vec::new();
    let mut tree: BTreeMap<(usize, &str), Vec<&ClaimLine>> = BTreeMap::new();
    for claim in &audit.claims {
        let worst = VERDICTS.iter().position(|verdict| *verdict == claim.verdict).unwrap_or(0);
        tree.entry((worst, claim.stage.as_str())).or_default().push(claim);
    }
    for (place, verdict) in VERDICTS.iter().enumerate() {
        let stages: Vec<_> = tree.iter().filter(|((of, _), _)| *of == place).collect();
        let total: usize = stages.iter().map(|(_, claims)| claims.len()).sum();
        if total == 0 {
            continue;
        }
        let branch = (*verdict).to_owned();
        // Of an audit that somebody else made only some are kept.
        let note = if *verdict == "differs" && audit.differs > total {
            format!("{} of {}; visavis audit --json lists all", thousands(total), thousands(audit.differs))
        } else {
            thousands(total)
        };
        lines.push(line(1, LineKind::Branch(branch.clone(), branch.clone()), verdict.replace('_', " "), note));
        if !open.contains(&branch) {
            continue;
        }
        for ((_, stage), claims) in stages {
            let name = format!("{branch} {stage}");
            lines.push(line(2, LineKind::Branch(name.clone(), branch.clone()), (*stage).to_owned(), thousands(claims.len())));
            if !open.contains(&name) {
                continue;
            }
            for claim in claims.iter().take(MOST) {
                let numbers = match (&claim.expected, &claim.found) {
                    (Some(expected), Some(found)) if expected != found => {
                        format!("expected {expected}, found {found}; {}", claim.why)
                    }
                    _ => claim.why.clone(),
                };
                lines.push(line(3, LineKind::Leaf(branch.clone()), claim.id.clone(), numbers));
            }
            if claims.len() > MOST {
                lines.push(line(
                    3,
                    LineKind::Leaf(branch.clone()),
                    format!("and {} more", thousands(claims.len() - MOST)),
                    "visavis audit --json lists all",
                ));
            }
        }
    }
    lines
}

pub(crate) fn table(report: &ReportState) -> ScreenTable {
    let row = |line: &ReportLine| {
        let state = match &line.kind {
            LineKind::Head => "",
            LineKind::There => "there",
            LineKind::Missing => "missing",
            LineKind::Branch(_, verdict) | LineKind::Leaf(verdict) => verdict,
        };
        vec![
            TableValue::from(state),
            TableValue::from(format!("{}{}", "  ".repeat(line.depth), line.text)),
            TableValue::from(line.note.as_str()),
        ]
    };
    ScreenTable {
        title: "what the report holds".to_owned(),
        heads: vec!["state", "part", "note"],
        rows: report.lines.iter().map(row).collect(),
    }
}
