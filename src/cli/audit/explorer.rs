//! An explorer, on a page of its own or in a report: what is round its contents against this program; then written again from the study and its
//! results, and compared byte for byte; then, of a page of its own, the results that it shows.

use super::rendering::{StudyBeside, is_plain};
use crate::{
    audit::{Audit as Examined, Checked, Evidence, Reach, Rendered, RenderedFrom, Verdict},
    cli::explore,
    report::{ExploredReport, ExplorerMark},
    study::{self, OpenedStudy, Plan, Step},
};
use std::path::Path;
use visavis_core::{
    domain::{Fault, Result, text::printable},
    store::Workspace,
};

const LARGEST_STUDY: u64 = 16 << 20;

/// What makes the page no page of this program's, if anything does.
pub(super) fn foreign(page: &str, mark: &ExplorerMark) -> Option<Examined> {
    if let Some(other) = mark.other_program() {
        let lacks = vec![format!("the page says that another program wrote it: {}", printable(other))];
        return Some(Examined { lacks, ..Examined::default() });
    }
    (!mark.frames(page)).then(not_own)
}

/// What an audit says of a page whose script this program did not write. Nothing else of the page is looked at.
pub(super) fn not_own() -> Examined {
    let why = "its script, style, policy or controls are not those that this program writes";
    Examined { checked: vec![checked("whole page", Verdict::Differs, why)], ..Examined::default() }
}

fn checked(id: &str, verdict: Verdict, why: &str) -> Checked {
    let (id, stage) = (id.to_owned(), "page".to_owned());
    Checked { id, verdict, stage, expected: None, found: None, why: why.to_owned(), reason: why.to_owned() }
}

/// The study of the page, as it is in the workspace.
///
/// # Errors
/// No study file where the page says it is; one that is wrong.
pub(super) fn study_of(study_file: &str, reach: &Reach, workspace: &Workspace) -> Result<(OpenedStudy, Plan)> {
    let named = Path::new(study_file);
    let found = reach.find(named, LARGEST_STUDY).ok().filter(|_| is_plain(named));
    let found = found.ok_or_else(|| {
        Fault::unchecked("an explorer is checked beside the results that it was written from, and its study is not here")
            .next("name the workspace with --workspace")
    })?;
    let opened = study::open(&found, workspace)?;
    let plan = study::plan(&opened, workspace)?.as_it_stands()?;
    Ok((opened, plan))
}

/// What the page shows is of these results.
pub(super) fn shows(step: Step) -> bool {
    matches!(
        step,
        Step::Index
            | Step::Thumbnails
            | Step::Nuisances
            | Step::Clusters { .. }
            | Step::Project { seed: 0, .. }
            | Step::Features { .. }
            | Step::Extract { .. }
            | Step::Baseline { .. }
    )
}

/// Enters what the comparison of the page comes to; one of another state of the study cannot be compared.
pub(super) fn compare(page: &str, mark: &ExplorerMark, opened: &OpenedStudy, plan: &Plan, examined: &mut Examined) {
    let changed = mark.made_of.changed(&plan.made_of(&opened.file.text.source));
    let rendered = if !changed.is_empty() {
        Rendered::Not(format!(
            "since it was written, {}: write it anew, or audit it beside what it was written from",
            changed.join(", ")
        ))
    } else {
        match explore::page(plan, opened, Path::new(&mark.study_file), mark.embeds_faces) {
            Ok(page) => Rendered::Page { page, from: RenderedFrom::Results },
            Err(fault) => Rendered::Not(fault.what),
        }
    };
    crate::audit::compare(page, &rendered, examined);
}

/// Enters what the comparison of a report's explorer with the results comes to. `page`: the report with it; `study`: of the report, as it is here.
pub(super) fn compare_within(
    (page, of): (&str, &ExploredReport),
    evidence: &Evidence,
    study: std::result::Result<&StudyBeside, &String>,
    workspace: &Workspace,
) -> std::result::Result<Checked, String> {
    let study = study.map_err(Clone::clone)?;
    let again = study.explored(&of.report, evidence, workspace)?;
    let again = of.with(&again).map_err(|fault| fault.what)?;
    Ok(if again == page {
        checked("explorer", Verdict::Identical, "made again from the results: the same bytes")
    } else {
        checked("explorer", Verdict::Differs, "the explorer made again from the results has other places, faces or labels")
    })
}
