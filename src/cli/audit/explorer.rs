//! The page of an explorer: what is round its contents against this program; then written again from the study and its results, and compared
//! byte for byte; then the results that it shows.

use crate::{
    audit::{Audit as Examined, Checked, Reach, Rendered, RenderedFrom, Verdict},
    cli::explore,
    report::ExplorerMark,
    study::{self, OpenedStudy, Plan, Step},
};
use std::path::{Component, Path};
use visavis_core::{
    domain::{Fault, Result, text::printable},
    store::Workspace,
};

const LARGEST_STUDY: u64 = 16 << 20;

/// What makes the page no page of this program's, if anything does.
pub(super) fn foreign(page: &str, mark: &ExplorerMark) -> Option<Examined> {
    let mut examined = Examined::default();
    if let Some(other) = mark.other_program() {
        examined.lacks.push(format!("the page says that another program wrote it: {}", printable(other)));
        return Some(examined);
    }
    if mark.frames(page) {
        return None;
    }
    let why = "its script, style, policy or controls are not those that this program writes";
    examined.checked.push(Checked {
        id: "whole page".to_owned(),
        verdict: Verdict::Differs,
        stage: "page".to_owned(),
        expected: None,
        found: None,
        why: why.to_owned(),
        reason: why.to_owned(),
    });
    Some(examined)
}

/// The study of the page, as it is in the workspace.
///
/// # Errors
/// No study file where the page says it is; one that is wrong.
pub(super) fn study_of(mark: &ExplorerMark, reach: &Reach, workspace: &Workspace) -> Result<(OpenedStudy, Plan)> {
    let named = Path::new(&mark.study_file);
    let is_plain = named.components().all(|part| matches!(part, Component::Normal(_)));
    let found = reach.find(named, LARGEST_STUDY).ok().filter(|_| is_plain);
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
