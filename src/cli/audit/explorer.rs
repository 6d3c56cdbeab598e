//! The page of an explorer: written again from the study and its results, and compared byte for byte; then the results that it shows.

use crate::{
    audit::{Audit as Examined, Reach, Rendered, RenderedFrom},
    cli::explore,
    report::ExplorerMark,
    study::{self, OpenedStudy, Plan, Step},
};
use std::path::Path;
use visavis_core::{
    domain::{Fault, Result},
    store::Workspace,
};

const LARGEST_STUDY: u64 = 16 << 20;

/// The study of the page, as it is in the workspace.
///
/// # Errors
/// No study file where the page says it is; one that is wrong.
pub(super) fn study_of(mark: &ExplorerMark, reach: &Reach, workspace: &Workspace) -> Result<(OpenedStudy, Plan)> {
    let named = Path::new(&mark.study_file);
    if reach.find(named, LARGEST_STUDY).is_err() {
        return Err(Fault::unchecked(
            "an explorer is checked beside the results that it was written from, and its study is not here",
        )
        .next("name the workspace with --workspace"));
    }
    let opened = study::open(&workspace.locate(named), workspace)?;
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

/// Enters what the comparison of the page comes to.
pub(super) fn compare(page: &str, mark: &ExplorerMark, opened: &OpenedStudy, plan: &Plan, examined: &mut Examined) {
    let again = explore::page(plan, opened, Path::new(&mark.study_file), mark.embeds_faces);
    let rendered = match again {
        Ok(page) => Rendered::Page { page, from: RenderedFrom::Results },
        Err(fault) => Rendered::Not(fault.what),
    };
    crate::audit::compare(page, &rendered, examined);
}
