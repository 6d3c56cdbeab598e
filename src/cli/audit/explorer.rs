//! An explorer, on a page of its own or in a report: what is round its contents against this program; then written again from the study and its
//! results, and compared byte for byte, with the faces that lie beside it; then, of a page of its own, the results that it shows.

use super::rendering::{StudyBeside, is_plain};
use crate::{
    audit::{self, Audit as Examined, Checked, Evidence, Reach, Rendered, RenderedFrom, Verdict},
    cli::{explore, report::faces_of},
    report::{ExploredReport, ExplorerMark},
    study::{self, ExplorerContents, FacesFolder, OpenedStudy, Plan, Step},
};
use std::path::Path;
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        text::{count, printable},
    },
    store::Workspace,
};

const LARGEST_STUDY: u64 = 16 << 20;
/// A sheet of faces is far smaller.
const LARGEST_SHEET: u64 = 16 << 20;

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

/// Enters what the comparison of the page comes to; one of another state of the study cannot be compared. `at`: where the page is.
pub(super) fn compare(
    (page, at): (&str, &Path),
    mark: &ExplorerMark,
    (opened, plan): (&OpenedStudy, &Plan),
    workspace: &Workspace,
    examined: &mut Examined,
) {
    let changed = mark.made_of.changed(&plan.made_of(&opened.file.text.source));
    let rendered = if !changed.is_empty() {
        Rendered::Not(format!(
            "since it was written, {}: write it anew, or audit it beside what it was written from",
            changed.join(", ")
        ))
    } else {
        match again(page, mark, opened, plan, workspace) {
            Ok((page, contents)) => {
                enter_folder(at, contents.folder(), examined);
                Rendered::Page { page, from: RenderedFrom::Results }
            }
            Err(fault) => Rendered::Not(fault.what),
        }
    };
    audit::compare(page, &rendered, examined);
}

/// The page written again, and what it holds.
fn again(
    page: &str,
    mark: &ExplorerMark,
    opened: &OpenedStudy,
    plan: &Plan,
    workspace: &Workspace,
) -> Result<(String, ExplorerContents)> {
    let study = Path::new(&mark.study_file);
    let place = explore::place_of(plan, workspace, ExplorerMark::has_folder(page));
    let contents = explore::contents(plan, opened, study, &faces_of(opened, plan, mark.embeds_faces), place, None)?;
    Ok((explore::page(plan, opened, study, &contents, mark.embeds_faces)?, contents))
}

/// Enters what the faces beside a page come to.
fn enter_folder(page: &Path, folder: Option<&FacesFolder>, examined: &mut Examined) {
    match folder.filter(|folder| !folder.sheets.is_empty()).map(|folder| beside(page, folder)) {
        None => {}
        Some(Ok(checked)) => examined.checked.push(checked),
        Some(Err(why)) => examined.lacks.push(why),
    }
}

/// The sheets of faces that lie beside the page, against those of the results.
///
/// # Errors
/// Some are not there, or cannot be read.
fn beside(page: &Path, folder: &FacesFolder) -> std::result::Result<Checked, String> {
    let at = page.with_file_name(&folder.name);
    let (mut unread, mut differ) = (vec![], vec![]);
    for sheet in &folder.sheets {
        let (name, file) = (FacesFolder::file(*sheet), at.join(FacesFolder::file(*sheet)));
        match audit::read_named(&file, LARGEST_SHEET, "the sheet") {
            Ok(bytes) if Digest::of(&bytes) == *sheet => {}
            Ok(_) => differ.push(name),
            Err(fault) => unread.push(fault.what),
        }
    }
    let (folder, sheets) = (folder.name.as_str(), count(folder.sheets.len(), "sheet"));
    let (verdict, why) = match (differ.first(), unread.first()) {
        (Some(first), _) => {
            let unread = if unread.is_empty() { String::new() } else { format!("; {} cannot be read", unread.len()) };
            let why = format!("other faces than in the results: {} of {sheets}, such as {first}{unread}", differ.len());
            (Verdict::Differs, why)
        }
        (None, Some(first)) => {
            return Err(format!("{} of {sheets} in `{folder}` beside the page cannot be read: {first}", unread.len()));
        }
        (None, None) => (Verdict::Identical, format!("{sheets} in `{folder}`: the same bytes as in the results")),
    };
    Ok(checked("faces beside the page", verdict, &why))
}

/// Enters what the comparison of a report's explorer with the results comes to, and of its faces. `page`: the report with it; `study`: of the report, as it is here.
pub(super) fn compare_within(
    (page, at, of): (&str, &Path, &ExploredReport),
    evidence: &Evidence,
    study: std::result::Result<&StudyBeside, &String>,
    workspace: &Workspace,
    examined: &mut Examined,
) -> std::result::Result<(), String> {
    let study = study.map_err(Clone::clone)?;
    let contents = study.explored(&of.report, evidence, of.has_folder, workspace)?;
    let again = of.with(&contents).map_err(|fault| fault.what)?;
    let whole = if again == page {
        checked("explorer", Verdict::Identical, "made again from the results: the same bytes")
    } else {
        checked("explorer", Verdict::Differs, "the explorer made again from the results has other places, faces or labels")
    };
    examined.checked.push(whole);
    enter_folder(at, contents.folder(), examined);
    Ok(())
}
